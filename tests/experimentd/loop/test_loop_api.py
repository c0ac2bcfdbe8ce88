"""The loop of a model over HTTP, on results that are published by hand: tried, promoted, dropped, rolled back, timed out, approved; what people do by hand."""
import os
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import wait_for  # noqa: E402
from jobs import JobsDaemon  # noqa: E402
from looped import Looped  # noqa: E402
from receiver import Receiver  # noqa: E402


class Loops(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = JobsDaemon()
        cls.addClassCleanup(cls.daemon.destroy)
        cls.daemon.start()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def trying(self, model, **spec):
        """Version 2 is being tried against version 1."""
        m = Looped(self.daemon, model)
        m.loop(**spec)
        m.point("challenger", 2)
        started = m.wait("started")
        self.assertEqual((started["version"], started["experiment"], started["phase"], started["who"]), (2, "loop-" + model, 1, "loop"))
        m.runs()
        return m

    def refused(self, says, status, method, path, body=None, **more):
        reply = self.daemon.request(method, path, body, **more)
        self.assertEqual(reply.status, status, (path, reply))
        self.assertIn(says, reply.json["detail"])

    # ---- verdicts

    def test_one_that_users_like_better_becomes_champion(self):
        m = self.trying("better", traffic=0.25)
        e = m.experiment()
        self.assertEqual((e["status"], e["coverage"], [v["value"] for v in e["variants"]], e["default_value"]),
                         ("running", 0.25, [{"model": "better", "alias": a} for a in ("champion", "challenger")], {"model": "better", "alias": "champion"}))
        m.results(0.10, 0.15, days=3)
        step = m.wait("promoted")
        self.assertEqual((step["version"], step["phase"], step["who"]), (2, 1, "loop"))
        self.assertIn("Ship \"challenger\": every condition is met.", step["reason"])
        self.assertEqual(m.aliases(), {"champion": 2, "challenger": 2})
        self.assertEqual(m.state()["phase"], "idle")
        e = m.ended()
        self.assertEqual((e["status"], e["winner"]), ("concluded", "challenger"))
        self.check_evidence(step["evidence"], m)

    def check_evidence(self, told, m):
        """The numbers of the step are those of the experiment's own answer."""
        result = self.daemon.results("loop-" + m.model)
        own = next(v for x in result["metrics"] if x["metric"] == "ctr" for v in x["variants"] if v["variant"] == "challenger")["comparison"]
        self.assertEqual((told["decision"], told["metric"], told["measure"], told["units"]), ("ship", "ctr", "lift", {"champion": 2000, "challenger": 2000}))
        self.assertAlmostEqual(told["value"], own["lift"])
        self.assertEqual([told["low"], told["high"]], own["together"]["lift_ci"], own)
        self.assertTrue(all(c["met"] for c in told["conditions"]), told)
        days = next(x for x in self.daemon.get("/v1/experiments/loop-%s/timeseries" % m.model).json["metrics"] if x["metric"] == "ctr")["days"]
        self.assertEqual([(d["day"], d["value"], d["low"], d["high"]) for d in told["series"]],
                         [(d["day"], d["variants"][1]["lift"], *d["variants"][1]["lift_ci"]) for d in days])
        self.assertEqual(len(told["series"]), 3)

    def test_one_that_is_worse_is_dropped(self):
        m = self.trying("worse")
        m.results(0.15, 0.10)
        step = m.wait("dropped")
        self.assertIn("Roll back \"challenger\": shown worse", step["reason"])
        self.assertEqual((m.aliases(), m.ended()["winner"]), ({"champion": 1, "challenger": 1}, "champion"))

    def test_harm_to_a_guardrail_ends_it_at_once(self):
        m = self.trying("harm", min_days=7)
        m.results(0.10, 0.15, zero=(0.10, 0.20))
        step = m.wait("rolled_back")
        self.assertIn('guardrail "zero_result_rate"', step["reason"])
        self.assertEqual(m.aliases(), {"champion": 1, "challenger": 1})

    def test_a_split_that_does_not_fit_ends_it_or_is_waited_for(self):
        m = self.trying("mismatched")
        m.results(0.10, 0.15, units=(2000, 1500))
        self.assertIn("Do not decide by these figures", m.wait("rolled_back")["reason"])
        waits = self.trying("waits", on_alarm="wait")
        waits.results(0.10, 0.15, units=(2000, 1500))
        waits.results(0.10, 0.15)
        waits.wait("promoted")
        self.assertNotIn("rolled_back", waits.names())

    def test_before_the_minimum_days_nothing_is_shipped(self):
        m = self.trying("early", min_days=4, max_days=5)
        m.results(0.10, 0.15, days=2)
        self.daemon.sql("update model_loops set state = state || jsonb_build_object('since_us', (state->>'since_us')::bigint - 86400000000 * 6) where model = 'early'")
        step = m.wait("timed_out")
        self.assertIn("5 days have passed without a verdict", step["reason"])
        self.assertIn("1 of at least 4 days", step["reason"])
        self.assertEqual((m.aliases(), m.ended()["status"]), ({"champion": 1, "challenger": 1}, "concluded"))

    def test_results_of_the_phase_before_say_nothing(self):
        m = self.trying("phases")
        m.results(0.15, 0.10)
        m.wait("dropped")
        m.point("challenger", 3)
        started = m.wait("started", 2)
        self.assertEqual((started["version"], started["phase"]), (3, 2))
        # What was published for phase 1 is still there: it says that a challenger is worse, and this one is another.
        wait_for(lambda: m.state()["phase"] == "trying", "the loop to try")
        self.daemon.sql("update moments_current set as_of = now() - interval '1 hour', published_at = clock_timestamp() where experiment = 'loop-phases'")
        m.point("next", 2)  # something has changed: the loop looks
        m.results(0.10, 0.15)
        m.wait("promoted")
        self.assertEqual(m.names().count("dropped"), 1)

    def test_what_waits_is_tried_next(self):
        m = self.trying("queue")
        m.point("next", 3)
        m.results(0.15, 0.10)
        self.assertEqual(m.wait("challenger")["version"], 3)
        self.assertEqual(m.wait("started", 2)["version"], 3)
        self.assertEqual(m.aliases(), {"champion": 1, "challenger": 3})
        m.results(0.10, 0.15)
        m.wait("promoted")
        self.assertEqual(m.aliases(), {"champion": 3, "challenger": 3})
        self.assertEqual(m.names(), ["on", "started", "dropped", "challenger", "started", "promoted"])

    def test_interleaved_rankings_go_by_what_is_preferred(self):
        spec = {"kind": "interleave", "metrics": None, "adjustment": None, "min_days": 2, "analysis": {"method": "any_time", "planned_units": 400}}
        m = self.trying("liked", **spec)
        self.assertEqual((m.experiment()["kind"], m.experiment()["interleave"]), ("interleave", {"method": "team_draft"}))
        m.preferences(0.4, days=2)  # preferred, and one day too early
        m.preferences(0.4, days=3)
        step = m.wait("promoted")
        self.assertIn('"challenger" is preferred to "champion"', step["reason"])
        pair = self.daemon.results("loop-liked")["preference"]["pairs"][0]
        told = step["evidence"]
        self.assertEqual((told["measure"], told["value"], [told["low"], told["high"]]), ("delta", pair["units_test"]["delta"], pair["units_test"]["delta_ci"]))
        self.assertEqual((told["days"], told["queries"]["challenger"], len(told["series"])), (2, pair["wins_a"], 3))
        worse = self.trying("disliked", **spec)
        worse.preferences(-0.4)
        self.assertIn('"challenger" is less liked than "champion"', worse.wait("dropped")["reason"])
        same = self.trying("alike", **spec)
        same.preferences(0.01)
        self.assertIn("shows no preference", same.wait("dropped")["reason"])

    # ---- from the gate

    def test_what_a_job_trained_goes_to_the_loop(self):
        m = Looped(self.daemon, "offered", versions=5)
        offer = lambda version, passed="true": self.daemon.sql("select coalesce(model_loop_offer('offered', %d, %s, 'job als', 'why', '{}'), '-')" % (version, passed))[0][0]
        self.assertEqual(offer(2), "-")  # no loop
        m.loop()
        self.assertEqual(offer(2, "false"), "-")
        self.assertEqual(offer(3), "challenger")
        m.wait("started")
        self.assertEqual((offer(4), offer(5)), ("next", "next"))
        self.assertEqual(m.aliases(), {"champion": 1, "challenger": 3, "next": 5})
        self.assertEqual(m.names(), ["on", "refused", "challenger", "started", "queued", "queued"])
        self.assertEqual(m.steps()[-1]["reason"], "version 3 is being tried; version 4 waits no longer. Its gate: why")
        self.daemon.sql("delete from model_aliases where model = 'offered'")
        self.assertEqual(offer(2), "-")  # no champion to beat: it becomes champion as without a loop
        self.assertEqual(m.wait("trained")["version"], 2)

    # ---- a person

    def test_a_person_approves_or_rejects(self):
        m = self.trying("asks", approve="person")
        self.refused("nothing that waits for a person", 409, "POST", m.path + "/loop/approve")
        m.results(0.10, 0.15)
        self.assertIn("every condition is met", m.wait("awaiting")["reason"])
        self.assertEqual((m.aliases(), m.state()["phase"], m.experiment()["status"]), ({"champion": 1, "challenger": 2}, "awaiting", "running"))
        m.act("approve")
        promoted = m.wait("promoted")
        self.assertEqual([(s["step"], s["who"]) for s in m.steps()[-2:]], [("approved", "admin.key"), ("promoted", "admin.key")])
        self.assertIn("approved by admin.key", promoted["reason"])
        self.assertEqual(m.aliases(), {"champion": 2, "challenger": 2})
        self.refused("no version that is being tried", 409, "POST", m.path + "/loop/approve")
        m.point("challenger", 3)
        m.wait("started", 2)
        m.results(0.10, 0.15)
        m.wait("awaiting", 2)
        m.act("reject")
        m.wait("rejected")
        self.assertEqual(m.aliases(), {"champion": 2, "challenger": 2})

    def test_a_person_stops_it(self):
        m = self.trying("stopped")
        m.point("next", 3)
        m.act("stop")
        m.wait("stopped")
        self.assertEqual((m.aliases(), m.state()["phase"], m.ended()["status"]), ({"champion": 1, "challenger": 1}, "idle", "concluded"))

    # ---- by hand: told, never fought

    def test_between_trials_the_challenger_is_the_champions_double(self):
        m = Looped(self.daemon, "doubles")
        m.loop()
        wait_for(lambda: m.aliases() == {"champion": 1, "challenger": 1}, "the double")
        m.point("challenger", 2)
        m.wait("started")
        m.results(0.10, 0.15)
        m.wait("promoted")
        self.assertEqual(m.aliases(), {"champion": 2, "challenger": 2})
        self.daemon.post(m.path + "/aliases/champion/rollback")
        wait_for(lambda: m.aliases() == {"champion": 1, "challenger": 1}, "the double to follow")
        self.assertEqual(m.names(), ["on", "started", "promoted"])  # what was rolled back is not tried again

    def test_an_experiment_that_was_stopped_by_hand_pauses_it(self):
        m = self.trying("paused")
        self.daemon.post("/v1/experiments/loop-paused/stop")
        self.assertIn("the experiment was ended by admin.key", m.wait("paused")["reason"])
        m.point("next", 3)
        self.assertEqual((m.state()["phase"], m.aliases()["challenger"]), ("paused", 2))
        m.act("reject")
        m.wait("rejected")
        self.assertEqual(m.wait("started", 2)["version"], 3)

    def test_aliases_moved_by_hand_are_told(self):
        m = self.trying("moved")
        m.point("challenger", 3)
        self.assertIn("alias challenger was moved from version 2 to 3 by admin.key", m.wait("noticed")["reason"])
        self.assertEqual((m.wait("started", 2)["version"], m.state()["experiment_phase"]), (3, 2))
        m.point("champion", 2)
        self.assertIn("alias champion was moved from version 1 to 2 by admin.key", m.wait("noticed", 2)["reason"])
        self.assertEqual((m.wait("started", 3)["phase"], m.state()["against"]), (3, 2))
        m.point("champion", 3)
        promoted = m.wait("promoted")
        self.assertEqual((promoted["who"], promoted["version"]), ("admin.key", 3))
        self.assertEqual(m.aliases(), {"champion": 3, "challenger": 3})

    def test_a_challenger_that_was_taken_away_is_let_go(self):
        m = self.trying("taken")
        self.daemon.request("DELETE", m.path + "/aliases/challenger")
        self.assertIn("alias challenger was taken away by admin.key", m.wait("dropped")["reason"])
        self.assertEqual((m.state()["phase"], m.ended()["status"]), ("idle", "concluded"))

    def test_a_phase_begun_by_hand_is_the_one_that_counts(self):
        m = self.trying("by-hand")
        self.daemon.post("/v1/experiments/loop-by-hand/phases", {})
        self.assertIn("phase 2 of the experiment was begun by admin.key", m.wait("noticed")["reason"])
        self.assertEqual(m.state()["experiment_phase"], 2)

    def test_a_loop_that_is_deleted_leaves_all_as_it_is(self):
        m = self.trying("deleted")
        self.assertEqual(self.daemon.request("DELETE", m.path + "/loop").status, 204)
        self.assertIn("while version 2 was being tried", m.wait("off")["reason"])
        self.assertEqual((m.aliases(), m.experiment()["status"]), ({"champion": 1, "challenger": 2}, "running"))
        self.refused("has no loop", 404, "GET", m.path + "/loop")
        self.refused("has no loop", 404, "DELETE", m.path + "/loop")
        self.assertIsNone(self.daemon.get(m.path + "/story").json["loop"])

    def test_what_keeps_it_from_starting_is_told_once(self):
        m = Looped(self.daemon, "hindered")
        m.loop(parameter="results", experiment="loop-hindered")
        self.daemon.make_experiment("in-the-way", parameter="results", variants=[{"key": "a", "value": 1}, {"key": "b", "value": 2}])
        m.point("challenger", 2)
        self.assertIn('experiment "in-the-way" runs on the same parameter "results"', m.wait("noticed")["reason"])
        self.assertIn("in-the-way", m.state()["held"])
        self.daemon.post("/v1/experiments/in-the-way/stop")
        m.wait("started")
        self.assertEqual(m.names(), ["on", "noticed", "started"])

    # ---- the document

    def test_the_document_is_checked(self):
        m = Looped(self.daemon, "documents", versions=1)
        put = lambda **spec: ("PUT", m.path + "/loop", {"metrics": ["ctr"], **spec})
        self.refused('field "traffic"', 400, *put(traffic=2))
        self.refused("no_such_metric", 400, *put(metrics=["no_such_metric"]))
        self.refused('model "nobody" is not known', 404, "PUT", "/v1/models/nobody/loop", {"metrics": ["ctr"]})
        self.daemon.make_experiment("taken", start=False)
        self.refused('experiment "taken" is there, and is another one', 409, *put(experiment="taken"))
        self.refused("scope", 403, *put(), key="client")
        made = m.loop(traffic=0.2)
        self.assertEqual((made["traffic"], made["experiment"], made["state"]["phase"], made["aliases"]["champion"], made["edit"]), (0.2, "loop-documents", "idle", 1, 1))
        again = self.daemon.request("PUT", m.path + "/loop", made, headers={"If-Match": '"1"'})
        self.assertEqual((again.status, again.json["edit"], again.headers["etag"]), (200, 2, '"2"'))
        self.refused('which is "2"', 412, *put(), headers={"If-Match": '"1"'})
        self.assertEqual(m.names(), ["on", "changed"])
        actions = [r["action"] for r in self.daemon.get(m.path + "/revisions").json["revisions"]]
        self.assertEqual(actions, ["loop changed", "loop on"])

    def test_the_story_comes_in_pages(self):
        m = self.trying("pages")
        m.results(0.10, 0.15)
        m.wait("promoted")
        first = self.daemon.get(m.path + "/story?page_size=2").json
        self.assertEqual([s["step"] for s in first["steps"]], ["promoted", "started"])
        self.assertEqual([v["version"] for v in first["versions"]], [2])
        rest = self.daemon.get(m.path + "/story?page_token=" + first["next_page_token"]).json
        self.assertEqual([s["step"] for s in rest["steps"]], ["on"])
        self.refused('field "page_size"', 400, "GET", m.path + "/story?page_size=0")
        self.refused("is not known", 404, "GET", "/v1/models/nobody/story")

    def test_a_story_that_fails_ends_with_its_last_statement(self):
        """Once its first statement's failure was the answer, and what came of the others was written into a request that had ended."""
        lock = self.daemon.sql_session()
        lock.stdin.write("begin; lock table model_loop_steps in access exclusive mode;\nselect 'locked';\n")
        lock.stdin.flush()
        lock.stdout.readline()
        with ThreadPoolExecutor(1) as other:
            asked = other.submit(self.daemon.get, "/v1/models/nobody/story")
            wait_for(lambda: self.daemon.number("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and "
                                                "application_name = 'experimentd worker'"), "the steps to be asked for")
            self.assertFalse(asked.done())
            lock.communicate("commit;\n")
            self.assertEqual(asked.result().status, 404)

    def test_steps_are_told_and_counted(self):
        with Receiver(refuse=1) as receiver:
            m = self.trying("told", notify={"url": receiver.url})
            m.results(0.10, 0.15)
            m.wait("promoted")
            messages = receiver.wait(3)
        self.assertEqual(sorted(x["event"] for x in messages), ["loop.on", "loop.promoted", "loop.started"])
        promoted = next(x for x in messages if x["event"] == "loop.promoted")
        self.assertEqual((promoted["model"], promoted["version"], promoted["evidence"]["decision"]), ("told", 2, "ship"))
        wait_for(lambda: all(s["told_at"] for s in m.steps()), "what was told to be noted")
        metrics = lambda: self.daemon.get("/metrics", key=None).body.decode()
        self.assertIn('experimentd_model_loop_steps_total{model="told",step="promoted"} 1', metrics())
        wait_for(lambda: 'experimentd_model_loop_state{model="told",state="idle"} 1' in metrics(), "the leader to see that it is idle")
        actions = [r["action"] for r in self.daemon.get(m.path + "/revisions").json["revisions"]]
        self.assertIn("loop promoted", actions)


if __name__ == "__main__":
    unittest.main(verbosity=2)
