"""/v1/stats: every method by HTTP answers what xstat answers, refuses what it refuses, and explains itself."""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import SOURCE_DIR, DaemonTest, program  # noqa: E402

LATE = "the inputs before took more than 500 ms"
TABLES = os.path.join(SOURCE_DIR, "tests", "stats", "vectors")


def xstat(method, inputs):
    lines = "".join(json.dumps(i) + "\n" for i in inputs)
    done = subprocess.run([program("xstat"), method], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def inputs_of(method):
    with open(os.path.join(TABLES, method + ".json"), encoding="utf-8") as f:
        return [case["input"] for case in json.load(f)["cases"]]


class StatisticsApi(DaemonTest):
    def test_every_method_of_the_tables_answers_as_the_command(self):
        for name in sorted(os.listdir(TABLES)):
            method, ending = os.path.splitext(name)
            if ending != ".json" or method not in self.methods():
                continue
            inputs = inputs_of(method)
            got, want = self.ask(method, inputs), xstat(method, inputs)
            self.assertEqual(len(got), len(want))
            for g, w in zip(got, want):
                if "error" in w:
                    self.assertEqual(w["error"], "invalid: " + g["error"], method)
                else:
                    self.assertEqual(g, w, method)
            print("%-22s %d inputs" % (method, len(inputs)))

    def ask(self, method, inputs):
        """All answers; what half a second leaves is asked for again."""
        got = []
        while len(got) < len(inputs):
            answers = self.call("post", "/v1/stats/" + method, inputs[len(got):])
            late = [i for i, a in enumerate(answers) if LATE in a.get("error", "")]
            self.assertEqual(late, list(range(late[0], len(answers))) if late else [])
            self.assertNotIn(0, late)
            got += answers[:late[0] if late else len(answers)]
        return got

    def test_what_would_keep_others_waiting_is_refused(self):
        arms = [{"x": 1000 + 37 * n, "n": 10000} for n in range(5)]  # some milliseconds each
        answers = self.call("post", "/v1/stats/beta_binomial", [{"arms": arms, "alpha": 0.05}] * 400)
        self.assertIn("prob_best", answers[0])
        self.assertIn(LATE, answers[-1]["error"])
        print("%d of 400 answered at once" % sum("error" not in a for a in answers))

    def methods(self):
        return [m["method"] for m in self.call("get", "/v1/stats")["methods"]]

    def test_the_list_is_that_of_the_command(self):
        listed = subprocess.run([program("xstat"), "--list"], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(self.methods(), listed)
        one = self.call("get", "/v1/stats/welch_t")
        self.assertEqual(one["source"], "B. L. Welch, Biometrika 34 (1947)")

    def test_one_input_is_answered_by_one_object(self):
        given = {"n_c": 10, "mean_c": 0.75, "var_c": 3.2, "n_t": 10, "mean_t": 2.33, "var_t": 4, "alpha": 0.05}
        self.assertEqual(self.call("post", "/v1/stats/welch_t", given), xstat("welch_t", [given])[0])

    def test_bad_input(self):
        for path, body, status, words in [("welch_t", {"n_c": 1}, 400, 'field "alpha" is missing'), ("welch_t", b"[1", 400, "not valid JSON"), ("welch_t", 7, 400, "no JSON object"),
                                          ("welch", {}, 404, 'there is no method "welch"'), ("moments", {"x": [0.5] * 40000}, 413, "more than 65536 bytes"),
                                          ("welch_t", [{}] * 1001, 413, "more than 1000 inputs")]:
            self.assertIn(words, self.call("post", "/v1/stats/" + path, body, status)["detail"])
        self.assertIn("error", self.call("post", "/v1/stats/welch_t", [1])[0])
        self.call("post", "/v1/stats/welch_t", {}, 403, key="client")


if __name__ == "__main__":
    unittest.main()
