"""Logs of real experiments through the whole product: imported as tables, aggregated by two worker processes, read over HTTP, and compared
with the figures of their READMEs and with a computation of its own from the raw files by NumPy and SciPy. The mappings are those of
docs/real-data."""
import csv
import glob
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

import numpy
from scipy import stats

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import SHARED_DATA, SOURCE_DIR, Daemon, program, variant_of, wait_for  # noqa: E402

MAPPINGS = os.path.join(SOURCE_DIR, "docs", "real-data")
RELATIVE = 1e-9
ITEMS = 34  # of the men's campaign


def data(*names):
    return os.path.join(SHARED_DATA, *names)


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def welch(control, treatment):
    """Difference, t, p, interval of the difference at 95 %."""
    t = stats.ttest_ind(treatment, control, equal_var=False)
    var = [numpy.var(a, ddof=1) / len(a) for a in (control, treatment)]
    df = sum(var) ** 2 / sum(v * v / (len(a) - 1) for v, a in zip(var, (control, treatment)))
    difference, half = numpy.mean(treatment) - numpy.mean(control), stats.t.isf(0.025, df) * math.sqrt(sum(var))
    return difference, t.statistic, t.pvalue, (difference - half, difference + half)


class RealTest(unittest.TestCase):
    """One daemon for all logs of a class."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.addClassCleanup(cls.daemon.destroy)
        cls.daemon.start()
        cls.prepare(cls.daemon)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    @classmethod
    def take(cls, mapping, *files, key):
        """Imports, aggregates, and reads the results."""
        d = cls.daemon
        done = d.run("experimentd", "import", "table", *files, "--data-dir", d.dir, "--mapping", os.path.join(MAPPINGS, mapping),
                     "--rejects", os.path.join(d.dir, "rejects"))
        print(done.stdout.strip() + done.stderr.strip().split("\n")[-1])
        d.trainer("--workers", "2", "--param", "experiment=" + key)
        return d.results(key)

    def near(self, got, want, what="", relative=RELATIVE):
        self.assertIsNotNone(got, what)
        self.assertLessEqual(abs(got - want), relative * abs(want), "%s: %r, not %r" % (what, got, want))

    def check_welch(self, results, metric, treatment, samples):
        """A variant's comparison equals that of the raw values."""
        row = variant_of(results, metric, treatment)
        got, (difference, t, p, ci) = row["comparison"], welch(*samples)
        self.assertEqual(row["n"], len(samples[1]))
        self.near(row["value"], numpy.mean(samples[1]), "value")
        self.near(got["difference"], difference, "difference")
        self.near(got["statistic"], t, "statistic")
        self.near(got["p"], p, "p")
        for end, want in zip(got["difference_ci"], ci):
            self.near(end, want, "interval")
        print("%-28s %-10s %.6f  difference %+.6f [%+.6f, %+.6f]  t %.4f  p %.4g" % (
            metric, treatment, row["value"], got["difference"], *got["difference_ci"], got["statistic"], got["p"]))
        return got


MONTANA = {"interact": (10283, 42), "connect": (2742, 53), "learn": (2747, 21), "help": (3180, 38), "services": (2064, 45)}


