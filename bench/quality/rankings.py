"""quality: every ranking metric over real judgments (ESCI, TMDB titles), beside plain Python and trec_eval's own code.

../shared/data/esci_us_judgments has Amazon's grades of 6 678 products for 150 queries (100, 10, 1, 0), ../shared/data/tmdb_title_judgments people's grades of 1 390 films for 40
queries (0 to 4) with three features. Rankings: films by each feature and by their sum; products at random, by grade and noise, and with strangers that nobody judged; all with ties. Each
metric of each query is computed by `xstat ranking_metrics` and by the job "ranking-metrics" (judgments imported, rankings brought as TREC runs), and compared with the
definitions written in plain Python; where the package pytrec_eval is there, with trec_eval.
"""
import csv
import json
import math
import os
import random
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from daemon import Daemon, SHARED_DATA, program  # noqa: E402

try:
    import pytrec_eval
except ImportError:
    pytrec_eval = None

ESCI = os.path.join(SHARED_DATA, "esci_us_judgments", "esci_us_judgments.json")
TMDB = os.path.join(SHARED_DATA, "tmdb_title_judgments", "title_judgments.txt")
FEATURES = os.path.join(SHARED_DATA, "tmdb_title_judgments", "title_features.csv")
CUTS = (1, 5, 10, None)
MEASURES = ("ndcg", "ndcg_burges", "ndcg_burges_uncut", "dcg", "dcg_burges", "map", "mrr", "err", "precision", "precision_returned", "recall", "rbp", "rbp_graded", "success", "judged")
METRICS = [m if k is None else "%s@%d" % (m, k) for m in MEASURES for k in CUTS] + ["r_precision", "precision(rel=2)@5", "rbp(p=0.5)@10"]
TREC = {"ndcg": "ndcg", "map": "map", "mrr": "recip_rank", "r_precision": "Rprec", "precision": "set_P", "recall": "set_recall",
        **{"%s@%d" % (m, k): "%s.%d" % (t, k) for m, t in (("ndcg", "ndcg_cut"), ("map", "map_cut"), ("precision", "P"), ("recall", "recall"), ("success", "success")) for k in (1, 5, 10)}}


def missing():
    """What is not there, as a sentence; or None."""
    for path in (ESCI, TMDB, FEATURES):
        if not os.path.exists(path):
            return "there is no %s: nothing to measure" % os.path.normpath(path)
    return None


# ---- data and rankings: {query: {doc: grade}}, {name: {query: {doc: score}}}


def esci():
    with open(ESCI, encoding="utf-8") as f:
        judged = {q["query"]: {r["docId"]: float(r["rating"]) for r in q["ratings"]} for q in json.load(f)["judgmentRatings"]}
    rng, everybody = random.Random(150), sorted({d for grades in judged.values() for d in grades})
    at_random = {q: {d: rng.randrange(12) for d in grades} for q, grades in judged.items()}
    by_grade = {q: {d: round(math.log10(1 + g) + rng.gauss(0, 1), 1) for d, g in grades.items()} for q, grades in judged.items()}
    strangers = {q: {**{d: s for d, s in by_grade[q].items() if rng.random() < 0.6}, **{d: rng.choice((0.5, 1.0, 2.5)) for d in rng.sample(everybody, 15)}} for q in judged}
    del strangers[sorted(judged)[3]]  # nothing was found
    return judged, {"random": at_random, "grade and noise": by_grade, "with strangers": strangers}


def tmdb():
    texts, judged, rankings = {}, {}, {}
    with open(TMDB, encoding="utf-8") as f:
        for line in f:
            named = re.match(r"# qid:(\d+): (.*)\*\d+$", line.strip())
            row = re.match(r"(\d+)\tqid:(\d+)\t # (\S+)\t", line)
            if named:
                texts[named.group(1)] = named.group(2)
            elif row:
                judged.setdefault(texts[row.group(2)], {})[row.group(3)] = float(row.group(1))
    with open(FEATURES, encoding="utf-8") as f:
        for row in csv.DictReader(f):
            values = [float(row["features%d" % i]) for i in range(3)]
            for name, score in (("features0", values[0]), ("features1", values[1]), ("features2", values[2]), ("their sum", sum(values))):
                rankings.setdefault(name, {}).setdefault(texts[row["qid"]], {})[row["docId"]] = score
    return judged, rankings


# ---- the definitions in plain Python


def float32(x):
    import struct
    return struct.unpack("f", struct.pack("f", x))[0]


