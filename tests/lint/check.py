#!/usr/bin/env python3
"""House rules that no compiler checks: check.py [--root DIR] NAME... | --all

Each check reads the files that git knows of (or would add) and yields one line a finding. The table at the end names them.
`longest` only reports: the ten longest functions and files.
"""
import argparse
import os
import re
import subprocess
import sys

# docs: the architecture page's table of folders. A folder may include itself and what stands here.
MAY_INCLUDE = {
    "base": ["base/"],
    "assign": ["assign/"],
    "stats": ["stats/", "base/err.h", "base/json.h", "base/jsonw.h", "base/buf.h", "base/mem.h", "base/str.h"],
    "archive": ["archive/", "base/"],
    "metric": ["metric/", "base/"],
    "job": ["job/", "base/"],
    "model": ["model/", "base/", "assign/text.h"],
    "experimentd": ["experimentd/", "base/", "archive/", "assign/", "job/", "metric/", "model/", "stats/"],
    "trainer": ["trainer/", "base/", "archive/", "assign/", "job/", "metric/", "model/", "stats/"],
}
# Of stats/, only the program xstat may use more than the error value: the library stays pure.
STATS_PURE = ["stats/", "base/err.h"]
# Libraries of others; a folder that is not named may use any.
FOREIGN = re.compile(r"^(libpq-fe|event2/|jansson|gsl/|pcre2|sodium|zlib|zstd|llhttp|openssl/)")
MAY_USE = {
    "base": ["libpq-fe", "event2/", "jansson"],
    "archive": ["libpq-fe", "zstd"],
    "metric": ["jansson"],
    "job": ["jansson"],
    "model": ["sodium"],
    "assign": ["openssl/", "pcre2"],
    "stats": ["gsl/", "jansson"],
}
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|rand|gets)\s*\(")
FUNCTION_LIMIT, FUNCTION_LONG = 80, 40
FILE_LIMIT, FILE_LONG = 800, 500
README_LIMIT = 80
# Written in pieces, so that this file does not find itself.
MACHINE = re.compile("|".join(["/wo" + "rk/", "/fa" + "rm/", "/tmp/bash" + "_jobs", "/root/\\.", r"\b1[07]2?\.\d+\.\d+\.\d+:\d+"]))
RESOLVED = re.compile(r'"resolved": *"(https?://[^/"]+)')
REGISTRY = "https://registry.npmjs.org"
NO_README = re.compile(r"tests/fuzz/corpus|^(\.ci|docs/images|web/(public|src/.*)|.*/fixtures?(/.*)?|.*/data(/.*)?)$")


class Tree:
    """The files of a working tree, read when asked for."""

    def __init__(self, root):
        self.root = root
        listed = subprocess.run(["git", "-c", "safe.directory=*", "-C", root, "ls-files", "--cached", "--others",
                                 "--exclude-standard"], check=True, capture_output=True, text=True).stdout.split("\n")
        self.files = [f for f in listed if f and os.path.isfile(os.path.join(root, f))]

    def ending(self, *suffixes):
        return [f for f in self.files if f.endswith(suffixes)]

    def text(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
            return f.read()


def without_comments(text):
    """C text with comments and the insides of strings blanked; line numbers stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def includes(tree):
    """No folder includes one that is not in its row of the architecture's table."""
    for path in tree.ending(".c", ".h"):
        folder = path.split("/")[0]
        allowed = MAY_INCLUDE.get(folder)
        if allowed is None:
            continue
        if folder == "stats" and not re.match(r"stats/(main|xstat)", path):
            allowed = STATS_PURE
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            own = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            foreign = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            if own and not own.group(1).startswith(tuple(allowed)):
                yield "%s:%d: %s/ may not include \"%s\"" % (path, number, folder, own.group(1))
            if foreign and folder in MAY_USE and FOREIGN.match(foreign.group(1)) \
                    and not foreign.group(1).startswith(tuple(MAY_USE[folder])):
                yield "%s:%d: %s/ may not use <%s>" % (path, number, folder, foreign.group(1))


def banned(tree):
    """No function whose result depends on luck."""
    for path in tree.ending(".c", ".h"):
        for number, line in enumerate(without_comments(tree.text(path)).split("\n"), 1):
            found = BANNED.search(line)
            if found:
                yield "%s:%d: %s() is banned" % (path, number, found.group(1))


def functions(text):
    """(name, first line, lines) of each function whose braces stand at the left margin."""
    start, signature = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if line == "{":
            start, name = number, re.search(r"(\w+)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)?[^()]*$", signature)
            current = name.group(1) if name else signature[-60:]
        elif line == "}" and start:
            yield current, start, number - start + 1
            start = 0
        elif line and not start:
            signature = signature + " " + line.strip() if line[0].isspace() else line


def all_functions(tree):
    return sorted(((lines, name, "%s:%d" % (path, start)) for path in tree.ending(".c")
                   for name, start, lines in functions(tree.text(path))), reverse=True)


def all_files(tree):
    return sorted(((tree.text(path).count("\n"), path)
                   for path in tree.ending(".c", ".h", ".py", ".js", ".jsx", ".ts", ".tsx", ".mjs", ".css", ".sh")), reverse=True)


def lengths(tree):
    """Functions up to 80 lines, files up to 800."""
    for lines, name, where in all_functions(tree):
        if lines > FUNCTION_LIMIT:
            yield "%s: %s() has %d lines, more than %d" % (where, name, lines, FUNCTION_LIMIT)
    for lines, path in all_files(tree):
        if lines > FILE_LIMIT:
            yield "%s: %d lines, more than %d" % (path, lines, FILE_LIMIT)


def folders(tree):
    """Every folder has a README of a screen."""
    have = set(tree.files)
    for folder in sorted({os.path.dirname(f) for f in tree.files}):
        if NO_README.match(folder):
            continue
        readme = os.path.join(folder, "README.md")
        if readme not in have:
            yield "%s/: no README.md" % (folder or ".")
        elif folder and tree.text(readme).count("\n") > README_LIMIT:
            yield "%s: longer than a screen (%d lines)" % (readme, README_LIMIT)


def machine(tree):
    """No path or registry of one machine."""
    for path in tree.files:
        text = tree.text(path)
        if path.endswith("package-lock.json"):
            for host in sorted(set(RESOLVED.findall(text)) - {REGISTRY}):
                yield "%s: packages resolved from %s" % (path, host)
            continue
        if "\0" in text:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            found = MACHINE.search(line)
            if found:
                yield "%s:%d: \"%s\" is a thing of one machine" % (path, number, found.group(0))


def longest(tree):
    """Report: the ten longest functions and files."""
    print("longest functions (over %d is long, %d the limit)" % (FUNCTION_LONG, FUNCTION_LIMIT))
    for lines, name, where in all_functions(tree)[:10]:
        print("%5d  %s  %s()" % (lines, where, name))
    print("longest files (over %d is long, %d the limit)" % (FILE_LONG, FILE_LIMIT))
    for lines, path in all_files(tree)[:10]:
        print("%5d  %s" % (lines, path))
    return []


CHECKS = {check.__name__: check for check in (includes, banned, lengths, folders, machine, longest)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "..", ".."))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("names", nargs="*", choices=[*CHECKS, []])
    options = parser.parse_args()
    tree = Tree(options.root)
    names = [n for n in CHECKS if n != "longest"] if options.all else options.names
    findings = [(name, finding) for name in names for finding in CHECKS[name](tree)]
    for name, finding in findings:
        print("%s: %s" % (name, finding))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
