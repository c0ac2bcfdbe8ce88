"""On MovieLens 100k, if it is here: what must hold whatever the parameters, of the jobs "als" and "bpr" (bench/quality/movielens.py has the figures)."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "bench", "quality"))
import movielens  # noqa: E402


@unittest.skipUnless(os.path.exists(movielens.DATA), "the data is not here: %s" % movielens.DATA)
class MovieLens(unittest.TestCase):
    def test_learning_is_better_than_popularity(self):
        users = movielens.ratings()
        split = movielens.Split(0, users, lambda n: round(0.75 * n))
        found = {"popularity": movielens.measures(split, movielens.popularity(split))}
        with movielens.Daemon() as d:
            split.send(d)
            for name in ("als", "bpr"):
                found[name] = movielens.measures(split, movielens.Job(d, name).lists(split, **movielens.CHOSEN["job " + name]))
            found["als, 1 iteration"] = movielens.measures(split, movielens.Job(d, "als").lists(split, **{**movielens.CHOSEN["job als"], "iterations": 1}))
        for name, values in found.items():
            print("%-20s P %.4f  R %.4f  nDCG %.4f  MAP %.4f" % (name, *values))
        for k in range(4):
            self.assertGreater(found["als"][k], found["popularity"][k])
            self.assertGreater(found["bpr"][k], found["popularity"][k])
            self.assertGreater(found["als"][k], found["als, 1 iteration"][k])


if __name__ == "__main__":
    unittest.main()
