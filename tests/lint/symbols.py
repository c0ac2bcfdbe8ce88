#!/usr/bin/env python3
"""A function or table that two files of the programs' libraries define under one name: the linker would silently take one of them. symbols.py BUILD_DIR"""
import collections
import glob
import os
import subprocess
import sys

# libassign is built twice, as a part of the programs and as a package of its own.
ELSEWHERE = ("/package/",)


def defined(library):
    """Of each file in it: its global symbols."""
    listed = subprocess.run(["nm", "--extern-only", "--defined-only", "--print-file-name", library], check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        place, kind, name = line.rsplit(maxsplit=2)
        if kind in "TDBRV" and not name.startswith("__"):  # those are of the compiler
            yield name, place.split(":")[1]


def main(build):
    libraries = [p for p in glob.glob(os.path.join(build, "objects", "**", "lib*.a"), recursive=True) if not any(e in p for e in ELSEWHERE)]
    if not libraries:
        print("symbols: no library below %s/objects" % build)
        return 1
    places = collections.defaultdict(list)
    for library in libraries:
        for name, file in defined(library):
            places[name].append("%s(%s)" % (os.path.basename(library), file))
    twice = {n: p for n, p in places.items() if len(p) > 1}
    for name, found in sorted(twice.items()):
        print("symbols: %s stands in %s" % (name, " and ".join(sorted(found))))
    print("symbols: %d in %d libraries, %d of them twice" % (len(places), len(libraries), len(twice)))
    return 1 if twice or not places else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BUILD_DIR", "build")))
