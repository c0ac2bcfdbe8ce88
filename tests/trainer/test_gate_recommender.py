"""The gate of recommenders: what it measures is what plain Python measures, on however many workers; a click bot's day is refused, and the champion stays."""
import collections
import datetime
import json
import math
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from artifact import of_version  # noqa: E402
from daemon import DaemonTest, program, wait_for  # noqa: E402
from held import Held  # noqa: E402
from month import Month  # noqa: E402

MONTH = Month(seed=11, days=14, visits=110, units=110, docs=70, late=0)
WEIGHTS = {"click": 1, "cart": 10, "purchase": 25}
HOLDOUT, POISONED = 2, 11  # days behind as_of; the day of the click bot
Z95, TOP = 1.959963984540054, 10


class Gate(DaemonTest):
    @classmethod
    def prepare(cls, d):
        for day in range(MONTH.days):
            MONTH.send(d, day)
        clicks = []  # 400 units, none of them fast: each clicks one document that it is paid for, and twenty that many like
        for bot in range(400):
            at = datetime.datetime.combine(MONTH.date(POISONED), datetime.time(3), datetime.timezone.utc) + datetime.timedelta(seconds=bot * 40)
            for doc in ["doc-paid"] + ["doc-%d" % ((bot * 7 + i) % 30) for i in range(20)]:
                clicks.append({"unit": "farm-%d" % bot, "type": "click", "doc": doc, "timestamp": at.isoformat()})
        assert d.post("/v1/signals", "".join(json.dumps(c) + "\n" for c in clicks).encode(), key="client").status == 200
        d.wait_loaded()
        cls.marked = {r[0] for r in d.sql("select unit from marked_units where mark <> 0")}
        cls.signals = [(unit, doc, kind, datetime.date.fromisoformat(day)) for unit, doc, kind, day in d.sql(
            "select unit, doc, type, (at at time zone 'UTC')::date from signals where doc is not null and type in ('click', 'cart', 'purchase')") if unit not in cls.marked]

    def train(self, model, day, *params, job="item-similarity", workers=2):
        """Trained up to day - HOLDOUT, judged by the days behind it. The version's row."""
        params = ("model=" + model, "as_of=%s" % MONTH.date(day), "holdout_days=%d" % HOLDOUT, "half_life_days=0", "min_units=20", *params)
        done = self.daemon.run("trainer", "run", job, "--data-dir", self.daemon.dir, "--workers", str(workers), *(x for p in params for x in ("--param", p)))
        version, status, metrics, gate, parent = self.daemon.sql("select version, status, metrics, gate, parent_version from model_versions where model = '%s' "
                                                                 "order by version desc limit 1" % model)[0]
        return {"version": int(version), "status": status, "metrics": json.loads(metrics), "gate": json.loads(gate), "parent": parent, "said": done.stderr}

    def champion(self, model):
        return int(self.daemon.sql("select version from model_aliases where model = '%s' and alias = 'champion'" % model)[0][0])

    # ---- the same in Python

    def matrix(self, day):
        """Of each unit: items of the training days with their weights, and new ones of the later days."""
        until = MONTH.date(day - HOLDOUT)
        units, rows, later = collections.defaultdict(set), collections.defaultdict(dict), collections.defaultdict(set)
        for unit, doc, _, on in self.signals:
            if on <= until:
                units[doc].add(unit)
        items = {doc for doc, who in units.items() if len(who) >= 2}
        for unit, doc, kind, on in self.signals:
            if doc in items and on <= until:
                rows[unit][doc] = rows[unit].get(doc, 0) + WEIGHTS[kind]
            elif doc in items and on <= MONTH.date(day):
                later[unit].add(doc)
        return items, rows, {unit: later[unit] - set(had) for unit, had in rows.items() if later[unit] - set(had)}

    @staticmethod
    def best(scores):
        return sorted(scores.items(), key=lambda e: (-e[1], e[0]))

    def answer(self, artifact, unit, had):
        """What is recommended to a unit that had these: its own list, what is new to the model folded in, popular items."""
        own = [(doc, v["score"]) for doc, v in artifact.lists("items_for_user").get(unit, [])] if unit in self.lists["items_for_user"] else []
        seen = {doc for doc, _ in self.lists["seen"].get(unit, [])}
        sums = collections.Counter()
        for doc, weight in had.items():
            if doc not in seen:
                for other, v in self.lists["items_for_item"].get(doc, []):
                    sums[other] += weight * v["score"]
        folded = self.best(sums)
        if folded and own:
            both = collections.Counter()
            for ranked in (own, folded):
                for doc, score in ranked:
                    both[doc] += score / ranked[0][1]
            own = self.best(both)
        elif folded:
            own = folded
        ranked = [doc for doc, _ in own] + [doc for doc, _ in self.lists["popular"][""]]
        return [doc for doc in dict.fromkeys(ranked) if doc not in had][:TOP]

    def judged(self, artifact, items, rows, later):
        """Of each unit its values; and of all: coverage, concentration."""
        self.lists = {name: artifact.lists(name) for name in ("items_for_user", "seen", "items_for_item", "popular")}
        found, lists_with, given = {}, collections.Counter(), 0
        for unit in sorted(later):
            answer = self.answer(artifact, unit, rows[unit])
            hits = [doc in later[unit] for doc in answer]
            ideal = sum(1 / math.log2(i + 2) for i in range(min(len(later[unit]), TOP)))
            found[unit] = {"ndcg@10": sum(h / math.log2(i + 2) for i, h in enumerate(hits)) / ideal,
                           "recall@10": sum(hits) / len(later[unit]), "precision@10": sum(hits) / TOP, "hit_rate@10": float(any(hits)),
                           "map@10": sum(sum(hits[:i + 1]) / (i + 1) for i, h in enumerate(hits) if h) / len(later[unit]),
                           "mrr@10": next((1 / (i + 1) for i, h in enumerate(hits) if h), 0)}
            given += bool(answer)
            lists_with.update(doc for doc in answer if doc in items)
        return found, len(lists_with) / len(items), max(lists_with.values()) / given

    def interval(self, values):
        n, mean = len(values), sum(values) / len(values)
        half = Z95 * math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
        return mean, mean - half, mean + half

    def check_interval(self, got, values):
        for name, want in zip(("value", "low", "high"), self.interval(values)):
            self.assertAlmostEqual(got[name], want, delta=1e-9)

    def test_metrics_are_those_of_the_lists(self):
        first = self.train("measured", 9)
        second = self.train("measured", 12, "gate=none")
        self.assertEqual((first["version"], first["status"], first["parent"], first["gate"]["rule"]), (1, "ready", "", "first"))
        self.assertEqual((second["version"], second["status"], second["parent"]), (2, "ready", "1"))
        items, rows, later = self.matrix(12)
        mine, coverage, concentration = self.judged(of_version(self.daemon, "measured", 2), items, rows, later)
        others, other_coverage, _ = self.judged(of_version(self.daemon, "measured", 1), items, rows, later)
        self.assertGreater(len(later), 40)
        for name in ("ndcg@10", "recall@10", "precision@10", "map@10", "mrr@10", "hit_rate@10"):
            got = second["metrics"][name]
            self.assertEqual((got["n"], got["level"], got["method"], got["difference"]["method"]), (len(later), 0.95, "normal, over units", "normal, paired by unit"))
            self.check_interval(got, [mine[u][name] for u in later])
            self.assertAlmostEqual(got["champion"], self.interval([others[u][name] for u in later])[0], delta=1e-9, msg=name)
            self.check_interval(got["difference"], [mine[u][name] - others[u][name] for u in later])
        self.assertAlmostEqual(second["metrics"]["coverage"]["value"], coverage, delta=1e-12)
        self.assertAlmostEqual(second["metrics"]["coverage"]["champion"], other_coverage, delta=1e-12)
        self.assertAlmostEqual(second["metrics"]["concentration"]["value"], concentration, delta=1e-12)
        self.assertGreater(second["metrics"]["novelty@10"]["value"], 0)

    def test_the_decision_does_not_depend_on_workers(self):
        self.train("workers", 9)
        found = [self.train("workers", 12, "min_value=1", workers=n) for n in (1, 2, 4)]
        self.assertEqual([f["status"] for f in found], ["refused"] * 3)
        self.assertEqual((found[0]["metrics"], found[0]["gate"]), (found[1]["metrics"], found[1]["gate"]))
        self.assertEqual((found[0]["metrics"], found[0]["gate"]), (found[2]["metrics"], found[2]["gate"]))
        self.assertRegex(found[0]["gate"]["reason"], r"^ndcg@10 is 0\.\d+, at least 1 is asked for$")

    # ---- what is refused

    def test_the_same_again_is_not_better(self):
        self.train("again", 12)
        again = self.train("again", 12)
        self.assertEqual((again["status"], again["gate"]["rule"], again["metrics"]["ndcg@10"]["difference"]["value"]), ("refused", "gate", 0))
        self.assertIn("above 0 is asked for", again["gate"]["reason"])
        self.assertIn("model again version 2: refused, the champion stays", again["said"])
        self.assertEqual(self.train("again", 12, "gate=not_worse")["status"], "ready")
        self.assertEqual(self.champion("again"), 3)
        self.assertEqual(self.daemon.sql("select state, result->>'champion' from runs r join model_versions v on v.run = r.id where v.model = 'again' order by v.version"),
                         [["success", "true"], ["success", "false"], ["success", "true"]])

    def test_a_click_bot_s_day_is_refused(self):
        before = self.train("poisoned", POISONED + 1)  # trained up to the day before
        after = self.train("poisoned", POISONED + 2)
        self.assertEqual((before["status"], after["status"], self.champion("poisoned")), ("ready", "refused", 1))
        checks = {c["name"]: c["passed"] for c in after["gate"]["checks"]}
        self.assertEqual((after["gate"]["rule"], checks["max_concentration"], checks["max_concentration_rise"], checks["gate"]),
                         ("max_concentration", False, False, False))  # each of them alone would have refused it
        self.assertGreater(after["metrics"]["concentration"]["value"], 0.8)
        lists = of_version(self.daemon, "poisoned", 2).lists("items_for_user")
        paid = [unit for unit, entries in lists.items() if not unit.startswith("farm-") and "doc-paid" in [e for e, _ in entries[:TOP]]]
        self.assertGreater(len(paid), 50)  # the bot did reach people's lists

    # ---- publishing

    def begin(self, model):
        """A run that passes its gate, on its way."""
        params = ("model=" + model, "as_of=%s" % MONTH.date(12), "holdout_days=%d" % HOLDOUT, "half_life_days=0", "min_units=20", "gate=not_worse", "gate_margin=1")
        return subprocess.Popen([program("trainer"), "run", "item-similarity", "--data-dir", self.daemon.dir, *(x for p in params for x in ("--param", p))],
                                stderr=subprocess.PIPE, text=True)

    def wait_blocked(self, count):
        """In the statements that store; the heartbeat of a run waits for its row, too."""
        wait_for(lambda: self.daemon.number("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and "
                                            "(query like '%artifact_open%' or query like '%from models where name%for update' or query like '%model_version_add%')") == count,
                 "%d runs to wait in their publication" % count)

    def versions(self, model):
        return self.daemon.sql("select version, status, gate->>'rule' from model_versions where model = '%s' order by version" % model)

    def test_of_two_runs_at_once_one_is_champion(self):
        self.train("twice", 9)
        with Held(self.daemon, "lock table artifacts in exclusive mode"):
            runs = [self.begin("twice"), self.begin("twice")]
            self.wait_blocked(2)
        said = [run.communicate(timeout=120)[1] for run in runs]
        self.assertEqual([run.returncode for run in runs], [0, 0], said)
        self.assertEqual(self.versions("twice"), [["1", "ready", "first"], ["2", "ready", "not_worse"], ["3", "refused", "champion"]])
        self.assertEqual(self.champion("twice"), 2)
        self.assertIn("version 2 became champion meanwhile, this one was compared with 1; train it again", "".join(said))

    def test_a_coordinator_that_is_killed_while_it_publishes_leaves_nothing(self):
        self.train("killed", 9)
        before = self.daemon.number("select count(*) from artifacts")
        with Held(self.daemon, "lock table model_versions in exclusive mode"):
            run = self.begin("killed")
            self.wait_blocked(1)  # its artifact is there, uncommitted
            run.kill()
            run.communicate(timeout=120)
        wait_for(lambda: self.daemon.number("select count(*) from pg_stat_activity where application_name like 'trainer%'") == 0, "its connections to be gone")
        self.assertEqual((self.versions("killed"), self.champion("killed"), self.daemon.number("select count(*) from artifacts")), ([["1", "ready", "first"]], 1, before))
        again = self.begin("killed")
        self.assertEqual((again.communicate(timeout=120)[1] and again.returncode, self.champion("killed")), (0, 2))

    def test_too_few_units_judge_nothing(self):
        few = self.train("few", 12, "gate_min_units=1000")
        self.assertEqual((few["status"], few["gate"]["rule"]), ("refused", "gate_min_units"))
        self.assertRegex(few["gate"]["reason"], r"^\d+ units in the later window, 1000 are asked for$")
        self.assertEqual(self.daemon.number("select count(*) from model_aliases where model = 'few'"), 0)


if __name__ == "__main__":
    unittest.main()
