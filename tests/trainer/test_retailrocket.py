"""On a shop's views, carts and purchases (bench/quality/retailrocket.py): what must be better than what, however the figures move."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "bench", "quality"))
import retailrocket  # noqa: E402


@unittest.skipIf(retailrocket.missing(), retailrocket.missing())
class Retailrocket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.next_item, cls.rules, cls.orders, cls.found = retailrocket.report()

    def test_what_goes_with_what_one_had_beats_popularity(self):
        hits = {row[0].split(",")[0].split(" (")[0]: row[1] for row in self.next_item if not row[0].startswith(("the README", "SciPy"))}
        self.assertGreater(hits["item-similarity"], 5 * hits["popular"])
        self.assertGreater(hits["association-rules"], 5 * hits["popular"])

    def test_rules_that_passed_the_test_hold_elsewhere(self):
        (_, everything, *_), (_, tested, _, lift, _, lift_held, _), (_, others, _, _, _, others_held, _) = self.rules
        self.assertEqual(everything, tested + others)
        self.assertGreater(lift_held, others_held)
        self.assertGreater(lift, lift_held)  # what was chosen looks better than it is

    def test_trends_are_found_and_chance_is_not(self):
        order, (found, right) = dict(self.orders), self.found
        self.assertGreater(order["shrunk score"], order["hit_vol_ratio (classic)"])
        self.assertGreater(order["shrunk score"], 0.5)
        self.assertGreaterEqual(right, 0.8 * found)


if __name__ == "__main__":
    unittest.main()
