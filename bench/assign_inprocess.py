#!/usr/bin/python3
"""An assignment in process: libassign beside @growthbook/growthbook on the same payload and units, rounds in turn on one core.

1 and 50 experiments with two targeting conditions each; with the attributes there already, and read from JSON for each unit. The
answers of both are compared first. Prints nanoseconds of CPU an assignment, a row per round, and the medians with their ratio. It judges nothing.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile

import assign_common as common

SDK = os.path.join(common.HERE, "..", "tests", "assign", "differential")


def payload(experiments):
    """Experiments that differ in seed, variants and targeting; a good half of the units meets the conditions."""
    features = {}
    for i in range(experiments):
        key = "ranker-%02d" % i
        features[key] = {"defaultValue": "bm25", "rules": [{
            "key": "exp-%02d" % i, "seed": "exp-%02d" % i, "hashAttribute": "id", "hashVersion": 2, "coverage": 1, "weights": [0.5, 0.5],
            "variations": ["bm25", "ltr-%d" % i], "meta": [{"key": "0"}, {"key": "1"}],
            "condition": common.targeting(i)}]}
    return {"features": features}


class Side:
    def __init__(self, name, command, count):
        self.name, self.count = name, count
        pin = ["taskset", "-c", "0"] if shutil.which("taskset") else []
        self.process = subprocess.Popen([*pin, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "NODE_ENV": "production"})

    def ask(self, command, lines=1):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answers = [self.process.stdout.readline() for _ in range(lines)]
        if not answers[-1]:
            raise SystemExit("bench assign: %s ended" % self.name)
        return answers

    def answers(self):
        return [json.loads(line) for line in self.ask("answers", self.count)]

    def nanoseconds(self, how, seconds):
        spent, assignments = map(float, self.ask("%s %g" % (how, seconds))[0].split())
        return spent / assignments

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(sides):
    ours, theirs = (side.answers() for side in sides)
    if ours != theirs:
        unit = next(i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b)
        raise SystemExit("bench assign: answers differ for unit %d: %s and %s" % (unit, ours[unit], theirs[unit]))
    return sum(v != "bm25" for row in ours for v in row) / sum(map(len, ours))


def rounds(sides, how, options):
    times = {side.name: [] for side in sides}
    for side in sides:
        side.nanoseconds(how, options.seconds / 2)
    for _ in range(options.rounds):
        for side in sides:
            times[side.name].append(side.nanoseconds(how, options.seconds))
    return list(times.values())


def run(experiments, options, directory):
    paths = [os.path.join(directory, n) for n in ("payload.json", "units.ndjson")]
    with open(paths[0], "w", encoding="utf-8") as f:
        json.dump(payload(experiments), f)
    with open(paths[1], "w", encoding="utf-8") as f:
        f.writelines(json.dumps(u) + "\n" for u in common.units(options.units))
    sides = [Side("libassign", [os.path.join(common.BUILD_DIR, "bench", "assign_inprocess"), *paths], options.units),
             Side("SDK", ["node", os.path.join(common.HERE, "assign_inprocess.mjs"), *paths], options.units)]
    share = compare(sides)
    print("%d experiment%s, %d units: all answers are the same, %.0f %% of them the treatment" % (experiments, "s" * (experiments > 1), options.units, 100 * share))
    for how, words in (("parsed", "attributes there already"), ("text", "attributes from JSON, per unit")):
        ours, theirs = rounds(sides, how, options)
        print("  %-32s %s" % (words, "   ".join("%.1f / %.0f" % pair for pair in zip(ours, theirs))))
        print("  %-32s %8.1f %10.1f ns   ratio %.1f" % ("  medians: libassign, SDK", statistics.median(ours), statistics.median(theirs),
                                                       statistics.median(b / a for a, b in zip(ours, theirs))))
    for side in sides:
        side.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--units", type=int, default=4096)
    options = parser.parse_args()
    if not os.path.exists(os.path.join(SDK, "node_modules", "@growthbook", "growthbook")):
        try:
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=SDK, check=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as e:
            print("this part is left out: npm cannot install @growthbook/growthbook here (%s)" % e)
            return
    with tempfile.TemporaryDirectory() as directory:
        for experiments in (1, common.EXPERIMENTS):
            run(experiments, options, directory)


if __name__ == "__main__":
    main()
