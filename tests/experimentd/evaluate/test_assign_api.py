"""/v1/assign from outside: GET and POST agree with each other and with a hash written down here; who is refused has exposed nobody."""
import os
import sys
import unittest
from urllib.parse import quote

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

AB = [{"key": "a"}, {"key": "b"}]
UNITS = ["user-%d" % i for i in range(60)] + ["é", "用户1", "🦄", "a b&c=d/e?f%+", "\u2028", '"\\', "0", "x" * 256]


def fnv(text):
    h = 0x811C9DC5
    data = text.encode("utf-16-le")
    for i in range(0, len(data), 2):
        h = ((h ^ int.from_bytes(data[i:i + 2], "little")) * 0x01000193) & 0xFFFFFFFF
    return h


def variant(seed, unit, weights, coverage=1.0):
    n, start = fnv(str(fnv(seed + unit))) % 10000 / 10000, 0.0
    for key, weight in weights:
        if start <= n < start + coverage * weight:
            return key
        start += weight
    return None


class AssignApi(DaemonTest):
    @classmethod
    def prepare(cls, d):
        d.make_experiment("ranker", seed="s1", variants=[{"key": "bm25", "weight": 0.3, "value": {"k1": 1.2}}, {"key": "ltr", "weight": 0.7, "value": [1]}])
        d.make_experiment("half", coverage=0.5)
        d.make_experiment("device", hash_attribute="device")
        d.make_experiment("draft", start=False)
        d.make_experiment("over")
        d.post("/v1/experiments/over/stop")

    def assign(self, body, status=200, key="client"):
        reply = self.daemon.post("/v1/assign", body, key=key)
        self.assertEqual(reply.status, status, reply)
        return reply.json if status == 200 else reply.json["detail"]

    def get(self, experiment, unit, more="", status=200, key="client"):
        reply = self.daemon.get("/v1/assign/%s?unit=%s%s" % (experiment, quote(unit, safe=""), more), key=key)
        self.assertEqual(reply.status, status, reply)
        return reply.json["assignments"][0] if status == 200 else reply.json["detail"]

    def one(self, experiment, unit="u", **fields):
        return self.assign({"unit": unit, "experiments": [experiment], **fields})["assignments"][0]

    def test_both_forms_agree_with_the_algorithm(self):
        values = {"bm25": {"k1": 1.2}, "ltr": [1]}
        answers = self.assign([{"unit": u} for u in UNITS])
        seen = set()
        for unit, answer in zip(UNITS, answers):
            expected = variant("s1", unit, [("bm25", 0.3), ("ltr", 0.7)])
            half = variant("half", unit, [("a", 0.5), ("b", 0.5)], 0.5)
            by_key = {a["experiment"]: a for a in answer["assignments"]}
            self.assertEqual(by_key["ranker"], {"experiment": "ranker", "variant": expected, "value": values[expected], "reason": "split"}, unit)
            self.assertEqual(by_key["half"], {"experiment": "half", "variant": half, "value": half, "reason": "split" if half else "not_in_coverage"})
            self.assertEqual(self.get("ranker", unit), by_key["ranker"])
            self.assertEqual(self.get("half", unit), by_key["half"])
            seen |= {expected, half}
        self.assertEqual(seen, {"bm25", "ltr", "a", "b", None})

    def test_without_names_all_that_run_in_order(self):
        names = [a["experiment"] for a in self.assign({"unit": "u"})["assignments"]]
        self.assertEqual(names, sorted(names))
        self.assertTrue({"device", "half", "ranker"} <= set(names))
        self.assertFalse({"draft", "over"} & set(names))
        self.assertEqual(self.assign({"unit": "u", "experiments": []}), {"assignments": []})
        self.assertEqual(self.assign([]), [])

    def test_every_reason(self):
        for experiment in ("draft", "over"):
            wanted = {"experiment": experiment, "variant": None, "value": None, "reason": "not_running"}
            self.assertEqual(self.one(experiment), wanted)
            self.assertEqual(self.get(experiment, "u"), wanted)
        for name in ("nö\"pe", "", "x" * 10000):
            self.assertEqual(self.one(name), {"experiment": name, "variant": None, "value": None, "reason": "unknown_experiment"})
        self.assertEqual(self.get("nope", "u", status=404), 'experiment "nope" is not known')
        self.assertEqual(self.one("device"), {"experiment": "device", "variant": None, "value": None, "reason": "no_unit"})
        self.assertEqual(self.get("device", "u")["reason"], "no_unit")

    def test_another_hash_attribute(self):
        """As the SDKs do: numbers and true by their JavaScript text; 0, false, "" and null are no values."""
        weights = [("a", 0.5), ("b", 0.5)]
        for value, text in (("d-1", "d-1"), (3, "3"), (3.5, "3.5"), (1e21, "1e+21"), (True, "true"), (-0.5, "-0.5"), (2**53, "9007199254740992")):
            got = self.one("device", attributes={"device": value})
            self.assertEqual((got["variant"], got["reason"]), (variant("device", text, weights), "split"), value)
            self.assertEqual(self.get("device", "ignored", "&attribute.device=" + quote(text, safe="")), got)
        for value in (0, False, "", None, 0.0):
            self.assertEqual(self.one("device", attributes={"device": value})["reason"], "no_unit", value)
        for value, text in (([], ""), ({}, "[object Object]"), (["d"], "d")):  # hashed as SDKs do, but no unit that could be counted
            self.assertEqual(self.one("device", attributes={"device": value})["variant"], variant("device", text, weights), value)
        self.assertEqual(self.one("ranker", attributes={"id": "user-1"}), self.one("ranker", unit="user-1"))
        self.assertEqual(self.one("ranker", unit="user-1", attributes={"id": ""}), self.one("ranker", unit="user-1"))

    def test_each_refusal_names_its_field(self):
        long = "x" * 257
        for body, detail in (
                ({}, 'request: field "unit" is missing'),
                ({"unit": ""}, 'request: field "unit" is empty'),
                ({"unit": None}, 'request: field "unit" is null, not a string'),
                ({"unit": long}, 'field "unit" is longer than 256 bytes'),
                ({"unit": "u", "experiment": "x"}, 'request: unknown field "experiment" (did you mean "experiments"?)'),
                ({"unit": "u", "experiments": ["x", 7]}, 'request: field "experiments" element 1 is not a string'),
                ({"unit": "u", "attributes": []}, 'request: field "attributes" is a list, not an object'),
                ({"unit": "u", "attributes": {"device": long}}, 'field "attributes.device" is longer than 256 bytes'),
                ([{"unit": "u"}, {"unit": 1}], 'element 1: request: field "unit" is a number, not a string'),
                ([{"unit": "u"}, "u"], "element 1: request is a string, not an object")):
            self.assertEqual(self.assign(body, 400), detail)
        self.assertEqual(self.get("ranker", "", status=400), 'query string: field "unit" is empty')
        self.assertEqual(self.get("ranker", long, status=400), 'query string: field "unit" is longer than 256 bytes')
        self.assertEqual(self.get("device", "u", "&attribute.device=" + long, 400), 'query string: field "attribute.device" is longer than 256 bytes')
        for query in ("", "?", "?unit", "?Unit=u", "?unit=%ff", "?unit=%00", "?unit=%4"):
            reply = self.daemon.get("/v1/assign/ranker" + query, key="client")
            self.assertEqual(reply.status, 400, (query, reply))
            self.assertIn('"unit"', reply.json["detail"])

    def test_limits(self):
        self.assertIn("more than 1000", self.assign([{"unit": "u"}] * 1001, 413))
        self.assertIn("more than 1000", self.assign({"unit": "u", "experiments": ["x"] * 1001}, 400))
        self.assertIn("more than 20000 assignments", self.assign([{"unit": "u", "experiments": ["half"] * 500}] * 41, 413))
        self.assertEqual(len(self.assign([{"unit": "u", "experiments": ["half"] * 500}] * 40)), 40)

    def test_timestamps_are_for_those_who_may_write_into_the_past(self):
        at = "2026-01-02T03:04:05Z"
        self.assertIn("timestamp", self.assign({"unit": "u", "timestamp": at}, 403))
        self.assertIn("timestamp", self.get("ranker", "u", "&timestamp=" + at, 403))
        self.assertIn("timestamp", self.assign({"unit": "u", "timestamp": "yesterday"}, 400, key="admin"))
        self.assertIn("timestamp", self.assign({"unit": "u", "timestamp": "2999-01-01T00:00:00Z"}, 400, key="admin"))
        self.assign({"unit": "replayed", "timestamp": at, "experiments": ["ranker"]}, key="admin")
        self.daemon.wait_rows("exposures", 1, "unit = 'replayed' and at = '%s'" % at)

    def test_exposures_are_what_was_answered(self):
        units = ["exp'%d" % i for i in range(40)]
        answers = self.assign([{"unit": u, "experiments": ["ranker", "half", "draft"], "attributes": {}} for u in units])
        wanted = sorted([a["experiment"], a["variant"], u] for u, answer in zip(units, answers)
                        for a in answer["assignments"] if a["variant"])
        self.get("ranker", "by-get")
        self.one("device", unit="by-attribute", attributes={"device": "exp'device"})
        where = "unit like 'exp''%' or unit in ('by-get', 'by-attribute')"
        self.daemon.wait_rows("exposures", len(wanted) + 2, where)
        rows = self.daemon.sql("select experiment, variant, unit from exposures where %s" % where)
        device = [self.one("device", attributes={"device": "exp'device"})["variant"], "exp'device"]
        self.assertEqual(sorted(r for r in rows if r[2] not in ("by-get", "exp'device")), wanted)
        self.assertEqual([r for r in rows if r[2] == "by-get"], [["ranker", self.get("ranker", "by-get")["variant"], "by-get"]])
        self.assertEqual([r for r in rows if r[2] == "exp'device"], [["device", *device]])

    def test_the_same_question_is_recorded_once_whatever_is_asked_along_with_it(self):
        connection = self.daemon.connection("client")  # one worker: each knows only what it has recorded itself
        try:
            for names in (["ranker", "device"], ["ranker", "device"], ["device", "ranker"], ["ranker"], ["device"]):
                reply = connection.request("POST", "/v1/assign", {"unit": "asks-again", "experiments": names, "attributes": {"device": "asks-too"}})
                self.assertEqual([a["reason"] for a in reply.json["assignments"]], ["split"] * len(names))
            connection.request("POST", "/v1/assign", {"unit": "asks-last", "experiments": ["ranker", "device"], "attributes": {"device": "asks-too"}})
        finally:
            connection.close()
        where = "unit like 'asks-%'"
        self.daemon.wait_rows("exposures", 3, where)
        rows = self.daemon.sql("select unit, experiment from exposures where %s" % where)
        self.assertEqual(sorted(rows), [["asks-again", "ranker"], ["asks-last", "ranker"], ["asks-too", "device"]])

    def test_a_refused_request_has_exposed_nobody(self):
        nobody = {"unit": "nobody", "experiments": ["ranker"]}
        connection = self.daemon.connection("client")  # one worker, whose journal keeps the order
        try:
            for body, status in (([nobody, {"unit": 7}], 400), ([{**nobody, "experiments": ["ranker"] * 500}] * 41, 413),
                                 ([nobody, {"unit": "u", "attributes": {"device": "x" * 300}}], 400),
                                 ({"unit": "somebody", "experiments": ["ranker"]}, 200)):
                self.assertEqual(connection.request("POST", "/v1/assign", body).status, status)
        finally:
            connection.close()
        self.daemon.wait_rows("exposures", 1, "unit = 'somebody'")
        self.assertEqual(self.daemon.number("select count(*) from exposures where unit = 'nobody'"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