@unittest.skipUnless(os.path.isdir(data("montana_library_abn")), "the library's exports are not here")
class Montana(RealTest):
    """Five arms, from five heat map exports: counts."""

    @classmethod
    def prepare(cls, d):
        d.patience = max(d.patience, 300)
        files = sorted(glob.glob(data("montana_library_abn", "Element*.csv")))
        done = subprocess.run([sys.executable, os.path.join(MAPPINGS, "montana_counts.py"), *files], capture_output=True,
                                            text=True, check=True)
        with tempfile.NamedTemporaryFile("w", suffix=".csv", dir=d.root, delete=False) as f:
            f.write(done.stdout)
        os.chmod(f.name, 0o644)
        cls.results = cls.take("montana.json", f.name, key="montana-home")

    def test_counts_are_those_of_the_readme(self):
        self.assertEqual([v["key"] for v in self.results["experiment"]["variants"]], list(MONTANA))
        for variant, (visits, clicks) in MONTANA.items():
            row = variant_of(self.results, "ctr", variant)
            self.assertEqual((row["n"], round(row["numerator"])), (visits, clicks), variant)

    def test_each_arm_against_interact(self):
        samples = {v: numpy.repeat([1.0, 0.0], [k, n - k]) for v, (n, k) in MONTANA.items()}
        for variant in list(MONTANA)[1:]:
            self.check_welch(self.results, "ctr", variant, (samples["interact"], samples[variant]))

    def test_the_readme_s_z_by_the_statistics_api(self):
        for variant, z in (("connect", 8.3356), ("learn", 2.3898), ("help", 5.0436), ("services", 8.7822)):
            (n_c, x_c), (n_t, x_t) = MONTANA["interact"], MONTANA[variant]
            got = self.daemon.post("/v1/stats/two_proportion", {"n_c": n_c, "x_c": x_c, "n_t": n_t, "x_t": x_t, "alpha": 0.05})
            self.assertEqual(got.status, 200, got)
            self.assertAlmostEqual(got.json["z_pooled"], z, delta=0.00005)

    def test_one_arm_is_none_when_four_are_looked_at(self):
        """Bonferroni over the four, in the result and by the statistics API."""
        found = {v: variant_of(self.results, "ctr", v)["comparison"] for v in list(MONTANA)[1:]}
        got = self.daemon.post("/v1/stats/holm_bh", {"p": [c["p"] for c in found.values()]})
        self.assertEqual(got.status, 200, got)
        for (variant, c), p in zip(found.items(), got.json["bonferroni"]):
            self.assertLess(c["p"], 0.05)
            self.near(c["together"]["p"], p, variant)
            self.assertEqual(c["outcome"], "no_difference" if variant == "learn" else "better")

    def test_visits_were_not_split_evenly(self):
        chi2, p = stats.chisquare([n for n, _ in MONTANA.values()])
        self.near(self.results["srm"]["chi2"], chi2, "chi2")
        self.assertEqual(p, 0)  # no double is as small
        self.assertIn("p = 10^%.0f)" % self.results["srm"]["log10_p"], self.results["verdict"]["text"])


def bandit_log(policy):
    rows = rows_of(data("open_bandit_small", policy, "men.csv"))
    return (numpy.array([float(r["click"]) for r in rows]), numpy.array([float(r["propensity_score"]) for r in rows]),
            numpy.array([int(r["item_id"]) for r in rows]), numpy.array([int(r["position"]) for r in rows]))


