"""The experiments API from outside: statuses, headers, and an answer that waits until this server knows the edit."""
import json
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, wait_for  # noqa: E402

AB = [{"key": "a"}, {"key": "b"}]


class Lock:
    """Locks a table that the loading of the configuration reads last and edits do not touch."""

    def __init__(self, daemon):
        self.session = daemon.sql_session()

    def __enter__(self):
        self.session.stdin.write("begin; lock table api_keys in access exclusive mode; select 'locked';\n")
        self.session.stdin.flush()
        while "locked" not in self.session.stdout.readline():
            pass

    def __exit__(self, *_):
        self.session.communicate("commit;\n")


class ExperimentsApi(DaemonTest):
    def create(self, **fields):
        return self.daemon.post("/v1/experiments", {"variants": AB, **fields})

    def detail(self, reply, status):
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.headers["content-type"], "application/problem+json")
        return reply.json["detail"]

    def test_what_is_created_is_what_is_got(self):
        value = {"z": 0.1, "a": [1, None, True, "é\u2028"], "deep": {"b": -1, "a": {}}}
        reply = self.create(key="made", name="Made", variants=[{"key": "A", "weight": 0.3, "value": value}, {"key": "B", "weight": 0.7, "value": None}],
                            coverage=0.5, metrics=["mrr", "ctr"])
        self.assertEqual(reply.status, 201, reply)
        self.assertEqual((reply.headers["location"], reply.headers["etag"]), ("/v1/experiments/made", '"1"'))
        got = self.daemon.get("/v1/experiments/made")
        self.assertEqual((got.status, got.headers["etag"], got.body), (200, '"1"', reply.body))
        e = got.json
        self.assertEqual((e["status"], e["coverage"], e["seed"], e["started_at"]), ("draft", 0.5, "made", None))
        self.assertEqual([m["metric"] for m in e["metrics"]], ["mrr", "ctr"])
        self.assertEqual(json.dumps(e["variants"][0]["value"]), json.dumps(value))  # the order of keys, too
        self.assertIsNone(e["variants"][1]["value"])

    def test_a_life(self):
        self.create(key="life")
        for verb, status, version in (("start", "running", 2), ("stop", "stopped", 3)):
            reply = self.daemon.post("/v1/experiments/life/" + verb)
            self.assertEqual((reply.status, reply.json["status"], reply.json["version"], reply.headers["etag"]),
                             (200, status, version, '"%d"' % version))
        self.assertIsNotNone(reply.json["stopped_at"])
        self.assertEqual(self.detail(self.daemon.post("/v1/experiments/life/start"), 409), 'cannot start experiment "life": it is stopped')
        self.assertEqual(self.detail(self.daemon.request("DELETE", "/v1/experiments/life"), 409), 'cannot delete experiment "life": it is stopped')

    def test_twice_the_same_key(self):
        self.create(key="twice")
        self.assertEqual(self.detail(self.create(key="twice"), 409), 'experiment "twice" exists already')

    def test_a_draft_is_deleted_and_its_key_is_free(self):
        self.create(key="gone")
        self.assertEqual(self.daemon.request("DELETE", "/v1/experiments/gone").status, 204)
        self.assertEqual(self.detail(self.daemon.get("/v1/experiments/gone"), 404), 'experiment "gone" is not known')
        self.assertEqual(self.detail(self.daemon.request("DELETE", "/v1/experiments/gone"), 404), 'experiment "gone" is not known')
        self.assertEqual(self.create(key="gone").status, 201)

    def test_if_match(self):
        self.create(key="match")
        start = "/v1/experiments/match/start"
        for bad in ("1", '"1', 'W/"1"', '"x"', '""'):
            self.assertIn("If-Match", self.detail(self.daemon.post(start, headers={"If-Match": bad}), 400))
        self.assertEqual(self.detail(self.daemon.post(start, headers={"If-Match": '"2"'}), 412),
                         'If-Match is "2" but experiment "match" is at version "1"')
        self.assertEqual(self.daemon.post(start, headers={"If-Match": '"1"'}).status, 200)
        self.assertEqual(self.detail(self.daemon.post(start, headers={"If-Match": '"2"'}), 409), 'cannot start experiment "match": it is running')
        self.assertEqual(self.daemon.post("/v1/experiments/match/stop", headers={"If-Match": "*"}).status, 200)

    def test_if_none_match(self):
        self.create(key="cached")
        reply = self.daemon.get("/v1/experiments/cached", headers={"If-None-Match": '"1"'})
        self.assertEqual((reply.status, reply.body, reply.headers["etag"]), (304, b"", '"1"'))
        self.assertEqual(self.daemon.get("/v1/experiments/cached", headers={"If-None-Match": '"0"'}).status, 200)

    def test_after_the_answer_every_worker_has_the_edit(self):
        for i in range(10):
            key = "wait-%d" % i
            self.daemon.make_experiment(key)
            for _ in range(4):  # each its own connection, so any worker
                reply = self.daemon.get("/v1/assign/%s?unit=u" % key, key="client")
                self.assertEqual((reply.status, reply.json["assignments"][0]["reason"]), (200, "split"))

    def test_the_worker_that_took_the_edit_has_it(self):
        connection = self.daemon.connection()
        try:
            for i in range(20):
                key, body = "same-%d" % i, {"variants": AB}
                self.assertEqual(connection.request("POST", "/v1/experiments", {"key": key, **body}).status, 201)
                self.assertEqual(connection.request("POST", "/v1/experiments/%s/start" % key, b"").status, 200)
                reply = connection.request("GET", "/v1/assign/%s?unit=u" % key)
                self.assertEqual(reply.json["assignments"][0]["reason"], "split")
                self.assertEqual(connection.request("POST", "/v1/experiments/%s/stop" % key, b"").status, 200)
                reply = connection.request("GET", "/v1/assign/%s?unit=u" % key)
                self.assertEqual(reply.json["assignments"][0]["reason"], "not_running")
        finally:
            connection.close()

    def test_edits_at_once(self):
        """Eight clients create the same drafts and start them: each works once, and every answer is one of the right ones."""
        statuses, lock = {}, threading.Lock()

        def client():
            for i in range(5):
                for path, body in (("", {"key": "race-%d" % i, "variants": AB}), ("/race-%d/start" % i, b"")):
                    status = self.daemon.post("/v1/experiments" + path, body).status
                    with lock:
                        statuses.setdefault(path or "create-%d" % i, []).append(status)

        threads = [threading.Thread(target=client) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for what, got in statuses.items():
            self.assertEqual(sorted(got), [201 if "create" in what else 200] + [409] * 7, what)
        self.assertEqual(self.daemon.number("select count(*) from revisions where subject like 'experiment:race-%'"), 10)

    def test_an_edit_that_is_saved_but_not_loaded_in_time_says_so(self):
        self.create(key="slow")
        with Lock(self.daemon):
            reply = self.daemon.post("/v1/experiments/slow/start")
            self.assertEqual((reply.status, reply.json), (202, {"key": "slow", "detail": "saved; this server has not loaded it yet"}))
            self.assertEqual(self.daemon.get("/v1/experiments/slow").json["status"], "draft")
        wait_for(lambda: self.daemon.get("/v1/experiments/slow").json["status"] == "running", "the edit to be loaded", 30)

    def test_make_experiment_waits_for_what_is_saved_but_not_loaded(self):
        made, answers, post = [], [], self.daemon.post

        def recorded(*arguments):
            answers.append(post(*arguments))
            return answers[-1]

        thread = threading.Thread(target=lambda: made.append(self.daemon.make_experiment("patient")))
        self.daemon.post = recorded
        self.addCleanup(delattr, self.daemon, "post")
        with Lock(self.daemon):
            thread.start()
            wait_for(lambda: answers, "the answer to the creation", 30)
            self.assertEqual((answers[0].status, made), (202, []))
        thread.join()
        self.assertEqual((made[0]["key"], made[0]["status"]), ("patient", "running"))

    def test_an_edit_that_is_made_while_another_is_being_loaded(self):
        """Its notification comes in with the rows of the reading under way, which began before it: it must be read for, too."""
        statuses = {}

        def start(key):
            statuses[key] = self.daemon.post("/v1/experiments/%s/start" % key).status

        thread = threading.Thread(target=start, args=("first",))
        for key in ("first", "second"):
            self.create(key=key)
        with Lock(self.daemon):
            thread.start()
            wait_for(lambda: self.daemon.number("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and "
                                                "application_name = 'experimentd control'") == 1, "the reading to begin")
            self.daemon.sql("select config_edit(null, json_build_array(json_build_object('kind', 'experiment', 'key', key, 'action', 'start', "
                            "'spec', spec, 'status', 'running')), 'another daemon') from experiments where key = 'second'")
        thread.join()
        self.assertEqual(statuses, {"first": 200})
        wait_for(lambda: self.daemon.get("/v1/experiments/second").json["status"] == "running", "the edit of another daemon")

    def test_of_edits_at_once_each_is_made(self):
        """An edit is checked against the configuration as it was read; when another came first, it is checked and made again."""
        statuses = {}
        keys = ["at-once-%d" % i for i in range(8)]

        def create(key):
            statuses[key] = self.create(key=key).status

        threads = [threading.Thread(target=create, args=(key,)) for key in keys]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(statuses, {key: 201 for key in keys})

    def test_who_edited_is_written_down(self):
        self.create(key="audited")
        self.assertEqual(self.daemon.sql("select actor, action from revisions where subject = 'experiment:audited'"), [["admin.key", "create"]])

    def test_a_key_made_on_the_command_line_works_at_once(self):
        made = self.daemon.run("experimentd", "key", "create", "--scope", "analyst", "--data-dir", self.daemon.dir).stdout.strip()
        self.assertRegex(made, r"^xd_analyst_[0-9a-f]{64}$")
        reply = None
        for _ in range(100):  # the notification is on its way
            reply = self.daemon.get("/v1/experiments", key=made)
            if reply.status != 401:
                break
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(self.daemon.post("/v1/experiments", {"key": "no", "variants": AB}, key=made).status, 403)


if __name__ == "__main__":
    unittest.main(verbosity=2)
