#!/usr/bin/env python3
"""Makes ranking_metrics.json, rank_similarity.json and paired_rankers.json: make_rankings.py

Needs NumPy, SciPy and the package pytrec_eval (trec_eval's own C code behind a Python module): what trec_eval has is taken from it, and what others
define is written here from their definitions, in other ways than ours: sets of prefixes, sums over all signs, exact distributions by convolution.
"""
import math
from fractions import Fraction
from itertools import product

import numpy
import pytrec_eval
from scipy import stats

from table import value, write

random = numpy.random.Generator(numpy.random.PCG64(19920601))
TREC = {"map": "map", "recip_rank": "recip_rank", "ndcg": "ndcg", "Rprec": "Rprec", "set_P": "set_P", "P_5": "P.5", "P_10": "P.10", "recall_5": "recall.5", "recall_10": "recall.10",
        "ndcg_cut_3": "ndcg_cut.3", "ndcg_cut_10": "ndcg_cut.10", "map_cut_5": "map_cut.5", "success_1": "success.1", "success_5": "success.5"}


def many(values, relative=1e-9):
    return {"v": [float(v) for v in values], "tol": [relative * abs(float(v)) + 1e-14 for v in values]}


def by_trec_eval(qrels, run):
    """What trec_eval says of one query; a query without results is not in its answer and counts 0, as -c has it."""
    got = pytrec_eval.RelevanceEvaluator({"q": qrels}, set(TREC.values())).evaluate({"q": run}) if run else {}
    return [got.get("q", {}).get(name, 0.0) for name in TREC]


def trec_case(note, qrels, run, relevant_at=1):
    given = {"metrics": list(TREC), "docs": list(run), "scores": list(run.values()), "judged_docs": list(qrels), "judged_grades": list(qrels.values()),
             "relevant_at": relevant_at}
    return {"note": "trec_eval: " + note, "input": given, "expect": {"values": many(by_trec_eval(qrels, run))}}


def drawn_query(n_docs, n_run, n_judged, levels, scores):
    names = ["d%d" % i for i in range(n_docs)]
    judged = random.permutation(names)[:n_judged]
    listed = random.permutation(names)[:n_run]
    return ({str(d): int(g) for d, g in zip(judged, random.integers(0, levels, n_judged))},
            {str(d): float(s) for d, s in zip(listed, random.integers(0, scores, n_run) / 4)})


def trec_cases():
    q = {"q1": {"a": 3, "b": 2, "c": 0, "d": 1}, "q2": {"x": 1}, "q3": {"z": 2}}
    cases = [trec_case("the oracle's q1", q["q1"], {"c": 5.0, "a": 4.0, "u": 4.0, "b": 3.0}), trec_case("the oracle's q2", q["q2"], {"y": 1.0, "x": 1.0}),
             trec_case("the oracle's q3", q["q3"], {}), trec_case("a tie in float32", {"a": 1, "b": 0}, {"a": 1.00000001, "b": 1.0}),
             trec_case("no tie in float32", {"a": 1, "b": 0}, {"a": 1.000001, "b": 1.0}), trec_case("nothing relevant", {"a": 0}, {"a": 1.0}),
             trec_case("upper case before lower", {"B": 1}, {"a": 1.0, "B": 1.0})]
    for i in range(40):
        qrels, run = drawn_query(*[(12, 8, 6, 4, 6), (40, 30, 20, 5, 1000), (60, 25, 3, 2, 12), (30, 2, 20, 3, 3)][i % 4])
        cases.append(trec_case("drawn", qrels, run))
    return cases


# What trec_eval does not have, from the definitions of those who do.
def gain2(g):
    return 2 ** Fraction(g) - 1 if isinstance(g, int) else 2 ** g - 1


def discounted(grades, gain):
    return math.fsum(float(gain(g)) * math.log(2) / math.log(rank + 1) for rank, g in enumerate(grades, 1))


