"""Misspellings with what was meant, of ../shared/data: spell-testset1 and spell-errors as Peter Norvig keeps them (Birkbeck corpus, Wikipedia), SymSpell's noisy
queries and its dictionary.

spell-errors is cut in two by a hash of the right word: the costs of edits were fitted on one half, without words of testset1; the other one is for reports.
"""
import ast
import hashlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from daemon import SHARED_DATA  # noqa: E402

NORVIG, SYMSPELL = os.path.join(SHARED_DATA, "norvig_spelling"), os.path.join(SHARED_DATA, "symspell")
DICTIONARY = os.path.join(SYMSPELL, "frequency_dictionary_en_82_765.txt")


def missing():
    """What is not there, as a sentence; or None."""
    for path in (NORVIG, SYMSPELL):
        if not os.path.isdir(path):
            return "there is no %s: nothing to measure" % os.path.normpath(path)
    return None


def dictionary():
    with open(DICTIONARY, encoding="utf-8-sig") as f:
        return {word: int(count) for word, count in (line.split() for line in f if line.strip())}


def testset1():
    with open(os.path.join(NORVIG, "spell-testset1.txt"), encoding="utf-8") as f:
        text = f.read()
    pairs = ast.literal_eval(text[text.index("{"):text.rindex("}") + 1])
    return [(wrong.lower(), right.lower()) for right, wrongs in pairs.items() for wrong in wrongs.split()]


def errors():
    """Pairs whose wrong form is one word."""
    with open(os.path.join(NORVIG, "spell-errors.txt"), encoding="utf-8", errors="replace") as f:
        for line in f:
            right, _, wrongs = line.strip().partition(": ")
            for wrong in wrongs.split(","):
                wrong = wrong.strip().partition("*")[0].lower()
                if wrong and "_" not in wrong and " " not in wrong:
                    yield wrong, right.replace("_", " ").lower()


def half(pair):
    return hashlib.md5(pair[1].encode()).digest()[0] % 2


def for_fitting():
    known = {word for pair in testset1() for word in pair}
    return [p for p in errors() if half(p) == 0 and p[1] not in known and p[0].isalpha() and p[1].isalpha()]


def for_reports():
    return [p for p in errors() if half(p) == 1]


def noisy():
    with open(os.path.join(SYMSPELL, "noisy_query_en_1000.txt"), encoding="utf-8-sig") as f:
        return [tuple(line.split()[:2]) for line in f if line.strip()]
