"""The job "bandit" from outside: users of whom one arm makes more click, in rounds of assign → signals → metrics → bandit."""
import json
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, variant_of, program, wait_for  # noqa: E402
from explained import reproduced  # noqa: E402

KEY, QUICK = "ranker", "quick"
CLICKERS = {"a": 0.10, "b": 0.35, "c": 0.12}  # share of each arm's users that click
EMPTY = {"old": 0.40, "new": 0.15}            # share of each arm's queries without a result
ROUND = 900
FLOOR = 0.05


class Bandit(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.daemon.start()
        self.users = 0
        self.daemon.make_experiment(KEY, kind="bandit", bandit={"floor": FLOOR, "burn_in_units": 100}, sticky=True,
                                    variants=[{"key": k} for k in CLICKERS])
        self.daemon.make_experiment(QUICK, kind="bandit", variants=[{"key": k} for k in EMPTY],
                                    bandit={"policy": "epsilon_greedy", "epsilon": 0.2, "metric": "zero_result_rate"})

    def tearDown(self):
        try:
            self.daemon.stop()
        finally:
            self.daemon.destroy()

    # ---- what happens in a round

    def assign(self, count):
        """So many new users; their variant of each experiment."""
        names = ["user-%05d" % i for i in range(self.users, self.users + count)]
        self.users += count
        reply = self.daemon.post("/v1/assign", [{"unit": n, "experiments": [KEY, QUICK]} for n in names], key="client")
        self.assertEqual(reply.status, 200, reply)
        return {n: {a["experiment"]: a["variant"] for a in answer["assignments"]} for n, answer in zip(names, reply.json)}

    def live(self, count):
        """A round's users come, search and click. How many get each arm; every so-manieth of an arm clicks, none by luck."""
        got = self.assign(count)
        seen, lines = {}, []
        for user, variants in got.items():
            for experiment, variant in variants.items():
                seen.setdefault(experiment, {}).setdefault(variant, 0)
                seen[experiment][variant] += 1
            arm, quick = variants[KEY], variants[QUICK]
            empty = seen[QUICK][quick] * EMPTY[quick] % 1 < EMPTY[quick]
            lines.append({"type": "request", "unit": user, "query_id": "q-" + user, "query": "lamp", "value": 0 if empty else 10})
            if seen[KEY][arm] * CLICKERS[arm] % 1 < CLICKERS[arm]:
                lines.append({"type": "click", "unit": user, "query_id": "q-" + user, "doc": "d1", "position": 1})
        body = "".join(json.dumps(s) + "\n" for s in lines).encode()
        reply = self.daemon.post("/v1/signals", body, key="client", headers={"Content-Type": "application/x-ndjson"})
        self.assertEqual((reply.status, reply.json["rejected"]), (200, []), reply)
        self.daemon.wait_rows("exposures", 2 * self.users)  # they are not waited for when they are made
        self.daemon.wait_rows("signals", self.users, "type = 'request'")
        self.daemon.wait_loaded()
        return seen

    def a_day_passes(self):
        """What has happened happened a day earlier."""
        for table in ("exposures", "signals"):
            first = self.daemon.sql("select (min(at) at time zone 'UTC')::date - 1 from " + table)[0][0]
            self.daemon.sql("select ensure_partition('%s')" % first)
            self.daemon.sql("update %s set at = at - interval '1 day'" % table)

    def run_bandit(self, *arguments):
        return self.daemon.run("trainer", "run", "bandit", "--data-dir", self.daemon.dir, *arguments).stderr

    def rule(self, key):
        """The experiment's rule in the payload that SDKs read."""
        payload = self.daemon.get("/api/features/" + self.daemon.keys["client"], key=None).json
        return payload["features"][key]["rules"][0]

    def weights(self, key, version):
        """Once the running daemon serves them with this version."""
        rule = wait_for(lambda: (lambda r: r if r.get("weightsVersion") == version else None)(self.rule(key)),
                        "weights %d of %s in the payload" % (version, key))
        return rule["weights"]

    def check(self, weights, floor):
        self.assertEqual(sum(round(w * 10000) for w in weights), 10000)
        for w in weights:
            self.assertAlmostEqual(w * 10000, round(w * 10000), delta=1e-9)
            self.assertGreaterEqual(w, floor)

    # ---- the tests

    def test_weights_follow_the_better_arm_and_units_follow_the_weights(self):
        self.assertNotIn("weightsVersion", self.rule(KEY))
        self.assertIn("no moments of its present phase", self.run_bandit())
        seen = self.live(ROUND)
        self.assertGreater(min(seen[KEY].values()), 250)  # even so far
        self.daemon.trainer()
        said = self.run_bandit()
        first, quick = self.weights(KEY, 1), self.weights(QUICK, 1)
        self.check(first, FLOOR)
        self.assertGreater(first[1], 0.85, said)
        self.assertEqual(quick, [0.1, 0.9], said)  # fewer empty result pages are better
        self.assertRegex(said, r"bandit experiment=ranker arm=b units=%d mean=0\.3\S+ sd=\S+ best=1\.0000 weight=0\.9000 was=0\.3333"
                         % seen[KEY]["b"])
        self.a_day_passes()

        seen = self.live(ROUND)  # the same daemon, not started again
        for i, arm in enumerate(CLICKERS):
            self.assertAlmostEqual(seen[KEY].get(arm, 0) / ROUND, first[i], delta=0.04)
        self.daemon.trainer()
        said = self.run_bandit()
        self.assertIn("bandit experiment=ranker metric=ctr policy=thompson periods=2", said)
        self.assertEqual(self.daemon.number("select count(distinct day) from moments where experiment = '%s' and segment = ':first_day'"
                                            % KEY), 2)
        self.assertEqual(self.daemon.number("select sum(n) from moments where experiment = '%s' and metric = 'ctr' and segment = "
                                            "':first_day'" % KEY), 2 * ROUND)
        self.check([float(w) for w in json.loads(self.daemon.sql("select state->'weights' from experiments where key = '%s'" % KEY)[0][0])],
                   FLOOR)
        results = self.daemon.results(KEY)  # cohorts are no segment of the result page; moving weights are no mismatch
        self.assertEqual((results["units"], results["srm"]), (2 * ROUND, None))
        self.assertEqual([r[0] for r in self.daemon.sql("select distinct actor from revisions where action = 'weights'")], ["job:bandit"])
        self.compares_within_days(results)
        self.keeps_what_it_should(said)

    def compares_within_days(self, results):
        """What the result says of an arm is its mean of each day, and a day counts with its share of all units."""
        cells = [(day, arm, int(n), float(mean)) for day, arm, n, mean in self.daemon.sql(
            "select day, variant, n, mean_x from moments where experiment = '%s' and metric = 'ctr' and segment = ':first_day'" % KEY)]
        self.assertGreaterEqual(min(n for _, _, n, _ in cells), 20)
        total, value = sum(n for _, _, n, _ in cells), {}
        for day in {c[0] for c in cells}:
            share = sum(n for d, _, n, _ in cells if d == day) / total
            for _, arm, _, mean in (c for c in cells if c[0] == day):
                value[arm] = value.get(arm, 0) + share * mean
        c = variant_of(results, "ctr", "b")["comparison"]
        self.assertEqual(c["adjustment"]["by"], "periods")
        self.assertAlmostEqual(c["difference"], value["b"] - value["a"], places=9)
        self.assertEqual(c["outcome"], "better")
        self.assertEqual([len(s["input"]["strata"]) for s in c["explain"]["steps"] if s["method"] == "post_strat"], [2])
        self.assertLessEqual({"difference", "se", "statistic", "p", "difference_ci", "lift", "lift_ci"}, reproduced(c))

    def keeps_what_it_should(self, said):
        """The same moments give the same weights, so nobody is told; a new phase has no moments yet."""
        self.assertNotIn("weights=set", said.split("experiment=quick")[-1])
        version = self.daemon.number("select version from config_version")
        self.run_bandit()
        self.assertEqual(self.daemon.number("select version from config_version"), version)
        reply = self.daemon.post("/v1/experiments/%s/phases" % KEY, {})
        self.assertEqual(reply.status, 200, reply)
        self.assertIn("experiment=ranker weights=kept why=\"there are no moments of its present phase", self.run_bandit())

    def test_weights_wait_for_the_burn_in(self):
        self.live(120)
        self.daemon.trainer()
        said = self.run_bandit("--param", "experiment=" + KEY)
        self.assertRegex(said, r'experiment=ranker weights=kept why="arm "\w" has \d\d units, the burn-in asks for 100"')
        self.assertNotIn("quick", said)
        self.assertNotIn("weightsVersion", self.rule(KEY))
        refused = self.daemon.run("trainer", "run", "bandit", "--data-dir", self.daemon.dir, "--param", "experiment=nothing", check=False)
        self.assertEqual(refused.returncode, 65, refused.stderr)
        self.assertIn('experiment "nothing" is not a bandit that runs', refused.stderr)

    def test_of_two_runs_at_once_one_sets_the_weights(self):
        """Both have read and decided when they meet at the lock that this test holds."""
        self.live(ROUND)
        self.daemon.trainer()
        lock = self.daemon.sql_session()
        lock.stdin.write("begin; select version from config_version for update;\n")
        lock.stdin.flush()
        lock.stdout.readline()
        runs = [subprocess.Popen([program("trainer"), "run", "bandit", "--data-dir", self.daemon.dir, "--param", "experiment=" + KEY],
                                 stderr=subprocess.PIPE, text=True) for _ in range(2)]
        wait_for(lambda: self.daemon.number("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") >= 2,
                 "both runs to wait")
        lock.communicate("commit;\n")
        said = [run.communicate()[1] for run in runs]
        self.assertEqual([run.returncode for run in runs], [0, 0], said)
        self.assertEqual(sorted(len(re.findall("weights=set", s)) for s in said), [0, 1], said)
        self.assertEqual(sorted(len(re.findall("edited meanwhile, or another run", s)) for s in said), [0, 1], said)
        self.check(self.weights(KEY, 1), FLOOR)
        self.assertEqual(self.daemon.number("select count(*) from revisions where action = 'weights'"), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
