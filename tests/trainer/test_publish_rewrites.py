"""The job "publish-rewrites": what is approved becomes what is served, the same bytes on however many workers, judged by the searches of later days as plain
Python judges them, and refused with its reason."""
import datetime
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import DaemonTest  # noqa: E402

FIRST, DAYS, LATER = datetime.date(2026, 10, 1), 9, 2
AS_OF = (FIRST + datetime.timedelta(days=DAYS - 1)).isoformat()
# query: searches a day, of them without results, with a click
SEARCHES = {"iphone": (10, 0, 6), "samsung": (6, 1, 3), "ipone": (4, 4, 0), "cheap iphone": (2, 0, 0), "nokai": (3, 2, 0), "nokia": (5, 0, 2), "rare thing": (1, 1, 0)}
RULES = [("spelling", "ipone", "iphone", 0.9, "auto"), ("spelling", "nokai", "nokia", 0.8, "approved"), ("spelling", "nokia", "nokai", 0.6, "auto"),
         ("remove_words", "cheap", "", 0.7, "approved"), ("synonym", "samsung", "galaxy", 0.9, "approved"), ("spelling", "rare", "bare", 0.4, "pending"),
         ("phrase", "rare thing", "rare thing", 1, "auto"), ("head_tail", "samsung", "sams", 1, "denied")]


