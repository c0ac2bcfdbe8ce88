"""Dimensions from outside: whatever door an exposure comes through, the declared attributes of its unit are kept with it, and nothing else."""
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import Daemon, DaemonTest  # noqa: E402

ATTRIBUTES = {"device": "phone", "country": "DE", "age": 41, "email": "a@b.example", "returning": True}
KEPT = {"age": "41", "device": "phone", "returning": "true"}


class DimensionsApi(DaemonTest):
    arguments = ("--exposure-dimensions", "device,age,returning")

    @classmethod
    def prepare(cls, d):
        d.make_experiment("ranker", seed="s1", variants=[{"key": "bm25"}, {"key": "ltr"}])
        d.make_experiment("mix", kind="interleave", seed="m", variants=[{"key": "bm25"}, {"key": "ltr"}])

    def post(self, path, body, key="client"):
        reply = self.daemon.post(path, body, key=key)
        self.assertEqual(reply.status, 200, (path, reply))
        return reply.json

    def dims(self, unit, experiment="ranker"):
        self.daemon.wait_loaded()
        rows = self.daemon.sql("select dims from exposures where unit = '%s' and experiment = '%s'" % (unit, experiment))
        self.assertEqual(len(rows), 1, unit)
        return json.loads(rows[0][0]) if rows[0][0] else None

    def test_assign(self):
        self.post("/v1/assign", {"unit": "post", "attributes": ATTRIBUTES, "experiments": ["ranker"]})
        self.post("/v1/assign", [{"unit": "many-1", "attributes": ATTRIBUTES}, {"unit": "many-2"}])
        self.daemon.get("/v1/assign/ranker?unit=get&attribute.device=phone&attribute.age=41&attribute.email=x", key="client")
        self.assertEqual(self.dims("post"), KEPT)
        self.assertEqual(self.dims("many-1"), KEPT)
        self.assertIsNone(self.dims("many-2"))
        self.assertEqual(self.dims("get"), {"device": "phone", "age": "41"})

    def test_openfeature_one_flag_and_all(self):
        for unit, path in (("of-one", "/ofrep/v1/evaluate/flags/ranker"), ("of-all", "/ofrep/v1/evaluate/flags")):
            self.post(path, {"context": {"targetingKey": unit, **ATTRIBUTES}})
            self.assertEqual(self.dims(unit), KEPT)

    def test_interleave(self):
        self.post("/v1/interleave", {"unit": "mixed", "query_id": "q1", "experiment": "mix", "attributes": ATTRIBUTES,
                                     "rankings": {"bm25": ["a", "b"], "ltr": ["b", "c"]}})
        self.assertEqual(self.dims("mixed", "mix"), KEPT)

    def test_what_sdks_report(self):
        """GrowthBook's trackingCallback after a remote evaluation: the SDK knows its attributes."""
        tracks = self.post("/api/eval/" + self.daemon.keys["client"], {"attributes": {"id": "gb", **ATTRIBUTES}})["features"]["ranker"]["rules"][0]["tracks"]
        result = tracks[0]["result"]
        self.post("/v1/exposures", {"unit": "gb", "experiment": "ranker", "variant": result["key"], "attributes": {"id": "gb", **ATTRIBUTES}})
        self.assertEqual(self.dims("gb"), KEPT)

    def test_attributes_that_are_no_object_are_refused(self):
        reply = self.daemon.post("/v1/exposures", {"unit": "bad", "experiment": "ranker", "variant": 0, "attributes": "phone"}, key="client")
        self.assertEqual(reply.status, 400)
        self.assertIn('field "attributes" is not an object', reply.json["detail"])

    def test_ubi_and_segment(self):
        self.post("/ubi_events", {"action_name": "search", "client_id": "ubi-1", "query_id": "q", "timestamp": "2026-01-01T00:00:00Z",
                                  "event_attributes": {"experiment": "ranker", "variant": "ltr", **ATTRIBUTES}})
        self.post("/ubi_queries", {"client_id": "ubi-2", "query_id": "q2", "user_query": "lamp",
                                   "query_attributes": {"experiment": "ranker", "variant": "ltr", "attributes": ATTRIBUTES}})
        self.post("/v1/track", {"event": "Experiment Viewed", "anonymousId": "seg", "writeKey": self.daemon.keys["client"],
                                "properties": {"experiment_id": "ranker", "variation_id": "ltr", **ATTRIBUTES}})
        for unit in ("ubi-1", "ubi-2", "seg"):
            self.assertEqual(self.dims(unit), KEPT, unit)

    def test_the_live_view_shows_what_is_kept(self):
        self.post("/v1/exposures", {"unit": "seen", "experiment": "ranker", "variant": 0, "attributes": ATTRIBUTES})
        records = self.daemon.get("/v1/signals/live?wait=0&unit=seen").json["records"]
        self.assertEqual(records[0]["exposure"]["dimensions"], KEPT)
        self.assertNotIn("example", json.dumps(records))

    def test_nothing_else_of_the_attributes_lies_anywhere(self):
        self.post("/v1/assign", {"unit": "private", "attributes": {**ATTRIBUTES, "email": "only-here@b.example"}})
        self.daemon.wait_loaded()
        for folder, _, names in os.walk(os.path.join(self.daemon.dir, "journal")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    self.assertNotIn(b"only-here", f.read())
        self.assertEqual(self.daemon.number("select count(*) from exposures x where x::text like '%only-here%'"), 0)

    def test_values_that_no_table_can_hold_stop_nobody(self):
        for i, value in enumerate(("\u0000", "\ud800", "x" * 5000, ["phone"], {"a": 1})):
            self.post("/v1/assign", json.dumps({"unit": "odd-%d" % i, "attributes": {"device": value}}))
        self.assertEqual([self.dims("odd-%d" % i) for i in range(5)], [None, {"device": "\ufffd"}, {"device": "x" * 100}, None, None])

    def test_an_import_keeps_them_too(self):
        line = {"type": "exposure", "experiment": "ranker", "variant": "ltr", "unit": "imported", "timestamp": "2026-01-01T00:00:00Z",
                "attributes": ATTRIBUTES}
        with tempfile.NamedTemporaryFile("w", suffix=".ndjson", dir=self.daemon.root) as f:
            f.write(json.dumps(line) + "\n")
            f.flush()
            self.daemon.run("experimentd", "import", "ndjson", f.name, "--data-dir", self.daemon.dir, "--exposure-dimensions", "device,age,returning")
        self.assertEqual(self.dims("imported"), KEPT)


class Settings(unittest.TestCase):
    def test_a_wrong_declaration_stops_the_start(self):
        d = Daemon("--exposure-dimensions", "device,device")
        try:
            with self.assertRaises(RuntimeError) as refused:
                d.start()
            self.assertIn('setting "exposure.dimensions" names "device" twice', str(refused.exception))
        finally:
            d.destroy()


if __name__ == "__main__":
    unittest.main()
