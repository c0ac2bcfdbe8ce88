"""build/xassign over every case that there is: our own vectors, and GrowthBook's shared ones where they lie beside the project."""
import json
import os
import subprocess
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(os.environ.get("BUILD_DIR", "build"), "xassign")
SHARED = os.path.join(HERE, "..", "..", "..", "shared", "vectors")
OFFERED = ["hash", "getBucketRange", "chooseVariation", "inNamespace", "getEqualWeights", "getQueryStringOverride"]
LATER = ["evalCondition", "feature", "run", "decrypt", "stickyBucket", "urlRedirect", "contextualBandit"]
NAMELESS = ["hash", "getEqualWeights"]  # sections of cases.json whose cases do not begin with a name


def xassign(section, lines):
    done = subprocess.run([PROGRAM, section], input="".join(line + "\n" for line in lines), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


class XAssign(unittest.TestCase):
    def check(self, section, cases):
        """Cases are [inputs…, answer]; says how many agree."""
        code, answers, errors = xassign(section, [json.dumps(c[:-1]) for c in cases])
        self.assertEqual((code, errors), (0, ""))
        self.assertEqual(len(answers), len(cases))
        for case, answer in zip(cases, answers):
            self.assertEqual(json.loads(answer), case[-1], case)
        print("%-24s %d of %d" % (section, len(cases), len(cases)))

    def test_our_vectors(self):
        vectors = load(os.path.join(HERE, "vectors", "growthbook.json"))
        for section in OFFERED:
            with self.subTest(section):
                self.check(section, vectors[section])

    def test_growthbooks_shared_cases(self):
        path = os.path.join(SHARED, "growthbook-cases.json")
        if not os.path.exists(path):
            self.skipTest("%s is not there: only the committed vectors were run" % os.path.normpath(path))
        cases = load(path)
        for section in OFFERED:
            with self.subTest(section):
                self.check(section, [c if section in NAMELESS else c[1:] for c in cases[section]])

    def test_growthbooks_unicode_buckets(self):
        path = os.path.join(SHARED, "growthbook-hash-unicode.json")
        if not os.path.exists(path):
            self.skipTest("%s is not there: only the committed vectors were run" % os.path.normpath(path))
        cases = load(path)["cases"]
        self.check("hash", [c[:4] for c in cases])
        self.check("chooseVariation", [[c[3], [[0, 0.5], [0.5, 1]], c[4]] for c in cases])

    def test_a_line_that_cannot_be_read_is_answered_and_the_rest_goes_on(self):
        code, answers, _ = xassign("hash", ["{", "7", "[]", '["s",null,1]', '["s","u","v"]', '["s","u",1,2]', "", '["","a",1]'])
        self.assertEqual(code, 0)
        self.assertEqual([set(json.loads(a)) for a in answers[:7]], [{"error"}] * 7)
        self.assertEqual(answers[7:], ["0.22"])

    def test_sections_that_come_later_say_so(self):
        for section in LATER:
            code, answers, _ = xassign(section, ["[1]"])
            self.assertEqual((code, [json.loads(a) for a in answers]), (0, [{"error": "section %s is not offered yet" % section}]))

    def test_an_unknown_section_is_a_usage_error(self):
        code, answers, errors = xassign("hahs", ["[1]"])
        self.assertEqual((code, answers), (64, []))
        self.assertIn('"hahs"', errors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
