"""quality: off-policy evaluation on Open Bandit: the uniform policy from Thompson sampling's log, beside NumPy and beside what uniform really earned; and the other way.

Each decision is a signal with its propensity, a user is all of its features. What is true is the other file: both policies were served at the same time.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "support"))
import bandit_log  # noqa: E402
from daemon import Daemon  # noqa: E402

WORDS = {"ips": "IPS", "snips": "SNIPS", "clipped": "clipped at 10", "dm": "model of rewards alone", "dr": "doubly robust", "sndr": "self-normalised DR", "switch_dr": "switch-DR at 10", "dr_os": "DR with shrinkage 100"}


def main():
    if not os.path.isdir(bandit_log.FOLDER):
        print("the data is not here: %s" % bandit_log.FOLDER)
        return
    rows, truth = bandit_log.read("bts"), bandit_log.read("random")
    with Daemon() as d:
        bandit_log.send(d, rows)
        d.run("trainer", "run", "off-policy", "--data-dir", d.dir, "--param", "as_of=2026-10-31", "--param", "days=30")
        got = d.sql("select result::text from runs where job = 'off-policy'")[0][0]
    got, items = json.loads(got), sorted({r["item"] for r in rows})
    want = bandit_log.estimates(rows, lambda r: dict.fromkeys(items, 1 / len(items)), bandit_log.expected(rows))
    print("%d decisions of %d users, %d items; effective sample size %.0f, largest weight %.2f, mean weight %.3f\n" % (got["decisions"], got["units"], len(items), got["effective_sample_size"], got["max_weight"], got["mean_weight"]["value"]))
    print("| uniform, from the bandit's log | clicks a decision | 95 % | by bootstrap | NumPy | bandit's own minus it |\n|---|---|---|---|---|---|")
    for e in got["estimates"]:
        value = want["estimates"][e["name"]][0]
        print("| %s | %.6f | [%.5f, %.5f] | [%.5f, %.5f] | %.6f (off by %.0e) | %.5f [%.5f, %.5f] |" % (WORDS[e["name"]], e["value"], e["low"], e["high"], e["bootstrap_low"], e["bootstrap_high"], value, abs(value - e["value"]),
              -e["difference"]["value"], -e["difference"]["high"], -e["difference"]["low"]))
    clicks = sum(min(r["click"], 1) for r in truth)
    print("| what uniform really earned | %.6f | %d of %d | | | %.5f |" % (clicks / len(truth), clicks, len(truth), got["served"]["value"] - clicks / len(truth)))
    print("\nserved: %.6f; would uniform have won? %s" % (got["served"]["value"], got["would_have_been"]))
    for w in got["warnings"]:
        print("warning: " + w)


if __name__ == "__main__":
    main()
