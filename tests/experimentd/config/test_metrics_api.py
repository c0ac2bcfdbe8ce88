"""/v1/metrics: definitions are made, read, changed and deleted; what is refused, and why; SQL is looked at by the database."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

CLICKS = {"of": "signals", "type": "click"}
DEEP = {"of": "signals", "type": "click", "where": {"position": {"gt": 10}}}
GOOD_SQL = "select unit, at, value from signals where type = 'purchase'"


def sql_metric(key, select):
    return {"key": key, "kind": "mean", "numerator": {"of": "sql", "select": select}}


class MetricsApi(DaemonTest):
    def refused(self, method, path, body, status, text, **more):
        self.assertIn(text, self.call(method, path, body, status, **more)["detail"])

    def make(self, key, **fields):
        return self.call("post", "/v1/metrics", {"key": key, "kind": "proportion", "numerator": DEEP, **fields}, 201)

    def experiment(self, key, *metrics, start=True):
        self.call("post", "/v1/experiments", {"key": key, "variants": [{"key": "a"}, {"key": "b"}], "metrics": list(metrics)}, 201)
        if start:
            self.call("post", "/v1/experiments/%s/start" % key)

    def test_the_metrics_of_search_are_built_in(self):
        metrics = {m["key"]: m for m in self.call("get", "/v1/metrics")["metrics"]}
        for key in ("ctr", "ctr_at_3", "satisfied_ctr", "mrr", "ndcg_at_10", "abandonment_rate", "zero_result_rate", "reformulation_rate",
                    "time_to_first_click", "time_to_first_click_p95", "sessions_per_unit", "queries_per_unit", "revenue_per_search",
                    "revenue_per_unit", "conversion", "add_to_cart", "average_order_value", "retention_7d", "search_funnel"):
            self.assertTrue(metrics[key]["builtin"], key)
            self.assertGreater(len(metrics[key]["description"]), 20)
        self.assertEqual(metrics["ctr_at_3"]["counts"], "queries with a click at positions 1 to 3 within 30 minutes; over: queries.")
        self.assertEqual(list(metrics), sorted(metrics))

    def test_a_definition_lives_and_dies(self):
        made = self.daemon.post("/v1/metrics", {"key": "deep", "kind": "proportion", "numerator": DEEP})
        self.assertEqual((made.status, made.headers["location"], made.headers["etag"]), (201, "/v1/metrics/deep", '"1"'))
        self.assertEqual(made.json["counts"], "Share of units with any: click signals with position above 10.")
        self.assertEqual(self.call("get", "/v1/metrics/deep"), made.json)
        changed = self.call("patch", "/v1/metrics/deep", {"name": "Deep clicks", "window": {"to_hours": 48}}, headers={"If-Match": '"1"'})
        self.assertEqual((changed["version"], changed["name"], changed["window"]), (2, "Deep clicks", {"from_hours": 0, "to_hours": 48}))
        self.assertNotIn("window", self.call("patch", "/v1/metrics/deep", {"window": None}))
        self.refused("patch", "/v1/metrics/deep", {"name": "x"}, 412, 'If-Match is "1"', headers={"If-Match": '"1"'})
        self.assertEqual(self.daemon.request("DELETE", "/v1/metrics/deep").status, 204)
        self.call("get", "/v1/metrics/deep", status=404)
        told = self.call("get", "/v1/metrics/deep/revisions")["revisions"]
        self.assertEqual([r["action"] for r in told], ["delete", "change", "change", "create"])
        self.assertEqual(told[2]["after"]["spec"]["name"], "Deep clicks")
        self.assertIsNone(told[0]["after"])

    def test_a_dry_run_stores_nothing(self):
        told = self.call("post", "/v1/metrics?dry_run=true", {"key": "dry", "kind": "count", "numerator": {"of": "sessions"}})
        self.assertEqual((told["counts"], told["min_units"]), ("Mean over units of the number of: sessions.", 0))
        self.call("get", "/v1/metrics/dry", status=404)
        self.refused("post", "/v1/metrics?dry_run=true", sql_metric("dry", "select 1"), 400, "does not exist")
        self.refused("post", "/v1/metrics?dry_run=perhaps", {}, 400, 'query string: field "dry_run"')

    def test_what_is_wrong_is_named(self):
        self.refused("post", "/v1/metrics", {"key": "bad", "kind": "ratio", "numerator": CLICKS}, 400, 'field "denominator" is missing')
        self.refused("post", "/v1/metrics", {"key": "bad", "kind": "mean", "numerator": {**CLICKS, "wehre": {}}}, 400,
                     'metric: numerator: unknown field "wehre" (did you mean "where"?)')
        self.make("twice")
        self.refused("post", "/v1/metrics", {"key": "twice", "kind": "mean", "numerator": CLICKS}, 409, 'metric "twice" exists already')
        self.refused("patch", "/v1/metrics/twice", {"key": "thrice"}, 409, "cannot change")
        self.refused("patch", "/v1/metrics/twice", [], 400, "not an object")
        self.refused("patch", "/v1/metrics/none", {}, 404, 'metric "none" is not known')
        self.call("post", "/v1/metrics", {}, 403, key="client")

    def test_built_in_ones_stay_as_they_are(self):
        for method, body in (("patch", {"name": "x"}), ("delete", None)):
            self.refused(method, "/v1/metrics/ctr", body, 409, 'metric "ctr" is built in')

    def test_what_a_started_experiment_measures_stays_what_it_counts(self):
        self.make("measured")
        self.experiment("runs", "measured", "ctr")
        self.refused("patch", "/v1/metrics/measured", {"numerator": CLICKS}, 409, 'experiment "runs" was started with it')
        self.refused("patch", "/v1/metrics/measured", {"direction": "decrease"}, 409, 'experiment "runs" was started with it')
        self.assertEqual(self.call("patch", "/v1/metrics/measured", {"description": "why"})["experiments"],
                         [{"key": "runs", "name": "runs", "status": "running", "role": "primary"}])
        self.call("post", "/v1/experiments/runs/stop")
        self.refused("patch", "/v1/metrics/measured", {"numerator": CLICKS}, 409, 'experiment "runs" was started with it')
        self.refused("delete", "/v1/metrics/measured", None, 409, 'experiment "runs" uses it')

    def test_a_draft_keeps_its_metric(self):
        self.make("drafted")
        self.experiment("draft", "drafted", start=False)
        self.refused("delete", "/v1/metrics/drafted", None, 409, 'experiment "draft" uses it')
        self.call("patch", "/v1/metrics/drafted", {"numerator": CLICKS})

    def test_no_bandit_follows_a_quantile(self):
        bandit = {"key": "waits", "kind": "bandit", "variants": [{"key": "a"}, {"key": "b"}], "metrics": ["time_to_first_click_p95"]}
        self.refused("post", "/v1/experiments", bandit, 400, 'metric "time_to_first_click_p95" is a quantile')
        self.call("post", "/v1/experiments", {**bandit, "metrics": ["time_to_first_click_p95", "ctr"], "bandit": {"metric": "ctr"}}, 201)

    def test_sql_is_looked_at_before_it_is_stored(self):
        made = self.call("post", "/v1/metrics", sql_metric("by_sql", GOOD_SQL + " -- paid;"), 201)
        self.assertEqual(made["numerator"], {"of": "sql", "select": GOOD_SQL + " -- paid;"})
        for select, text in (("select unit, at from signals", "column f.value does not exist"),
                             ("select unit, at, value form signals", 'syntax error at or near "signals"'),
                             ("select unit, at, type as value from signals", "COALESCE types text and double precision cannot be matched"),
                             ("select 1) f; drop table signals; select (1", "column f.unit does not exist"),
                             ("select unit, at, value from signals) f; delete from signals; select * from (select 1", "cannot open multi-query plan"),
                             ("delete from signals returning unit, at, value", "syntax error"),
                             ("select unit, at, value from nowhere", 'relation "nowhere" does not exist'),
                             ("select 'u' as unit, now() as at, length(pg_read_file('PG_VERSION')) as value", "permission denied")):
            self.refused("post", "/v1/metrics", sql_metric("refused", select), 400, 'metric: numerator: field "select": ')
            self.refused("post", "/v1/metrics", sql_metric("refused", select), 400, text)
        self.refused("patch", "/v1/metrics/by_sql", {"numerator": {"of": "sql", "select": "select 1"}}, 400, "does not exist")
        self.refused("post", "/v1/metrics", {"key": "steps", "kind": "funnel", "steps": [CLICKS, {"of": "sql", "select": "nonsense"}]}, 400,
                     'metric: steps[1]: field "select": ')
        self.assertEqual(self.daemon.sql("select count(*) from metrics where key in ('refused', 'steps')"), [["0"]])

    def test_definitions_outlive_the_daemon(self):
        made = self.make("kept", cap=None, min_units=3)
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(json.dumps(self.call("get", "/v1/metrics/kept")), json.dumps(made))


if __name__ == "__main__":
    unittest.main()
