"""libassign as a package: what is installed can be built against, in the ways that people do it, and shows what the header declares."""
import os
import re
import shutil
import unittest

from prefix import SOURCE_DIR, Prefix, run

EXAMPLE = os.path.join(SOURCE_DIR, "tests", "assign", "embed.c")
LISTS = """cmake_minimum_required(VERSION 3.16)
project(example C)
%s
find_package(assign 1 REQUIRED)
add_executable(example %s)
target_link_libraries(example PRIVATE assign::assign)
"""


def readme_output():
    with open(os.path.join(SOURCE_DIR, "assign", "README.md"), encoding="utf-8") as f:
        return re.findall(r"^```(?:c)?\n(.*?)^```$", f.read(), re.S | re.M)[1]


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prefix = cls.enterClassContext(Prefix())

    def needs_shared(self, program):
        return "libassign.so.1" in run("readelf", "-d", program)

    def with_pkg_config(self, name, *arguments):
        program = os.path.join(self.prefix.work, name)
        flags = self.prefix.pkg_config("--cflags", "--libs", *arguments, "libassign")
        if "--static" in arguments:
            flags = [os.path.join(self.prefix.lib, "libassign.a") if f == "-lassign" else f for f in flags]
        run("cc", "-std=c11", EXAMPLE, "-o", program, *flags)
        self.assertEqual(self.prefix.start(program), readme_output())
        return program

    def with_cmake(self, name, setting):
        work = os.path.join(self.prefix.work, name)
        os.mkdir(work)
        with open(os.path.join(work, "CMakeLists.txt"), "w", encoding="utf-8") as f:
            f.write(LISTS % (setting, EXAMPLE))
        run("cmake", "-S", work, "-B", work + "/build", "-G", "Ninja", "-DCMAKE_PREFIX_PATH=" + self.prefix.dir)
        run("ninja", "-C", work + "/build")
        self.assertEqual(self.prefix.start(work + "/build/example"), readme_output())
        return work + "/build/example"

    def test_pkg_config_shared(self):
        self.assertTrue(self.needs_shared(self.with_pkg_config("pc-shared")))

    def test_pkg_config_static(self):
        self.assertFalse(self.needs_shared(self.with_pkg_config("pc-static", "--static")))

    def test_cmake_shared(self):
        self.assertTrue(self.needs_shared(self.with_cmake("cmake-shared", "")))

    def test_cmake_static(self):
        self.assertFalse(self.needs_shared(self.with_cmake("cmake-static", "set(assign_USE_STATIC_LIBS ON)")))

    def test_versions_agree(self):
        with open(self.prefix.find("assign.h"), encoding="utf-8") as f:
            version = ".".join(re.findall(r"#define ASSIGN_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", f.read()))
        self.assertEqual(self.prefix.pkg_config("--modversion", "libassign"), [version])
        self.assertIn("libassign.so.%s]" % version.split(".", maxsplit=1)[0], run("readelf", "-d", self.prefix.find("libassign.so." + version)))

    def declared(self):
        with open(self.prefix.find("assign.h"), encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
        return set(re.findall(r"^[a-z][\w \*]*?\b(assign_\w+)\(", text, re.M))

    def test_the_shared_library_shows_the_header_and_nothing_else(self):
        shown = {line.split()[-1] for line in run("nm", "-D", "--defined-only", self.prefix.find("libassign.so")).splitlines()}
        self.assertEqual(shown, self.declared())

    def test_the_static_library_collides_with_nobody(self):
        symbols = {line.split()[-1] for line in run("nm", "-g", "--defined-only", self.prefix.find("libassign.a")).splitlines() if " " in line}
        self.assertEqual(symbols, self.declared())

    def test_the_header_stands_alone_in_c_and_in_cpp(self):
        for compiler, language in (("cc", "c"), ("c++", "c++")):
            with self.subTest(language):
                if not shutil.which(compiler):
                    self.skipTest("%s is not installed" % compiler)
                run(compiler, "-x", language, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-", input="#include <assign/assign.h>\n",
                    env={**os.environ, "CPATH": os.path.join(self.prefix.dir, "include")})

    def test_xassign_is_installed(self):
        self.assertEqual(run(self.prefix.find("xassign"), "hash", input='["","a",1]\n'), "0.22\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