class PublishRewrites(DaemonTest):
    @classmethod
    def prepare(cls, d):
        signals = []
        for day in range(DAYS):
            for q, (searches, zero, clicks) in SEARCHES.items():
                for n in range(searches):
                    key = "%s-%d-%d" % (q.replace(" ", "_"), day, n)
                    at = datetime.datetime.combine(FIRST + datetime.timedelta(days=day), datetime.time(n + 1, 7), datetime.timezone.utc)
                    common = {"unit": "u-" + key, "query_id": key, "query": q}
                    steps = [("request", {}), ("response", {"value": 0 if n < zero else 9})] + [("click", {"doc": "p-1", "position": 1})] * (n >= searches - clicks)
                    signals += [{**common, **more, "type": kind, "id": key + kind, "timestamp": (at + datetime.timedelta(seconds=i)).isoformat()}
                                for i, (kind, more) in enumerate(steps)]
        reply = d.post("/v1/signals", signals, key="client")
        assert reply.status == 200 and not reply.json["rejected"], reply
        d.wait_loaded()

    def setUp(self):
        self.daemon.sql("truncate query_rewrites restart identity; delete from models")
        for kind, given, put, confidence, review in RULES:
            self.daemon.sql("insert into query_rewrites (type, input, output, confidence, review, source, job) values ('%s', '%s', '%s', %s, '%s', 'job', 'x')"
                            % (kind, given, put, confidence, review))

    def publish(self, *more, check=True):
        params = ["as_of=" + AS_OF, "holdout_days=%d" % LATER, "min_searches=10", "ranges=1", *more]
        return self.daemon.run("trainer", "run", "publish-rewrites", "--data-dir", self.daemon.dir,
                               *[p for param in params for p in (("--param", param) if not param.startswith("--") else param.split(" "))], check=check)

    def versions(self):
        return [{"version": int(v), "status": s, "artifact": a, "metrics": json.loads(m), "gate": json.loads(g), "champion": c == "t"} for v, s, a, m, g, c in self.daemon.sql(
            "select v.version, v.status, v.artifact, v.metrics, v.gate, exists (select from model_aliases a where (a.model, a.version) = (v.model, v.version)) "
            "from model_versions v where model = 'rewrites' order by version")]

    @staticmethod
    def applied(q):
        """What the rules above make of a query: of the circle, what a person approved stays."""
        q = " ".join({"ipone": "iphone", "nokai": "nokia"}.get(w, w) for w in q.split())
        return " ".join(w for w in q.split() if w != "cheap")

    def expected(self):
        good = {q for q, (n, zero, clicks) in SEARCHES.items() if n * (DAYS - LATER) >= 5 and clicks and 2 * zero < n}
        searches = sum(n for n, _, _ in SEARCHES.values())
        changed = {q for q in SEARCHES if self.applied(q) != q}
        return {"rules": 5, "changed": sum(SEARCHES[q][0] for q in changed) / searches,
                "lost": sum(SEARCHES[q][0] for q in changed if q in good and self.applied(q) not in good) / searches,
                "recovered": sum(SEARCHES[q][1] for q in changed if self.applied(q) in good) / sum(z for _, z, _ in SEARCHES.values())}

    def test_the_version_and_what_it_would_have_done_later(self):
        out = self.publish().stderr
        self.assertIn('left out: spelling "nokia" → "nokai"', out)
        version, = self.versions()
        self.assertEqual([version["status"], version["champion"], version["gate"]["decision"]], ["ready", True, "passed"])
        found = {name: m["value"] for name, m in version["metrics"].items()}
        expected = self.expected()
        self.assertEqual(sorted(found), sorted(expected))
        for name, value in expected.items():
            self.assertAlmostEqual(found[name], value, 12, name)
        self.assertEqual(expected["lost"], 0)
        self.assertGreater(expected["recovered"], 0.7)
        self.assertIn("0.00% leave a query known to be good", version["gate"]["reason"])
        self.assertIn("1 rules were left out that led in a circle", [c["text"] for c in version["gate"]["checks"]])

    def test_the_same_bytes_on_any_number_of_workers_and_no_version_of_what_is_as_it_was(self):
        digests = []
        for workers in (1, 2, 4):
            self.daemon.sql("delete from models")
            self.publish("--workers %d" % workers, "full=true")
            digests += [v["artifact"] for v in self.versions()]
        self.assertEqual(len(digests), 3)
        self.assertEqual(len(set(digests)), 1)
        self.assertIn("as version 1 has them", self.publish("full=true").stderr)
        self.assertEqual(len(self.versions()), 1)
        self.call("post", "/v1/rewrites", {"type": "synonym", "input": "handy", "output": "phone"}, 201)
        self.publish()
        self.assertEqual([v["champion"] for v in self.versions()], [False, True])

    def test_what_would_do_harm_is_refused_and_the_champion_stays(self):
        self.publish()
        self.call("post", "/v1/rewrites", {"type": "query", "input": "iphone", "output": "fruit"}, 201)
        self.publish()
        refused = self.versions()[1]
        self.assertEqual([refused["status"], refused["champion"], refused["gate"]["rule"]], ["refused", False, "max_changed"])
        self.assertIn("at most 0.3 is allowed", refused["gate"]["reason"])
        self.publish("max_changed=1")
        refused = self.versions()[2]
        self.assertEqual([refused["status"], refused["gate"]["rule"]], ["refused", "max_lost"])
        # a misspelling that is now taken for what it says is lost, too
        total = sum(n for n, _, _ in SEARCHES.values())
        self.assertAlmostEqual(refused["metrics"]["lost"]["value"], SEARCHES["iphone"][0] / total, 12)
        self.assertEqual(refused["metrics"]["lost"]["champion"], 0)
        self.assertTrue(self.versions()[0]["champion"])

    def test_circles_of_people_are_refused(self):
        self.call("post", "/v1/rewrites", [{"type": "query", "input": "a", "output": "b"}, {"type": "query", "input": "b", "output": "a"}])
        self.publish()
        self.assertEqual([[v["status"], v["gate"]["rule"], v["gate"]["reason"]] for v in self.versions()],
                         [["refused", "circles", 'rules of people lead in a circle: "a" → "b" → "a"']])

    def test_without_traffic_and_without_rules(self):
        self.publish("as_of=2026-01-05")
        version, = self.versions()
        self.assertEqual([version["champion"], sorted(version["metrics"])], [True, ["rules"]])
        self.assertIn("too few searches", version["gate"]["reason"])
        self.daemon.sql("update query_rewrites set review = 'denied'")
        self.publish()
        self.assertEqual([self.versions()[1]["champion"], self.versions()[1]["metrics"]["changed"]["value"]], [True, 0])
        self.daemon.sql("delete from models")
        self.assertIn("there is nothing to publish", self.publish(check=False).stderr)
        self.assertEqual(self.daemon.sql("select state from runs where job = 'publish-rewrites' order by queued_at desc limit 1"), [["skipped"]])
        self.assertRegex(self.publish("max_changed=2", check=False).stderr, re.compile('"max_changed"'))


if __name__ == "__main__":
    unittest.main()
