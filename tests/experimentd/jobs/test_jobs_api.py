"""/v1/jobs and /v1/runs: definitions are checked, versioned and audited; runs are queued, listed, cancelled; logs are paged and streamed."""
import json
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, wait_for  # noqa: E402

JOB = {"id": "often", "type": "metrics", "triggers": [{"type": "cron", "value": "*/15 * * * *"}]}


def events(response, until):
    """Server-sent events, read until one of this name has come."""
    found, event = [], {}
    for raw in response:
        line = raw.decode().rstrip("\n")
        if line.startswith((":", "retry")):
            continue
        if line:
            name, value = line.split(": ", 1)
            event[name] = value
        elif event:
            found.append(event)
            if event["event"] == until:
                return found
            event = {}
    raise AssertionError("the stream ended without %s: %r" % (until, found))


class Jobs(DaemonTest):
    def make(self, **fields):
        return self.call("post", "/v1/jobs", {**JOB, **fields}, 201)

    def refuse(self, says, status=400, method="post", path="/v1/jobs", headers=None, **fields):
        reply = self.daemon.request(method.upper(), path, {**JOB, **fields}, headers=headers)
        self.assertEqual(reply.status, status, reply)
        self.assertIn(says, reply.json["detail"])

    def state(self, run, *states):
        return wait_for(lambda: (lambda r: r if r["state"] in states else None)(self.call("get", "/v1/runs/" + run)), "%s to be %s" % (run, states))

    # ---- definitions

    def test_types_come_with_the_schema_of_their_parameters(self):
        types = {t["name"]: t for t in self.call("get", "/v1/job-types")["job_types"]}
        ranges = types["metrics"]["params"]["properties"]["ranges"]
        self.assertEqual((ranges["type"], ranges["default"], types["metrics"]["incremental"]), ("integer", 16, True))

    def test_a_job_is_made_changed_and_deleted(self):
        made = self.make(id="mine", name="My job", params={"ranges": 8, "experiment": None}, notify={"url": "http://127.0.0.1:9/x", "on": ["failed", "lost"]})
        self.assertEqual((made["version"], made["params"], made["enabled"], made["timezone"], made["concurrency"], made["catch_up"]),
                         (1, {"ranges": 8}, True, "UTC", "skip", "once"))
        self.assertEqual((made["predefined"], made["last_run"], made["running"], len(made["next_runs_at"])), (False, None, 0, 5))
        self.assertRegex(made["next_run_at"], r"T\d\d:(00|15|30|45):00Z$")
        reply = self.daemon.get("/v1/jobs/mine")
        self.assertEqual((reply.headers["etag"], reply.json), ('"1"', made))
        put = self.daemon.request("PUT", "/v1/jobs/mine", {**made, "enabled": False}, headers={"If-Match": '"1"'})
        self.assertEqual((put.status, put.headers["etag"], put.json["enabled"], put.json["next_run_at"]), (200, '"2"', False, None))
        self.refuse("which is \"2\"", 412, "put", "/v1/jobs/mine", {"If-Match": '"1"'}, id="mine")
        self.refuse("like \"3\" with its quotes", 400, "put", "/v1/jobs/mine", {"If-Match": "2"}, id="mine")
        scheduled = self.call("put", "/v1/jobs/mine/schedule", {"enabled": True, "triggers": [{"type": "interval", "every": 2, "unit": "hour"}]})
        self.assertEqual((scheduled["version"], scheduled["name"], scheduled["triggers"], scheduled["params"]),
                         (3, "My job", [{"type": "interval", "every": 2, "unit": "hour", "enabled": True}], {"ranges": 8}))
        self.assertEqual(self.daemon.request("DELETE", "/v1/jobs/mine").status, 204)
        self.call("get", "/v1/jobs/mine", status=404)
        revisions = self.call("get", "/v1/jobs/mine/revisions")["revisions"]
        self.assertEqual([r["action"] for r in revisions], ["delete", "change", "change", "create"])
        self.assertEqual((revisions[1]["before"]["enabled"], revisions[1]["after"]["enabled"], revisions[0]["after"]), (False, True, None))

    def test_what_is_wrong_is_named(self):
        cron = lambda value: [{"type": "cron", "value": value}]  # noqa: E731
        for says, fields in (
                ('field "id" is "No"', {"id": "No"}),
                ('field "type" is "nonsense"', {"type": "nonsense"}),
                ("preview", {"type": "preview"}),
                ('parameter "ranges" is 3', {"params": {"ranges": 3}}),
                ('"rangs"', {"params": {"rangs": 4}}),
                ('field "triggers[0]": field "value" is no schedule: cron field "minute" has 61', {"triggers": cron("61 * * * *")}),
                ('field "triggers[0]": field "unit" is "week"', {"triggers": [{"type": "interval", "every": 1, "unit": "week"}]}),
                ('field "triggers[0]": field "end" is before "start"', {"triggers": [{"type": "interval", "every": 1, "unit": "day", "start": "2026-02-01", "end": "2026-01-01"}]}),
                ('field "triggers[1]": field "type" is "moon"', {"triggers": cron("@daily") + [{"type": "moon"}]}),
                ('field "triggers": job "nobody" is not known', {"id": "x", "triggers": [{"type": "job", "job": "nobody"}]}),
                ('field "triggers": would run in a circle: self after self', {"id": "self", "triggers": [{"type": "job", "job": "self"}]}),
                ('field "timezone" is no time zone', {"timezone": "Mars/Olympus"}),
                ('field "concurrency" is "both"', {"concurrency": "both"}),
                ('field "catch_up" is "never"', {"catch_up": "never"}),
                ('field "engine" is "flink"', {"engine": "flink"}),
                ('field "max_retries" is -1', {"max_retries": -1}),
                ('field "notify": field "url" is "ftp://x"', {"notify": {"url": "ftp://x"}}),
                ('field "notify": field "on" has an element 0', {"notify": {"url": "http://x/", "on": ["sunday"]}}),
                ('"colour"', {"colour": "red"})):
            with self.subTest(says):
                self.refuse(says, **fields)
        self.make(id="twice")
        self.refuse("exists already", 409, id="twice")
        self.refuse('field "id" is "other", but the path names', 400, "put", "/v1/jobs/twice", id="other")
        self.refuse("is not known", 404, "put", "/v1/jobs/nobody", id="nobody")

    def test_circles_are_refused_and_what_others_need_stays(self):
        after = lambda job: {"triggers": [{"type": "job", "job": job, "on": ["success", "failed"]}]}  # noqa: E731
        self.make(id="c-a")
        self.make(id="c-b", **after("c-a"))
        self.make(id="c-c", **after("c-b"))
        self.refuse("would run in a circle: c-a after c-c after c-b after c-a", 400, "put", "/v1/jobs/c-a", id="c-a", **after("c-c"))
        reply = self.daemon.request("DELETE", "/v1/jobs/c-a")
        self.assertEqual((reply.status, reply.json["detail"]), (409, 'cannot delete job "c-a": another runs after it: c-b'))

    def test_two_edits_that_would_close_a_circle_together(self):
        for n in range(5):
            a, b = "race-a%d" % n, "race-b%d" % n
            self.make(id=a), self.make(id=b)
            replies = []
            threads = [threading.Thread(target=lambda j, o: replies.append(self.daemon.request(
                "PUT", "/v1/jobs/%s/schedule" % j, {"triggers": [{"type": "job", "job": o}]}).status), args=pair) for pair in ((a, b), (b, a))]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual(sorted(replies), [200, 400])

    def test_who_may(self):
        self.assertEqual(self.daemon.get("/v1/jobs", key="client").status, 403)
        self.assertEqual(self.daemon.post("/v1/jobs", JOB, key="client").status, 403)
        self.assertEqual(self.daemon.get("/v1/jobs", key=None).status, 401)

    # ---- runs

    def test_a_run_is_queued_and_cancelled(self):
        self.make(id="runs", params={"ranges": 8})
        self.daemon.sql("update jobs set enabled = false where id = 'runs'")
        reply = self.daemon.post("/v1/jobs/runs/runs", {"params": {"ranges": 4}, "trigger": "manual"})
        run = reply.json
        self.assertEqual((reply.status, reply.headers["location"]), (202, "/v1/jobs/runs/runs/" + run["id"]))
        self.assertEqual((run["job"], run["type"], run["trigger"], run["triggered_by"], run["params"], run["attempt"]),
                         ("runs", "metrics", "manual", "admin.key", {"ranges": 4}, 1))
        self.assertEqual(self.call("get", reply.headers["location"])["id"], run["id"])
        self.daemon.post(reply.headers["location"] + "/cancel")
        ended = self.state(run["id"], "cancelled", "success")
        self.assertIn("finished_at", ended)
        again = self.daemon.post(reply.headers["location"] + "/cancel")
        self.assertEqual((again.status, again.json["detail"]), (409, "run %s has ended: %s" % (run["id"], ended["state"])))
        for path in ("/v1/runs/00000000-0000-4000-8000-000000000000", "/v1/runs/nonsense", "/v1/jobs/other/runs/" + run["id"], "/v1/jobs/nobody/runs"):
            self.call("get", path, status=404)
        self.call("post", "/v1/jobs/nobody/runs", {}, 404)
        self.assertIn('"ranges"', self.daemon.post("/v1/jobs/runs/runs", {"params": {"ranges": 5}}).json["detail"])

    def ended(self, job, state, count, **columns):
        """Runs that ended long ago, as rows."""
        names = "".join(", " + name for name in columns)
        values = "".join(", '%s'" % value for value in columns.values())
        self.daemon.sql("insert into runs (id, job, params, engine, workers, state, job_id, queued_at, finished_at, settled_at, notified_at%s) "
                        "select gen_random_uuid(), 'metrics', '{}', 'local', 0, '%s', '%s', now() - n * interval '1 hour', now(), now(), now()%s "
                        "from generate_series(1, %d) n" % (names, state, job, values, count))

    def test_runs_by_pages_and_states(self):
        self.make(id="paged", enabled=False)
        self.ended("paged", "success", 7)
        self.ended("paged", "failed", 3, error="no luck")
        seen, token = [], ""
        while token is not None:
            page = self.call("get", "/v1/jobs/paged/runs?page_size=4" + token)
            self.assertLessEqual(len(page["runs"]), 4)
            seen += page["runs"]
            token = "&page_token=" + page["next_page_token"] if "next_page_token" in page else None
        self.assertEqual((len(seen), len({r["id"] for r in seen})), (10, 10))
        self.assertEqual([r["queued_at"] for r in seen], sorted((r["queued_at"] for r in seen), reverse=True))
        failed = self.call("get", "/v1/runs?job=paged&state=failed,lost")["runs"]
        self.assertEqual([r["error"] for r in failed], ["no luck"] * 3)
        self.assertIn('field "state" has "odd"', self.call("get", "/v1/runs?state=odd", status=400)["detail"])
        self.assertIn("page_token", self.call("get", "/v1/runs?page_token=7", status=400)["detail"])
        self.assertIn("page_size", self.call("get", "/v1/runs?page_size=0", status=400)["detail"])
        self.assertEqual(self.call("get", "/v1/jobs/paged")["last_run"]["id"], seen[0]["id"])

    def test_a_run_of_a_shell_is_shown_and_its_log_read(self):
        self.daemon.run("trainer", "run", "metrics", "--data-dir", self.daemon.dir)
        run = self.call("get", "/v1/runs?state=success")["runs"][0]
        self.assertEqual((run["job"], run["type"], run["trigger"]), (None, "metrics", "shell"))
        self.assertEqual(self.call("get", "/v1/runs/" + run["id"])["id"], run["id"])

    # ---- logs

    def test_a_log_by_pages_and_as_a_stream(self):
        d = self.daemon
        self.make(id="logged", enabled=False)
        self.ended("logged", "success", 1, log_lines=1200)
        run = self.call("get", "/v1/jobs/logged/runs")["runs"][0]["id"]
        d.sql("insert into run_log select '%s', n, now(), 'worker ' || n %% 2, 'line ' || n from generate_series(1, 1200) n" % run)
        path = "/v1/jobs/logged/runs/%s/log" % run
        page = self.call("get", path + "?from=1001&size=50")
        self.assertEqual((page["lines"][0]["seq"], page["lines"][-1]["line"], page["log_lines"], page["ended"]), (1001, "line 1050", 1200, True))
        self.assertEqual(self.call("get", path + "?from=5000")["lines"], [])
        c = d.connection()
        c.http.request("GET", path, headers={"Authorization": "Bearer " + d.keys["admin"], "Accept": "text/event-stream", "Last-Event-ID": "100"})
        response = c.http.getresponse()
        found = events(response, "end")
        lines = [e for e in found if e["event"] == "line"]
        self.assertEqual([int(e["id"]) for e in lines], list(range(101, 1201)))
        self.assertEqual(json.loads(lines[0]["data"])["line"], "line 101")
        self.assertEqual(json.loads(found[-1]["data"]), {"state": "success", "log_lines": 1200})
        self.assertEqual(response.read(), b"", "the server closes behind the end")

    def test_a_stream_goes_on_while_lines_come(self):
        d = self.daemon
        d.sql("insert into runs (id, job, params, engine, workers, state) values ('11111111-0000-4000-8000-000000000001', 'metrics', '{}', 'local', 0, 'running')")
        c = d.connection()
        c.http.request("GET", "/v1/runs/11111111-0000-4000-8000-000000000001/log", headers={"Authorization": "Bearer " + d.keys["admin"], "Accept": "text/event-stream"})
        response = c.http.getresponse()
        self.assertEqual(json.loads(events(response, "state")[-1]["data"])["state"], "running")
        d.sql("insert into run_log values ('11111111-0000-4000-8000-000000000001', 1, now(), 'run', 'a \"quoted\" line')")
        self.assertEqual(json.loads(events(response, "line")[-1]["data"])["line"], 'a "quoted" line')
        d.sql("update runs set state = 'failed', finished_at = now() where id = '11111111-0000-4000-8000-000000000001'")
        self.assertEqual(json.loads(events(response, "end")[-1]["data"])["state"], "failed")

    def test_every_route_is_in_the_api_document(self):
        paths = self.daemon.get("/openapi.json", key=None).json["paths"]
        self.assertEqual(set(paths["/v1/jobs/{id}"]), {"get", "put", "delete"})
        self.assertIn("/v1/jobs/{id}/runs/{run}/log", paths)


if __name__ == "__main__":
    unittest.main(verbosity=2)