def satisfied(grades, top):
    """The mean of 1/rank at which a reader is satisfied: exact, over where it ends."""
    total, reach = Fraction(0), Fraction(1)
    for rank, g in enumerate(grades, 1):
        r = Fraction(2 ** g - 1, 2 ** top)
        total += reach * r / rank
        reach *= 1 - r
    return total


def others(qrels, docs, k, top, p):
    listed, ideal = [qrels.get(d, 0) for d in docs][:k], sorted(qrels.values(), reverse=True)
    share = lambda a, b: float(Fraction(a) / Fraction(b)) if b else 0.0
    quotient = lambda a, b: a / b if b else 0.0
    hits = [g >= 1 for g in listed]
    persist = Fraction(p).limit_denominator(1000)
    return {"ndcg_burges@%d" % k: quotient(discounted(listed, gain2), discounted(ideal[:k], gain2)),
            "ndcg_burges_uncut@%d" % k: quotient(discounted(listed, gain2), discounted(ideal, gain2)),
            "dcg@%d" % k: discounted(listed, float), "dcg_burges@%d" % k: discounted(listed, gain2),
            "err(max=%d)@%d" % (top, k): float(satisfied(listed, top)),
            "precision_returned@%d" % k: share(sum(hits), len(listed)), "judged@%d" % k: share(sum(d in qrels for d in docs[:k]), len(listed)),
            "rbp(p=%g)@%d" % (p, k): float((1 - persist) * sum(persist ** i for i, h in enumerate(hits) if h)),
            "rbp_graded(p=%g,max=%d)@%d" % (p, top, k): float((1 - persist) * sum(Fraction(g, top) * persist ** i for i, g in enumerate(listed)))}


def condensed(qrels, docs):
    """Lists without what nobody judged, by trec_eval -J's definition: trec_eval of the shorter list."""
    kept = {d: float(-i) for i, d in enumerate(docs) if d in qrels}
    given = {"metrics": list(TREC), "docs": docs, "judged_docs": list(qrels), "judged_grades": list(qrels.values()), "unjudged": "skip"}
    return {"note": "condensed", "input": given, "expect": {"values": many(by_trec_eval(qrels, kept))}}


def rankings():
    cases = trec_cases()
    for i in range(12):
        qrels, run = drawn_query(*[(12, 8, 6, 5, 6), (40, 30, 20, 5, 9), (30, 3, 9, 4, 3)][i % 3])
        docs = list(run)
        expect = others(qrels, docs, (3, 10, 5)[i % 3], 4, (0.8, 0.5, 0.95)[i % 3])
        given = {"metrics": list(expect), "docs": docs, "judged_docs": list(qrels), "judged_grades": list(qrels.values())}
        cases.append({"note": "SRW, Quepid, ranx, gdeval", "input": given, "expect": {"values": many(expect.values())}})
        cases.append(condensed(qrels, docs))
    for note, given in (("an unknown name", {"metrics": ["ndgc"]}), ("a rank of 0", {"metrics": ["ndcg@0"]}), ("a document twice", {"docs": ["a", "a"]}),
                        ("a grade above the scale", {"judged_grades": [5]}), ("no such policy", {"unjudged": "refused"})):
        cases.append({"note": note, "input": {"metrics": ["ndcg"], "docs": ["a"], "judged_docs": ["a"], "judged_grades": [1], **given}, "expect_error": "refused"})
    return cases


def rbo_truncated(a, b, p):
    n = max(len(a), len(b))
    overlap = [len(set(a[:d]) & set(b[:d])) / max(len(a[:d]), len(b[:d])) for d in range(1, n + 1)]
    return (1 - p) / (1 - p ** n) * math.fsum(p ** d * o for d, o in enumerate(overlap)) if n else 0.0


def rbo_extrapolated(a, b, p):
    """Webber and others, equation 32, with S the shorter and L the longer list."""
    s, l = sorted((a, b), key=len)
    if not l:
        return 0.0
    x = lambda d: len(set(s[:d]) & set(l[:d]))
    first = math.fsum(x(d) / d * p ** d for d in range(1, len(l) + 1))
    second = math.fsum(x(len(s)) * (d - len(s)) / (len(s) * d) * p ** d for d in range(len(s) + 1, len(l) + 1)) if s else 0
    tail = (x(len(l)) - x(len(s))) / len(l) + (x(len(s)) / len(s) if s else 0)
    return (1 - p) / p * (first + second) + tail * p ** len(l)


