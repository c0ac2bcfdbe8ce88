"""quality: the jobs "head-tail" and "synonyms" on a sports site's query log, judged by what its other clicks went to, beside overlap of documents and edits.

ZZQueryLog (../shared/data/zzquerylog) has 461 queries with 1.9 million clicks, summed by query and result. One click of a hundred is drawn, in proportion
to the counts and with a fixed seed; each becomes a search of a unit of its own: request, response, click on the document. That is all that the jobs and the
references see. The other 99 are held out: a pair of queries is right when the entity of most held-out clicks is the same for both. A synonym in one direction is right
when the narrow one's entity has a quarter of the wide one's held-out clicks: what the log's own judgments call relevant.
"""
import bisect
import collections
import datetime
import itertools
import json
import math
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from daemon import Daemon, SHARED_DATA  # noqa: E402

DATA = os.path.join(SHARED_DATA, "zzquerylog", "zz_query_log_queries.json")
SHARE, SEED = 0.01, 7
FIRST, DAYS = datetime.datetime(2026, 10, 1, tzinfo=datetime.timezone.utc), 10
MIN_CLICKS = 5  # of a query, in what is seen
JOB = {"as_of": str((FIRST + datetime.timedelta(days=DAYS)).date())}


def missing():
    """What is not there, as a sentence; or None."""
    return None if os.path.exists(DATA) else "there is no %s: nothing to measure" % os.path.normpath(DATA)


# ---- the log

def load():
    """query → document → clicks, and document → entity: its Wikidata id, or, where there is none, the document itself."""
    clicks, entities = collections.defaultdict(collections.Counter), {}
    with open(DATA, encoding="utf-8") as f:
        for row in json.load(f):
            for result in row["results"]:
                doc = "%s|%s|%s" % (result["label"], result["type"], result["country"])
                clicks[" ".join(row["query"].lower().split())][doc] += result["clicks"]
                entities[doc] = result.get("entity_id") or doc
    return dict(clicks), entities


def draw(clicks):
    """Of all clicks, SHARE of them, each as likely as another: what is seen, and what is held out."""
    cells = [(query, doc) for query in sorted(clicks) for doc in sorted(clicks[query])]
    sums = list(itertools.accumulate(clicks[query][doc] for query, doc in cells))
    seen, rng = collections.defaultdict(collections.Counter), random.Random(SEED)
    for at in rng.sample(range(sums[-1]), round(SHARE * sums[-1])):
        query, doc = cells[bisect.bisect_right(sums, at)]
        seen[query][doc] += 1
    return dict(seen), {query: docs - seen.get(query, collections.Counter()) for query, docs in clicks.items()}


def send(d, seen):
    searches = [(query, doc) for query in sorted(seen) for doc in sorted(seen[query]) for _ in range(seen[query][doc])]
    random.Random(SEED).shuffle(searches)
    step, lines = datetime.timedelta(days=DAYS) / (len(searches) + 1), []
    for n, (query, doc) in enumerate(searches):
        common = {"unit": "u%d" % n, "query": query, "query_id": "q%d" % n}
        for seconds, more in ((0, {"type": "request"}), (1, {"type": "response", "value": 10}), (9, {"type": "click", "doc": doc, "position": 1})):
            at = FIRST + n * step + datetime.timedelta(seconds=seconds)
            lines.append(json.dumps({**common, **more, "id": "%s%d" % (more["type"][0:3], n), "timestamp": at.isoformat()}))
    for start in range(0, len(lines), 3000):
        reply = d.post("/v1/signals", "\n".join(lines[start:start + 3000]).encode(), key="client")
        if reply.status != 200 or reply.json["rejected"]:
            raise AssertionError(reply)
    d.wait_loaded()
    return len(lines)


class Judge:
    """Whose held-out clicks went where."""

    def __init__(self, held, entities):
        self.top, self.shares = {}, {}
        for query, docs in held.items():
            sums = collections.Counter()
            for doc, n in docs.items():
                sums[entities[doc]] += n
            if sums:
                self.top[query] = min(sums, key=lambda e: (-sums[e], e))
                self.shares[query] = {entity: n / sum(sums.values()) for entity, n in sums.items()}

    def right(self, a, b):
        return self.top[a] == self.top[b]

    def serves(self, narrow, wide):
        return self.shares[wide].get(self.top[narrow], 0) >= 0.25

    def precision(self, pairs):
        return sum(self.right(*pair) for pair in pairs) / len(pairs) if pairs else float("nan")


# ---- references

def edits(a, b):
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        now = [i]
        for j, y in enumerate(b, 1):
            now.append(min(last[j] + 1, now[-1] + 1, last[j - 1] + (x != y)))
        last = now
    return last[-1]


def alike(a, b):
    """1 - edits / characters of the longer one."""
    return 1 - edits(a, b) / max(len(a), len(b))


def jaccard(seen):
    """Documents clicked for both, of those clicked for either."""
    return lambda a, b: len(set(seen[a]) & set(seen[b])) / len(set(seen[a]) | set(seen[b]))


def cosine(seen):
    """Of clicks by document."""
    norms = {query: math.sqrt(sum(n * n for n in docs.values())) for query, docs in seen.items()}
    return lambda a, b: sum(n * seen[b][doc] for doc, n in seen[a].items()) / norms[a] / norms[b]


def best(pairs, score, count):
    """So many pairs, those of the highest score; of equal ones, by their texts."""
    return sorted(pairs, key=lambda pair: (-score(*pair), pair))[:count]


# ---- head and tail