@unittest.skipUnless(os.path.isdir(data("open_bandit_small")), "the bandit's logs are not here")
class OpenBandit(RealTest):
    """Two policies' logs with propensities: each as it was, and what the other would have got."""

    @classmethod
    def prepare(cls, d):
        cls.results = cls.take("open_bandit.json", *[data("open_bandit_small", p, "men.csv") for p in ("random", "bts")], key="open-bandit")
        cls.logs = {p: bandit_log(p) for p in ("random", "bts")}

    def test_click_rates_of_the_readme(self):
        random, bts = (variant_of(self.results, "ctr", p) for p in ("random", "bts"))
        self.assertEqual((round(random["numerator"]), random["n"], round(bts["numerator"]), bts["n"]), (46, 10000, 69, 10000))
        got = self.check_welch(self.results, "ctr", "bts", [self.logs[p][0] for p in ("random", "bts")])
        self.assertAlmostEqual(got["difference_ci"][0], 0.000204, delta=1e-6)
        self.assertAlmostEqual(got["difference_ci"][1], 0.004396, delta=1e-6)

    def test_another_policy_as_a_metric(self):
        """IPS is a mean of weighted rewards, SNIPS a ratio of sums: of a policy that has settled, what random items would have got."""
        weighted = {}
        for policy, (reward, propensity, _, _) in self.logs.items():
            weighted[policy] = (reward / ITEMS / propensity, 1 / ITEMS / propensity)
        self.check_welch(self.results, "uniform_ips", "bts", [weighted[p][0] for p in ("random", "bts")])
        value, weight = weighted["bts"]
        row = variant_of(self.results, "uniform_snips", "bts")
        self.near(row["value"], value.sum() / weight.sum(), "SNIPS")
        se = math.sqrt(numpy.var(value - row["value"] * weight, ddof=1) / len(value)) / weight.mean()
        self.near((row["ci"][1] - row["ci"][0]) / 2, stats.t.isf(0.025, len(value) - 1) * se, "its interval")
        self.near(variant_of(self.results, "uniform_snips", "random")["value"], 0.0046, "random items as they were")

    def test_clicks_by_position(self):
        published = {"random": (.003045, .006494, .004207), "bts": (.008985, .006438, .005296)}
        for policy, rates in published.items():
            for position, rate in enumerate(rates, 1):
                clicks, shown = self.daemon.sql(
                    "select count(*) filter (where s.type = 'click'), count(*) filter (where s.type = 'impression') from signals s "
                    "join exposures x using (unit) where x.variant = '%s' and s.position = %d" % (policy, position))[0]
                self.assertAlmostEqual(int(clicks) / int(shown), rate, delta=5e-7)

    def test_another_policy_from_the_stored_propensities(self):
        """What uniform random items would have got, from the log of the bandit as it lies in the database."""
        rows = self.daemon.sql("select coalesce(c.n, 0), (i.params->>'propensity')::float8 from signals i join exposures x using (unit) left join "
                               "(select unit, count(*) as n from signals where type = 'click' group by unit) c using (unit) "
                               "where i.type = 'impression' and x.variant = 'bts'")
        reply = self.daemon.post("/v1/stats/ips_snips_dr", {"reward": [float(r[0]) for r in rows], "pscore": [float(r[1]) for r in rows],
                                                            "target_prob": [1 / ITEMS] * len(rows)})
        self.assertEqual(reply.status, 200, reply)
        reward, propensity, _, _ = self.logs["bts"]
        weight = 1 / ITEMS / propensity
        snips = (weight * reward).sum() / weight.sum()
        got = reply.json
        self.near(got["ips"], (weight * reward).mean(), "ips")
        self.near(got["snips"], snips, "snips")
        self.near(got["snips_se"], math.sqrt(((weight * (reward - snips)) ** 2).sum()) / weight.sum(), "snips_se")
        self.near(got["ess"], weight.sum() ** 2 / (weight ** 2).sum(), "ess")
        truth = self.logs["random"][0].mean()
        print("uniform items from the bandit's log: IPS %.5f ± %.5f, SNIPS %.5f ± %.5f, ess %.0f; really %.5f" % (
            got["ips"], 1.96 * got["ips_se"], got["snips"], 1.96 * got["snips_se"], got["ess"], truth))
        self.assertLess(abs(got["snips"] - truth), 4 * math.hypot(got["snips_se"], math.sqrt(truth / 10000)))

    def test_doubly_robust(self):
        """The model: the item's click rate in the other log."""
        reward, propensity, action, _ = self.logs["bts"]
        clicks, _, items, _ = self.logs["random"]
        model = numpy.array([clicks[items == a].mean() for a in range(ITEMS)])
        reply = self.daemon.post("/v1/stats/ips_snips_dr", {
            "reward": reward.tolist(), "pscore": propensity.tolist(), "action": action.tolist(), "pi_e": [[1 / ITEMS] * ITEMS],
            "q_hat": [model.tolist()]})
        self.assertEqual(reply.status, 200, reply)
        weight = 1 / ITEMS / propensity
        parts = model.mean() + weight * (reward - model[action])
        self.near(reply.json["dm"], model.mean(), "dm")
        self.near(reply.json["dr"], parts.mean(), "dr", 1e-8)
        self.near(reply.json["dr_se"], parts.std(ddof=1) / math.sqrt(len(parts)), "dr_se", 1e-6)
        print("                             doubly robust %.5f ± %.5f (the model alone %.5f)" % (reply.json["dr"], 1.96 * reply.json["dr_se"], reply.json["dm"]))


CATS_SRM = (6.9024, 0.00861)
# Metric, column, and of the README: counts, z, p, interval.
CATS = [("cats_retention_1", "retention_1", (20034, 20119), -1.7841, 0.07441, (-0.012392, 0.000582)),
        ("cats_retention_7", "retention_7", (8502, 8279), -3.1644, 0.001554, (-0.013282, -0.003121))]