def in_order(scores):
    """trec_eval's: score descending as float32, then the id descending."""
    return [d for d, _ in sorted(sorted(scores.items(), reverse=True), key=lambda x: -float32(x[1]))]


def plain(measure, docs, grades, k, top, rel=1.0, p=0.8):
    listed = docs[:k]
    got, ideal = [grades.get(d, 0.0) for d in listed], sorted(grades.values(), reverse=True)
    share = lambda a, b: a / b if b else 0.0
    two = lambda g: 2.0 ** g - 1.0
    dcg = lambda gs, gain: math.fsum(gain(g) / math.log2(i + 2) for i, g in enumerate(gs))
    hits, relevant = [g >= rel for g in got], sum(g >= rel for g in ideal)
    if measure == "err":
        left, total = 1.0, 0.0
        for i, g in enumerate(got):
            r = two(g) / 2.0 ** top
            total, left = total + left * r / (i + 1), left * (1 - r)
        return total
    if measure == "r_precision":
        return share(sum(grades.get(d, 0.0) >= rel for d in docs[:relevant]), relevant)
    return {"ndcg": lambda: share(dcg(got, float), dcg(ideal[:k], float)), "ndcg_burges": lambda: share(dcg(got, two), dcg(ideal[:k], two)),
            "ndcg_burges_uncut": lambda: share(dcg(got, two), dcg(ideal, two)), "dcg": lambda: dcg(got, float), "dcg_burges": lambda: dcg(got, two),
            "map": lambda: share(math.fsum(sum(hits[:i + 1]) / (i + 1) for i in range(len(hits)) if hits[i]), relevant),
            "mrr": lambda: next((1 / (i + 1) for i, h in enumerate(hits) if h), 0.0), "precision": lambda: share(sum(hits), k or len(hits)),
            "precision_returned": lambda: share(sum(hits), len(hits)), "recall": lambda: share(sum(hits), relevant), "success": lambda: float(any(hits)),
            "rbp": lambda: math.fsum((1 - p) * p ** i for i, h in enumerate(hits) if h), "rbp_graded": lambda: math.fsum((1 - p) * g / top * p ** i for i, g in enumerate(got)),
            "judged": lambda: share(sum(d in grades for d in listed), len(listed))}[measure]()


def by_python(name, docs, grades, top):
    measure, options, k = re.match(r"([a-z_]+)(?:\((.*)\))?(?:@(\d+))?$", name).groups()
    given = {key: float(value) for key, value in (o.split("=") for o in (options or "").split(",") if o)}
    return plain(measure, docs, grades, int(k) if k else None, top, **given)


def by_trec_eval(judged, ranking):
    """{metric: {query: value}}, queries without results 0."""
    rounded = {q: {d: int(g) for d, g in grades.items()} for q, grades in judged.items()}
    got = pytrec_eval.RelevanceEvaluator(rounded, set(TREC.values())).evaluate({q: {d: float(s) for d, s in scores.items()} for q, scores in ranking.items()})
    return {name: {q: got.get(q, {}).get(t.replace(".", "_"), 0.0) for q in judged} for name, t in TREC.items()}


# ---- ours


def by_xstat(judged, ranking, top):
    lines = [json.dumps({"metrics": METRICS, "docs": list(ranking.get(q, {})), "scores": list(ranking.get(q, {}).values()), "judged_docs": list(grades), "judged_grades": list(grades.values()),
                         "max_grade": top}) for q, grades in judged.items()]
    run = subprocess.run([program("xstat"), "ranking_metrics"], input="\n".join(lines), capture_output=True, text=True, check=True)
    return {q: json.loads(line)["values"] for q, line in zip(judged, run.stdout.splitlines(), strict=True)}


def ok(reply):
    assert reply.status in (200, 201), reply.body
    return reply.json


def into(d, name, judged, imported, rankings):
    """Judgments by the importer of their file's format, rankings as TREC runs."""
    path, form = imported
    with open(path, "rb") as f:
        ok(d.request("POST", "/v1/judgments/%s/import?format=%s&create=true" % (name, form), f.read()))
    queries = sorted(judged)
    ok(d.request("POST", "/v1/query-sets/%s/import?format=jsonl&create=true" % name, "".join(json.dumps({"query": q}) + "\n" for q in queries).encode()))
    searches = []
    for number, (title, ranking) in enumerate(rankings.items()):
        searches.append("%s-%d" % (name, number))
        ok(d.request("PUT", "/v1/searches/" + searches[-1], {"engine": "run", "description": title}))
        lines = ["%d\t%s" % (i, q) for i, q in enumerate(queries)]
        lines += ["%d Q0 %s 1 %r x" % (i, doc, float(score)) for i, q in enumerate(queries) for doc, score in ranking.get(q, {}).items()]
        ok(d.request("PUT", "/v1/searches/%s/lists?format=trec" % searches[-1], "\n".join(lines).encode()))
    return searches