def similarity():
    cases = []
    for n_a, n_b, p in ((10, 10, 0.9), (10, 4, 0.5), (3, 20, 0.98), (50, 50, 0.9), (0, 5, 0.9), (0, 0, 0.9), (1, 1, 0.1), (7, 8, 0.99)):
        pool = ["d%d" % i for i in range(max(n_a, n_b) + 6)]
        a, b = [[str(d) for d in random.permutation(pool)[:n]] for n in (n_a, n_b)]
        union = set(a) | set(b)
        counts = [[int(c) for c in random.poisson(1.5, 12)] for _ in range(2)]
        shares = [[Fraction(c, sum(column)) for c in column] for column in counts]
        weights = [(x + y) / 2 for x, y in zip(*shares)]
        expect = {"rbo_truncated": value(rbo_truncated(a, b, p)), "rbo": value(rbo_extrapolated(a, b, p)), "jaccard": value(len(set(a) & set(b)) / len(union) if union else 0),
                  "overlap": value(len(set(a) & set(b)) / max(n_a, n_b) if union else 0), "common": value(len(set(a) & set(b))),
                  "frequency_weighted": value(sum(w for w, x, y in zip(weights, *counts) if x and y))}
        cases.append({"input": {"a": a, "b": b, "p": p, "counts_a": counts[0], "counts_b": counts[1]}, "expect": expect})
    for note, given in (("p is 1", {"p": 1}), ("twice", {"a": ["x", "x"]}), ("counts differ", {"counts_a": [1], "counts_b": [1, 2]}), ("a count below 0", {"counts_a": [-1], "counts_b": [1]})):
        cases.append({"note": note, "input": {"a": ["x"], "b": ["x"], **given}, "expect_error": "refused"})
    return cases


def signs_exact(pieces):
    observed = abs(sum(pieces))
    return Fraction(sum(abs(sum(s * x for s, x in zip(signs, pieces))) >= observed for signs in product((1, -1), repeat=len(pieces))), 2 ** len(pieces))


def signs_by_convolution(whole):
    """The distribution of Σ ± w of whole numbers: ways to each sum."""
    ways = {0: 1}
    for w in whole:
        more = {}
        for at, n in ways.items():
            for to in (at + w, at - w):
                more[to] = more.get(to, 0) + n
        ways = more
    return Fraction(sum(n for at, n in ways.items() if abs(at) >= abs(sum(whole))), 2 ** len(whole))


def wilcoxon_exact(d):
    """All signs of the ranks, by convolution of twice the mean ranks: ties too."""
    d = [x for x in d if x]
    ranks = [int(2 * r) for r in stats.rankdata([abs(x) for x in d])]
    low = min(sum(r for r, x in zip(ranks, d) if x > 0), sum(r for r, x in zip(ranks, d) if x < 0))
    ways = {0: 1}
    for r in ranks:
        more = dict(ways)
        for at, n in ways.items():
            more[at + r] = more.get(at + r, 0) + n
        ways = more
    return min(Fraction(1), 2 * Fraction(sum(n for at, n in ways.items() if at <= low), 2 ** len(ranks)))


def bootstrap_reference(d, w, alpha):
    picks = random.integers(0, len(d), (200000, len(d)))
    means = (d * w)[picks].sum(axis=1) / w[picks].sum(axis=1)
    return numpy.quantile(means, [alpha / 2, 1 - alpha / 2])


