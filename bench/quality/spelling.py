"""quality: the job "spelling" with SymSpell's dictionary on Norvig's and SymSpell's misspellings, beside Norvig's and SymSpell's methods.

Each misspelling is a search of one unit in a real database; the dictionary is uploaded; one run of the job corrects all of them. An answer is right when it is
the right word; who has no answer leaves the word as it is. All methods have the same dictionary.
"""
import collections
import datetime
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import spelling_data as data  # noqa: E402
from daemon import Daemon  # noqa: E402

LETTERS = "abcdefghijklmnopqrstuvwxyz"
# No word has traffic here: only the dictionary says what is right, and every word may be wrong.
ALL = {"min_searches": 0, "min_count_filter": 1, "min_count_main": 0, "misspelling_threshold": 0, "correction_threshold": 1, "dictionary": "english",
       "dictionary_weight": 1e12, "phrases": "false"}
BOLD = {**ALL, "max_distance": 3, "len_scale": 0, "min_misspelling_len": 1, "min_prefix": 0}
AS_OF = datetime.date(2026, 10, 5)


# ---- references

def osa(a, b, most):
    before, last = None, list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        now = [i]
        for j, y in enumerate(b, 1):
            d = min(last[j] + 1, now[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                d = min(d, before[j - 2] + 1)
            now.append(d)
        if min(now) > most + 1:
            return most + 1
        before, last = last, now
    return last[-1]


def edits1(word):
    splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    return {a + b[1:] for a, b in splits if b} | {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1} | \
        {a + c + b[1:] for a, b in splits if b for c in LETTERS} | {a + c + b for a, b in splits for c in LETTERS}


def shortened(word):
    """The word's first letters without up to two of them: words that two edits lead from one to the other share one of these."""
    first = word[:7]
    once = {first[:i] + first[i + 1:] for i in range(len(first))}
    return {first} | once | {w[:i] + w[i + 1:] for w in once for i in range(len(w))}


def two_edits(word, known):
    """Whether `known` is in {e2 for e1 in edits1(word) for e2 in edits1(e1)}. Two edits that follow each other in one place can be three of the others."""
    distance = osa(word, known, 3)
    return distance <= 2 and known.isalpha() or distance <= 3 and not edits1(word).isdisjoint(edits1(known))


def norvig(words, asked):
    """P. Norvig, "How to write a spelling corrector" (norvig.com/spell-correct.html): the most frequent of the known words at the least distance up to 2. His
    program makes up all texts two edits away; here they are looked for among the known words, which finds the same."""
    near = collections.defaultdict(list)
    for word in asked:
        for text in shortened(word):
            near[text] = []
    for known in words:
        for text in shortened(known):
            if text in near:
                near[text].append(known)

    def correct(word):
        if word in words:
            return word
        found = {w for w in edits1(word) if w in words}
        if not found:
            found = {w for w in {w for text in shortened(word) for w in near[text]} if two_edits(word, w)}
        return max(found or {word}, key=lambda w: (words.get(w, 0), w))
    return correct


def symspell(distance):
    """The library's own: the least distance, then the greatest count (Verbosity.TOP)."""
    from symspellpy import SymSpell, Verbosity
    s = SymSpell(max_dictionary_edit_distance=distance, prefix_length=7)
    s.load_dictionary(data.DICTIONARY, 0, 1, encoding="utf-8-sig")

    def correct(word):
        found = s.lookup(word, Verbosity.TOP, max_edit_distance=distance)
        return found[0].term if found else word
    return correct


def references(words, asked):
    yield "Norvig's method", norvig(words, asked)
    try:
        yield "SymSpell 6.9, distance 2", symspell(2)
        yield "SymSpell 6.9, distance 3", symspell(3)
    except ImportError:
        print("symspellpy cannot be installed from PyPI here: SymSpell is left out")


# ---- ours

class Ours:
    def __init__(self, daemon, misspellings):
        self.daemon = daemon
        with open(data.DICTIONARY, "rb") as f:
            reply = self.daemon.request("PUT", "/v1/dictionaries/english", f.read())
        assert reply.status == 201, reply
        at = "%sT12:00:00Z" % AS_OF
        lines = [json.dumps({"id": "s-%d" % i, "type": "request", "unit": "u-%d" % i, "query": word, "timestamp": at}) for i, word in enumerate(misspellings)]
        for start in range(0, len(lines), 5000):
            reply = self.daemon.post("/v1/signals", "\n".join(lines[start:start + 5000]).encode(), key="client")
            assert reply.status == 200 and not reply.json["rejected"], reply
        self.daemon.wait_loaded()

    def run(self, params):
        given = [x for name, value in {**params, "as_of": AS_OF}.items() for x in ("--param", "%s=%s" % (name, value))]
        began = time.time()
        self.daemon.run("trainer", "run", "spelling", "--data-dir", self.daemon.dir, *given)
        rows = self.daemon.sql("select input, output, confidence from query_rewrites where type = 'spelling'")
        return {r[0]: (r[1], float(r[2])) for r in rows}, time.time() - began


def normal(word):
    return " ".join(word.lower().split())


# ---- the table

def share(pairs, correct):
    right = sum(correct(wrong) == meant for wrong, meant in pairs)
    return right / len(pairs)


def row(name, figures):
    print("| %-34s | %s |" % (name, " | ".join("%10s" % ("." + ("%.4f" % f)[2:] if f is not None and f < 1 else f) if f is not None else " " * 10 for f in figures)))


def careful(pairs, found):
    changed = [(wrong, meant) for wrong, meant in pairs if normal(wrong) in found]
    right = sum(found[normal(wrong)][0] == meant for wrong, meant in changed)
    return len(changed), right


def measure(sets, words, ours):
    """Of each method, by name, the share of right answers in each set."""
    found = {}
    asked = {wrong for pairs in sets.values() for wrong, _ in pairs}
    for name, correct in references(words, asked):
        answers = {word: correct(word) for word in asked}
        found[name] = {key: share(pairs, answers.get) for key, pairs in sets.items()}
        print("%s: done" % name, file=sys.stderr, flush=True)
    bold, seconds = ours.run(BOLD)
    found["experimentd, job spelling"] = {key: share(pairs, lambda w: bold.get(normal(w), (w, 0))[0]) for key, pairs in sets.items()}
    return found, bold, seconds


def by_confidence(pairs, bold):
    """Corrections by how sure the job is of each among all that could have been meant, and how many of them are right."""
    for low, high in ((0, .25), (.25, .5), (.5, .65), (.65, .76)):
        some = [bold[normal(w)][0] == m for w, m in pairs if normal(w) in bold and low <= bold[normal(w)][1] < high]
        if some:
            print("| %.2f to %.2f | %d | .%04d |" % (low, high, len(some), round(1e4 * sum(some) / len(some))))


def main():
    sets = {"testset1": data.testset1(), "spell-errors": data.for_reports(), "noisy": data.noisy()}
    words = data.dictionary()
    with Daemon() as daemon:
        ours = Ours(daemon, sorted({normal(wrong) for pairs in sets.values() for wrong, _ in pairs}))
        found, bold, seconds = measure(sets, words, ours)
        usual, _ = ours.run(ALL)
    print("\n%s; spell-errors: the half that nothing was fitted on\n" % ", ".join("%s %d pairs" % (key, len(pairs)) for key, pairs in sets.items()))
    print("| share of right answers | %s |\n|---|%s" % (" | ".join(sets), "---|" * len(sets)))
    for name, figures in found.items():
        row(name, [figures[key] for key in sets])
    print("\nWith the job's default rules (distance 2, a fifth of the letters, five letters, the same first one):\n")
    print("| | corrected | right of these |\n|---|---|---|")
    for key, pairs in sets.items():
        changed, right = careful(pairs, usual)
        print("| %s | %d of %d | .%04d |" % (key, changed, len(pairs), round(1e4 * right / changed)))
    print("\nBy the job's confidence, spell-errors (at most .75: a dictionary alone is never surer):\n\n| confidence | corrections | right |\n|---|---|---|")
    by_confidence(sets["spell-errors"], bold)
    print("\nthe job: %d words in %.0f s, two workers, %s" % (len(bold), seconds, re.sub(r"\s+", " ", open("/proc/loadavg").read()[:14])))


if __name__ == "__main__":
    why = data.missing()
    if why:
        sys.exit(why)
    main()