def by_job(d, name, searches):
    """Of each search the values by query, in parts of 20 metrics; and the first summary."""
    values, summary = [{} for _ in searches], None
    for at in range(0, len(METRICS), 20):
        params = {"searches": ",".join(searches), "query_set": name, "judgments": name, "k": 1000, "metrics": ",".join(METRICS[at:at + 20]), "draws": 10000 if at == 0 else 100}
        d.run("trainer", "run", "ranking-metrics", "--data-dir", d.dir, "--workers", "1", *[x for n, v in params.items() for x in ("--param", "%s=%s" % (n, v))])
        found = d.get("/v1/evaluations?limit=1").json["evaluations"][0]
        summary = summary or found["summary"]
        for i, search in enumerate(searches):
            for query, got in d.sql("select query, to_json(metrics) from evaluation_queries where evaluation = '%s' and config = '%s'" % (found["id"], search)):
                values[i].setdefault(query, []).extend(json.loads(got))
    return values, summary


# ---- beside each other


def apart(x, y):
    """Relative for what is large (gains of 2^100), else absolute."""
    return abs(x - y) / max(1.0, abs(y))


def measure(d):
    """Rows (data, ranking, queries, values, xstat, job and trec_eval apart from Python), and the summaries of the job."""
    rows, summaries = [], {}
    for name, load, imported in (("esci", esci, (ESCI, "srw")), ("tmdb", tmdb, (TMDB, "letor"))):
        judged, rankings = load()
        top = max(g for grades in judged.values() for g in grades.values())
        searches = into(d, name, judged, imported, rankings)
        jobs, summaries[name] = by_job(d, name, searches)
        for (title, ranking), from_job in zip(rankings.items(), jobs, strict=True):
            python = {q: [by_python(m, in_order(ranking.get(q, {})), grades, top) for m in METRICS] for q, grades in judged.items()}
            xstat = by_xstat(judged, ranking, top)
            assert set(from_job) == set(python) == set(xstat)
            worst = [max(apart(x, y) for q in python for x, y in zip(other[q], python[q], strict=True)) for other in (xstat, from_job)]
            trec = None
            if pytrec_eval:
                told = by_trec_eval(judged, ranking)
                trec = max(apart(xstat[q][METRICS.index(m)], told[m][q]) for m in TREC for q in judged)
            rows.append((name, title, len(judged), len(judged) * len(METRICS), *worst, trec))
    return rows, summaries


def report():
    with Daemon() as d:
        rows, summaries = measure(d)
    print("%d metrics: %d measures at rank 1, 5, 10 and uncut, r_precision, and two with options\n" % (len(METRICS), len(MEASURES)))
    print("| judgments | ranking | queries | values | xstat, farthest from Python | job | trec_eval (%s) |\n|---|---|---|---|---|---|---|" % ("pytrec_eval" if pytrec_eval else "not installed"))
    for name, title, queries, values, xstat, job, trec in rows:
        print("| %s | %s | %d | %d | %.1e | %.1e | %s |" % (name, title, queries, values, xstat, job, "" if trec is None else "%.1e" % trec))
    titles = {name: [r[1] for r in rows if r[0] == name] for name in summaries}
    print("\n| TMDB, by | nDCG@10 | 95 % |\n|---|---|---|")
    for title, s in zip(titles["tmdb"], summaries["tmdb"]["searches"], strict=True):
        m = s["metrics"]["ndcg@10"]
        print("| %s | %.4f | %.4f to %.4f |" % (title, m["mean"], m["low"], m["high"]))
    print("\n| pair | difference of nDCG@10 | p of randomisation, over 20 metrics | RBO | Jaccard |\n|---|---|---|---|---|")
    word = dict(zip([s["name"] for s in summaries["tmdb"]["searches"]], titles["tmdb"], strict=True))
    for pair in summaries["tmdb"]["pairs"]:
        m = pair["metrics"]["ndcg@10"]
        print("| %s, then %s | %+.4f | %.4f, %.4f | %.3f | %.3f |" % (word[pair["a"]], word[pair["b"]], m["difference"], m["p_randomisation"], m["p_adjusted"], pair["rbo"], pair["jaccard"]))


if __name__ == "__main__":
    why = missing()
    print(why) if why else report()
