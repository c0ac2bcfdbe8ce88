"""quality: the job "click-models" on Yandex's search sessions (WSCD 2012, a sample from PyClick's history), beside the same models in NumPy and published figures.

../shared/data/yandex_wscd_pyclick has 35 064 searches of 20 queries with the ten documents that were shown and the clicks in order. Each is sent to a daemon as the
signals of a unit of its own: a response with its list, and clicks. The last fifth of each query's searches, in the order of the file, is held out.
Log-likelihood is per document, given the clicks above it; perplexity is of each position by itself, mean of ten: as PyClick has both.
"""
import datetime
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from artifact import of_version  # noqa: E402
from click_models import EM, MODELS, Searches  # noqa: E402
from daemon import Daemon, SHARED_DATA  # noqa: E402

DATA = os.path.join(SHARED_DATA, "yandex_wscd_pyclick", "trainSample")
FIRST = datetime.datetime(2026, 10, 1, tzinfo=datetime.timezone.utc)
PARAMS = {"as_of": "2026-10-02", "holdout_share": 0.2, "max_iterations": 300, "tolerance": 1e-9, "gate_min_units": 1}
ITERATIONS = {"pbm": 300, "ubm": 300, "dbn": 150, "ccm": 150}
# finde/PyClick, report/4_experiments.tex: the first million sessions of the full log; other data
PUBLISHED = {"ubm": (-.256, 1.379), "pbm": (-.289, 1.345), "ccm": (-.3516, 1.448), "dctr": (-.368, 1.448), "cm": (None, 1.412)}


def missing():
    """What is not there, as a sentence; or None."""
    return None if os.path.exists(DATA) else "there is no %s: nothing to measure" % os.path.normpath(DATA)


def load():
    """Of each search: query, documents, clicked documents in order; queries one behind the other, as the file has them."""
    rows = []
    with open(DATA, encoding="utf-8") as f:
        for line in f:
            for session in filter(str.strip, line.split(";")):
                query, rest = session.split("\t")
                docs, clicks = rest.split(":")
                rows.append((query.strip(), [d.strip() for d in docs.split(",")], [c.strip() for c in clicks.split(",") if c.strip()]))
    return rows


def send(d, rows):
    lines, step = [], datetime.timedelta(days=2) / (len(rows) + 1)
    for n, (query, docs, clicks) in enumerate(rows):
        at, common = FIRST + n * step, {"unit": "u%d" % n, "query_id": "q%d" % n}
        lines.append(json.dumps({**common, "type": "response", "query": query, "timestamp": at.isoformat(), "params": {"docs": docs}}))
        for k, doc in enumerate(clicks):
            lines.append(json.dumps({**common, "type": "click", "doc": doc, "timestamp": (at + datetime.timedelta(microseconds=1 + k)).isoformat()}))
    for start in range(0, len(lines), 5000):
        reply = d.post("/v1/signals", "\n".join(lines[start:start + 5000]).encode(), key="client")
        if reply.status != 200 or reply.json["rejected"]:
            raise SystemExit("quality: %r" % reply)
    d.wait_loaded()
    return len(lines)


def of_job(d, model="yandex", **params):
    """What the job found: the section "models" of its artifact; and what it said."""
    given = {**PARAMS, "model": model, **params}
    done = d.run("trainer", "run", "click-models", "--data-dir", d.dir, *(x for name, v in given.items() for x in ("--param", "%s=%s" % (name, v))))
    return json.loads(of_version(d, model).sections["models"]), done.stderr


def of_numpy(rows, names=tuple(MODELS)):
    train, held = Searches([(q, docs, {docs.index(c) for c in clicks if c in docs}) for q, docs, clicks in rows]).split(0.2)
    found = {}
    for name in names:
        m = MODELS[name](train, 2).fit(ITERATIONS.get(name, 0))
        found[name] = {"loglikelihood": m.loglikelihood(held), "perplexity_at_rank": list(m.perplexity(held))}
        found[name]["perplexity"] = sum(found[name]["perplexity_at_rank"]) / len(found[name]["perplexity_at_rank"])
    return len(train.query), len(held.query), found


def table(job, other):
    print("%-5s %23s %9s %23s %9s %16s" % ("", "log-likelihood", "NumPy", "perplexity", "NumPy", "published"))
    for name in sorted(job, key=lambda m: -job[m]["loglikelihood"]):
        a, b, p = job[name], other[name], PUBLISHED.get(name, (None, None))
        print("%-5s %8.4f (%.4f to %.4f) %8.4f %7.4f (%.4f to %.4f) %8.4f %8s %7s" % (
            name, a["loglikelihood"], a["loglikelihood_low"], a["loglikelihood_high"], b["loglikelihood"], a["perplexity"], a["perplexity_low"],
            a["perplexity_high"], b["perplexity"], *("" if v is None else v for v in p)))
    print("\nperplexity at position\n%-5s %s" % ("", " ".join("%6d" % (r + 1) for r in range(10))))
    for name in sorted(job, key=lambda m: job[m]["perplexity"]):
        print("%-5s %s" % (name, " ".join("%6.4f" % v for v in job[name]["perplexity_at_rank"])))
    print("\nlooked at, as a share of the first position\n%-5s %s" % ("", " ".join("%6d" % (r + 1) for r in range(10))))
    for name in ("pbm", "ubm", "dbn", "ccm", "dcm", "cm"):
        print("%-5s %s" % (name, " ".join("%6.4f" % v for v in job[name]["examination"])))


def main():
    if missing():
        print(missing())
        return
    rows, d = load(), Daemon()
    try:
        d.start()
        sent = send(d, rows)
        job, said = of_job(d)
        d.stop()
    finally:
        d.destroy()
    train, held, other = of_numpy(rows)
    print("%d searches of %d queries as %d signals; %d to learn from, %d held out" % (len(rows), len({r[0] for r in rows}), sent, train, held))
    for line in said.splitlines():
        if "log prior rose" in line or "chosen" in line:
            print(line)
    print()
    table({name: job[name] for name in MODELS}, other)
    worst = max(abs(job[m][k] - other[m][k]) for m in MODELS for k in ("loglikelihood", "perplexity"))
    print("\ngreatest difference to NumPy: %.2g" % worst)
    order = [job[m]["loglikelihood"] for m in ("dctr", "rctr", "gctr")]
    right = order == sorted(order, reverse=True) and min(job[m]["loglikelihood"] for m in ("pbm", "ubm")) > order[0]
    print("pbm and ubm before dctr before rctr before gctr: %s" % ("yes" if right else "NO"))


if __name__ == "__main__":
    main()
