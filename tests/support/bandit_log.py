"""Open Bandit's files (Y. Saito et al. 2020) as signals, and what other code than ours says of them: IPS, SNIPS, DR with cross-fitted means, with users as clusters.

    rows = bandit_log.read(path, "bts")      dicts: at, item, position, click, propensity, unit
    bandit_log.send(daemon, rows)            a response with its propensity for each, and its clicks
    bandit_log.estimates(rows, target)       {"ips": (value, se), …}, "served", "ess", …
"""
import csv
import json
import os

import numpy as np

from classifier import hash64
from daemon import SHARED_DATA

FOLDER = os.path.join(SHARED_DATA, "open_bandit_small")


def read(policy, limit=None):
    """A user is all four of its features. The days are moved to October 2026."""
    with open(os.path.join(FOLDER, policy, "men.csv"), encoding="utf-8") as f:
        rows = [{"at": r["timestamp"].replace("2019-11", "2026-10").replace(" ", "T"), "item": "item-" + r["item_id"], "position": int(r["position"]), "click": int(r["click"]),
                 "propensity": float(r["propensity_score"]), "unit": "-".join(r["user_feature_%d" % k][:6] for k in range(4)), "id": "%s-%s" % (policy, r[""])}
                for r in csv.DictReader(f)]
    return rows[:limit]


def send(d, rows, batch=5000):
    signals = []
    for r in rows:
        common = {"unit": r["unit"], "query_id": r["id"], "query": r.get("query", "Men"), "timestamp": r["at"]}
        signals.append({**common, "id": r["id"] + "-r", "type": "response", "position": r["position"],
                        "params": {"docs": [r["item"]], "propensity": r["propensity"], **({"target": r["target"]} if "target" in r else {})}})
        for n in range(r["click"]):
            signals.append({**common, "id": "%s-c%d" % (r["id"], n), "type": "click", "doc": r["item"]})
    for at in range(0, len(signals), batch):
        reply = d.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in signals[at:at + batch]).encode(), key="client")
        assert reply.status == 200 and not reply.json["rejected"], reply
    d.wait_loaded()


def expected(rows, folds=2, prior=10.0, query=lambda r: r.get("query", "Men").lower()):
    """q(document, position) of each row's fold, from other folds' units; a function (row, document)."""
    fold = {r["unit"]: (hash64(r["unit"]) >> 32) % folds for r in rows}
    sums, counts, places = {}, {}, {}
    for r in rows:
        for f in range(folds):
            if folds == 1 or fold[r["unit"]] != f:
                key, reward = (f, query(r), r["item"], r["position"]), min(r["click"], 1)
                sums[key], counts[key] = sums.get(key, 0) + reward, counts.get(key, 0) + 1
                s, n = places.get((f, r["position"]), (0, 0))
                places[f, r["position"]] = s + reward, n + 1

    def q(r, document):
        f = fold[r["unit"]]
        key, (s, n) = (f, query(r), document, r["position"]), places.get((f, r["position"]), (0, 1))
        return (sums.get(key, 0) + prior * s / n) / (counts.get(key, 0) + prior)
    return q


def estimates(rows, target, q=None, clip=10.0, switch=10.0, shrink=100.0):
    """target(row): probabilities of documents, as a dict."""
    r = np.array([min(x["click"], 1) for x in rows], float)
    p = np.array([x["propensity"] for x in rows])
    shares = [target(x) for x in rows]
    w = np.array([s.get(x["item"], 0) for s, x in zip(shares, rows)]) / p
    units, unit = np.unique([x["unit"] for x in rows], return_inverse=True)
    n = len(rows)

    def by_unit(v):
        return np.bincount(unit, v, len(units))

    def ratio(a, b, less):
        e = (by_unit(a) - a.sum() / b.sum() * by_unit(b)) / b.sum()
        if less:
            e = e - (by_unit(r) - r.mean() * by_unit(np.ones(n))) / n
        return e

    def interval(e):
        return np.sqrt((e ** 2).sum() * len(units) / (len(units) - 1))

    ones, out = np.ones(n), {}
    parts = {"ips": [(w * r, ones)], "snips": [(w * r, w)], "clipped": [(np.minimum(w, clip) * r, ones)]}
    if q:
        own = np.array([q(x, x["item"]) for x in rows])
        m = np.array([sum(s * q(x, d) for d, s in share.items() if s > 0) for share, x in zip(shares, rows)])
        rest = r - own
        parts.update(dm=[(m, ones)], dr=[(m + w * rest, ones)], sndr=[(m, ones), (w * rest, w)], switch_dr=[(m + np.where(w <= switch, w, 0) * rest, ones)],
                     dr_os=[(m + shrink * w / (w ** 2 + shrink) * rest, ones)])
    for name, sums in parts.items():
        value = sum(a.sum() / b.sum() for a, b in sums)
        e = sum(ratio(a, b, False) for a, b in sums)
        less = e - (by_unit(r) - r.mean() * by_unit(ones)) / n
        out[name] = (value, interval(e), value - r.mean(), interval(less))
    return {"estimates": out, "served": (r.mean(), interval(ratio(r, ones, False))), "ess": w.sum() ** 2 / (w ** 2).sum(), "max_weight": w.max(), "mean_weight": w.mean(), "units": len(units)}
