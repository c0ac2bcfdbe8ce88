"""The published UBI sample (3448 events, 473 queries of a shop demo): over HTTP and as an import, counted against its README."""
import collections
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import SHARED_DATA, Daemon  # noqa: E402

SAMPLE = os.path.join(SHARED_DATA, "ubi")
TYPES = "select type, count(*) from signals group by 1"
# Names of the sample's actions that have a signal type of their own; all others keep theirs.
TYPE_OF = {"click": "click", "item_click": "click", "click_through": "click", "product_click": "click", "add_to_cart": "cart",
           "on_search": "search"}


def lines_of(name):
    with open(os.path.join(SAMPLE, name), encoding="utf-8") as f:
        return [line for line in f if line.strip()]


@unittest.skipUnless(os.path.isdir(SAMPLE), "the UBI sample files are not here: " + SAMPLE)
class Ubi(unittest.TestCase):
    def expected(self):
        counts = collections.Counter()
        for line in lines_of("ubi_events.jsonl"):
            action = json.loads(line)["action_name"]
            counts[TYPE_OF.get(action, action)] += 1
        queries = [json.loads(line) for line in lines_of("ubi_queries.jsonl")]
        counts["request"] += len(queries)
        counts["response"] += sum(bool(q.get("query_response_hit_ids") or q.get("query_response_object_ids")) for q in queries)
        return {k: n for k, n in counts.items() if n}

    def types(self, d):
        return {row[0]: int(row[1]) for row in d.sql(TYPES)}

    def test_over_http(self):
        with Daemon() as d:
            for path, name in (("/ubi_events", "ubi_events.jsonl"), ("/ubi_queries", "ubi_queries.jsonl")):
                lines, accepted, rejected = lines_of(name), 0, []
                for start in range(0, len(lines), 100):
                    reply = d.post(path, "[" + ",".join(lines[start:start + 100]) + "]", key="client")
                    self.assertEqual(reply.status, 200, reply)
                    accepted += reply.json["accepted"]
                    rejected += reply.json["rejected"]
                print("%s: %d of %d taken, rejected: %s" % (name, accepted, len(lines), rejected[:5]))
                self.assertEqual(rejected, [])
            d.wait_loaded()
            self.assertEqual(self.types(d), self.expected())
            days = d.number("select count(distinct at::date) from signals")
            self.assertEqual(days, 21)

    def test_imported(self):
        with Daemon() as d:
            for name in ("ubi_events.jsonl", "ubi_queries.jsonl"):
                done = d.run("experimentd", "import", "ubi", os.path.join(SAMPLE, name), "--data-dir", d.dir)
                print(done.stdout.strip().splitlines()[-1:])
            self.assertEqual(self.types(d), self.expected())
            # the same file again adds nothing
            d.run("experimentd", "import", "ubi", os.path.join(SAMPLE, "ubi_events.jsonl"), "--data-dir", d.dir)
            self.assertEqual(self.types(d), self.expected())


if __name__ == "__main__":
    unittest.main(verbosity=2)
