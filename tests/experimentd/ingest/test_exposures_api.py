"""POST /v1/exposures from outside: what SDKs report is checked against the configuration, and is on disk when it is answered."""
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402


def stamp(seconds_ago):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))


class ExposuresApi(DaemonTest):
    @classmethod
    def prepare(cls, d):
        d.make_experiment("ranker", variants=[{"key": "bm25"}, {"key": "ltr"}])
        d.make_experiment("over")
        d.post("/v1/experiments/over/stop")
        d.make_experiment("draft", start=False)

    def report(self, body, key="client"):
        return self.daemon.post("/v1/exposures", body, key=key)

    def rows(self, unit):
        self.daemon.wait_loaded()
        return sorted(self.daemon.sql("select experiment, variant from exposures where unit = '%s'" % unit))

    def test_keys_and_indexes_name_the_same_variant(self):
        body = [{"unit": "u1", "experiment": "ranker", "variant": v} for v in ("ltr", 1, "1")]
        reply = self.report(body)
        self.assertEqual((reply.status, reply.json), (200, {"accepted": 3, "rejected": []}), reply)
        self.assertEqual({tuple(r) for r in self.rows("u1")}, {("ranker", "ltr")})

    def test_lines_are_taken_too(self):
        lines = "\n".join(json.dumps({"unit": "lines", "experiment": "ranker", "variant": "bm25"}) for _ in range(3))
        self.assertEqual(self.report(lines).json["accepted"], 3)

    def test_each_fault_is_named_and_the_rest_counts(self):
        good = {"unit": "u2", "experiment": "ranker", "variant": "bm25"}
        faults = [({**good, "experiment": "nope"}, "is not known"), ({**good, "experiment": "draft", "variant": "a"}, "is a draft"),
                  ({**good, "variant": "nope"}, "no such variant"), ({**good, "variant": 2}, "no such variant"), ({**good, "variant": -1}, '"variant" is -1'),
                  ({**good, "variant": 0.5}, '"variant" is 0.5'), ({**good, "unit": ""}, '"unit" is missing'), ({**good, "extra": 1}, 'unknown field "extra"'),
                  ({**good, "timestamp": "soon"}, '"timestamp"'), ({**good, "timestamp": stamp(-200000)}, "ahead"), ([], "not an object"),
                  ({"unit": "u2", "experiment": "ranker"}, '"variant" is missing')]
        reply = self.report([fault for fault, _ in faults] + [good])
        self.assertEqual((reply.status, reply.json["accepted"]), (200, 1), reply)
        for (fault, why), told in zip(faults, reply.json["rejected"]):
            self.assertIn(why, told["error"], fault)
        self.assertEqual([r["index"] for r in reply.json["rejected"]], list(range(len(faults))))
        self.assertEqual(self.rows("u2"), [["ranker", "bm25"]])

    def test_one_alone_that_is_wrong_is_a_400(self):
        self.assertEqual(self.report({"unit": "u3", "experiment": "ranker", "variant": "nope"}).status, 400)
        self.assertEqual(self.report(b"").status, 400)
        self.assertEqual(self.report(b"[{}").status, 400)

    def test_a_stopped_experiment_still_takes_what_comes_late(self):
        self.assertEqual(self.report({"unit": "u4", "experiment": "over", "variant": "a", "timestamp": stamp(60)}).json["accepted"], 1)
        self.assertEqual(self.rows("u4"), [["over", "a"]])

    def test_only_who_may_read_everything_writes_into_the_past(self):
        old = {"unit": "u5", "experiment": "ranker", "variant": "ltr", "timestamp": stamp(2 * 86400)}
        refused = self.report(old)
        self.assertEqual(refused.status, 400)
        self.assertIn("more than a day ago", refused.json["detail"])
        self.assertEqual(self.report({**old, "timestamp": stamp(80000)}).json["accepted"], 1)
        self.assertEqual(self.report(old, key="admin").json["accepted"], 1)

    def test_no_key_no_exposure(self):
        self.assertEqual(self.report({"unit": "u6", "experiment": "ranker", "variant": "ltr"}, key=None).status, 401)


if __name__ == "__main__":
    unittest.main()
