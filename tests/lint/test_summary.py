"""The counts that script/test prints come from here: a case that failed or was skipped must not get lost."""
import io
import os
import sys
import tempfile
import unittest
from contextlib import redirect_stdout

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import summary  # noqa: E402

CASE = '<testcase name="%s" time="1.5" status="%s">%s<system-out>%s</system-out></testcase>'
FAILURE = '<failure message=""/>'


def run(*testcases):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "unit.xml"), "w", encoding="utf-8") as f:
            f.write("<testsuite>" + "".join(CASE % c for c in testcases) + "</testsuite>")
        out = io.StringIO()
        with redirect_stdout(out):
            code = summary.main(folder, ["unit"])
    return code, out.getvalue()


class Summary(unittest.TestCase):
    def test_criterion_cases_are_counted(self):
        code, out = run(("a", "run", "", "[====] Synthesis: Tested: 12 | Passing: 12 | Failing: 0 | Crashing: 0"))
        self.assertEqual((code, out.split("\n")[-2]), (0, "12 passed, 0 failed, 0 skipped"))

    def test_unittest_skips_show_their_reason(self):
        code, out = run(("a", "run", "", "test_x (m.C) ... skipped 'no data'\nRan 3 tests in 0.1s\n\nOK (skipped=1)\n"))
        self.assertEqual((code, out.split("\n")[-2]), (0, "2 passed, 0 failed, 1 skipped"))
        self.assertIn("no data", out)

    def test_a_failed_program_fails_the_run_even_when_its_cases_passed(self):
        code, out = run(("a", "fail", FAILURE, "Synthesis: Tested: 2 | Passing: 2 | Failing: 0 | Crashing: 0"))
        self.assertEqual((code, out.split("\n")[-2]), (1, "2 passed, 1 failed, 0 skipped"))
        self.assertIn("failed: unit: a", out)

    def test_a_program_without_a_runner_is_one_case(self):
        self.assertIn("1 passed, 1 failed, 0 skipped", run(("a", "run", "", ""), ("b", "fail", FAILURE, "boom"))[1])

    def test_a_missing_result_file_fails(self):
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
            self.assertEqual(summary.main(folder, ["db"]), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
