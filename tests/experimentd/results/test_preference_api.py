"""Results of interleaved rankings by HTTP: a planted preference is shown, none where there is none; counted again by SQL and in Python; every line of xstat
gives what the answer says; a fixed horizon says nothing before its end; several pairs are read together."""
import json
import math
import os
import random
import statistics
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

UNITS, QUERIES = 80, 500
GOOD, BAD = ["g1", "g2", "g3"], ["b1", "b2", "b3", "b4"]
RANKINGS = {"bm25": BAD + GOOD, "ltr": GOOD + BAD, "new": [d for pair in zip(BAD, GOOD) for d in pair]}
ANY_TIME = {"method": "any_time", "planned_units": 200}
EXPERIMENTS = {
    "liked": ("team_draft", {"analysis": ANY_TIME}),
    "same": ("team_draft", {"analysis": ANY_TIME}),
    "fixed": ("balanced", {}),
    "multi": ("multileave", {"analysis": ANY_TIME}),
}
# docs/interleaving.md
BY_SQL = """
with shown as (
    select s.query_id, s.unit, d.doc, s.params->'owners'->>(d.n::int - 1) as owner
    from signals s, jsonb_array_elements_text(s.params->'docs') with ordinality as d(doc, n)
    where s.type = 'interleave' and s.params->>'experiment' = '{experiment}'
), scores as (
    select unit, query_id, sign(count(*) filter (where clicked and owner = '{a}') - count(*) filter (where clicked and owner = '{b}')) as score
    from (select *, exists (select from signals c where c.type = 'click' and c.query_id = s.query_id and c.unit = s.unit and c.doc = s.doc)
                 as clicked from shown s) s group by unit, query_id
)
select unit, score from scores"""


