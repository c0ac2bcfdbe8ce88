"""Rankers: imported from XGBoost, served by /v1/rank, exported to engines; every file scores as the daemon does, also at the thresholds and one float beside
them, and where values are missing. XGBoost itself is one of the scorers; the others are written from the engines' documentation (tests/support/scorers.py)."""
import json
import math
import os
import sys
import unittest

import numpy
import xgboost

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from artifact import Artifact, build, build_lists  # noqa: E402
from daemon import DaemonTest, wait_for  # noqa: E402
from scorers import Elastic, LightGBM, RankLib, Solr, Vespa  # noqa: E402
from rankers import Forest, linear, trees  # noqa: E402

F = numpy.float32
NAMES = ["bm25", "popularity", "age_days", "price", "ctr", "title_length"]
WEIGHTS = [(0.5, 10, 2), (-1.25, 0, 1), (3, 0.1, 0.7)]


def learn():
    """A booster of XGBoost's own, with values that stand in a grid, some missing, and base_score 0.5."""
    rng = numpy.random.default_rng(8)
    x = (rng.integers(-40, 40, (700, 6)) * [0.25, 1, 10, 3.3, 0.001, 7]).astype(F)
    y = numpy.clip(numpy.round(x[:, 0] / 5 + (x[:, 4] > 0.01) - (x[:, 1] > 20)), 0, 4)
    x[rng.random(x.shape) < 0.15] = numpy.nan
    data = xgboost.DMatrix(x, y, feature_names=NAMES)
    data.set_group([35] * 20)
    return xgboost.train({"objective": "rank:pairwise", "max_depth": 5, "eta": 0.3, "nthread": 1, "seed": 1}, data, 25), x


def beside(forest, rows):
    """Rows, and more where one value is a threshold, the float before it, or the one behind."""
    found = [r for r in rows]
    for i, (feature, t) in enumerate(forest.thresholds()):
        for v in (numpy.nextafter(t, F("-inf")), t, numpy.nextafter(t, F("inf"))):
            row = rows[i % len(rows)].copy()
            row[feature] = v
            found.append(row)
    return numpy.array(found, F)


def document(row, names=NAMES):
    return {n: float(v) for n, v in zip(names, row) if not math.isnan(v)}


def numbers(row):
    return [None if math.isnan(v) else float(v) for v in row]


