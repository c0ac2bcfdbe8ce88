#!/usr/bin/env python3
"""Records what a daemon answers about a model of kind "clicks": fixtures/rewrites/clicks.json. Searches are those of tests/trainer/test_click_models.py; versions are made
by the job.

    BUILD_DIR=build /usr/bin/python3 web/dev/record_clicks.py
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "trainer"))
from daemon import Daemon  # noqa: E402
from test_click_models import signals  # noqa: E402

NAME, AS_OF = "click-models", ("as_of=2026-10-01", "holdout_share=0.2", "positions=6", "gate_min_units=5")


def main():
    with Daemon() as d:
        lines = [json.dumps(s) for s in signals()]
        for start in range(0, len(lines), 5000):
            reply = d.post("/v1/signals", "\n".join(lines[start:start + 5000]).encode(), key="client")
            assert reply.status == 200 and not reply.json["rejected"], reply
        d.wait_loaded()
        for params in (("click_model=dctr",), ("click_model=ubm",), ("click_model=cm",)):
            d.run("trainer", "run", NAME, "--data-dir", d.dir, *(x for p in AS_OF + params for x in ("--param", p)))
        of = "/v1/models/" + NAME
        recorded = {"model": d.get(of).json, "versions": d.get(of + "/versions").json["versions"],
                    "section": d.get(of + "/versions/@champion/export?section=models").json}
        d.stop()
    with open(os.path.join(HERE, "fixtures", "rewrites", "clicks.json"), "w", encoding="utf-8") as f:
        json.dump(recorded, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
