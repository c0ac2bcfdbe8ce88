"""The example in assign/README.md is the program that is built here, and prints what the README says."""
import os
import re
import subprocess
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
README = os.path.join(HERE, "..", "..", "assign", "README.md")


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


class Embed(unittest.TestCase):
    def test_the_readme_shows_the_program_and_its_output(self):
        program, output = re.findall(r"^```(?:c)?\n(.*?)^```$", text(README), re.S | re.M)[:2]
        self.assertEqual(program, text(os.path.join(HERE, "embed.c")))
        done = subprocess.run([os.path.join(os.environ["BUILD_DIR"], "tests", "embed")], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
