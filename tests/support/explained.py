"""Explanations, checked as an analyst would: every step is piped through xstat and gives the numbers that stand beside it."""
import json
import math
import subprocess

from daemon import program


def xstat(method, given):
    done = subprocess.run([program("xstat"), method], input=json.dumps(given) + "\n", capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def close(a, b, relative=1e-9):
    return math.isclose(a, b, rel_tol=relative, abs_tol=1e-300)


def reproduced(numbers, relative=1e-9):
    """Of a value or comparison: the names of its members that its steps gave again; fails when one gives something else."""
    found = set()
    for step in numbers["explain"]["steps"]:
        answer = xstat(step["method"], step["input"])
        if "error" in answer:
            raise AssertionError("%s: %s" % (answer["error"], step))
        for ours, theirs in step["gives"].items():
            theirs = answer[theirs] if isinstance(theirs, str) else [answer[key] for key in theirs]
            pairs = zip(numbers[ours], theirs) if isinstance(theirs, list) else [(numbers[ours], theirs)]
            for mine, wanted in pairs:
                if not close(mine, wanted, relative):
                    raise AssertionError("%s is %r, by the step %r: %s" % (ours, mine, wanted, step))
            found.add(ours)
    return found
