"""Each check finds the fault that it is there for, and leaves a clean tree alone."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import check  # noqa: E402


def tree_of(files):
    folder = tempfile.mkdtemp()
    subprocess.run(["git", "init", "-q", folder], check=True)
    for path, text in files.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)
    return check.Tree(folder)


def found(name, files):
    return list(check.CHECKS[name](tree_of(files)))


class Includes(unittest.TestCase):
    def test_a_wrong_arrow_is_found(self):
        self.assertEqual(found("includes", {"base/x.c": '#include "experimentd/http/http.h"\n'}),
                         ['base/x.c:1: base/ may not include "experimentd/http/http.h"'])

    def test_a_library_that_the_row_does_not_name_is_found(self):
        self.assertEqual(len(found("includes", {"stats/x.c": "#include <libpq-fe.h>\n"})), 1)

    def test_right_arrows_pass(self):
        self.assertEqual(found("includes", {"trainer/x.c": '#include "stats/moments.h"\n#include <libpq-fe.h>\n',
                                            "stats/y.c": '#include "base/err.h"\n#include <gsl/gsl_cdf.h>\n'}), [])

    def test_the_library_of_statistics_sees_only_the_error_value(self):
        self.assertEqual(len(found("includes", {"stats/welch.c": '#include "base/jsonw.h"\n'})), 1)
        self.assertEqual(found("includes", {"stats/main.c": '#include "base/jsonw.h"\n'}), [])


class Banned(unittest.TestCase):
    def test_a_call_is_found_on_its_line(self):
        self.assertEqual(found("banned", {"base/x.c": "int f(void)\n{\n    return atoi (s);\n}\n"}),
                         ["base/x.c:3: atoi() is banned"])

    def test_comments_strings_and_longer_names_pass(self):
        self.assertEqual(found("banned", {"base/x.c": '/* strcpy(a, b) */ puts("rand()"); my_sprintf(x); // gets(s)\n'}), [])


class Lengths(unittest.TestCase):
    def test_a_function_over_the_limit_is_named(self):
        text = "static int\nlong_one(int a,\n         int b)\n{\n" + "    a++;\n" * 90 + "}\n"
        findings = found("lengths", {"base/x.c": text})
        self.assertEqual(len(findings), 1)
        self.assertIn("long_one() has 92 lines", findings[0])

    def test_a_long_table_is_no_function(self):
        self.assertEqual(found("lengths", {"base/x.c": "const int t[] = {\n" + "    1,\n" * 200 + "};\n"}), [])

    def test_a_file_over_the_limit_is_named(self):
        self.assertEqual(len(found("lengths", {"base/x.h": "int a;\n" * 801})), 1)


class Folders(unittest.TestCase):
    def test_a_folder_without_a_readme_is_found(self):
        self.assertEqual(found("folders", {"README.md": "x\n", "base/x.c": "\n"}), ["base/: no README.md"])


class Machine(unittest.TestCase):
    def test_a_path_of_one_machine_is_found(self):
        self.assertEqual(len(found("machine", {"docs/x.md": "see /wo" + "rk/main\n"})), 1)

    def test_a_foreign_registry_is_found(self):
        lock = '{"resolved": "https://%s/a.tgz"}\n'
        self.assertEqual(len(found("machine", {"web/package-lock.json": lock % "mirror.example"})), 1)
        self.assertEqual(found("machine", {"web/package-lock.json": lock % "registry.npmjs.org"}), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
