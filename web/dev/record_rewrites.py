#!/usr/bin/env python3
"""Records fixtures/rewrites/*.json: rewrites as jobs leave them, with evidence under their names, a published version and what becomes of some queries; and a
recommender of fourteen versions whose metrics are made up. BUILD_DIR names the programs (make_artifact too); the answers are the daemon's.
"""
import datetime
import json
import os
import random
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from artifacts import lists, make, statements  # noqa: E402
from daemon import Daemon, wait_for  # noqa: E402

OUT = os.path.join(HERE, "fixtures", "rewrites")
FIRST = datetime.datetime(2026, 11, 10, 3, 20, tzinfo=datetime.timezone.utc)
QUERIES = ["cheap ipone casse", "new york cheap tv", "running shoos for men", "lamp", "jobs", "samsng galaxy"]

SPELLING = [("ipone", "iphone", 0.96), ("samsng", "samsung", 0.93), ("shoos", "shoes", 0.88), ("nokai", "nokia", 0.74), ("labtop", "laptop", 0.97), ("charger ipone", "iphone charger", 0.61),
            ("head phones", "headphones", 0.82), ("blutooth", "bluetooth", 0.95), ("kebord", "keyboard", 0.79), ("xiomi", "xiaomi", 0.9), ("adidass", "adidas", 0.86), ("gopr", "gopro", 0.48),
            ("fridg", "fridge", 0.71), ("lether", "leather", 0.9), ("wach", "watch", 0.44), ("nikee", "nike", 0.89)]
PHRASES = ["new york", "running shoes", "apple watch", "phone case", "office chair", "red wine glasses", "usb c", "game of thrones"]
SYNONYMS = [("tv", "television", True, 0.83), ("sofa", "couch", True, 0.77), ("mobile", "cell phone", True, 0.58), ("sneakers", "running shoes", False, 0.52), ("fridge", "refrigerator", True, 0.81),
            ("case", "cover", False, 0.66), ("headset", "headphones", False, 0.41)]
TAILS = [("iphone casse for apple", "iphone case", "spelling", 0.72), ("shoes men red size 44", "red shoes men", "other-specific", 0.64), ("lamp desk", "desk lamp", "re-ordering", 0.9),
         ("what to wear for running in winter", "winter running clothes", "re-wording", 0.35), ("cheap iphone casse", "cheap iphone case", "spelling", 0.85)]
REMOVE = [("cheap", "", 0.78), ("best", "", 0.69), ("for men", "", 0.33)]


def insert(d, at, kind, given, put, confidence, evidence, review, searches, both=False):
    quoted = [x.replace("'", "''") for x in (kind, given, put, review, json.dumps(evidence))]
    d.sql("insert into query_rewrites (type, input, output, bidirectional, confidence, review, source, job, searches, evidence, created_at, updated_at)"
          " values ('%s', '%s', '%s', %s, %s, '%s', 'job', '%s', %d, '%s', timestamptz '%s', timestamptz '%s')"
          % (quoted[0], quoted[1], quoted[2], both, confidence, quoted[3], {"phrase": "phrases", "synonym": "synonyms", "head_tail": "head-tail", "remove_words": "remove-words"}.get(kind, kind),
             searches, quoted[4], at.isoformat(), at.isoformat()))


