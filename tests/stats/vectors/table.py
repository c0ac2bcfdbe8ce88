"""How the scripts beside this file write a table."""
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
RELATIVE = 1e-9


def value(v, relative=RELATIVE, floor=1e-14):
    return {"v": float(v), "tol": relative * abs(float(v)) + floor}


def pair(lo, hi, relative=RELATIVE):
    return {"v": [float(lo), float(hi)], "tol": [relative * abs(float(v)) + 1e-12 for v in (lo, hi)]}


def write(table, cases):
    for i, case in enumerate(cases, 1):
        case["id"] = "%s-%02d" % (table, i)
        case.setdefault("note", "")
    with open(os.path.join(HERE, table + ".json"), "w", encoding="utf-8") as f:
        f.write('{"table": "%s", "cases": [\n%s\n]}\n' % (table, ",\n".join(json.dumps(c) for c in cases)))
