"""Rankers on LightGBM's example: trees better than a linear model, that better than the order of the file; and not below XGBoost's own objective with the same trees."""
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "bench", "quality"))
import numpy as np  # noqa: E402
import ranking  # noqa: E402

NOISE = 0.02  # of the mean nDCG of fifty queries


@unittest.skipUnless(os.path.isdir(ranking.LIGHTGBM), "the data is not there")
class RankingQuality(unittest.TestCase):
    def test_order(self):
        train, test = ranking.lightgbm_part("rank.train"), ranking.lightgbm_part("rank.test")
        with tempfile.TemporaryDirectory() as where:
            ours = ranking.Ours(where)
            found = {"trees": ours.trees(train, test, [200], depth=6, rate=0.05)[0], "pairs": ours.linear("pairwise")(train, test, 1)[0], "lists": ours.linear("listwise")(train, test, 1)[0],
                     "file": -np.arange(len(test.y)), "xgboost": ranking.of_debian(where)(train, test, [200], depth=6, rate=0.05)[0]}
        ndcg = {name: float(np.nanmean(ranking.ndcg(test, scores, 10))) for name, scores in found.items()}
        print(json.dumps(ndcg))
        self.assertGreater(ndcg["trees"], ndcg["pairs"])
        self.assertGreater(ndcg["pairs"], ndcg["file"])
        self.assertGreater(ndcg["lists"], ndcg["file"])
        self.assertGreater(ndcg["trees"], ndcg["xgboost"] - NOISE)


if __name__ == "__main__":
    unittest.main()
