"""From a rule to an answer: written, published by the job, served by the daemon, exported; taken back; and what is wrong with a question."""
import os
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from artifacts import point  # noqa: E402
from daemon import DaemonTest, wait_for  # noqa: E402

RULES = [{"type": "spelling", "input": "ipone", "output": "iphone", "confidence": 0.9}, {"type": "head_tail", "input": "cheap iphone casse", "output": "cheap iphone case"},
         {"type": "remove_words", "input": "cheap", "output": ""}, {"type": "phrase", "input": "iphone case"},
         {"type": "synonym", "input": "case", "output": "cover", "bidirectional": True, "confidence": 0.6}, {"type": "query", "input": "jobs", "output": "careers"}]


class RewriteApi(DaemonTest):
    def ask(self, q, status=200, **more):
        return self.call("get", "/v1/rewrite?" + urllib.parse.urlencode({"q": q, **more}), None, status, key="client")

    def publish(self):
        """Until this daemon serves the new version."""
        version = 1 + self.daemon.number("select coalesce(max(version), 0) from model_versions where model = 'rewrites'")
        self.daemon.run("trainer", "run", "publish-rewrites", "--data-dir", self.daemon.dir)
        wait_for(lambda: self.ask("x")["version"] == version, "version %d to be served" % version)
        return version

    def test_1_before_anything_was_published_a_query_stays(self):
        answer = self.ask("  Cheap IPONE ")
        self.assertEqual([answer[k] for k in ("query", "rewritten", "changed", "expanded", "model", "version", "steps")],
                         ["cheap ipone", "cheap ipone", False, "cheap ipone", None, None, []])
        self.ask("x", 404, model="rewrites")
        self.call("get", "/v1/rewrites/export?format=solr&of=published", None, 404)

    def test_2_each_step_and_its_rule(self):
        self.daemon.post("/v1/rewrites", RULES)
        version = self.publish()
        answer = self.ask("Cheap IPONE casse")
        self.assertEqual([answer[k] for k in ("query", "rewritten", "changed", "quoted", "expanded", "model", "alias", "version")],
                         ["cheap ipone casse", "iphone case", True, '"iphone case"', '("iphone case" OR "iphone cover")', "rewrites", "champion", version])
        self.assertEqual([(s["type"], s["input"], s["output"], s["query"], s["rule"], s["confidence"], s["source"]) for s in answer["steps"]],
                         [("spelling", "ipone", "iphone", "cheap iphone casse", 1, 0.9, "manual"), ("head_tail", "cheap iphone casse", "cheap iphone case", "cheap iphone case", 2, 1, "manual"),
                          ("remove_words", "cheap", "", "iphone case", 3, 1, "manual"), ("phrase", "iphone case", "iphone case", "iphone case", 4, 1, "manual"),
                          ("synonym", "case", "cover", "iphone case", 5, 0.6, "manual")])
        self.assertEqual(answer["terms"], [{"text": "iphone case", "phrase": True, "synonyms": [{"text": "iphone cover", "rule": 5, "confidence": 0.6, "source": "manual"}]}])
        self.assertEqual(self.call("post", "/v1/rewrite", {"q": "Cheap IPONE casse"}, key="client"), answer)
        several = self.call("post", "/v1/models/rewrites/predict", {"inputs": [{"q": "Cheap IPONE casse"}, {"q": "jobs", "types": "spelling"}]}, key="client")
        self.assertEqual([several["version"], several["predictions"][0]["steps"], several["predictions"][1]["rewritten"]], [version, answer["steps"], "jobs"])
        self.assertEqual(self.ask("a cover", types="spelling,phrase")["expanded"], "a cover")
        self.assertEqual(self.ask("a cover")["expanded"], "a (cover OR case)")
        self.assertEqual(self.ask("jobs")["rewritten"], "careers")
        self.assertEqual(self.ask("c++ (new)")["expanded"], "c\\+\\+ \\(new\\)")
        self.assertEqual(self.ask(" \t")["terms"], [])

    def test_3_what_was_published_and_what_stands_now(self):
        self.call("post", "/v1/rewrites", {"type": "spelling", "input": "samsng", "output": "samsung"}, 201)
        path = "/v1/rewrites/export?format=solr&type=spelling"
        self.assertEqual(self.daemon.get(path).body.decode().splitlines()[1:], ["ipone => iphone", "samsng => samsung"])
        published = self.daemon.get(path + "&of=published")
        self.assertEqual([published.body.decode().splitlines()[1:], published.headers["x-version"]], [["ipone => iphone"], "1"])
        everything = self.daemon.get("/v1/rewrites/export?format=jsonl&of=published").body.splitlines()
        self.assertEqual(len(everything), len(RULES))
        self.assertEqual(len(self.daemon.get("/v1/rewrites/export?format=jsonl&of=published&min_confidence=0.9").body.splitlines()), len(RULES) - 1)
        self.assertIn("of=current", self.call("get", path + "&of=published&review=auto", None, 400)["detail"])

    def test_4_a_rule_that_is_taken_back(self):
        self.call("post", "/v1/rewrites/review", {"filter": {"type": "spelling"}, "review": "denied"})
        self.publish()
        self.assertEqual(self.ask("ipone")["rewritten"], "ipone")
        point(self.daemon, "rewrites", 1)
        wait_for(lambda: self.ask("ipone")["rewritten"] == "iphone", "the version before to be served")

    def test_5_what_is_wrong_with_a_question(self):
        for query, part in (("", '"q"'), ("q=x&types=spelling,typo", '"typo"'), ("q=x&min_confidence=2", '"min_confidence"'), ("q=%FF", '"q"'),
                            ("q=x&what=1", '"what"')):
            self.assertIn(part, self.call("get", "/v1/rewrite?" + query, None, 400, key="client")["detail"], query[:40])
        self.ask("x" * 9000, 413)
        self.assertIn("rewrites", self.ask("x", 404, model="other")["detail"])
        self.call("post", "/v1/rewrite", ["x"], 400, key="client")


if __name__ == "__main__":
    unittest.main()
