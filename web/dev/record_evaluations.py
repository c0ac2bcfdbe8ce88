#!/usr/bin/env python3
"""Records fixtures/evaluations/*.json: three searches of a small shop, one of them better, one worse, judged by people but not all over; engines are those of
tests/support/engines.py. BUILD_DIR names the programs; the answers are the daemon's.
"""
import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from daemon import Daemon  # noqa: E402
from engines import Engine  # noqa: E402

OUT = os.path.join(HERE, "fixtures", "evaluations")
THINGS = ["lamp", "desk", "chair", "sofa", "shelf", "rug", "vase", "clock", "bed", "mirror", "stool", "curtain"]
KINDS = ["white", "oak", "small", "kids", "outdoor", "cheap"]
QUERIES = ["%s %s" % (k, t) for t in THINGS for k in KINDS][:60]
METRICS = "ndcg@10,ndcg_burges@10,map@10,mrr@10,precision@10,recall@10,err@10"


def shop(rng):
    judged, now, boosted, old = {}, {}, {}, {}
    for q in QUERIES:
        docs = ["%s-%03d" % (q.split()[1], n) for n in rng.sample(range(200), 24)]
        grades = {d: rng.choice([0, 0, 1, 2, 3]) for d in docs[:18]}
        by = lambda noise: sorted(docs, key=lambda d: -(grades.get(d, 0.7) + rng.gauss(0, noise)))[:rng.choice([10, 10, 10, 10, 6])]
        judged[q], now[q], boosted[q], old[q] = grades, by(2.2), by(1.5), by(3.4)
    old[QUERIES[7]] = []
    return judged, {"now": now, "boosted": boosted, "old": old}


def put(d, path, body):
    reply = d.request("PUT", path, body)
    assert reply.status in (200, 201), reply.body


def main():
    rng = random.Random(41)
    judged, lists = shop(rng)
    quoted = lambda x: json.dumps(x).replace("'", "''")
    with Daemon() as d, Engine("solr", lists["now"], {QUERIES[3]: "500"}) as now, Engine("elasticsearch", lists["boosted"]) as boosted, Engine("solr", lists["old"]) as old:
        d.sql("insert into judgment_sets (name, max_grade) values ('people', 3) returning 1")
        d.sql("insert into judgments (set_name, query, doc, grade, source) select 'people', r->>0, r->>1, (r->>2)::real, 'human' from jsonb_array_elements('%s') r returning 1"
              % quoted([[q, doc, g] for q, gs in judged.items() for doc, g in gs.items() if q != QUERIES[-1]]))
        d.sql("insert into query_sets (name, queries) values ('top-queries', %d) returning 1" % len(QUERIES))
        d.sql("insert into query_set_queries (set_name, position, query) select 'top-queries', n, q from jsonb_array_elements_text('%s') with ordinality x (q, n) returning 1" % quoted(QUERIES))
        put(d, "/v1/searches/now", {"engine": "solr", "url": now.url + "/solr/shop/select", "description": "as it is today"})
        put(d, "/v1/searches/boosted", {"engine": "elasticsearch", "url": boosted.url + "/shop/_search"})
        put(d, "/v1/searches/old", {"engine": "solr", "url": old.url + "/solr/shop/select"})
        d.run("trainer", "run", "ranking-metrics", "--data-dir", d.dir, "--param", "searches=old,now", "--param", "query_set=top-queries", "--param", "k=5")
        d.run("trainer", "run", "ranking-metrics", "--data-dir", d.dir, "--param", "searches=now,boosted,old", "--param", "query_set=top-queries", "--param", "judgments=people", "--param", "metrics=" + METRICS)
        evaluations = d.get("/v1/evaluations").json["evaluations"]
        rows = {e["id"]: {s: d.get("/v1/evaluations/%s/queries?a=%s&limit=500" % (e["id"], s)).json["queries"] for s in e["searches"]} for e in evaluations}
    os.makedirs(OUT, exist_ok=True)
    for name, value in (("evaluations", evaluations), ("queries", rows)):
        with open(os.path.join(OUT, name + ".json"), "w", encoding="utf-8") as f:
            json.dump(value, f, ensure_ascii=False, separators=(",", ":"))
            f.write("\n")


if __name__ == "__main__":
    main()
