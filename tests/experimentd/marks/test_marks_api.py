"""Bots and internal traffic, from outside: marked in every format, kept, left out of results, and a mark that is taken back."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import Daemon, DaemonTest, variant_of  # noqa: E402

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


class MarksApi(DaemonTest):
    arguments = ("--marks-internal-networks", "198.51.100.0/24", "--marks-unit-signals-per-minute", "50",
                 "--http-trusted-proxies", "127.0.0.0/8", "--marks-bot-agents", "shopcheck")

    def send(self, body, path="/v1/signals", **headers):
        reply = self.daemon.post(path, body, key="client", headers={k.replace("_", "-"): v for k, v in headers.items()})
        self.assertEqual([reply.status, reply.json.get("rejected")], [200, []], reply)
        self.daemon.wait_loaded()

    def mark_of(self, unit):
        """What its signals are marked with, and what the unit is."""
        rows = self.daemon.sql("select distinct mark from signals where unit = '%s' order by 1" % unit)
        known = [u for u in self.call("get", "/v1/marks?page_token=" + unit[:-1])["units"] if u["unit"] == unit]
        return [int(r[0]) for r in rows], known[0]["mark"] if known else None

    def test_by_user_agent(self):
        self.send({"type": "click", "unit": "ua-1"}, User_Agent=BOT)
        self.send({"type": "click", "unit": "ua-2"}, User_Agent="ShopCheck/1")
        self.send({"type": "click", "unit": "ua-3"}, User_Agent="curl/8")
        self.send({"type": "click", "unit": "ua-4", "params": {"user_agent": BOT}})
        track = {"type": "track", "event": "Product Clicked", "anonymousId": "ua-5", "properties": {"product_id": "1"},
                 "context": {"userAgent": BOT}}
        self.send({"batch": [track]}, "/v1/batch")
        self.send([{"action_name": "click", "client_id": "ua-6", "event_attributes": {"userAgent": BOT}}], "/ubi_events")
        self.send({"events": [{"eventType": "click", "userToken": "ua-7", "objectIDs": ["1"]}]}, "/1/events", User_Agent=BOT)
        for n in (1, 2, 4, 5, 6, 7):
            self.assertEqual(self.mark_of("ua-%d" % n), ([1], "bot"), n)
        self.assertEqual(self.mark_of("ua-3"), ([0], None))

    def test_internal_by_word_and_by_network(self):
        self.send({"type": "click", "unit": "in-1", "params": {"internal": True}})
        self.send({"type": "click", "unit": "in-2"}, X_Forwarded_For="203.0.113.9, 198.51.100.7")
        self.send({"type": "click", "unit": "in-3"}, X_Forwarded_For="198.51.100.7, 203.0.113.9")  # the first is the client's word
        self.send({"type": "click", "unit": "in-4"}, X_Forwarded_For="198.51.100.7, 127.0.0.9")
        self.send({"type": "click", "unit": "in-5"})
        self.send({"batch": [{"type": "page", "anonymousId": "in-6", "context": {"ip": "198.51.100.20"}}]}, "/v1/batch")
        self.assertEqual([self.mark_of("in-%d" % n)[1] for n in range(1, 7)],
                         ["internal", "internal", None, "internal", None, "internal"])

    def test_addresses_are_shortened_before_they_are_stored(self):
        self.send({"type": "click", "unit": "ip-1", "params": {"ip": "203.0.113.77", "deep": {"client_ip": "2001:db8:1:2::3"}}})
        self.send([{"action_name": "click", "client_id": "ip-1", "event_attributes": {"ip": "203.0.113.78"}}], "/ubi_events")
        rows = self.daemon.sql("select params from signals where unit = 'ip-1' order by received_at")
        self.assertEqual([json.loads(r[0]) for r in rows],
                         [{"ip": "203.0.113.0", "deep": {"client_ip": "2001:db8:1::"}}, {"ip": "203.0.113.0"}])

    def test_more_in_a_minute_than_a_person_sends(self):
        at = "2026-03-01T10:00:%02dZ"
        self.send([{"type": "impression", "unit": "fast", "timestamp": at % (n % 60)} for n in range(60)])
        self.send([{"type": "impression", "unit": "slow", "timestamp": "2026-03-01T%02d:%02d:00Z" % (n // 60, n % 60)}
                   for n in range(600)])
        self.assertEqual(self.daemon.number("select count(*) from signals where unit = 'fast' and mark = 3"), 10)
        self.assertEqual(self.mark_of("fast")[1], "rate")
        self.assertEqual(self.mark_of("slow"), ([0], None))

    def test_a_word_by_hand_stands_above_the_rules(self):
        self.send({"type": "click", "unit": "hand/1 ä"}, User_Agent=BOT)
        path = "/v1/marks/hand%2F1%20%C3%A4"
        self.assertEqual(self.call("put", path, {"mark": "none", "note": "our own checker"})["by_hand"], True)
        self.send({"type": "click", "unit": "hand/1 ä"}, User_Agent=BOT)
        kept = [u for u in self.call("get", "/v1/marks?mark=none")["units"]]
        self.assertEqual([(u["unit"], u["mark"], u["signals"], u["note"]) for u in kept], [("hand/1 ä", "none", 2, "our own checker")])
        counts = self.call("get", "/v1/marks?page_token=zzz")
        self.assertEqual((counts["units"], counts["next_page_token"]), ([], None))
        self.assertIn({"mark": "none", "units": 1, "signals": 2}, counts["counts"])
        self.call("delete", path)
        self.send({"type": "click", "unit": "hand/1 ä"}, User_Agent=BOT)
        self.assertEqual(self.daemon.sql("select mark, by_hand from marked_units where unit = 'hand/1 ä'"), [["1", "f"]])
        self.assertEqual(self.daemon.sql("select action from revisions where subject = 'mark:hand/1 ä' order by id"),
                         [["mark"], ["forget"]])

    def test_bad_input_is_named(self):
        for method, path, body, status, words in [
                ("put", "/v1/marks/u", {"mark": "bot"}, 400, 'field "mark" is "bot", not hand or none'),
                ("put", "/v1/marks/u", {}, 400, 'field "mark" is missing'),
                ("put", "/v1/marks/u", {"mark": "hand", "why": 1}, 400, 'unknown field "why"'),
                ("put", "/v1/marks/" + "u" * 257, {"mark": "hand"}, 400, "more than 256 bytes"),
                ("delete", "/v1/marks/nobody", None, 404, 'unit "nobody" is not marked'),
                ("get", "/v1/marks?mark=bots", None, 400, 'query parameter "mark" is "bots"')]:
            self.assertIn(words, self.call(method, path, body, status)["detail"])
        self.call("put", "/v1/marks/u", {"mark": "hand"}, 403, key="client")
        self.assertEqual(self.call("get", "/v1/marks")["rules"]["unit_signals_per_minute"], 50)

    def test_settings_that_are_no_networks(self):
        done = self.daemon.run("experimentd", "serve", "--data-dir", "/nonexistent", "--marks-internal-networks", "10.0.0/8", check=False)
        self.assertEqual(done.returncode, 64)
        self.assertIn('setting "marks.internal_networks": "10.0.0/8" is no address', done.stderr)

    def test_a_click_gets_the_text_of_its_query(self):
        self.send([{"type": "request", "unit": "qt", "query_id": "qt-1", "query": "lamp", "timestamp": "2026-04-01T10:00:00Z"}])
        self.send([{"type": "click", "unit": "qt", "query_id": "qt-1", "timestamp": "2026-04-01T10:00:05Z"},
                   {"type": "click", "unit": "qt", "query_id": "qt-2", "timestamp": "2026-04-01T10:00:06Z"}])
        self.assertEqual(self.daemon.sql("select query from signals where unit = 'qt' order by at"), [["lamp"], ["lamp"], [""]])
        self.send([{"type": "request", "unit": "qt", "query_id": "qt-2", "query": "shade", "timestamp": "2026-03-31T23:00:00Z"}])
        self.assertEqual(self.daemon.number("select fill_query_texts('2026-04-01')"), 1)
        self.assertEqual(self.daemon.sql("select query from signals where query_id = 'qt-2'"), [["shade"], ["shade"]])


class LeftOut(unittest.TestCase):
    """Ten units in each variant; three of them turn out to be no visitors."""

    def results(self, d):
        d.wait_loaded()
        d.trainer()
        result = d.results("x")
        return (result["units"], result["marked_units"],
                sum(variant_of(result, "ctr", v)["n"] for v in "ab"))

    def test_marked_units_are_in_no_figure(self):
        with Daemon() as d:
            d.make_experiment("x", metrics=[{"metric": "ctr", "role": "primary"}])
            for n in range(20):
                d.post("/v1/assign", {"unit": "u%d" % n, "experiments": ["x"]}, key="client")
            d.post("/v1/signals", [{"type": "click", "unit": "u%d" % n} for n in range(20)], key="client")
            self.assertEqual(self.results(d), (20, 0, 20))
            d.post("/v1/signals", {"type": "click", "unit": "u1"}, key="client", headers={"User-Agent": BOT})
            d.post("/v1/signals", {"type": "click", "unit": "u2", "params": {"internal": True}}, key="client")
            d.post("/v1/exposures", {"unit": "u3", "experiment": "x", "variant": 0}, key="client", headers={"User-Agent": BOT})
            d.post("/v1/assign", {"unit": "u20", "experiments": ["x"]}, key="client", headers={"User-Agent": BOT})
            self.assertEqual(self.results(d), (17, 4, 17))
            self.assertEqual(d.number("select count(*) from signals"), 22)  # nothing was deleted
            for unit in ("u1", "u2", "u3", "u20"):
                d.request("PUT", "/v1/marks/" + unit, {"mark": "none"})
            units, marked, n = self.results(d)
            self.assertEqual((marked, n), (0, units))
            self.assertIn(units, (20, 21))  # u3 may have been reported in its other variant


if __name__ == "__main__":
    unittest.main()
