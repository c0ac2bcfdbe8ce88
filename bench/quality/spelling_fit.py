"""Fits the costs of edits (trainer/kernels/spelling/edits.c) and the weights of the other evidence (speller.c) on one half of spell-errors; prints them.

A conditional logit: of all words near to a misspelling, the right one has the greatest probability in proportion to exp(score), the score being a weighted sum of
what build/bench/spelling_features tells of each. How words are aligned depends on the costs, so they are fitted, words aligned anew, and fitted once more. Needs
NumPy and SciPy: python3 bench/quality/spelling_fit.py, after `ninja -C build spelling_features`.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
from scipy.optimize import minimize

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import spelling_data as data  # noqa: E402

KINDS = ("SWAP DOUBLED UNDOUBLED NO_VOWEL NO_SILENT NO_LETTER MORE_VOWEL MORE_SILENT MORE_NEAR MORE_LETTER OTHER_VOWEL OTHER_ALIKE OTHER_NEAR OTHER_LETTER "
         "ACCENT SPLIT JOINED MARK FIRST LAST").split()
BY_HAND = {"ACCENT": 0.1, "SPLIT": 2, "JOINED": 2, "MARK": 0.3}  # which hardly come in misspellings of single words
START = [2, 2, 1.5, 2.5, 2, 4, 3, 3, 4, 4, 2, 2.5, 4, 5, 0.1, 2, 2, 0.3, 2, 1]
NEAREST = 60  # of each misspelling, by the costs so far
ROUNDS, TOWARDS = 3, 1e-4  # towards the start: so much of a square
LEAST = 0.05  # of an edit's cost: one that costs nothing would be made without need


def features(pairs, costs):
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(" ".join("%.6f" % c for c in costs))
        f.flush()
        done = subprocess.run([os.path.join(os.environ.get("BUILD_DIR", "build"), "bench", "spelling_features"), data.DICTIONARY, f.name],
                              input="".join("%s\t%s\n" % p for p in pairs).encode(), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, dtype=np.float32).reshape(-1, 6 + len(KINDS))


def known(a, weights):
    """Of each misspelling whose right word is near: rows of the NEAREST by score, and the right one."""
    score = a[:, 3:] @ np.r_[weights[:3], weights[3:]]
    starts = np.flatnonzero(np.r_[True, a[1:, 0] != a[:-1, 0]])
    rows, groups, n = [], [], 0
    for begin, end in zip(starts, np.r_[starts[1:], len(a)]):
        right = np.flatnonzero(a[begin:end, 1])
        if len(right) == 0:
            continue
        some = np.unique(np.r_[begin + np.argsort(-score[begin:end])[:NEAREST], begin + right[0]])
        rows.append(some)
        groups.append(np.full(len(some), n))
        n += 1
    rows = np.concatenate(rows)
    return a[rows, 3:].astype(np.float64), a[rows, 1] > 0, np.concatenate(groups), n


def fit(x, right, group, n, start):
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    fixed = [3 + KINDS.index(k) for k in BY_HAND]

    def loss(w):
        s = x @ w
        top = np.maximum.reduceat(s, starts)
        p = np.exp(s - top[group])
        z = np.add.reduceat(p, starts)
        gradient = x[right].sum(0) - x.T @ (p / z[group])
        return (-(s[right] - top - np.log(z)).sum() / n + TOWARDS * ((w - start) ** 2).sum(), -gradient / n + 2 * TOWARDS * (w - start))
    bounds = [(0, None), (None, None), (None, 0)] + [(None, 0 if k in ("FIRST", "LAST") else -LEAST) for k in KINDS]
    for i in fixed:
        bounds[i] = (start[i], start[i])
    done = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
    return done.x, done.fun


def main():
    pairs = data.for_fitting()
    weights = np.array([0.6, 0.5, -0.9] + [-c for c in START])
    for name, cost in BY_HAND.items():
        weights[3 + KINDS.index(name)] = -cost
    for turn in range(ROUNDS):
        x, right, group, n = known(features(pairs, -weights[3:]), weights)
        weights, loss = fit(x, right, group, n, weights)
        print("round %d: %d pairs, %d of them with the right word near; -log likelihood a pair %.4f" % (turn + 1, len(pairs), n, loss), flush=True)
    print("\nWEIGHT_COUNTS %.3f\nWEIGHT_SAME_SOUND %.3f\nWEIGHT_SOUND_APART %.3f" % (weights[0], weights[1], -weights[2]))
    for name, cost in zip(KINDS, -weights[3:]):
        print("[EDIT_%s] = %.3f%s" % (name, cost, " (by hand)" if name in BY_HAND else ""))


if __name__ == "__main__":
    why = data.missing()
    if why:
        sys.exit(why)
    main()
