"""Click models on Yandex's searches (bench/quality/clicks.py): the order of the models, and the figures that NumPy finds."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "bench", "quality"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import clicks  # noqa: E402
from daemon import DaemonTest  # noqa: E402


@unittest.skipIf(clicks.missing(), clicks.missing())
class TestYandex(DaemonTest):
    @classmethod
    def prepare(cls, d):
        cls.rows = clicks.load()
        clicks.send(d, cls.rows)
        cls.found, cls.said = clicks.of_job(d, max_iterations=60)

    def test_better_models_come_before_worse_ones(self):
        found = {name: self.found[name]["loglikelihood"] for name in clicks.MODELS}
        for better, worse in (("pbm", "dctr"), ("ubm", "dctr"), ("dctr", "rctr"), ("rctr", "gctr")):
            self.assertGreater(found[better], found[worse], (better, worse))

    def test_em_never_falls(self):
        for name in clicks.EM:
            self.assertTrue(self.found[name]["never_fell"], name)
            self.assertGreater(self.found[name]["iterations"], 5, name)

    def test_is_what_numpy_finds(self):
        train, held, other = clicks.of_numpy(self.rows, ("gctr", "rctr", "dctr", "coec", "dcm", "sdbn", "pbm", "ubm"))
        self.assertEqual((train, held), (28060, 7004))
        for name, values in other.items():
            delta = 3e-4 if name in clicks.EM else 2e-6  # not yet at rest
            self.assertAlmostEqual(self.found[name]["loglikelihood"], values["loglikelihood"], delta=delta, msg=name)
            self.assertAlmostEqual(self.found[name]["perplexity"], values["perplexity"], delta=3 * delta, msg=name)


if __name__ == "__main__":
    unittest.main()