class Preference(DaemonTest):
    arguments = ("--marks-unit-signals-per-minute", "0")

    @classmethod
    def prepare(cls, d):
        rng = random.Random(5)
        for key, (method, fields) in EXPERIMENTS.items():
            names = ["bm25", "ltr", "new"][:3 if method == "multileave" else 2]
            d.make_experiment(key, kind="interleave", interleave={"method": method}, variants=[{"key": v} for v in names], **fields)
        d.make_experiment("empty", kind="interleave", variants=[{"key": "x"}, {"key": "y"}])
        d.make_experiment("ab")
        cls.before = d.results("liked")
        for key, (method, _) in EXPERIMENTS.items():
            names = ["bm25", "ltr", "new"][:3 if method == "multileave" else 2]
            clicks = [click for i in range(QUERIES) for click in cls.one_query(d, rng, key, names, i)]
            for start in range(0, len(clicks), 500):
                reply = d.post("/v1/signals", clicks[start:start + 500], key="client")
                assert reply.status == 200 and not reply.json["rejected"], reply
        d.wait_loaded()
        d.run("trainer", "run", "interleave", "--data-dir", d.dir)

    @staticmethod
    def one_query(d, rng, key, names, i):
        """Few units ask most of the queries, and each clicks in its own way: heavy users are why units decide."""
        number = rng.randrange(UNITS) ** 2 // UNITS
        unit, query = "unit-%d" % number, "%s-%d" % (key, i)
        shown = d.post("/v1/interleave", {"unit": unit, "query_id": query, "experiment": key, "length": 5,
                                          "rankings": {n: RANKINGS[n] for n in names}}, key="client")
        assert shown.status == 200 and shown.json["interleaved"], shown
        for doc in shown.json["docs"]:
            if rng.random() < (0.3 if key == "same" else 0.5 if doc in GOOD else 0.1):
                yield {"type": "click", "unit": unit, "query_id": query, "doc": doc}

    def pair(self, experiment, a="ltr", b="bm25"):
        return next(p for p in self.daemon.results(experiment)["preference"]["pairs"] if (p["a"], p["b"]) == (a, b))

    def test_before_the_job_has_run_it_says_what_is_missing(self):
        self.assertEqual(self.before["preference"]["pairs"], [])
        self.assertIsNone(self.before["preference"]["as_of"])
        self.assertEqual(self.before["verdict"]["state"], "no_data")
        self.assertIn("trainer run interleave", self.before["verdict"]["text"])
        self.assertEqual(self.daemon.results("empty")["verdict"]["text"], "No verdict yet: no interleaved list has been shown.")

    def test_other_kinds_have_no_preference(self):
        self.assertIsNone(self.daemon.results("ab")["preference"])

    def test_a_planted_preference_is_shown_and_none_where_there_is_none(self):
        liked = self.daemon.results("liked")
        self.assertEqual((liked["verdict"]["state"], liked["verdict"]["variant"]), ("better", "ltr"))
        self.assertTrue(liked["verdict"]["text"].startswith('"ltr" is preferred to "bm25": delta +'), liked["verdict"]["text"])
        self.assertIsNone(liked["decision"])
        pair = self.pair("liked")
        self.assertEqual(pair["outcome"], "better")
        self.assertGreater(pair["units_test"]["delta_ci"][0], 0)
        self.assertLess(pair["units_test"]["p"], 1e-4)
        same = self.pair("same")
        self.assertEqual(same["outcome"], "no_difference")
        self.assertLess(same["units_test"]["delta_ci"][0], 0)
        self.assertGreater(same["units_test"]["delta_ci"][1], 0)
        print(liked["verdict"]["text"], same["text"], sep="\n")

    def test_the_list_says_what_the_page_says(self):
        listed = {e["key"]: e for e in self.daemon.get("/v1/experiments").json["experiments"]}
        for key in ("liked", "same", "multi", "empty"):
            told = self.daemon.results(key)
            self.assertEqual(listed[key]["verdict"], told["verdict"])
            self.assertEqual(listed[key]["units"], next((p["units"] for p in told["preference"]["pairs"]), 0))
        self.assertIsNone(listed["ab"]["verdict"])

    def test_sql_and_python_find_the_same(self):
        for experiment in ("liked", "same", "multi"):
            for pair in self.daemon.results(experiment)["preference"]["pairs"]:
                scores = {}
                for unit, score in self.daemon.sql(BY_SQL.format(experiment=experiment, a=pair["a"], b=pair["b"])):
                    scores.setdefault(unit, []).append(float(score))
                every = [s for of in scores.values() for s in of]
                self.assertEqual([pair[k] for k in ("wins_a", "wins_b", "ties", "queries", "units")],
                                 [every.count(1), every.count(-1), every.count(0), QUERIES, len(scores)])
                means, n = [statistics.mean(of) for of in scores.values()], len(scores)
                mean, total = statistics.mean(every), len(every)
                clustered = math.sqrt(n / (n - 1) * sum((sum(of) - mean * len(of)) ** 2 for of in scores.values())) / total
                for have, want in [(pair["units_test"]["mean"], statistics.mean(means)),
                                   (pair["units_test"]["se"], statistics.stdev(means) / math.sqrt(n)),
                                   (pair["units_test"]["delta"], statistics.mean(means) / 2),
                                   (pair["query_mean"]["mean"], mean), (pair["query_mean"]["se"], clustered),
                                   (pair["sign_test"]["delta"], mean / 2)]:
                    self.assertAlmostEqual(have, want, delta=1e-10)

    def test_lines_of_xstat_give_what_the_answer_says(self):
        for experiment in ("liked", "fixed", "multi"):
            for pair in self.daemon.results(experiment)["preference"]["pairs"]:
                named = set()
                for step in pair["explain"]["steps"]:
                    done = self.daemon.run("xstat", step["method"], input=json.dumps(step["input"]))
                    found = json.loads(done.stdout)
                    for ours, theirs in step["gives"].items():
                        test, member = ours.split(".")
                        named.add(ours)
                        self.assertAlmostEqual(pair[test][member], found[theirs], delta=1e-9 * (1 + abs(found[theirs])), msg=ours)
                self.assertIn("units_test.p" if experiment != "fixed" else "units_test.log_p", named)
        self.assertIn("team_draft_sign_test", self.daemon.results("liked")["methods"])

    def test_a_fixed_horizon_says_nothing_before_its_end(self):
        self.assertEqual(self.daemon.results("fixed")["verdict"]["state"], "not_yet")
        self.assertEqual(self.pair("fixed")["outcome"], "not_yet")
        self.call("POST", "/v1/experiments/fixed/stop")
        self.assertEqual(self.pair("fixed")["outcome"], "better")
        self.assertEqual(self.daemon.results("fixed")["verdict"]["state"], "better")

    def test_pairs_are_read_together_and_by_day(self):
        preference = self.daemon.results("multi")["preference"]
        self.assertEqual([(p["a"], p["b"]) for p in preference["pairs"]], [("ltr", "bm25"), ("new", "bm25"), ("new", "ltr")])
        self.assertEqual((preference["multiplicity"], preference["method"]), ("holm", "multileave"))
        p = sorted(pair["units_test"]["p"] for pair in preference["pairs"])
        adjusted = [min(1, 3 * p[0])]
        for factor, value in ((2, p[1]), (1, p[2])):
            adjusted.append(max(adjusted[-1], min(1, factor * value)))
        for have, want in zip(sorted(pair["units_test"]["p_adjusted"] for pair in preference["pairs"]), adjusted):
            self.assertAlmostEqual(have, want, delta=1e-9 * want)
        for pair in preference["pairs"]:
            last = pair["days"][-1]
            self.assertEqual([last[k] for k in ("wins_a", "wins_b", "ties", "queries", "units", "delta", "delta_ci")],
                             [pair[k] for k in ("wins_a", "wins_b", "ties", "queries", "units")] +
                             [pair["units_test"]["delta"], pair["units_test"]["delta_ci"]])


if __name__ == "__main__":
    unittest.main()