def head_tail(d, seen, judge):
    d.run("trainer", "run", "head-tail", "--data-dir", d.dir, *arguments(JOB))
    found = [(r[0], r[1]) for r in d.sql("select input, output from query_rewrites where type = 'head_tail' order by confidence desc, input")]
    report = json.loads(d.sql("select result from runs order by started_at desc limit 1")[0][0])
    summary = report["summary_stat"]
    head = [query for query in seen if sum(seen[query].values()) >= summary["head"]["traffic_from"]]
    tail = [query for query in seen if MIN_CLICKS <= sum(seen[query].values()) <= summary["tail"]["traffic_to"] and len(query) > 1]
    possible = sum(any(judge.right(t, h) for h in head) for t in tail)

    def nearest(score):
        """The best head of each tail query; as many as the job found, of the highest score."""
        return best([best([(t, h) for h in head], score, 1)[0] for t in tail], score, len(found))
    rows = [("head-tail", found), ("cosine of clicks", nearest(cosine(seen))), ("Jaccard of clicked documents", nearest(jaccard(seen))), ("edit distance", nearest(alike))]
    return {"head": len(head), "tail": len(tail), "possible": possible, "rows": rows, "reasons": {r["reason"]: r for r in report["tail_reasons"]}}


# ---- synonyms

def one_place(a, b):
    """Whether queries differ in one place and neither has all the other's words: what the job compares."""
    x, y = a.split(), b.split()
    rests = [[n for n, word in enumerate(words) if word not in other] for words, other in ((x, y), (y, x))]
    return all(rest and rest == list(range(rest[0], rest[0] + len(rest))) and len(rest) <= 3 for rest in rests)


def is_variant(a, b):
    """Few edits, or only spaces, lie between them, or one begins the other: a matter of typing."""
    a, b = a.replace(" ", ""), b.replace(" ", "")
    return a.startswith(b) or b.startswith(a) or edits(a, b) <= min(2, max(len(a), len(b)) // 5)


def queries_of(pair, seen):
    """The queries that differ in these words: themselves, or with words around them."""
    a, b = pair
    if a in seen and b in seen:
        return [(a, b)]
    return [(x, y) for x in seen for y in seen if a in x and x.replace(a, b) == y and x != y][:1]


def synonyms(d, seen, judge):
    d.run("trainer", "run", "synonyms", "--data-dir", d.dir, *arguments(JOB))
    rows = d.sql("select input, output, bidirectional, confidence from query_rewrites where type = 'synonym' order by bidirectional desc, confidence desc, input")
    queries = sorted(query for query in seen if sum(seen[query].values()) >= MIN_CLICKS)
    pairs = [pair for pair in itertools.combinations(queries, 2) if one_place(*pair) and not is_variant(*pair)]
    both = [p for r in rows if r[2] == "t" for p in queries_of(r[:2], seen)]
    one = [p for r in rows if r[2] == "f" for p in queries_of(r[:2], seen)]
    table = [("synonyms, both directions", both), ("cosine of clicks", best(pairs, cosine(seen), len(both))),
             ("Jaccard of clicked documents", best(pairs, jaccard(seen), len(both))), ("edit distance", best(pairs, alike, len(both)))]
    return {"pairs": len(pairs), "possible": sum(judge.right(*pair) for pair in pairs), "rows": table, "one": one}


# ---- the report

def arguments(params):
    return [x for pair in params.items() for x in ("--param", "%s=%s" % pair)]


def measure(d):
    clicks, entities = load()
    seen, held = draw(clicks)
    judge = Judge(held, entities)
    count = send(d, seen)
    return {"queries": len(seen), "seen": sum(sum(docs.values()) for docs in seen.values()), "held": sum(sum(docs.values()) for docs in held.values()), "signals": count,
            "judge": judge, "head_tail": head_tail(d, seen, judge), "synonyms": synonyms(d, seen, judge)}


def table(rows, judge, possible):
    print("| | pairs | right | precision | of all right ones |")
    print("|---|---|---|---|---|")
    for name, pairs in rows:
        right = sum(judge.right(*pair) for pair in pairs)
        print("| %s | %d | %d | %.3f | %.3f |" % (name, len(pairs), right, judge.precision(pairs), right / possible if possible else float("nan")))
    print()


def examples(pairs, right):
    marks = ["%s → %s%s" % (a, b, "" if right(a, b) else " (wrong)") for a, b in pairs]
    print("    " + ", ".join(marks[:16]) + "\n")


def main():
    if missing():
        print(missing())
        return
    with Daemon() as d:
        m = measure(d)
    judge, ht, sy = m["judge"], m["head_tail"], m["synonyms"]
    print("%d queries; %d clicks seen as %d signals, %d held out\n" % (m["queries"], m["seen"], m["signals"], m["held"]))
    print("Head and tail: %d queries in the head, %d in the tail; for %d of these the head has one of the same entity\n" % (ht["head"], ht["tail"], ht["possible"]))
    table(ht["rows"], judge, ht["possible"])
    examples(ht["rows"][0][1], judge.right)
    print("| reason | queries | rewritten |\n|---|---|---|")
    for name, row in ht["reasons"].items():
        print("| %s | %d | %d |" % (name, row["queries"], row["rewritten_queries"]))
    print("\nSynonyms: %d pairs of queries differ in one place and are no variants, %d of them of the same entity\n" % (sy["pairs"], sy["possible"]))
    table(sy["rows"], judge, sy["possible"])
    examples(sy["rows"][0][1], judge.right)
    print("In one direction: %d pairs, %d right\n" % (len(sy["one"]), sum(judge.serves(*pair) for pair in sy["one"])))
    examples(sy["one"], judge.serves)


if __name__ == "__main__":
    main()
