"""From a log to the views of a result: segments, days since exposure, cohorts, and lines of xstat that give the numbers again. Everything is counted a second
time, from the rows of the log."""
import collections
import csv
import json
import os
import random
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, program  # noqa: E402

DAYS, UNITS = 7, 600
MAPPING = {"experiment": {"key": "shop", "variants": [{"key": "old"}, {"key": "new"}], "metrics": ["clicks_per_query", "ctr"],
                          "analysis": {"method": "fixed"}},
           "unit": "visitor", "variant": "ranker", "at": "first", "attributes": {"device": "device", "country": "country"},
           "signals": [{"type": "request", "at": "at", "count": "searches"}, {"type": "click", "at": "at", "count": "clicks"}]}


def visits():
    rng = random.Random(4)
    for visitor in range(UNITS):
        ranker, first = rng.choice(("old", "new")), rng.randrange(DAYS)
        device, country = rng.choice(("phone", "desktop", "tablet", "tv")), rng.choice(("de", "fr", ""))
        for day in range(first, DAYS):
            searches = 1 + rng.randrange(3)
            yield {"visitor": "v%d" % visitor, "ranker": ranker, "first": "2026-03-%02dT09:00:00Z" % (first + 1), "at": "2026-03-%02dT10:00:00Z" % (day + 1),
                   "device": device, "country": country, "searches": searches, "clicks": sum(rng.random() < 0.3 for _ in range(searches)),
                   "since": day - first, "cohort": "2026-03-%02d" % (first + 1)}


class Explore(unittest.TestCase):
    def test_every_view_counts_the_rows_of_the_log(self):
        rows = list(visits())
        with Daemon() as d:
            self.load(d, rows)
            for dimension in ("device", "country"):
                answer = d.get("/v1/experiments/shop/results?segment=" + dimension).json
                self.assertEqual(answer["dimensions"], ["country", "device"])
                self.check(answer, "values", lambda v: v["value"], rows, lambda r, name=dimension: r[name] or "(none)")
            since = d.get("/v1/experiments/shop/timeseries?by=since_exposure").json
            self.check(since, "periods", lambda p: p["days_since"], rows, lambda r: r["since"])
            cohorts = d.get("/v1/experiments/shop/timeseries?by=cohort").json
            self.check(cohorts, "periods", lambda p: p["day"], rows, lambda r: r["cohort"])
            self.check_explained(d.results("shop"))

    def load(self, d, rows):
        log, mapping = os.path.join(d.root, "shop.csv"), os.path.join(d.root, "shop.json")
        with open(log, "w", encoding="utf-8", newline="") as f:
            table = csv.DictWriter(f, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        with open(mapping, "w", encoding="utf-8") as f:
            json.dump(MAPPING, f)
        d.run("experimentd", "import", "table", "--data-dir", d.dir, "--mapping", mapping, log)
        d.trainer("--workers", "2")

    def check(self, answer, parts, name_of, rows, key_of):
        """Clicks over searches of each part and variant."""
        wanted = collections.defaultdict(lambda: [set(), 0, 0])
        for r in rows:
            cell = wanted[key_of(r), r["ranker"]]
            cell[0].add(r["visitor"])
            cell[1] += r["clicks"]
            cell[2] += r["searches"]
        self.assertIsNone(answer["reason"])
        metric = next(m for m in answer["metrics"] if m["metric"] == "clicks_per_query")
        got = {(name_of(p), v["variant"]): [v["n"], v["numerator"], v["denominator"]] for p in metric[parts] for v in p["variants"]}
        self.assertEqual(got, {key: [len(units), clicks, searches] for key, (units, clicks, searches) in wanted.items()})

    def check_explained(self, results):
        steps = [s for m in results["metrics"] for v in m["variants"] for s in v["explain"]["steps"] + (v["comparison"] or {"explain": {"steps": []}})["explain"]["steps"]]
        self.assertGreater(len(steps), 8)
        for s in steps:
            done = subprocess.run([program("xstat"), s["method"]], input=json.dumps(s["input"]) + "\n", capture_output=True, text=True, check=True)
            self.assertNotIn("error", json.loads(done.stdout), s)


if __name__ == "__main__":
    unittest.main()
