#!/usr/bin/env python3
"""implicit's side of models_als.py, which runs it in a virtual environment of its own (numpy, scipy, implicit).

    make FILE UNITS ITEMS CELLS               units and items of so many different cells, some much more often than others, as binary COPY
    train FILE THREADS ITERATIONS ALPHA LAMBDA SOLVER FACTORS      seconds of each iteration, the loss behind them, the most memory: a line of JSON
"""
import json
import resource
import sys
import time

import numpy as np

ROW = np.dtype([("fields", ">i2"), ("n1", ">i4"), ("unit", ">i4"), ("n2", ">i4"), ("item", ">i4")])
HEAD, TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def make(path, units, items, cells):
    rng, keys = np.random.default_rng(1), np.empty(0, np.int64)
    while len(keys) < cells:
        n = int((cells - len(keys)) * 1.3) + 1000
        unit, item = (units * rng.random(n) ** 2).astype(np.int64), (items * rng.random(n) ** 3).astype(np.int64)
        keys = np.unique(np.concatenate([keys, unit * items + item]))
    keys = np.sort(rng.permutation(keys)[:cells])
    rows = np.empty(cells, ROW)
    rows["fields"], rows["n1"], rows["n2"], rows["unit"], rows["item"] = 2, 4, 4, keys // items, keys % items
    with open(path, "wb") as f:
        f.write(HEAD)
        rows.tofile(f)
        f.write(TAIL)


def loss_of(matrix, x, y, alpha, reg):
    """As implicit's: of all pairs, of a pair. In double, by rows."""
    x, y, total, sure = x.astype(np.float64), y.astype(np.float64), 0.0, 0.0
    gram = y.T @ y
    for start in range(0, matrix.shape[0], 1024):
        part = matrix[start:start + 1024].tocoo()
        c = 1 + alpha * part.data.astype(np.float64)
        s = np.einsum("ij,ij->i", x[start + part.row], y[part.col])
        block = x[start:start + 1024]
        total += float((c * (1 - s) ** 2 - s ** 2).sum() + np.einsum("ij,jk,ik->", block, gram, block))
        sure += float(c.sum()) - part.nnz
    return (total + reg * float((x ** 2).sum() + (y ** 2).sum())) / (sure + matrix.shape[0] * matrix.shape[1])


def train(path, threads, iterations, alpha, reg, solver, factors):
    import implicit.cpu.als
    import scipy.sparse
    with open(path, "rb") as f:
        f.seek(len(HEAD))
        rows = np.frombuffer(f.read()[:-len(TAIL)], ROW)
    matrix = scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows["unit"].astype(np.int32), rows["item"].astype(np.int32))))
    matrix = matrix[np.diff(matrix.indptr) > 0][:, np.asarray((matrix > 0).sum(axis=0)).ravel() > 0]  # as numbers go without gaps
    model = implicit.cpu.als.AlternatingLeastSquares(factors=factors, regularization=reg, alpha=1.0, iterations=iterations, num_threads=threads,
                                                     use_cg=solver == "cg", random_state=1)
    seconds, cpu = [], [time.process_time()]

    def iterated(_i, elapsed, *_rest):
        seconds.append(elapsed)
        cpu.append(time.process_time())
    sure = matrix.copy()
    sure.data = 1 + alpha * sure.data  # its confidence is the number itself
    model.fit(sure, show_progress=False, callback=iterated)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "loss": loss_of(matrix, model.user_factors, model.item_factors, alpha, reg), "peak_mb": peak // 1024,
                      "cpu": [b - a for a, b in zip(cpu, cpu[1:])]}))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        train(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6]), sys.argv[7], int(sys.argv[8]))
