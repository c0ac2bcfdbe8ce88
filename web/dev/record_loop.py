#!/usr/bin/env python3
"""Makes fixtures/loops/*.json of what tests/e2e/test_model_loop.py keeps: LOOP_STORY_DIR=DIR BUILD_DIR=build python3 tests/e2e/test_model_loop.py, then
web/dev/record_loop.py DIR. Of versions only what the page shows is kept."""
import json
import os
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "loops")
KEPT = ("version", "status", "aliases", "created_at", "created_by", "job", "gate", "card", "metrics")


def main():
    os.makedirs(HERE, exist_ok=True)
    for name in ("trying", "promoted", "dropped"):
        with open(os.path.join(sys.argv[1], name + ".json"), encoding="utf-8") as f:
            found = json.load(f)
        story = found["story"]
        story["versions"] = [{k: v[k] for k in KEPT} for v in story["versions"]]
        for v in story["versions"]:
            v["card"] = {k: v["card"].get(k) for k in ("job", "window", "rows", "units", "items")}
        kept = {"story": story}
        if name == "trying":
            kept.update(results=found["results"], timeseries=found["timeseries"])
        with open(os.path.join(HERE, name + ".json"), "w", encoding="utf-8") as f:
            json.dump(kept, f, separators=(",", ":"))


if __name__ == "__main__":
    main()
