"""A file system of a few megabytes in memory (tmpfs), to be filled and freed. Needs root; can_mount() says why not.

    with SmallDisk(2) as disk:
        disk.fill(); ...; disk.free()
"""
import os
import subprocess
import tempfile


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def can_mount():
    """None, or why nothing can be mounted here."""
    directory = tempfile.mkdtemp(prefix="experimentd-disk-")
    done = _run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory)
    if done.returncode == 0:
        _run("umount", directory)
    os.rmdir(directory)
    return None if done.returncode == 0 else "cannot mount a tmpfs: " + done.stderr.strip()


class SmallDisk:
    def __init__(self, megabytes):
        self.megabytes = megabytes
        self.dir = tempfile.mkdtemp(prefix="experimentd-disk-")
        self.ballast = os.path.join(self.dir, "ballast")

    def __enter__(self):
        done = _run("mount", "-t", "tmpfs", "-o", "size=%dm" % self.megabytes, "tmpfs", self.dir)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return self

    def __exit__(self, *_):
        _run("umount", self.dir)
        os.rmdir(self.dir)

    def fill(self):
        """To the last byte that is free now."""
        with open(self.ballast, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        os.unlink(self.ballast)
