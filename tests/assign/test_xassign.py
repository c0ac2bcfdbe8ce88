"""build/xassign over every case that there is: our own vectors, and GrowthBook's shared ones where they lie beside the project."""
import json
import os
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(os.environ.get("BUILD_DIR", "build"), "xassign")
SHARED = os.path.join(HERE, "..", "..", "..", "shared", "vectors")
SECTIONS = {"evalCondition": 248, "hash": 15, "getBucketRange": 13, "feature": 55, "run": 73, "chooseVariation": 13, "getQueryStringOverride": 16, "inNamespace": 16,
            "getEqualWeights": 6, "decrypt": 10, "stickyBucket": 13, "urlRedirect": 4, "contextualBandit": 35}
OURS = ["hash", "getBucketRange", "chooseVariation", "inNamespace", "getEqualWeights", "getQueryStringOverride"]
NAMELESS = ["hash", "getEqualWeights"]  # sections of cases.json whose cases do not begin with a name
EXPECTED = {"run": 3, "stickyBucket": 2}  # how many of a case's last elements are the answer


def xassign(section, lines, *more):
    done = subprocess.run([PROGRAM, section, *more], input="".join(line + "\n" for line in lines), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def answer_last(section, case):
    """cases.json puts the saved groups of a condition, where there are any, behind the answer."""
    return case[:2] + case[3:] + case[2:3] if section == "evalCondition" else case


class XAssign(unittest.TestCase):
    def check(self, section, cases):
        """Cases are [inputs…, answer]; says how many agree."""
        k = EXPECTED.get(section, 1)
        code, answers, errors = xassign(section, [json.dumps(c[:-k]) for c in cases])
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(len(answers), len(cases))
        for case, answer in zip(cases, answers):
            self.assertEqual(json.loads(answer), case[-1] if k == 1 else case[-k:], case)
        print("%-24s %d of %d" % (section, len(cases), len(cases)))

    def test_our_vectors(self):
        vectors = load(os.path.join(HERE, "vectors", "growthbook.json"))
        for section in OURS:
            with self.subTest(section):
                self.check(section, vectors[section])

    def test_growthbooks_shared_cases(self):
        path = os.path.join(SHARED, "growthbook-cases.json")
        if not os.path.exists(path):
            self.skipTest("%s is not there: only the committed vectors were run" % os.path.normpath(path))
        cases = load(path)
        self.assertEqual({k: len(v) for k, v in cases.items() if isinstance(v, list)}, SECTIONS)
        for section in SECTIONS:
            with self.subTest(section):
                self.check(section, [answer_last(section, c if section in NAMELESS else c[1:]) for c in cases[section]])

    def test_growthbooks_unicode_buckets(self):
        path = os.path.join(SHARED, "growthbook-hash-unicode.json")
        if not os.path.exists(path):
            self.skipTest("%s is not there: only the committed vectors were run" % os.path.normpath(path))
        cases = load(path)["cases"]
        self.check("hash", [c[:4] for c in cases])
        self.check("chooseVariation", [[c[3], [[0, 0.5], [0.5, 1]], c[4]] for c in cases])

    def test_only_the_number_0_covers_nobody(self):
        """The SDK asks `bucket <= coverage`, and null and false are 0 there: who is in bucket 0 of the seed "f3" gets in. (Answers of the real one.)"""
        def cases(unit):
            return [json.dumps([{"attributes": {"id": unit}, "features": {"f3": {"rules": [{"force": 1, "coverage": c}]}}}, "f3"]) for c in (None, False, 0, 1)]
        for unit, bucket, sources in (("hello world", 0, ["force", "force", "defaultValue", "force"]), ("other", None, ["defaultValue"] * 3 + ["force"])):
            _, answers, _ = xassign("feature", cases(unit))
            self.assertEqual([json.loads(a)["source"] for a in answers], sources, unit)
            if bucket is not None:
                self.assertEqual(xassign("hash", [json.dumps(["f3", unit, 1])])[1], [str(bucket)])

    def test_a_line_that_cannot_be_read_is_answered_and_the_rest_goes_on(self):
        code, answers, _ = xassign("hash", ["{", "7", "[]", '["s",null,1]', '["s","u","v"]', '["s","u",1,2]', "", '["","a",1]'])
        self.assertEqual(code, 0)
        self.assertEqual([set(json.loads(a)) for a in answers[:7]], [{"error"}] * 7)
        self.assertEqual(answers[7:], ["0.22"])

    def test_eval_answers_every_feature_of_a_payload_for_each_unit(self):
        payload = {"features": {"size": {"defaultValue": 10, "rules": [{"force": 20, "condition": {"country": "de"}}]}}}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump(payload, f)
            f.flush()
            code, answers, _ = xassign("eval", ['{"attributes":{"country":"de"}}', "{}", "[]"], f.name)
        self.assertEqual(code, 0)
        self.assertEqual([json.loads(a)["size"]["value"] for a in answers[:2]], [20, 10])
        self.assertEqual(list(json.loads(answers[2])), ["error"])

    def test_eval_of_what_is_no_payload_says_so(self):
        code, answers, errors = xassign("eval", [], "/dev/null")
        self.assertEqual((code, answers), (65, []))
        self.assertIn("/dev/null", errors)

    def test_an_unknown_section_is_a_usage_error(self):
        code, answers, errors = xassign("hahs", ["[1]"])
        self.assertEqual((code, answers), (64, []))
        self.assertIn('"hahs"', errors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