@unittest.skipUnless(os.path.isdir(data("cookie_cats")), "the game's table is not here")
class CookieCats(RealTest):
    """90,189 players, a row each."""

    @classmethod
    def prepare(cls, d):
        cls.killed_at = cls.kill_in_mid_import(d)
        cls.results = cls.take("cookie_cats.json", data("cookie_cats", "cookie_cats.csv"), key="cookie-cats")
        cls.rows = rows_of(data("cookie_cats", "cookie_cats.csv"))

    @classmethod
    def kill_in_mid_import(cls, d):
        """kill -9 once something has been loaded; how many exposures that were."""
        with subprocess.Popen([program("experimentd"), "import", "table", data("cookie_cats", "cookie_cats.csv"), "--data-dir", d.dir, "--mapping",
                               os.path.join(MAPPINGS, "cookie_cats.json"), "--rejects", os.path.join(d.dir, "rejects")],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            wait_for(lambda: d.number("select count(*) from exposures") or running.poll() is not None, "the first batch")
            running.kill()
        return d.number("select count(*) from exposures")

    def test_every_row_once_though_the_import_was_killed(self):
        print("killed with %d exposures loaded" % self.killed_at)
        self.assertGreater(self.killed_at, 0)
        self.assertEqual(self.daemon.sql("select count(*), count(distinct unit) from exposures")[0], ["90189", "90189"])
        games, logins = len(self.rows), sum((r["retention_1"] == "TRUE") + (r["retention_7"] == "TRUE") for r in self.rows)
        self.assertEqual(self.daemon.number("select count(*) from signals"), games + logins)

    def samples(self, value):
        return [numpy.array([value(r) for r in self.rows if r["version"] == v], dtype=float) for v in ("gate_30", "gate_40")]

    def test_arms_and_their_ratio(self):
        self.assertEqual([variant_of(self.results, "cats_rounds", v)["n"] for v in ("gate_30", "gate_40")], [44700, 45489])
        srm = self.results["srm"]
        self.assertAlmostEqual(srm["chi2"], CATS_SRM[0], delta=0.00005)
        self.assertAlmostEqual(srm["p"], CATS_SRM[1], delta=0.000005)
        self.assertFalse(srm["alarm"])

    def test_retention(self):
        for metric, column, counts, z, p, ci in CATS:
            for variant, count in zip(("gate_30", "gate_40"), counts):
                self.assertEqual(round(variant_of(self.results, metric, variant)["numerator"]), count)
            got = self.check_welch(self.results, metric, "gate_40", self.samples(lambda r: r[column] == "TRUE"))
            self.assertAlmostEqual(got["statistic"], z, delta=0.0005)  # the README's z has a pooled variance
            self.assertAlmostEqual(got["p"], p, delta=0.0001)
            for end, published in zip(got["difference_ci"], ci):
                self.assertAlmostEqual(end, published, delta=2e-6)
            pooled = self.daemon.post("/v1/stats/two_proportion", {"n_c": 44700, "x_c": counts[0], "n_t": 45489, "x_t": counts[1], "alpha": 0.05}).json
            self.assertAlmostEqual(pooled["z_pooled"], z, delta=0.00005)

    def test_rounds_with_the_one_who_played_49854_and_capped(self):
        rounds = lambda r: int(r["sum_gamerounds"])
        got = self.check_welch(self.results, "cats_rounds", "gate_40", self.samples(rounds))
        self.assertAlmostEqual(got["statistic"], -0.8854, delta=0.00005)
        self.assertAlmostEqual(got["p"], 0.3759, delta=0.00005)
        self.check_welch(self.results, "cats_rounds_capped", "gate_40", self.samples(lambda r: min(3000, rounds(r))))


# Round, use case -> team -> two-sided binomial p of the README.
CONTESTS = {
    ("1", "Product search"): {"Baseline": .4297, "UiS-Mira": 5.54e-6, "UiS-Jern": 5.30e-6, "UiS-UiS": 1.66e-9, "GESIS": 1.41e-8},
    ("1", "Web search"): {"Exploitative Baseline": 6.18e-15, "Uniform Baseline": 6.0e-150},
    ("2", "Product search"): {"Baseline": .4976, "UiS-Jern": .6465, "GESIS": .2290, "UiS-Mira": .1173, "UiS-UiS": .01407, "IRIT": .005444},
    ("3", "Web search"): {"Exploitative Baseline": .009128, "UvA-LambdaMart": 0, "Uniform Baseline": 4.3e-110},
    ("5", "Product search"): {"Baseline": .1077, "GESIS": .003465, "IRIT": .006904},
}
PREFERENCES = {("1", "Exploitative Baseline"): 0.01178, ("3", "UvA-LambdaMart"): -0.14136}


@unittest.skipUnless(os.path.isdir(data("interleaving_published")), "the outcomes of the living labs are not here")
class Interleaving(RealTest):
    """Outcomes of team drafts at a shop and a search engine: counts of won, lost and tied impressions."""

    @classmethod
    def prepare(cls, d):
        cls.path = data("interleaving_published", "ll4ir_outcomes.csv")
        cls.rows = {(r["round"], r["use_case"], r["team"]): r for r in rows_of(cls.path)}
        with open(os.path.join(MAPPINGS, "interleaving.json"), encoding="utf-8") as f:
            mapping = json.load(f)
        cls.results = {contest: cls.contest(d, mapping, contest) for contest in CONTESTS}

    @classmethod
    def contest(cls, d, mapping, contest):
        key = "labs-%s-%s" % (contest[0], contest[1].split()[0].lower())
        mapping["experiment"].update(key=key, variants=[{"key": team} for team in CONTESTS[contest]])
        mapping["rows"] = {"round": contest[0], "use_case": contest[1]}
        with tempfile.NamedTemporaryFile("w", suffix=".json", dir=d.root, delete=False) as f:
            json.dump(mapping, f)
        return cls.take(f.name, cls.path, key=key)

    def test_preferences(self):
        """Won and half of the ties, less one half; its interval is that of the mean of +1/2, 0 and -1/2."""
        for (number, use_case), results in self.results.items():
            for team in CONTESTS[number, use_case]:
                r = self.rows[number, use_case, team]
                wins, losses, ties = int(r["wins"]), int(r["losses"]), int(r["ties"])
                scores = numpy.repeat([0.5, -0.5, 0.0], [wins, losses, ties])
                row = variant_of(results, "preference", team)
                self.assertEqual(row["n"], int(r["impressions"]))
                self.assertAlmostEqual(row["value"], (wins + ties / 2) / len(scores) - 0.5, delta=1e-12)
                half = stats.t.isf(0.025, len(scores) - 1) * scores.std(ddof=1) / math.sqrt(len(scores))
                self.near((row["ci"][1] - row["ci"][0]) / 2, half, "its interval")
                if (number, team) in PREFERENCES:
                    self.assertAlmostEqual(row["value"], PREFERENCES[number, team], delta=5e-6)

    def test_sign_tests_of_what_is_stored(self):
        print("round use case       team                     won   lost    ties  preference        p")
        for (number, use_case), teams in CONTESTS.items():
            key = self.results[number, use_case]["experiment"]["key"]
            rows = self.daemon.sql("select x.variant, count(*) filter (where s.value > 0), count(*) filter (where s.value < 0), count(*) filter (where "
                                   "s.value is null) from exposures x left join signals s using (unit) where x.experiment = '%s' group by 1" % key)
            stored = {r[0]: [int(v) for v in r[1:]] for r in rows}
            for team, p in teams.items():
                wins, losses, ties = stored[team]
                r = self.rows[number, use_case, team]
                self.assertEqual((wins, losses, ties), (int(r["wins"]), int(r["losses"]), int(r["ties"])))
                got = self.daemon.post("/v1/stats/team_draft_sign_test", {"kind": "sign_test", "wins_a": wins, "wins_b": losses, "ties": ties}).json
                self.near(got["p_exact"], stats.binomtest(wins, wins + losses).pvalue, "p by SciPy", 1e-7)
                self.near(got["p_exact"], p, "p of the README", 0.006) if p else self.assertLess(got["log_p_exact"], -600)
                print("%-5s %-14s %-22s %6d %6d %7d  %+10.5f  %.3g" % (number, use_case, team, wins, losses, ties, got["delta_ab"], got["p_exact"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