def paired_case(note, a, b, weights, draws, alpha=0.05):
    """a, b: whole numbers of 64ths, so that sums of differences are exact."""
    n, w = len(a), numpy.array(weights or [1] * len(a), dtype=float)
    d = (numpy.array(b) - numpy.array(a)) / 64
    pieces = [int(x * 64 * y) for x, y in zip(d, w) if x]
    difference = float((w * d).sum() / w.sum())
    se = math.sqrt(n / (n - 1) * math.fsum((w * (d - difference)) ** 2)) / w.sum()
    half = stats.t.isf(alpha / 2, n - 1) * se
    p_signs = signs_exact(pieces) if len(pieces) <= 12 else signs_by_convolution(pieces)
    exact = len(pieces) <= 20
    wins, losses = int((d > 0).sum()), int((d < 0).sum())
    expect = {"mean_a": value((w * a).sum() / 64 / w.sum()), "mean_b": value((w * b).sum() / 64 / w.sum()), "diff": value(difference), "se": value(se),
              "ci_lo": value(difference - half), "ci_hi": value(difference + half), "wins": value(wins), "losses": value(losses), "ties": value(n - wins - losses),
              "t": value(difference / se), "log_p_t": value(math.log(2) + stats.t.logsf(abs(difference / se), n - 1)), "exact": exact,
              "ranks_plus": value(sum(r for r, x in zip(stats.rankdata([abs(x) for x in d if x]), [x for x in d if x]) if x > 0)),
              "log_p_sign": value(math.log(stats.binomtest(wins, wins + losses).pvalue))}
    if not weights:
        assert abs(stats.ttest_rel(b, a).pvalue - math.exp(expect["log_p_t"]["v"])) < 1e-12
    if len(pieces) <= 50:
        expect["log_p_wilcoxon"] = value(math.log(wilcoxon_exact(d)))
    else:
        expect["log_p_wilcoxon"] = value(math.log(stats.wilcoxon(d, mode="approx", correction=False, zero_method="wilcox").pvalue), 1e-8)
    p = float(p_signs)
    # Drawn signs: within 4.5 standard deviations of the exact share.
    expect["log_p_randomisation"] = value(math.log(p)) if exact else {"v": math.log(p), "tol": 4.5 * math.sqrt((1 - p) / (p * draws)) + 2 / (p * draws)}
    lo, hi = bootstrap_reference(d, w, alpha)
    wide = {"tol": 0.05 * float(hi - lo)}
    expect.update({"bootstrap_lo": {"v": float(lo), **wide}, "bootstrap_hi": {"v": float(hi), **wide}})
    given = {"a": [x / 64 for x in a], "b": [x / 64 for x in b], "alpha": alpha, "draws": draws, "seed": 20261128}
    return {"note": note, "input": {**given, "weights": weights} if weights else given, "expect": expect}


def drawn_pairs(n, gain, same):
    a = [int(x) for x in random.integers(0, 65, n)]
    b = [x if random.random() < same else max(0, min(64, x + int(random.integers(-12, 13 + gain)))) for x in a]
    return a, b


def pairs():
    cases = []
    for note, n, gain, same, weighted, draws in (("few", 6, 10, 0, False, 20000), ("ten, weighted", 10, 8, 0, True, 20000), ("twenty with ties", 24, 6, 0.3, False, 20000),
                                                 ("forty", 40, 6, 0.1, False, 20000), ("forty, weighted", 40, 6, 0.1, True, 20000), ("many", 300, 2, 0.4, False, 20000),
                                                 ("no difference", 60, 0, 0.2, False, 20000)):
        a, b = drawn_pairs(n, gain, same)
        cases.append(paired_case(note, a, b, [int(x) for x in random.integers(1, 9, n)] if weighted else None, draws))
    for note, given in (("one query", {"a": [1], "b": [2]}), ("lengths", {"a": [1, 2, 3]}), ("no draws", {"draws": 0}), ("too many draws", {"draws": 10 ** 7}),
                        ("a weight of 0", {"weights": [1, 0]}), ("alpha", {"alpha": 1})):
        cases.append({"note": note, "input": {"a": [1, 2], "b": [2, 4], **given}, "expect_error": "refused"})
    return cases


if __name__ == "__main__":
    for name, make in (("ranking_metrics", rankings), ("rank_similarity", similarity), ("paired_rankers", pairs)):
        write(name, make())
