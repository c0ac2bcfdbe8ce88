"""A clock that a test sets, for programs that it starts: libfaketime (Debian package faketime) stands between them and the real one.

    with SetClock() as clock, Daemon(environment=clock.environment) as d:
        clock.set(-3600)    # seconds off

The monotonic clock, which nobody can set, is left alone. can_set() says why there is none.
"""
import contextlib
import glob
import os
import tempfile

LIBRARY = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")


def can_set():
    return None if LIBRARY else "libfaketime is not installed (package faketime)"


def sweep():
    """A process that was killed leaves a semaphore of its number behind, and libfaketime ends the next process that gets this number."""
    for path in glob.glob("/dev/shm/*faketime_s*_*"):
        pid = path.rsplit("_", 1)[1]
        if pid.isdigit() and not os.path.exists("/proc/" + pid):
            with contextlib.suppress(FileNotFoundError):  # another test has
                os.unlink(path)


class SetClock:
    def __enter__(self):
        sweep()
        descriptor, self.path = tempfile.mkstemp(prefix="experimentd-clock-")
        os.close(descriptor)
        os.chmod(self.path, 0o644)  # PostgreSQL's user reads it too
        self.set(0)
        # What it would keep in shared memory that user could not open.
        self.environment = {
            "LD_PRELOAD": LIBRARY[0], "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DISABLE_SHM": "1",
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        return self

    def __exit__(self, *_):
        os.unlink(self.path)

    def set(self, seconds):
        sweep()
        with open(self.path, "w", encoding="ascii") as f:
            f.write("%+d\n" % seconds)
