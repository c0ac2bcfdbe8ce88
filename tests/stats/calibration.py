#!/usr/bin/env python3
"""The calibration report: calibration.py [--write]

Runs the simulations of tests/stats and tests/trainer (fixed seeds, BUILD_DIR, a minute or two) and prints what each found as a table of Markdown: how often
something happened, how often it should, and the band that so many runs allow. With --write the table goes to docs/calibration.md, between
its two markers, and its picture to docs/images/calibration.svg.
"""
import glob
import os
import re
import subprocess
import sys
from xml.sax.saxutils import escape

SOURCE_DIR = os.environ.get("SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_DIR = os.environ.get("BUILD_DIR") or os.path.join(SOURCE_DIR, "build")
PAGE = os.path.join(SOURCE_DIR, "docs", "calibration.md")
PICTURE = os.path.join(SOURCE_DIR, "docs", "images", "calibration.svg")
MARKERS = ("<!-- made by tests/stats/calibration.py --write -->", "<!-- end -->")
BAND = re.compile(r"^\[----\] (.+): ([\d.]+) of (\d+) runs, ([\d.]+) ± ([\d.]+)$")
LIMIT = re.compile(r"^\[----\] (.+): ([\d.]+) of (\d+) runs, at most ([\d.]+)$")
ROW, LEFT, WIDTH, SPAN = 18, 340, 760, 6  # pixels; the picture reaches so many fourths of the band to either side


class Found:
    """One line that nominal.h wrote."""

    def __init__(self, suite, what, share, runs, expected, band):
        self.suite, self.what, self.share, self.runs, self.expected, self.band = suite, what, float(share), int(runs), expected, band

    def row(self):
        should = "at most %.4f" % self.band if self.expected is None else "%.4f ± %.4f" % (self.expected, self.band)
        return "| %s | %s | %d | %.4f | %s |" % (self.suite, self.what, self.runs, self.share, should)

    def deviation(self):
        """In fourths of the band, which are standard errors where nothing else is allowed for; for a limit, from the limit."""
        if self.expected is None:
            return 4 * (self.share - self.band) / self.band
        return 4 * (self.share - self.expected) / self.band


def simulate(program):
    suite = re.sub("test_(stats|trainer)_", "", os.path.basename(program))
    run = subprocess.run([program, "--verbose", "--jobs", "1"], capture_output=True, text=True, cwd=SOURCE_DIR)
    if run.returncode != 0:
        sys.exit("%s failed:\n%s" % (program, run.stderr[-2000:]))
    for line in run.stderr.splitlines() + run.stdout.splitlines():
        band, limit = BAND.match(line), LIMIT.match(line)
        if band:
            yield Found(suite, *band.groups()[:3], float(band.group(4)), float(band.group(5)))
        elif limit:
            yield Found(suite, *limit.groups()[:3], None, float(limit.group(4)))


def table(found):
    return "\n".join(["| program | what | runs | found | should be |", "|---|---|---|---|---|"] + [f.row() for f in found])


def text(x, y, words, anchor="start"):
    return '<text x="%d" y="%d" text-anchor="%s">%s</text>' % (x, y, anchor, escape(words))


def picture(found):
    banded = [f for f in found if f.expected is not None]
    height, scale = ROW * (len(banded) + 3), (WIDTH - LEFT - 20) / (2 * SPAN)
    at = lambda deviation: LEFT + (deviation + SPAN) * scale
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">' % (WIDTH, height),
             '<rect width="100%" height="100%" fill="white"/>',
             '<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="#e3efe3"/>' % (at(-4), ROW, at(4) - at(-4), ROW * (len(banded) + 1)),
             '<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#888"/>' % (at(0), at(0), ROW, ROW * (len(banded) + 2)),
             text(at(0), 12, "found less expected, the band is ±4", "middle")]
    for i, f in enumerate(banded):
        y = ROW * (i + 2)
        parts += [text(6, y + 4, "%s: %s (%.4g)" % (f.suite.replace("_sim", ""), f.what, f.expected)),
                  '<circle cx="%.1f" cy="%d" r="4" fill="#2a6f97"/>' % (at(max(-SPAN, min(SPAN, f.deviation()))), y)]
    return "\n".join(parts + ["</svg>"]) + "\n"


def write(found):
    with open(PAGE, encoding="utf-8") as f:
        page = f.read()
    head, rest = page.split(MARKERS[0])
    tail = rest.split(MARKERS[1])[1]
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write("%s%s\n\n%s\n\n%s%s" % (head, MARKERS[0], table(found), MARKERS[1], tail))
    with open(PICTURE, "w", encoding="utf-8") as f:
        f.write(picture(found))


def main():
    programs = sorted(glob.glob(os.path.join(BUILD_DIR, "tests", "test_stats_*_sim")) + glob.glob(os.path.join(BUILD_DIR, "tests", "test_trainer_*_sim")) + glob.glob(os.path.join(BUILD_DIR, "tests", "test_stats_null")))
    found = [f for program in programs for f in simulate(program)]
    if not found:
        sys.exit("no simulation in %s" % BUILD_DIR)
    print(table(found))
    if "--write" in sys.argv[1:]:
        write(found)


if __name__ == "__main__":
    main()
