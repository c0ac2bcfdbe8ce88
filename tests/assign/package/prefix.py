"""libassign, built alone and installed into a prefix of the test's own."""
import os
import shutil
import subprocess
import tempfile

SOURCE_DIR = os.environ.get("SOURCE_DIR", os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..")))


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError("%s exited with %d\n%s%s" % (" ".join(command), done.returncode, done.stdout, done.stderr))
    return done.stdout


class Prefix:
    """with Prefix() as p: p.dir is where it was installed; p.work a folder for programs."""

    def __enter__(self):
        self.root = tempfile.mkdtemp(prefix="libassign-test-", dir=os.environ.get("TMPDIR", "/var/tmp"))
        self.dir, self.work, build = (os.path.join(self.root, n) for n in ("prefix", "work", "build"))
        os.mkdir(self.work)
        try:
            run("cmake", "-S", os.path.join(SOURCE_DIR, "assign"), "-B", build, "-G", "Ninja")
            run("ninja", "-C", build)
            run("cmake", "--install", build, "--prefix", self.dir)
        except BaseException:
            shutil.rmtree(self.root)
            raise
        return self

    def __exit__(self, kind, value, trace):
        shutil.rmtree(self.root)

    def find(self, name):
        for folder, _, files in os.walk(self.dir):
            if name in files:
                return os.path.join(folder, name)
        raise AssertionError("%s was not installed" % name)

    @property
    def lib(self):
        return os.path.dirname(self.find("libassign.a"))

    def pkg_config(self, *arguments):
        path = os.path.join(self.lib, "pkgconfig")
        return run("pkg-config", *arguments, env={**os.environ, "PKG_CONFIG_PATH": path}).split()

    def start(self, program, **options):
        return run(program, env={**os.environ, "LD_LIBRARY_PATH": self.lib}, **options)
