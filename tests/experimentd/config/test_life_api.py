"""Experiments as search teams think of them: layers, domains, holdouts, segments, phases, forced units, QA keys; what running ones refuse."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, wait_for  # noqa: E402

AB = [{"key": "a"}, {"key": "b"}]
UNITS = ["unit-%d" % i for i in range(4000)]


class LifeApi(DaemonTest):
    def call(self, method, path, body=None, status=200, **more):
        told = super().call(method, path, body, status, **more)
        return told if status < 400 else told["detail"]

    def make(self, key, start=True, **fields):
        made = self.call("post", "/v1/experiments", {"key": key, "variants": AB, **fields}, 201)
        return self.call("post", "/v1/experiments/%s/start" % key) if start else made

    def variants(self, *experiments, units=UNITS, key="client", **fields):
        """For each unit its variants and reasons: [{"experiment": (variant, reason)}]."""
        out = []
        for at in range(0, len(units), 1000):
            asks = [{"unit": u, "experiments": list(experiments), **fields} for u in units[at:at + 1000]]
            for answer in self.call("post", "/v1/assign", asks, key=key):
                out.append({a["experiment"]: (a["variant"], a["reason"]) for a in answer["assignments"]})
        return out

    def test_experiments_of_one_layer_share_no_unit(self):
        self.call("post", "/v1/layers", {"key": "ranking"}, 201)
        for key in ("rank-1", "rank-2"):
            self.make(key, layer="ranking", layer_share=0.4)
        self.make("rank-3", start=False, layer="ranking", layer_share=0.4)
        self.assertIn('layer "ranking" has 0.2 of its traffic free, 0.4 is asked for; the rest belongs to rank-1, rank-2',
                      self.call("post", "/v1/experiments/rank-3/start", None, 409))
        got = self.variants("rank-1", "rank-2")
        inside = [sum(1 for g in got if g[k][0]) for k in ("rank-1", "rank-2")]
        self.assertEqual([g for g in got if g["rank-1"][0] and g["rank-2"][0]], [])
        for n in inside:
            self.assertLess(abs(n - 1600), 150)
        self.assertEqual({g["rank-1"][1] for g in got if not g["rank-1"][0]}, {"other_part_of_layer"})
        self.call("post", "/v1/experiments/rank-1/stop")
        self.call("post", "/v1/experiments/rank-3/start")

    def test_layers_are_independent_of_each_other(self):
        for key in ("left", "right"):
            self.call("post", "/v1/layers", {"key": key}, 201)
            self.make("in-" + key, layer=key, layer_share=0.5)
        got = self.variants("in-left", "in-right")
        both = sum(1 for g in got if g["in-left"][0] and g["in-right"][0])
        self.assertLess(abs(both - 1000), 150)

    def test_a_domain_is_a_part_of_a_layer_with_layers_of_its_own(self):
        self.call("post", "/v1/layers", {"key": "top"}, 201)
        self.call("post", "/v1/domains", {"key": "ui", "layer": "top", "share": 0.5}, 201)
        for key in ("ui-1", "ui-2"):
            self.call("post", "/v1/layers", {"key": key, "domain": "ui"}, 201)
            self.make("in-" + key, layer=key)
        self.make("beside", layer="top", layer_share=0.5)
        got = self.variants("in-ui-1", "in-ui-2", "beside")
        for g in got:
            self.assertEqual(bool(g["in-ui-1"][0]), bool(g["in-ui-2"][0]))
            self.assertNotEqual(bool(g["in-ui-1"][0]), bool(g["beside"][0]))
        self.assertEqual({(g["in-ui-1"][0], g["in-ui-2"][0]) for g in got if g["in-ui-1"][0]},
                         {(x, y) for x in "ab" for y in "ab"})
        self.assertIn("ui", self.call("delete", "/v1/domains/ui", status=409))

    def test_a_launch_layer_gives_way_to_ordinary_experiments_on_its_parameter(self):
        self.call("post", "/v1/layers", {"key": "launch", "launch": True}, 201)
        self.make("launched", parameter="k1", layer="launch", variants=[{"key": "old", "value": 1}, {"key": "new", "value": 2}])
        self.make("tuned", parameter="k1", coverage=0.5, variants=[{"key": "x", "value": 3}, {"key": "y", "value": 4}])
        got = self.variants("launched", "tuned")
        for g in got:
            self.assertNotEqual(bool(g["launched"][0]), bool(g["tuned"][0]), g)
        self.make("third", start=False, parameter="k1", variants=AB)
        self.assertIn("put both into one layer", self.call("post", "/v1/experiments/third/start", None, 409))

    def test_a_holdout_keeps_its_units_out_of_what_starts_later(self):
        self.call("post", "/v1/holdouts", {"key": "rest", "share": 0.2, "metrics": ["mrr"]}, 201)
        self.make("held", metrics=["mrr"])
        self.make("not-held", metrics=["ctr"])
        self.make("ignores", metrics=["mrr"], ignore_holdouts=True)
        got = self.variants("held", "not-held", "ignores")
        out = [g for g in got if not g["held"][0]]
        self.assertLess(abs(len(out) - 800), 120)
        self.assertEqual({g["held"][1] for g in out}, {"held_out"})
        self.assertTrue(all(g["not-held"][0] and g["ignores"][0] for g in got))
        self.assertIn('experiment "held" runs', self.call("post", "/v1/holdouts", {"key": "late", "share": 0.1, "metrics": ["mrr"]}, 409))
        self.call("post", "/v1/experiments/rest/stop")
        self.assertTrue(all(g["held"][0] for g in self.variants("held")))

    def test_segments_and_targeting(self):
        self.call("post", "/v1/segments", {"key": "staff", "attribute": "id", "values": ["unit-1", "unit-2"]}, 201)
        self.call("post", "/v1/segments", {"key": "german", "condition": {"country": "de"}}, 201)
        self.make("for-staff", segments=["staff"])
        self.make("for-others", not_segments=["staff"], targeting={"age": {"$gte": 18}})
        self.make("for-germans", segments=["german"])
        got = self.variants("for-staff", "for-others", "for-germans", units=UNITS[:5], attributes={"country": "de", "age": 18})
        self.assertEqual([bool(g["for-staff"][0]) for g in got], [False, True, True, False, False])
        self.assertEqual([bool(g["for-others"][0]) for g in got], [True, False, False, True, True])
        self.assertTrue(all(g["for-germans"][0] for g in got))
        self.assertEqual(self.variants("for-germans", units=["u"])[0]["for-germans"], (None, "targeting"))
        self.assertIn("for-others", self.call("delete", "/v1/segments/staff", status=409))
        self.assertIn('segment "nobody" is not known', self.call("post", "/v1/experiments", {"key": "x", "variants": AB, "segments": ["nobody"]}, 400))

    def test_a_prerequisite_is_another_experiments_variant(self):
        self.make("base")
        self.make("on-top", prerequisites=[{"experiment": "base", "variants": ["b"]}])
        for g in self.variants("base", "on-top"):
            self.assertEqual(bool(g["on-top"][0]), g["base"][0] == "b")
        self.assertIn("depends on this one", self.call("post", "/v1/experiments", {
            "key": "self", "variants": AB, "prerequisites": [{"experiment": "on-top", "variants": ["a"]}, {"experiment": "self", "variants": ["a"]}]}, 400)
            .replace('experiment "self" is not known', "depends on this one"))

    def test_forced_units_are_in_their_variant_and_are_not_counted(self):
        self.make("forcing", coverage=0.01, forced={"unit-7": "b"})
        self.assertEqual(self.variants("forcing", units=["unit-7"]), [{"forcing": ("b", "forced")}])
        self.make("counting")
        self.variants("counting", units=["unit-7"])
        wait_for(lambda: self.daemon.number("select count(*) from exposures where experiment = 'counting' and unit = 'unit-7'") == 1, "its exposure")
        self.assertEqual(self.daemon.number("select count(*) from exposures where experiment = 'forcing'"), 0)

    def test_qa_keys_see_drafts_and_force_and_are_never_counted(self):
        self.make("drafted", start=False)
        qa = self.daemon.run("experimentd", "key", "create", "--scope", "qa", "--data-dir", self.daemon.dir).stdout.strip()
        self.assertEqual(self.variants("drafted", units=["q"])[0]["drafted"], (None, "not_running"))
        wait_for(lambda: self.daemon.get("/v1/assign/drafted?unit=q", key=qa).status == 200, "the key to be known")
        self.assertIn(self.variants("drafted", units=["q"], key=qa)[0]["drafted"][0], ("a", "b"))
        for variant in "ab":
            self.assertEqual(self.variants("drafted", units=["q"], key=qa, force={"drafted": variant})[0]["drafted"], (variant, "override"))

    def test_what_runs_refuses_what_would_break_its_statistics(self):
        self.make("steady", coverage=0.5)
        for patch, field in (({"variants": [{"key": "a", "weight": 0.9}, {"key": "b", "weight": 0.1}]}, "variants"), ({"seed": "other"}, "seed"),
                             ({"targeting": {"country": "de"}}, "targeting"), ({"coverage": 0.4}, "coverage")):
            detail = self.call("patch", "/v1/experiments/steady", patch, 409)
            self.assertIn(field, detail)
            self.assertIn("start a new phase instead (POST /v1/experiments/steady/phases)", detail)
        wider = self.call("patch", "/v1/experiments/steady", {"coverage": 0.75, "name": "Steady", "hypothesis": "more is more"})
        self.assertEqual((wider["coverage"], wider["name"], wider["phase"]), (0.75, "Steady", 1))

    def test_a_new_phase_assigns_anew_and_counts_from_then_on(self):
        self.make("phased")
        before = self.variants("phased")
        wide = self.call("patch", "/v1/experiments/phased", {"name": "Phased"})
        self.assertEqual(wide["phase"], 1)
        now = self.call("post", "/v1/experiments/phased/phases", {"variants": [{"key": "a", "weight": 0.2}, {"key": "b", "weight": 0.8}]})
        self.assertEqual(now["phase"], 2)
        after = self.variants("phased")
        b = sum(1 for g in after if g["phased"][0] == "b")
        self.assertLess(abs(b - 3200), 150)
        same = sum(1 for x, y in zip(before, after) if x == y)
        self.assertLess(abs(same - 2000), 200)  # another seed: as good as independent
        kept = self.call("post", "/v1/experiments/phased/phases", {"reassign": False, "targeting": {"country": "de"}})
        self.assertEqual(kept["phase"], 3)
        self.assertEqual(self.variants("phased", attributes={"country": "de"}), after)
        self.assertIn("cannot change in a phase", self.call("post", "/v1/experiments/phased/phases", {"hash_attribute": "session"}, 409))

    def test_a_winner_is_rolled_out_to_everybody(self):
        self.make("decided", variants=[{"key": "a", "value": 1}, {"key": "b", "value": 2}])
        self.assertIn('"c"', self.call("post", "/v1/experiments/decided/conclude", {"winner": "c"}, 400))
        done = self.call("post", "/v1/experiments/decided/conclude", {"winner": "b", "rollout": True, "reason": "it won"})
        self.assertEqual((done["status"], done["winner"], done["rollout"]), ("concluded", "b", True))
        self.assertEqual(set(g["decided"] for g in self.variants("decided", units=UNITS[:50])), {("b", "rollout")})
        self.assertIn("concluded", self.call("patch", "/v1/experiments/decided", {"coverage": 0.5}, 409))

    def test_every_edit_is_a_revision(self):
        self.make("told")
        self.call("patch", "/v1/experiments/told", {"name": "Told"})
        revisions = self.call("get", "/v1/experiments/told/revisions")["revisions"]
        self.assertEqual([(r["action"], r["actor"]) for r in reversed(revisions)], [("create", "admin.key"), ("start", "admin.key"), ("change", "admin.key")])
        self.assertEqual((revisions[0]["before"]["spec"]["name"], revisions[0]["after"]["spec"]["name"]), ("told", "Told"))

    def test_if_match(self):
        made = self.make("matched", start=False)
        self.assertIn("is at version", self.call("patch", "/v1/experiments/matched", {"name": "x"}, 412, headers={"If-Match": '"9"'}))
        self.call("patch", "/v1/experiments/matched", {"name": "x"}, headers={"If-Match": '"%d"' % made["version"]})


if __name__ == "__main__":
    unittest.main(verbosity=2)