class Exports(DaemonTest):
    @classmethod
    def prepare(cls, d):
        cls.booster, cls.x = learn()
        cls.upload(d, "xgb", cls.booster.save_raw("json"), "?format=xgboost")
        cls.upload(d, "line", build("ranker", {"ranker": linear(NAMES[:3], WEIGHTS), "features": json.dumps(
            [{"name": "bm25"}, {"name": "popularity", "default": 0.75}, {"name": "age_days"}]).encode(), "card": b"{}"}))
        cls.upload(d, "plain", build("recommender", {"popular": build_lists(["score"], {"": [("lamp", 5)]}), "card": b"{}"}))
        artifact = Artifact(d.get("/v1/models/xgb/versions/1/artifact").body)
        cls.section, cls.forest = artifact.sections["ranker"], Forest(artifact.sections["ranker"])
        cls.rows = beside(cls.forest, cls.x[:60])

    @classmethod
    def upload(cls, d, model, data, query=""):
        reply = d.post("/v1/models/%s/versions%s" % (model, query), bytes(data))
        if reply.status != 201:
            raise AssertionError(reply)
        version = reply.json["version"]
        d.request("PUT", "/v1/models/%s/aliases/champion" % model, {"version": version})
        wait_for(lambda: any(m["model"] == model and m.get("version") == version for m in d.get("/v1/serving").json["models"]), "%s served" % model)
        return version

    def rank(self, model, body, status=200):
        reply = self.daemon.post("/v1/rank", {"model": model, **body}, key="client")
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def scores(self, model, rows, **more):
        """As the daemon gives them, in the order of rows."""
        found = numpy.zeros(len(rows), F)
        for begin in range(0, len(rows), 1000):
            for d in self.rank(model, {"values": [numbers(r) for r in rows[begin:begin + 1000]], **more})["docs"]:
                found[begin + d["index"]] = d["score"]
        return found

    def export(self, model, name, version=1, note=None):
        reply = self.daemon.get("/v1/models/%s/versions/%s/export?format=%s" % (model, version, name))
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.headers.get("x-export-note"), note, name)
        return reply.json if "json" in reply.headers["content-type"] else reply.body.decode()

    def same(self, found, wanted, what, within=0.0):
        worst = numpy.max(numpy.abs(numpy.asarray(found, float) - wanted))
        self.assertLessEqual(worst, within, "%s: row %d" % (what, numpy.argmax(numpy.abs(numpy.asarray(found, float) - wanted))))

    # ---- what is served

    def test_the_daemon_scores_as_xgboost_does(self):
        wanted = self.booster.predict(xgboost.DMatrix(self.rows, feature_names=NAMES), output_margin=True)
        self.assertGreater(len(self.rows), 600)
        self.same(self.scores("xgb", self.rows), wanted, "XGBoost")
        self.same(self.forest.score(self.rows), wanted, "a plain walk")

    def test_documents_come_best_first_in_each_form(self):
        rows = self.rows[:7]
        wanted = self.forest.score(rows)
        order = sorted(range(7), key=lambda i: (-wanted[i], i))
        answer = self.rank("xgb", {"docs": [{"id": "d%d" % i, "features": document(r)} for i, r in enumerate(rows)]})
        self.assertEqual((answer["model"], answer["alias"], answer["version"]), ("xgb", "champion", 1))
        self.assertEqual([d["id"] for d in answer["docs"]], ["d%d" % i for i in order])
        self.assertEqual([F(d["score"]) for d in answer["docs"]], [wanted[i] for i in order])
        turned = self.rank("xgb", {"features": NAMES[::-1], "ids": ["d%d" % i for i in range(7)], "values": [numbers(r[::-1]) for r in rows], "n": 3})
        self.assertEqual(turned["docs"], answer["docs"][:3])
        reply = self.daemon.post("/v1/models/xgb/predict", {"inputs": [{"values": [numbers(r)]} for r in rows]}, key="client").json
        self.assertEqual([F(p["docs"][0]["score"]) for p in reply["predictions"]], list(wanted))

    def test_inputs_of_predict_take_memory_one_after_the_other(self):
        """A hundred inputs of a thousand documents without values, of 2000 features: 300 KB that were a gigabyte at once."""
        names = ["f%d" % i for i in range(2000)]
        self.upload(self.daemon, "wide", build("ranker", {"ranker": linear(names, [(1, 0, 1)] * 2000), "card": b"{}"}))
        before = self.daemon.resident_mb("VmHWM")
        reply = self.daemon.post("/v1/models/wide/predict", {"inputs": [{"docs": [{}] * 1000, "n": 1}] * 100}, key="client")
        self.assertEqual((reply.status, len(reply.json["predictions"])), (200, 100))
        self.assertLess(self.daemon.resident_mb("VmHWM") - before, 500)

    def test_contributions_are_xgboosts_by_path(self):
        wanted = self.booster.predict(xgboost.DMatrix(self.rows[:40], feature_names=NAMES), pred_contribs=True, approx_contribs=True)
        answer = self.rank("xgb", {"explain": True, "values": [numbers(r) for r in self.rows[:40]]})
        self.assertEqual(answer["explained_by"], "path")
        for d in answer["docs"]:
            parts = [d["contributions"].get(n, 0) for n in NAMES] + [answer["base"]]
            numpy.testing.assert_allclose(parts, wanted[d["index"]], atol=2e-5)
            self.assertAlmostEqual(sum(parts), d["score"], places=4)

    def test_signals_fill_in_what_the_request_does_not_give(self):
        section = trees(["clicks", "bm25"], [[{"feature": 0, "threshold": 3, "left": 1, "right": 2, "missing_left": True}, {"leaf": 1}, {"leaf": 2}],
                                             [{"feature": 1, "threshold": 0, "left": 2, "right": 1}, {"leaf": 0.5}, {"leaf": 0.25}]])
        self.upload(self.daemon, "filled", build("ranker", {"ranker": section, "signals": build_lists(
            ["clicks"], {"": [("a", 9.0), ("b", 9.0)], "desk lamp": [("b", 1.0)]}), "card": b"{}"}))
        docs = {"docs": [{"id": i, "features": {"bm25": 1}} for i in "abc"] + [{"id": "b", "features": {"bm25": 1, "clicks": 5}}]}
        answer = self.rank("filled", {"query": "Desk  LAMP", **docs})["docs"]
        self.assertEqual([(d["id"], d["score"]) for d in answer], [("a", 2.5), ("b", 2.5), ("b", 1.5), ("c", 1.5)])
        answer = self.rank("filled", docs)["docs"]
        self.assertEqual([(d["id"], d["score"]) for d in answer], [("a", 2.5), ("b", 2.5), ("b", 2.5), ("c", 1.5)])

    def test_what_cannot_be_is_refused(self):
        for body, status, text in [({"values": [[1]]}, 400, 'field "values" element 0: 1 values for 6 features'),
                                   ({"docs": [{"features": {"bm26": 1}}]}, 400, "the model has no feature \"bm26\"; it has 6: bm25, popularity"),
                                   ({"model": "none", "values": []}, 404, "xgb@champion"),
                                   ({"model": "plain", "values": []}, 400, "it is no ranker"),
                                   ({"values": [[0] * 6] * 1001}, 413, "more than 1000")]:
            self.assertIn(text, self.rank("xgb", body, status)["detail"], body)
        for path, status, text in [("xgb/versions/1/export?format=sorl", 400, "neither csv nor jsonl, nor for rankers solr, solr-features"),
                                   ("line/versions/1/export?format=ranklib", 400, 'format "ranklib" holds no ranker of type "linear"'),
                                   ("plain/versions/1/export?format=solr", 400, 'this model is of kind "recommender"')]:
            reply = self.daemon.get("/v1/models/" + path)
            self.assertEqual(reply.status, status, reply)
            self.assertIn(text, reply.json["detail"])
        for query, body, text in [("xgboost", b"[]", "0 trees"), ("lightgbm", b"tree\n", "feature_names"), ("catboost", b"{}", "none of artifact")]:
            reply = self.daemon.post("/v1/models/bad/versions?format=" + query, body)
            self.assertEqual(reply.status, 400, reply)
            self.assertIn(text, reply.json["detail"])

    # ---- exports of trees

    def test_xgboost_loads_its_file(self):
        file = os.path.join(self.daemon.root, "export.json")
        with open(file, "wb") as f:
            f.write(self.daemon.get("/v1/models/xgb/versions/1/export?format=xgboost").body)
        loaded = xgboost.Booster(model_file=file)
        self.assertEqual((loaded.feature_names, loaded.feature_types), (NAMES, ["float"] * 6))
        data = xgboost.DMatrix(self.rows, feature_names=NAMES, feature_types=["float"] * 6)
        self.same(loaded.predict(data), self.forest.score(self.rows), "XGBoost")

    def test_solr_scores_alike(self):
        note = "missing values need Solr 9.2 or later"
        reply = self.daemon.get("/v1/models/xgb/versions/1/export?format=solr")
        solr = Solr(self.export("xgb", "solr-features", note=note), reply.json)
        self.assertEqual((reply.json["name"], reply.json["store"]), ("xgb_v1", "xgb_v1"))
        hit = solr.compared()
        missed = {(f, numpy.nextafter(t, F("-inf"))) for f, t in self.forest.thresholds() if (NAMES[f], numpy.nextafter(t, F("-inf"))) not in hit}
        self.assertLessEqual(len(missed), 2) # beside 0, where a float is smaller than the slack can hit
        self.assertEqual(reply.headers["x-export-note"].startswith(note + "; "), bool(missed))
        rows = numpy.array([r for r in self.rows if not any(r[f] == v for f, v in missed)])
        self.assertGreaterEqual(len(rows), len(self.rows) - 2)
        self.same([solr.score(document(r)) for r in rows], self.forest.score(rows), "Solr")

    def test_elasticsearch_scores_alike(self):
        features = self.export("xgb", "elasticsearch-features")
        for name in ("elasticsearch", "elasticsearch-raw", "opensearch"):
            elastic = Elastic(features, self.export("xgb", name))
            self.same([elastic.score(document(r)) for r in self.rows], self.forest.score(self.rows), name)

    def test_ranklib_scores_alike_where_nothing_is_missing(self):
        rows = numpy.nan_to_num(self.rows, nan=1.0)
        reply = self.daemon.get("/v1/models/xgb/versions/1/export?format=ranklib")
        self.assertRegex(reply.headers["x-export-note"], r"^a missing value is 0 there: \d+ splits send it elsewhere$")
        ranklib = RankLib(reply.body.decode())
        self.same([ranklib.score(r) for r in rows], self.forest.score(rows), "RankLib")

    def test_vespa_scores_alike(self):
        profile = self.export("xgb", "vespa-profile", note="the trees belong into models/, under the name in the profile")
        vespa = Vespa(profile, self.export("xgb", "vespa"))
        self.same([vespa.score(document(r)) for r in self.rows], self.forest.score(self.rows), "Vespa", within=1e-5)

    def test_lightgbm_scores_alike_and_comes_back_as_it_was(self):
        text = self.export("xgb", "lightgbm")
        lightgbm = LightGBM(text)
        self.assertEqual(lightgbm.features, NAMES)
        self.same([lightgbm.score(r) for r in self.rows], self.forest.score(self.rows), "LightGBM", within=1e-5)
        self.upload(self.daemon, "back", text.encode(), "?format=lightgbm")
        self.same(self.scores("back", self.rows), self.forest.score(self.rows), "from LightGBM's text")

    def test_xgboosts_file_comes_back_byte_for_byte(self):
        self.upload(self.daemon, "again", json.dumps(self.export("xgb", "xgboost")).encode(), "?format=xgboost")
        back = Artifact(self.daemon.get("/v1/models/again/versions/1/artifact").body).sections["ranker"]
        self.assertEqual(back, self.section)

    def test_thresholds_that_solr_cannot_hit_are_said(self):
        tiny = trees(["a"], [[{"feature": 0, "threshold": 0.0, "left": 1, "right": 2, "missing_left": False}, {"leaf": 1}, {"leaf": 2}]])
        self.upload(self.daemon, "tiny", build("ranker", {"ranker": tiny, "card": b"{}"}))
        solr = Solr(self.export("tiny", "solr-features"), self.export("tiny", "solr",
                    note="1 thresholds lie where Solr's slack of 1e-6 cannot hit the float before them"))
        self.assertEqual([float(solr.score({"a": v})) for v in (-1, -1e-12, 0, 1e-12)], [1, 1, 2, 2])

    def test_a_default_goes_where_it_would_go(self):
        section = trees(["a", "b"], [[{"feature": 0, "threshold": 0.5, "left": 1, "right": 2, "missing_left": True}, {"leaf": 1}, {"leaf": 2}],
                                     [{"feature": 1, "threshold": -0.5, "left": 1, "right": 2, "missing_left": False}, {"leaf": 4}, {"leaf": 8}]])
        self.upload(self.daemon, "default", build("ranker", {"ranker": section, "features": json.dumps(
            [{"name": "a", "default": 0.75, "solr": {"class": "org.apache.solr.ltr.feature.SolrFeature", "params": {"q": "{!func}field(a)"}},
              "vespa": "attribute(a)", "elasticsearch": {"params": ["q"], "template": {"match": {"t": "{{q}}"}}}}, {"name": "b"}]).encode(), "card": b"{}"}))
        rows = numpy.array([[a, b] for a in (numpy.nan, 0, 1) for b in (numpy.nan, -1, 1)], F)
        wanted = self.scores("default", rows)
        self.assertEqual(list(wanted), [10, 6, 10, 9, 5, 9, 10, 6, 10])
        store = self.export("default", "solr-features")
        self.assertEqual(store[0]["params"], {"q": "{!func}field(a)", "defaultValue": "0.75"})
        features = self.export("default", "elasticsearch-features")
        self.assertEqual(features["featureset"]["features"][0],
                         {"name": "a", "params": ["q"], "template_language": "mustache", "template": {"match": {"t": "{{q}}"}}})
        for scorer in (Solr(store, self.export("default", "solr")), Elastic(features, self.export("default", "elasticsearch")),
                       Vespa(self.daemon.get("/v1/models/default/versions/1/export?format=vespa-profile").body.decode(), self.export("default", "vespa"))):
            self.same([scorer.score(document(r, ["a", "b"])) for r in rows], wanted, type(scorer).__name__)
        text = self.export("default", "lightgbm")
        self.same([LightGBM(text).score(r) for r in rows], wanted, "LightGBM")

    # ---- linear

    def test_linear_models_score_alike(self):
        rows = numpy.random.default_rng(3).normal(5, 5, (200, 3)).astype(F)
        rows[::7, 1] = numpy.nan
        rows[::5, 0] = rows[::11, 2] = numpy.nan
        wanted, missing = self.scores("line", rows), (10, 0.75, 0.1)  # the mean, or the default
        by_hand = [sum(w * ((d if math.isnan(v) else v) - m) / s for (w, m, s), v, d in zip(WEIGHTS, map(float, r), missing)) for r in rows]
        self.same(wanted, by_hand, "by hand", within=1e-4)
        solr = Solr(self.export("line", "solr-features"), self.export("line", "solr"))
        self.same([solr.score(document(r, NAMES[:3])) for r in rows], wanted, "Solr")
        elastic = Elastic(self.export("line", "elasticsearch-features"), self.export(
            "line", "elasticsearch", note="a missing value is 0 there: for 3 features it is another one here, which their templates must give"))
        given = [document([d if math.isnan(v) else v for v, d in zip(r, missing)], NAMES[:3]) for r in rows]
        self.same([elastic.score(g) for g in given], wanted, "Elasticsearch")
        vespa = Vespa(self.export("line", "vespa-profile"))
        self.same([vespa.score(document(r, NAMES[:3])) for r in rows], wanted, "Vespa", within=1e-4)

    def test_the_summary_says_what_features_matter(self):
        summary = self.export("xgb", "summary")
        gain = self.booster.get_score(importance_type="total_gain")
        splits = self.booster.get_score(importance_type="weight")
        self.assertEqual((summary["type"], summary["trees"], summary["features"], summary["measured"]), ("trees", 25, 6, None))
        self.assertEqual({i["name"]: i["splits"] for i in summary["importance"]}, {n: splits.get(n, 0) for n in NAMES})
        for i in summary["importance"]:
            self.assertAlmostEqual(i["gain"], gain[i["name"]], delta=1e-3 * gain[i["name"]])
        self.assertEqual([i["gain"] for i in summary["importance"]], sorted((i["gain"] for i in summary["importance"]), reverse=True))
        self.assertIn("solr", [f["name"] for f in summary["formats"]])
        self.assertEqual([f["name"] for f in self.export("line", "summary")["formats"]], [
            "solr", "solr-features", "elasticsearch", "elasticsearch-features", "opensearch", "opensearch-features", "vespa-profile", "json", "summary"])


if __name__ == "__main__":
    unittest.main()
