"""The job "catalogue": what was put into the catalogue is in the artifact; a broken feed is refused; parameters."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from artifact import of_version  # noqa: E402
from daemon import DaemonTest  # noqa: E402

SHOP = [{"id": "d%02d" % i, "category": ["lamps", "desks", "ÖL"][i % 3], "price": i / 4, "tags": ["a", "b"][:i % 3], "text": "long " * 100,
         **({"stock": i} if i % 2 else {})} for i in range(20)]


class Catalogue(DaemonTest):
    def compute(self, *params, check=True):
        return self.daemon.run("trainer", "run", "catalogue", "--data-dir", self.daemon.dir, *(x for p in params for x in ("--param", p)), check=check)

    def versions(self):
        return self.daemon.sql("select version, status, gate->>'reason' from model_versions where model = 'catalogue' order by version")

    def fields(self):
        a = of_version(self.daemon, "catalogue")
        names = [name for name, _ in a.lists("names")[""]]
        return a, {doc: {n: json.loads(v) for n, (v, _) in zip(names, values) if v} for doc, values in a.lists("fields").items()}

    def test_1_too_few(self):
        done = self.compute(check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('too little data: 0 documents, parameter "min_documents" asks for 1', done.stderr)

    def test_2_what_was_put_is_there(self):
        self.assertEqual(self.daemon.post("/v1/items", SHOP).json["created"], 20)
        self.compute()
        artifact, got = self.fields()
        self.assertEqual(artifact.kind, "catalogue")
        self.assertEqual(artifact.card["items"], 20)
        self.assertEqual(got, {d["id"]: {k: v for k, v in d.items() if k not in ("id", "text")} for d in SHOP})
        self.assertEqual([v[:2] for v in self.versions()], [["1", "ready"]])

    def test_3_nothing_new_makes_no_version(self):
        self.assertIn("the catalogue is as version 1 has it", self.compute().stderr)
        self.assertEqual(len(self.versions()), 1)

    def test_4_a_broken_feed_is_refused(self):
        self.daemon.post("/v1/items/delete", [d["id"] for d in SHOP[:11]])
        self.assertIn("refused", self.compute().stderr)
        self.assertEqual(self.versions()[-1], ["2", "refused", "documents is 9, at least 10 is asked for"])
        self.assertEqual(len(self.fields()[1]), 20)
        self.compute("min_share=0.4")
        self.assertEqual(len(self.fields()[1]), 9)

    def test_5_parameters(self):
        self.compute("fields=price, category", "max_bytes=8")
        self.assertEqual(self.fields()[1]["d12"], {"category": "lamps", "price": 3.0})
        self.assertEqual(set().union(*(set(d) for d in self.fields()[1].values())), {"price", "category"})
        for given, words in (("fields=a,a", 'parameter "fields" names "a" twice'), ("fields=a,,b", 'parameter "fields": a name is empty'),
                             ("model=No Name", 'parameter "model"'), ("min_share=2", '"min_share"')):
            done = self.compute(given, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
