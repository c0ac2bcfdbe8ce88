"""The live view from outside: every format, what is refused and why, filters, who may look, sampling, many views."""
import gzip
import json
import os
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import PATIENCE, Daemon, DaemonTest, wait_for  # noqa: E402

PATH = "/v1/signals/live"
VIEWS_MAX, PER_SECOND = 16, 200  # live.h


class View:
    """A stream of server-sent events, read as they come."""

    def __init__(self, daemon, query="", key="admin", headers=""):
        self.socket = socket.create_connection((daemon.host, daemon.port), timeout=PATIENCE)
        self.socket.sendall(("GET %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n" % (
            PATH, query, daemon.keys.get(key, key), headers)).encode())
        self.received = b""

    def events(self):
        """(event, id, data) of each whole one."""
        body = self.received.partition(b"\r\n\r\n")[2].decode()
        found = []
        for block in body.split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            if "event" in fields:
                found.append((fields["event"], int(fields.get("id", 0)), json.loads(fields["data"])))
        return found

    def records(self):
        return [data for event, _, data in self.events() if event in ("signal", "exposure", "reject")]

    def left_out(self):
        return sum(data["count"] for event, _, data in self.events() if event == "skipped")

    def wait(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition(self):
            if time.monotonic() > deadline:
                raise TimeoutError("waited %d s for %s: %r" % (PATIENCE, what, self.received[-2000:]))
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise AssertionError("closed while waiting for %s: %r" % (what, self.received[-2000:]))
            self.received += piece
        return self

    def wait_ready(self):
        return self.wait(lambda v: any(e[0] == "ready" for e in v.events()), "the ring's end")

    def wait_records(self, n):
        return self.wait(lambda v: len(v.records()) >= n, "%d records" % n).records()

    def wait_end(self):
        while self.socket.recv(1 << 16):
            pass

    def close(self):
        self.socket.close()


class Live(DaemonTest):
    @classmethod
    def prepare(cls, d):
        d.make_experiment("x")
        cls.analyst = d.run("experimentd", "key", "create", "--scope", "analyst", "--data-dir", d.dir).stdout.strip()
        wait_for(lambda: d.get("/v1/experiments", key=cls.analyst).status == 200, "the daemon to know the key")

    def view(self, query="", **more):
        v = View(self.daemon, query, **more)
        self.addCleanup(v.close)
        return v

    def fresh(self, query="", **more):
        """A view that has the ring behind it, and how many records that were."""
        v = self.view(query, **more).wait_ready()
        return v, len(v.records())

    def send(self, path, body, status=200, **more):
        reply = self.daemon.post(path, body, key=more.pop("key", "client"), **more)
        self.assertEqual(reply.status, status, reply)
        return reply

    # ---- what is shown

    def test_a_signal_arrives_with_everything_that_was_sent(self):
        v, n = self.fresh()
        signal = {"type": "click", "unit": "u-1", "session": "s", "query_id": "q", "query": "caf\u00e9", "doc": "d", "position": 3,
                  "value": 1.5, "params": {"a": [1]}, "id": "01a20de4-d9fd-7fe7-a53a-3a89101f3797", "timestamp": "2026-11-01T10:00:00Z"}
        self.send("/v1/signals", signal)
        record = v.wait_records(n + 1)[n]
        self.assertEqual(record["signal"], signal)
        client = self.daemon.keys["client"]
        self.assertEqual([record[k] for k in ("kind", "format", "route", "key")],
                         ["signal", "native", "/v1/signals", {"label": "client.key", "prefix": client[:len("xd_client_") + 4]}])
        self.assertLess(abs(time.time() - self.seconds(record["received_at"])), PATIENCE)

    def seconds(self, text):
        return float(self.daemon.sql("select extract(epoch from '%s'::timestamptz)" % text)[0][0])

    def test_every_format_shows_what_it_took_and_what_it_refused(self):
        seen = {"unit": "u", "experiment": "x", "variant": "a"}
        cases = [
            ("/v1/signals", [{"type": "click", "unit": "u"}, {"type": "click"}], "native", "signal", "field \"unit\" is missing"),
            ("/v1/signals", b'{"type":"click","unit":"u"}\n{"type":"click","unit":"u"', "native", "signal", "the JSON ends where"),
            ("/v1/exposures", [seen, dict(seen, experiment="nobody")], "exposures", "exposure", "\"nobody\" is not known"),
            ("/ubi_events", [{"client_id": "u", "action_name": "click"}, {"client_id": "u"}], "ubi", "signal", "\"action_name\" is missing"),
            ("/v1/batch", {"batch": [{"type": "page", "userId": "u"}, {"type": "dance", "userId": "u"}]}, "segment", "signal", "dance"),
            ("/1/events", {"events": [{"eventType": "click", "userToken": "u", "objectIDs": ["d"]}, {"eventType": "click"}]}, "insights",
             "signal", "\"userToken\" is missing"),
        ]
        for path, body, form, kind, words in cases:
            v, n = self.fresh("?format=" + form)
            self.send(path, body)
            records = v.wait_records(n + 2)[n:]
            by_kind = {r["kind"]: r for r in records}
            self.assertEqual(sorted(by_kind), sorted([kind, "reject"]), (path, records))
            self.assertEqual({r["route"] for r in records} | {r["format"] for r in records}, {path, form})
            self.assertEqual(by_kind[kind][kind]["unit"], "u")
            reject = by_kind["reject"]["reject"]
            self.assertEqual(reject["index"], 1)
            self.assertIn(words, reject["error"])
            self.assertIn('"', reject["element"])
            v.close()

    def test_a_request_refused_as_a_whole_is_one_record(self):
        v, n = self.fresh()
        self.send("/v1/signals", '[{"type":"click","unit":"u"},{"type":', status=400)
        self.send("/v1/signals", {"type": "click"}, status=400)  # the only element: told once, as an element
        whole, single = v.wait_records(n + 2)[n:]
        self.assertEqual([whole["reject"]["index"], whole["reject"]["reason"]], [None, "malformed"])
        self.assertTrue(whole["reject"]["element"].startswith('[{"type":"click"'))
        self.assertEqual([single["reject"]["index"], single["reject"]["element"]], [0, '{"type": "click"}'])
        self.send("/v1/signals", {"type": "click", "unit": "last"})
        self.assertEqual([r["kind"] for r in v.wait_records(n + 3)[n:]], ["reject", "reject", "signal"])

    def test_the_key_is_never_shown_wherever_it_was_put(self):
        key, v = self.daemon.keys["client"], self.view().wait_ready()
        n = len(v.records())
        self.send("/v1/track", {"writeKey": key, "event": "", "userId": "u"}, key=None)
        self.send("/v1/signals", {"type": "click", "note": key}, status=400)
        self.send("/v1/signals", "{" + json.dumps(key), status=400)
        self.send("/1/events?X-Algolia-API-Key=" + key, {"events": [{"eventType": key}]}, key=None)
        v.wait_records(n + 4)
        self.assertEqual([r["reject"]["element"].count("(the key)") for r in v.records()[n:]], [1] * 4)
        self.assertIn("(the key)", v.records()[n + 3]["reject"]["error"])
        for secret in self.daemon.keys.values():
            beginning = secret[:secret.rindex("_") + 6].encode()  # a digit more than the prefix that is shown
            self.assertNotIn(beginning, v.received)
            self.assertNotIn(beginning, self.daemon.get(PATH + "?wait=0").body)

    def test_bytes_that_are_no_text_are_shown_as_such(self):
        v, n = self.fresh("?rejects=only")
        self.send("/v1/signals", b'{"type":"\xff\x00","unit":"u"}', status=400)
        element = v.wait_records(n + 1)[n]["reject"]["element"]
        self.assertIn("\ufffd", element)
        self.send("/v1/signals", gzip.compress(b'{"type":"click"}'), status=400, headers={"Content-Encoding": "gzip"})
        self.assertEqual(v.wait_records(n + 2)[n + 1]["reject"]["element"], '{"type":"click"}')

    def test_what_will_not_count_says_why(self):
        v, n = self.fresh()
        self.send("/v1/signals", [{"type": "click", "unit": "m", "params": {"bot": True}}, {"type": "click", "unit": "m"}])
        self.send("/v1/exposures", {"unit": "m", "experiment": "x", "variant": "a"}, headers={"User-Agent": "Googlebot/2.1"})
        records = v.wait_records(n + 3)[n:]
        self.assertEqual([r[r["kind"]].get("mark") for r in records], ["bot", None, "bot"])

    # ---- which, and how

    def test_filters(self):
        views = {q: self.fresh(q) for q in ("?type=filtered", "?unit=f-2", "?rejects=only&unit=f-2", "?type=filtered&unit=f-2", "?format=ubi")}
        self.send("/v1/signals", [{"type": "filtered", "unit": "f-1"}, {"type": "other", "unit": "f-2"}, {"type": "filtered", "unit": "f-2"},
                                  {"type": "filtered", "unit": "f-2", "position": 0}])
        self.send("/ubi_events", {"client_id": "f-3", "action_name": "filtered"})
        wanted = {"?type=filtered": 4, "?unit=f-2": 3, "?rejects=only&unit=f-2": 1, "?type=filtered&unit=f-2": 2, "?format=ubi": 1}
        for q, (v, n) in views.items():
            self.assertEqual(len(v.wait_records(n + wanted[q])) - n, wanted[q], q)
        once = self.call("get", PATH + "?wait=0&type=filtered&unit=f-1")["records"]
        self.assertEqual([r["signal"]["unit"] for r in once], ["f-1"])

    def test_bad_filters_are_named(self):
        for query, words in (("?format=avro", 'parameter "format": "avro" is none of native, ubi'), ("?rejects=some", 'parameter "rejects" is "some"'),
                             ("?type=" + "t" * 65, 'parameter "type" has 65 bytes'), ("?unit=" + "u" * 257, 'parameter "unit" has 257')):
            self.assertIn(words, self.call("get", PATH + query, status=400)["detail"])

    def test_json_once(self):
        self.send("/v1/signals", {"type": "once", "unit": "o"})
        by_header = self.daemon.get(PATH + "?type=once", headers={"Accept": "application/json"})
        self.assertEqual(by_header.headers["content-type"], "application/json")
        self.assertEqual(by_header.json, self.call("get", PATH + "?type=once&wait=0"))
        self.assertEqual([r["signal"]["unit"] for r in by_header.json["records"]], ["o"])

    def test_the_ring_comes_first_then_ready_and_who_comes_again_gets_no_repeat(self):
        self.send("/v1/signals", [{"type": "again", "unit": "r-%d" % i} for i in range(3)])
        v = self.view("?type=again").wait_ready()
        kinds = [e[0] for e in v.events()]
        self.assertEqual(kinds, ["signal"] * 3 + ["ready"])
        ids = [e[1] for e in v.events()[:3]]
        self.assertEqual(ids, sorted(set(ids)))
        self.assertIn(b"content-type: text/event-stream", v.received.lower())
        again = self.view("?type=again", headers="Last-Event-ID: %d\r\n" % ids[1]).wait_ready()
        self.assertEqual([e[1] for e in again.events()], [ids[2], 0])

    # ---- who

    def test_only_analysts_and_admins_may_look(self):
        self.assertEqual(self.daemon.get(PATH + "?wait=0", key=self.analyst).status, 200)
        self.assertEqual(self.daemon.get(PATH + "?wait=0", key="client").status, 403)
        self.assertEqual(self.daemon.get(PATH + "?wait=0", key=None).status, 401)
        self.assertNotIn("access-control-allow-origin", self.daemon.get(PATH + "?wait=0", headers={"Origin": "http://x.example"}).headers)

    # ---- much

    def test_what_comes_too_fast_is_left_out_and_counted_but_a_filter_finds_its_own(self):
        everything, n = self.fresh()
        mine, m = self.fresh("?unit=needle")
        batch = [{"type": "flood", "unit": "hay-%d" % i} for i in range(1500)]
        for _ in range(4):
            self.send("/v1/signals", batch + [{"type": "flood", "unit": "needle"}])
        self.assertEqual(len(mine.wait_records(m + 4)) - m, 4)
        everything.wait(lambda v: len(v.records()) - n + v.left_out() == 6004, "all to be shown or counted")
        self.assertGreater(everything.left_out(), 0)
        self.assertGreaterEqual(len(everything.records()) - n, PER_SECOND)
        self.assertEqual(mine.left_out(), 0)

    def test_views_are_bounded_and_one_that_closes_makes_room(self):
        d = Daemon("--database-url", self.daemon.database_url())
        self.addCleanup(d.destroy)
        d.start()
        views = [View(d).wait_ready() for _ in range(VIEWS_MAX)]
        refused = d.get(PATH)
        self.assertEqual([refused.status, refused.json["detail"]], [503, "%d live views are open already" % VIEWS_MAX])
        self.assertIn("retry-after", refused.headers)
        self.assertEqual(d.get(PATH + "?wait=0").status, 200)
        views[3].close()
        wait_for(lambda: d.metric("experimentd_http_streams_open") == VIEWS_MAX - 1, "the stream to end")
        views[3] = View(d).wait_ready()
        self.assertEqual(d.post("/v1/signals", {"type": "click", "unit": "to-all"}, key="client").status, 200)
        for v in views:
            self.assertEqual(v.wait_records(1)[-1]["signal"]["unit"], "to-all")
        d.process.terminate()  # views do not keep it from stopping
        for v in views:
            v.wait_end()
            v.close()
        self.assertEqual(d.process.wait(PATIENCE), 0, d.log())


class OpenPage(DaemonTest):
    arguments = ("--page-open",)

    def test_single_people_are_not_shown_without_a_key(self):
        self.assertEqual(self.daemon.get("/v1/experiments", key=None).status, 200)
        for key, status in ((None, 401), ("no-such-key", 401), ("client", 403), ("admin", 200)):
            self.assertEqual(self.daemon.get(PATH + "?wait=0", key=key).status, status, key)


class Full(DaemonTest):
    arguments = ("--journal-max-bytes", "2m", "--journal-segment-bytes", "1m")

    def test_what_a_full_journal_does_not_take_is_shown_as_refused(self):
        d = self.daemon
        view = View(d, "?rejects=only").wait_ready()
        session = d.sql_session()
        session.stdin.write("begin; lock table signals in exclusive mode; select 'locked';\n")
        session.stdin.flush()
        self.assertEqual(session.stdout.readline(), "locked\n")
        batch = [{"type": "click", "unit": "u%d" % i, "query": "q" * 200} for i in range(1000)]
        wait_for(lambda: d.post("/v1/signals", batch, key="client").status == 503, "the journal to be full")
        record = view.wait_records(1)[0]
        self.assertEqual([record["reject"]["index"], record["reject"]["reason"]], [None, "unavailable"])
        self.assertGreaterEqual(d.metric('experimentd_signals_rejected_total{format="native",reason="unavailable"}'), 1)
        view.close()
        session.stdin.close()
        session.stdout.close()
        session.wait()
        d.wait_loaded()
        self.assertEqual(d.number("select count(*) from signals"), d.metric('experimentd_signals_total{format="native"}'))


if __name__ == "__main__":
    unittest.main()