def found(d, rng):
    at = FIRST
    for given, put, confidence in SPELLING:
        searches = rng.randint(8, 240)
        evidence = {"distance": 1 if abs(len(given) - len(put)) < 2 else 2, "edit_cost": round(rng.uniform(0.4, 1.6), 2), "sounds_same": rng.random() < 0.6, "probability": round(confidence * 0.99, 3),
                    "searches": searches, "clicks": searches // 20, "zero_results": int(searches * 0.7), "correction_searches": searches * 23, "correction_clicks": searches * 14,
                    "corrected_next": searches // 4, "words_known": False, "split": " " in given}
        insert(d, at, "spelling", given, put, confidence, evidence, "auto" if confidence >= 0.9 else "pending", searches)
    for words in PHRASES:
        searches = rng.randint(40, 900)
        insert(d, at, "phrase", words, words, round(rng.uniform(0.55, 0.99), 2), {"searches": searches, "clicks": searches // 2, "words": len(words.split()), "lift": round(rng.uniform(3, 60), 1),
               "likelihood": round(rng.uniform(40, 900), 1), "log10_p": -round(rng.uniform(9, 80), 1)}, rng.choice(["auto", "pending"]), searches)
    for given, put, both, confidence in SYNONYMS:
        insert(d, at, "synonym", given, put, confidence, {"overlap": round(confidence * 0.8, 2), "inside": 0.71, "inside_back": 0.55, "g": round(rng.uniform(20, 400), 1), "contexts": rng.randint(3, 40),
               "context": "samsung %s 55" % given, "clicks": rng.randint(60, 900), "output_clicks": rng.randint(60, 900), "documents": rng.randint(4, 60)}, "pending", rng.randint(50, 1500), both)
    for given, put, reason, confidence in TAILS:
        insert(d, at, "head_tail", given, put, confidence, {"reason": reason, "text": 0.81, "shared_words": 2, "edits": 1, "documents": 0.62, "shared_documents": 5, "sessions": 0.2, "searched_next": 9,
               "click_rate": 0.04, "head_click_rate": 0.61, "clicks": 1, "zero_results": 14, "head_searches": 4200, "head_clicks": 2580}, "pending", rng.randint(5, 30))
    for given, put, confidence in REMOVE:
        insert(d, at, "remove_words", given, put, confidence, {"measure": "click_rate", "with": 0.21, "without": 0.48, "gain": 0.27, "gain_low": 0.19, "queries": 31, "harm": 0.002,
               "example": "%s iphone case" % given}, "pending", rng.randint(100, 2000))


def reviewed(d):
    body = [{"type": "query", "input": "jobs", "output": "careers", "note": "people look for work here"}, {"type": "synonym", "input": "hoover", "output": "vacuum cleaner"},
            {"type": "spelling", "input": "galaxie", "output": "galaxy"}]
    for reply in (d.post("/v1/rewrites", body), d.post("/v1/rewrites/review", {"filter": {"type": "spelling", "min_confidence": 0.86, "review": "pending"}, "review": "approved"}),
                  d.post("/v1/rewrites/review", {"filter": {"type": "phrase", "min_confidence": 0.7}, "review": "approved"}),
                  d.post("/v1/rewrites/review", {"filter": {"text": "gopr"}, "review": "denied", "note": "a brand of its own"}),
                  d.post("/v1/rewrites/review", {"filter": {"text": "headset"}, "review": "denied", "note": "one has a microphone"})):
        assert reply.status == 200, reply
    for text in ("cheap", "case", "television", "new york"):
        reply = d.post("/v1/rewrites/review", {"filter": {"text": text}, "review": "approved"})
        assert reply.status == 200, reply


def versions(d, rng):
    """Fourteen nights of a recommender: it grows, two nights are refused, one is worse and passes a rule that allows it."""
    ndcg, champion = 0.171, 0
    for n in range(1, 15):
        bad = n in (6, 11)
        ndcg += rng.uniform(-0.001, 0.006) if not bad else 0
        value = ndcg - (0.058 if n == 11 else 0.013 if bad else 0)
        artifact = make("recommender", items_for_item=lists({"doc-%d" % i: [["doc-%d" % ((i * 7 + k * (1 + n % 3)) % 40), 9.0 - k] for k in range(8)] for i in range(40)}))
        day = (FIRST + datetime.timedelta(days=n)).date()
        metric = lambda v, half, was: {"value": v, "low": v - half, "high": v + half, "level": 0.95, "method": "normal, over units", "n": 5100, "champion": was}  # noqa: E731
        gate = {"decision": "refused" if bad else "passed", "champion": champion, "rule": "max_concentration" if n == 11 else "gate" if bad else "better" if champion else "first",
                "reason": ("concentration is 0.71, at most 0.5 is allowed" if n == 11 else "ndcg@10 %.4g, of version %d %.4g: difference %.4g (95%%: %.4g to %.4g), above 0 is asked for"
                           % (value, champion, ndcg, value - ndcg, value - ndcg - 0.006, value - ndcg + 0.006)) if bad else
                          "no version was there before" if not champion else "ndcg@10 %.4g, of version %d %.4g: difference 0.0021 (95%%: 0.0003 to 0.0039), above 0 is asked for" % (value, champion, ndcg - 0.002),
                "checks": []}
        card = {"job": "item-similarity", "params": {"model": "item-similarity", "days": 90, "holdout_days": 1, "gate": "better", "gate_metric": "ndcg@10", "top": 100 if n > 7 else 50},
                "window": {"from": str(day - datetime.timedelta(days=91)), "until": str(day - datetime.timedelta(days=2))}, "evaluation": {"from": str(day - datetime.timedelta(days=1)), "until": str(day - datetime.timedelta(days=1))},
                "seed": 1, "rows": 1200000 + 9000 * n, "units": 51000 + 300 * n, "items": 8200 + 40 * n}
        metrics = {"ndcg@10": metric(value, 0.006, ndcg), "recall@10": metric(value * 1.4, 0.009, ndcg * 1.4), "coverage": {"value": round(0.61 + 0.01 * n - (0.4 if n == 11 else 0), 3)},
                   "concentration": {"value": 0.71 if n == 11 else 0.08}}
        rows = statements("item-similarity", "recommender", artifact, alias="champion")
        text = rows[:-1] + ["select model_version_add('item-similarity', 'recommender', '%s'::jsonb)" % json.dumps(
            {"status": "refused" if bad else "ready", "artifact": artifact[1], "bytes": 2380000 + 9000 * n, "card": card, "metrics": metrics, "gate": gate, "job_id": None, "parent_version": champion or None}).replace("'", "''")]
        if not bad:
            champion = n
            text.append("select model_alias_set('item-similarity', 'champion', %d, 'publish', 'item-similarity')" % n)
        text.append("update model_versions set created_at = timestamptz '%s' where model = 'item-similarity' and version = %d" % ((FIRST + datetime.timedelta(days=n)).isoformat(), n))
        d.sql(";\n".join(text))


def save(name, answer):
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(answer, f, ensure_ascii=False, indent=1, sort_keys=False)
        f.write("\n")


def main():
    rng = random.Random(5)
    with Daemon() as d:
        found(d, rng)
        reviewed(d)
        d.run("trainer", "run", "publish-rewrites", "--data-dir", d.dir)
        wait_for(lambda: d.get("/v1/rewrite?q=x").json["version"] == 1, "the version to be served")
        versions(d, rng)
        save("rewrites", d.get("/v1/rewrites?page_size=1000&sort=created_at").json)
        save("tried", {q: d.get("/v1/rewrite?" + urllib.parse.urlencode({"q": q})).json for q in QUERIES})
        models = d.get("/v1/models").json
        save("models", {"models": models["models"], "versions": {m["name"]: d.get("/v1/models/%s/versions?page_size=100" % m["name"]).json["versions"] for m in models["models"]},
                        "compare": d.get("/v1/models/item-similarity/compare?a=13&b=14").json})


if __name__ == "__main__":
    main()
