"""Order relations of the job "spelling" on Norvig's test set with SymSpell's dictionary (bench/quality/spelling.py has the figures): it finds more than Norvig's method,
and less without any of its evidence."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "bench", "quality"))
import spelling  # noqa: E402
import spelling_data as data  # noqa: E402
from daemon import Daemon  # noqa: E402


@unittest.skipIf(data.missing(), data.missing())
class Quality(unittest.TestCase):
    def test_what_helps(self):
        pairs = data.testset1()
        with Daemon() as daemon:
            ours = spelling.Ours(daemon, sorted({wrong for wrong, _ in pairs}))

            def right(**params):
                found, _ = ours.run({**spelling.BOLD, **params})
                return spelling.share(pairs, lambda w: found.get(w, (w,))[0])
            whole = right()
            without = {name: right(**{name: 0}) for name in ("correct_cnt_boost", "edit_dist_boost", "sound_match_boost")}
        norvig = spelling.share(pairs, spelling.norvig(data.dictionary(), {wrong for wrong, _ in pairs}))
        print("the job %.4f, Norvig's method %.4f, without %s" % (whole, norvig, ", ".join("%s %.4f" % x for x in without.items())))
        self.assertGreater(whole, norvig + 0.05)
        self.assertLess(without["correct_cnt_boost"], whole - 0.05)
        self.assertLess(without["edit_dist_boost"], whole - 0.05)
        self.assertLessEqual(without["sound_match_boost"], whole)  # most of what sounds say the kinds of edits know already


if __name__ == "__main__":
    unittest.main()
