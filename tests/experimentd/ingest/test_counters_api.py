"""/metrics by format: what was taken and what was refused, why; a request refused as a whole is one."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest, wait_for  # noqa: E402

TAKEN = 'experimentd_signals_total{format="%s"}'
REFUSED = 'experimentd_signals_rejected_total{format="%s",reason="%s"}'
REPORTED = 'experimentd_exposures_reported_total{format="%s"}'


class Counters(DaemonTest):
    @classmethod
    def prepare(cls, d):
        d.make_experiment("x")

    def rows(self):
        text = self.daemon.get("/metrics", key=None).body.decode()
        return {k: float(v) for k, v in re.findall(r"^(\S+) (\S+)$", text, re.M)}

    def expect(self, changes, path, body, status=200, **more):
        """Posts it; the counters by format that changed are these and no others."""
        before = self.rows()
        reply = self.daemon.post(path, body, key=more.pop("key", "client"), **more)
        self.assertEqual(reply.status, status, reply)
        after = self.rows()
        found = {k: after[k] - before[k] for k in after
                 if k.startswith(("experimentd_signals_total", "experimentd_signals_rejected", "experimentd_exposures_reported"))
                 and after[k] != before[k]}
        self.assertEqual(found, changes, (path, body))

    def test_native(self):
        click = {"type": "click", "unit": "u"}
        self.expect({TAKEN % "native": 2, REFUSED % ("native", "missing_field"): 1, REFUSED % ("native", "unknown_field"): 1},
                    "/v1/signals", [click, {"type": "click"}, click, dict(click, colour="red")])
        self.expect({REFUSED % ("native", "bad_field"): 1}, "/v1/signals", {"type": "click", "unit": 7}, status=400)
        self.expect({REFUSED % ("native", "malformed"): 1}, "/v1/signals", '[{"type":"click","unit":"u"},{"type":"click"},', status=400)
        self.expect({REFUSED % ("native", "too_large"): 1}, "/v1/signals", [{}] * 10001, status=413)

    def test_foreign(self):
        self.expect({TAKEN % "ubi": 2, REFUSED % ("ubi", "missing_field"): 1}, "/ubi_queries",
                    [{"client_id": "u", "user_query": "lamp", "query_response_hit_ids": ["a"]}, {"user_query": "lamp"}])
        self.expect({TAKEN % "segment": 1, REFUSED % ("segment", "bad_field"): 1}, "/v1/batch",
                    {"batch": [{"type": "page", "userId": "u"}, {"type": "dance", "userId": "u"}]})
        self.expect({TAKEN % "insights": 1, REFUSED % ("insights", "missing_field"): 1}, "/1/events",
                    {"events": [{"eventType": "click", "userToken": "u", "objectIDs": ["d"]}, {"eventType": "click"}]})

    def test_exposures(self):
        seen = {"unit": "u", "experiment": "x", "variant": "a"}
        self.expect({REPORTED % "exposures": 1, REFUSED % ("exposures", "bad_field"): 1}, "/v1/exposures",
                    [seen, dict(seen, experiment="nobody")])
        self.expect({REPORTED % "ubi": 1, TAKEN % "ubi": 1}, "/ubi_queries",
                    {"client_id": "u", "user_query": "lamp", "query_attributes": {"experiment": "x", "variant": "a"}})
        qa = self.daemon.run("experimentd", "key", "create", "--scope", "qa", "--data-dir", self.daemon.dir).stdout.strip()
        wait_for(lambda: self.daemon.get("/v1/assign/x?unit=u", key=qa).status == 200, "the daemon to know the key")
        self.expect({REFUSED % ("exposures", "denied"): 1}, "/v1/exposures", seen, status=403, key=qa)


if __name__ == "__main__":
    unittest.main()
