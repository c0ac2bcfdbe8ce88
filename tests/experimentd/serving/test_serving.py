"""Serving of models: kinds of requests, folding in, filters, errors, deleted units, swaps, two daemons."""
import math
import os
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from artifacts import lists, make, make_rewrites, point, publish  # noqa: E402
from daemon import Daemon, wait_for  # noqa: E402

POPULAR = {"": [["sofa", 100], ["lamp", 90], ["rug", 80], ["vase", 70]], "outdoor": [["tent", 4]]}
SHOP = {
    "items_for_user": lists({"ann": [["lamp", 9], ["chair", 6], ["desk", 3]], "bob": [["rug", 1]], "eve": [["rug", 1]]}),
    "items_for_item": lists({"chair": [["desk", 0.5], ["sofa", 0.4]], "lamp": [["bulb", 0.9], ["shade", 0.6], ["desk", 0.3]],
                             "rug": [["sofa", 0.8]]}),
    "users_for_item": lists({"lamp": [["ann", 2], ["bob", 1]], "rug": [["eve", 3], ["bob", 1]]}),
    "items_for_query": lists({"reading light": [["lamp", 7], ["bulb", 5]]}),
    "queries_for_query": lists({"reading light": [["lamp", 0.5]]}),
    "popular": lists(POPULAR),
    "seen": lists({"ann": [["chair", 5], ["mug", 1]]}, ["weight"]),
}
CATALOGUE = {
    "names": lists({"": [["category"], ["price"], ["tags"]]}, ["value"]),
    "fields": lists({"lamp": [['"light"'], ["29.9"], ['["led","new"]']], "sofa": [['"seat"'], ["900"], [""]],
                     "chair": [['"seat"'], ["80"], ['["new"]']], "desk": [['"table"'], ["200"], [""]]}, ["value"]),
}

BOOSTS = {
    "boosts": lists({"desk lamp": [["d2", 3, 0.2, 4], ["d9", 1, 0.05, 2]], "lamp": [["d1", 20, 0.4, 30], ["d'2\"", 7, 0.1, 9]],
                     "lamp\x1fbrand:x $ colour:red": [["d7", 5, 0.3, 6]]}, ["weight", "calibrated", "signals"]),
    "similar": lists({"lamp": [["desk lamp", 0.5]]}),
}


def ask(d, body=None, status=200, **query):
    """GET with a query, POST with a body."""
    if body is not None:
        reply = d.post("/v1/recommend", body, key="client")
    else:
        reply = d.get("/v1/recommend?" + urllib.parse.urlencode(query, doseq=True), key="client")
    if reply.status != status:
        raise AssertionError("%s %s: %r" % (body, query, reply))
    return reply.json


def items(answer, name="item"):
    key = {"item": "items", "user": "users", "query": "queries"}[name]
    return [(i[name], i["source"]) for i in answer[key]]


def names(answer):
    return [i["item"] for i in answer["items"]]


class Serving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon()
        cls.d.__enter__()
        cls.d.sql("select 1")
        publish(cls.d, "shop", make("recommender", **SHOP))
        publish(cls.d, "catalogue", make("catalogue", **CATALOGUE), kind="catalogue")
        publish(cls.d, "boosts", make("boosts", **BOOSTS), kind="boosts")
        publish(cls.d, "rewrites", make_rewrites([["spelling", "lmap", "lamp", 0.9]]), kind="rewrites")
        publish(cls.d, "odd", make("weather", numbers="1 2 3"), kind="weather")
        cls.wait_version("catalogue", 1)
        cls.wait_version("odd", 1)

    @classmethod
    def tearDownClass(cls):
        cls.d.__exit__(*sys.exc_info())

    @classmethod
    def served(cls, d, model, alias="champion"):
        found = [m for m in d.get("/v1/serving").json["models"] if m["model"] == model and m["alias"] == alias]
        return found[0] if found else None

    @classmethod
    def wait_version(cls, model, version, alias="champion", d=None):
        wait_for(lambda: (cls.served(d or cls.d, model, alias) or {}).get("version") == version, "%s %d" % (model, version))

    def test_each_kind_of_request(self):
        d = self.d
        answer = ask(d, **{"for": "user", "id": "ann", "n": 4})
        self.assertEqual(items(answer), [("lamp", "personal"), ("desk", "personal"), ("sofa", "popular"), ("rug", "popular")])
        self.assertEqual((answer["model"], answer["alias"], answer["for"], answer["id"]), ("shop", "champion", "user", "ann"))
        self.assertEqual([i["score"] for i in answer["items"]], [9, 3, 100, 80])
        self.assertNotIn("note", answer)
        self.assertEqual(names(ask(d, **{"for": "user", "id": "ann", "exclude_seen": "false", "fill": "false"})), ["lamp", "chair", "desk"])
        self.assertEqual(items(ask(d, **{"for": "item", "id": "lamp", "n": 3})), [("bulb", "similar"), ("shade", "similar"), ("desk", "similar")])
        self.assertEqual(items(ask(d, **{"for": "users", "id": "lamp"}), "user"), [("ann", "similar"), ("bob", "similar")])
        self.assertEqual(names(ask(d, **{"for": "query", "id": " Reading  LIGHT", "n": 2})), ["lamp", "bulb"])
        self.assertEqual(items(ask(d, **{"for": "queries", "id": "reading light"}), "query"), [("lamp", "similar")])
        self.assertEqual(names(ask(d, **{"for": "top", "n": 2})), ["sofa", "lamp"])
        self.assertEqual(names(ask(d, **{"for": "top", "id": "outdoor", "n": 2})), ["tent", "sofa"])
        self.assertEqual(names(ask(d, **{"for": "user", "id": "ann", "exclude": ["lamp", "sofa"], "n": 3})), ["desk", "rug", "vase"])
        self.assertEqual(names(ask(d, {"for": "user", "id": "ann", "exclude": ["lamp", "sofa"], "n": 3})), ["desk", "rug", "vase"])

    def test_what_is_not_known_is_said(self):
        d = self.d
        answer = ask(d, **{"for": "user", "id": "nobody", "n": 2})
        self.assertEqual((names(answer), answer["note"]), (["sofa", "lamp"], "unknown_user"))
        self.assertIn("what is popular instead", answer["detail"])
        self.assertEqual(ask(d, **{"for": "item", "id": "nothing"})["note"], "unknown_item")
        self.assertEqual(ask(d, **{"for": "query", "id": "nothing"})["note"], "unknown_query")
        answer = ask(d, **{"for": "users", "id": "nothing"})
        self.assertEqual((answer["users"], answer["note"]), ([], "unknown_item"))
        self.assertEqual(ask(d, **{"for": "item", "id": "nothing", "fill": "no"})["items"], [])

    def test_requests_that_cannot_be_are_refused_with_the_field(self):
        for query, status, text in [
                ({}, 400, 'field "for" is missing: user, item'),
                ({"for": "cat"}, 400, 'field "for" is "cat", not user, item'),
                ({"for": "user"}, 400, 'field "id" is missing'),
                ({"for": "user", "id": "ann", "n": "0"}, 400, 'field "n" is 0, not a whole number from 1 to 1000'),
                ({"for": "user", "id": "ann", "n": "many"}, 400, 'field "n"'),
                ({"for": "user", "id": "ann", "nn": "1"}, 400, 'unknown field "nn" (did you mean "n"?)'),
                ({"for": "user", "id": "ann", "diversity": "2"}, 400, 'field "diversity" is 2'),
                ({"for": "user", "id": "ann", "diversity": "1", "n": "101"}, 400, '"n" up to 100'),
                ({"for": "user", "id": "ann", "filter": "{"}, 400, 'field "filter": not valid JSON'),
                ({"for": "user", "id": "ann", "filter": '{"colour":"red"}'}, 400, 'no field "colour"; it has: category, price, tags'),
                ({"for": "user", "id": "ann", "filter": '{"price":{"$less":1}}'}, 400, 'operator "$less"'),
                ({"for": "users", "id": "lamp", "filter": '{"price":1}'}, 400, "is for items, not for users"),
                ({"for": "user", "id": "ann", "model": "nothing"}, 404, "shop@champion"),
                ({"for": "user", "id": "ann", "alias": "nothing"}, 404, "shop@champion"),
                ({"for": "user", "id": "ann", "model": "catalogue"}, 400, 'of kind "catalogue": it is no recommender'),
                ({"for": "user", "id": "x" * 300}, 413, 'field "id" is longer than 256 bytes'),
                ({"for": "user", "id": ["ann", "bob"]}, 400, 'field "id" is there twice')]:
            self.assertIn(text, ask(self.d, status=status, **query)["detail"], query)
        for body, text in [({"for": "user", "id": 7}, 'field "id" is a number, not a string'),
                           ({"for": "user", "history": [{"item": "lamp", "size": 1}]}, 'field "history" element 0: unknown field "size"'),
                           ({"for": "user", "history": [{"weight": 1}]}, 'field "history" element 0: field "item" is missing'),
                           ({"for": "user", "id": "ann", "exclude": [1]}, 'field "exclude" element 0 is not a string'),
                           ([], "the request is a list, not an object")]:
            self.assertIn(text, ask(self.d, body, status=400)["detail"], body)
        self.assertEqual(self.d.get("/v1/recommend?for=top", key=None).status, 401)
        self.assertEqual(self.d.get("/v1/serving", key="client").status, 403)

    def test_a_history_of_the_request_and_of_signals_is_folded_in(self):
        d = self.d
        answer = ask(d, {"for": "user", "history": ["lamp", {"item": "rug", "weight": 2}, "what is this"], "n": 3, "fill": False})
        self.assertEqual(items(answer), [("sofa", "fold-in"), ("bulb", "fold-in"), ("shade", "fold-in")])
        self.assertEqual(answer["history"], {"given": 3, "recent": 0, "known": 2})
        self.assertEqual(ask(d, **{"for": "user", "id": "carl"})["note"], "unknown_user")
        reply = d.post("/v1/signals", [{"type": "click", "unit": "carl", "doc": "lamp"}, {"type": "request", "unit": "carl", "query": "rug"},
                                       {"type": "click", "unit": "carl", "doc": "tent"}], key="client")
        self.assertEqual(reply.json["accepted"], 3)
        answer = ask(d, **{"for": "user", "id": "carl", "n": 2})
        self.assertEqual(names(answer), ["bulb", "shade"])
        self.assertEqual(answer["history"], {"given": 0, "recent": 2, "known": 1})
        self.assertEqual(ask(d, **{"for": "user", "id": "carl", "recent": "false"})["note"], "unknown_user")

    def test_without_a_name_a_model_answers_that_can(self):
        d = self.d
        publish(d, "a-popular", make("recommender", popular=lists({"": [["x", 1]]})), alias="other")
        publish(d, "b-similar", make("recommender", items_for_item=lists({"lamp": [["bulb", 1]]})), alias="other")
        version = publish(d, "c-queries", make("queries", queries_for_query=lists({"lamp": [["light", 1]]}), items_for_query=lists({"lamp": [["l1", 1]]})),
                          kind="queries", alias="other")
        self.wait_version("c-queries", version, "other")
        self.assertEqual(ask(d, **{"for": "top", "alias": "other"})["model"], "a-popular")
        self.assertEqual(ask(d, **{"for": "item", "id": "lamp", "alias": "other"})["model"], "b-similar")
        self.assertEqual(ask(d, **{"for": "query", "id": "lamp", "alias": "other"})["model"], "c-queries")
        self.assertEqual(items(ask(d, **{"for": "queries", "id": "lamp", "alias": "other"}), "query"), [("light", "similar")])
        answer = ask(d, {"for": "user", "id": "carla", "history": ["lamp"], "alias": "other"})
        self.assertEqual((answer["model"], items(answer)), ("b-similar", [("bulb", "fold-in")]))
        answer = ask(d, **{"for": "users", "id": "lamp", "alias": "other"})
        self.assertEqual((answer["users"], answer["note"]), ([], "no_lists"))

    def test_a_filter_looks_at_the_catalogue(self):
        d = self.d

        def filtered(condition, **more):
            return names(ask(d, {"for": "user", "id": "ann", "exclude_seen": False, "filter": condition, **more}))
        self.assertEqual(filtered({"category": "light"}), ["lamp"])
        self.assertEqual(filtered({"price": {"$lt": 100}}), ["lamp", "chair"])
        self.assertEqual(filtered({"category": {"$in": ["seat", "table"]}}), ["chair", "desk", "sofa"])
        self.assertEqual(filtered({"$or": [{"category": "light"}, {"price": {"$gt": 500}}]}), ["lamp", "sofa"])
        self.assertEqual(filtered({"tags": {"$elemMatch": {"$eq": "new"}}}), ["lamp", "chair"])
        self.assertEqual(filtered({"$not": {"category": "seat"}, "price": {"$exists": True}}), ["lamp", "desk"])
        self.assertEqual(filtered({"category": "none"}), [])
        self.assertEqual(filtered({}), ["lamp", "chair", "desk", "sofa", "rug", "vase"])

    def boosts(self, status=200, **query):
        reply = self.d.get("/v1/boosts?" + urllib.parse.urlencode(query, doseq=True), key="client")
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def test_boosts_of_a_query_and_of_similar_ones(self):
        answer = self.boosts(q=" LAMP ")
        self.assertEqual((answer["model"], answer["version"], answer["query"], answer["match"], answer["similar_queries"]), ("boosts", 1, "lamp", "query", 1))
        got = {b["doc"]: b for b in answer["boosts"]}
        self.assertEqual([b["doc"] for b in answer["boosts"]], ["d1", "d'2\"", "d2", "d9"])
        self.assertAlmostEqual(got["d1"]["boost"], math.log(21) + 10 * math.log(2), 4)
        self.assertAlmostEqual(got["d2"]["boost"], math.log(4) + 10 * math.log(1.5), 4)
        self.assertEqual((got["d1"]["weight"], got["d1"]["calibrated"], got["d1"]["signals"], got["d1"]["source"]), (20, 0.4, 30, "exact"))
        self.assertEqual((got["d9"]["source"], got["d9"]["similarity"], got["d9"]["by"]), ("similar", 0.5, "desk lamp"))
        self.assertEqual([(b["doc"], b["boost"]) for b in self.boosts(q="lamp", expression="calibrated", n=2)["boosts"]], [("d1", 0.4), ("d'2\"", 0.1)])
        self.assertEqual([b["boost"] for b in self.boosts(q="lamp", scale="1.1,5", similar=0)["boosts"]], [5, 1.1])
        answer = self.boosts(q="lamp", filters=["colour:red", "brand:x", "colour:red"], similar=0)
        self.assertEqual((answer["match"], [b["doc"] for b in answer["boosts"]]), ("query_and_filters", ["d7"]))
        self.assertEqual(self.boosts(q="lamp", filters="brand:y", similar=0)["match"], "query")
        answer = self.boosts(q="nothing like it")
        self.assertEqual((answer["match"], answer["boosts"], answer["note"]), ("none", [], "unknown_query"))
        self.assertEqual(self.d.post("/v1/boosts", {"q": "lamp", "filters": ["brand:x", "colour:red"]}, key="client").json["match"], "query_and_filters")

    def test_boosts_for_engines(self):
        solr = self.boosts(q="lamp", similar=0, format="solr", expression="calibrated")["params"]
        self.assertEqual(solr, {"bq": ['id:"d1"^0.4', 'id:"d\'2\\""^0.1']})
        solr = self.boosts(q="lamp", similar=0, format="solr", method="multiply", field="sku", expression="calibrated")["params"]
        self.assertEqual(solr, {"boost": ["map(query({!term f='sku' v='d1'}),0,0,1,0.4)", "map(query({!term f='sku' v='d\\'2\"'}),0,0,1,0.1)"]})
        elastic = self.boosts(q="lamp", similar=0, format="elasticsearch", n=1, expression="calibrated")
        self.assertEqual(elastic["bool"], {"should": [{"constant_score": {"filter": {"term": {"_id": "d1"}}, "boost": 0.4}}]})
        elastic = self.boosts(q="lamp", similar=0, format="elasticsearch", n=1, method="multiply", field="sku", expression="calibrated")
        self.assertEqual(elastic["function_score"], {"functions": [{"filter": {"term": {"sku": "d1"}}, "weight": 0.4}], "score_mode": "max", "boost_mode": "multiply"})

    def test_boosts_that_cannot_be(self):
        for query, status, text in [({}, 400, 'field "q" is missing'), ({"q": "  "}, 400, 'field "q" is blank'),
                                    ({"q": "lamp", "format": "xml"}, 400, "known are: json, solr, elasticsearch"),
                                    ({"q": "lamp", "scale": "5,1"}, 400, 'field "scale" is "5,1"'), ({"q": "lamp", "field": "a b"}, 400, 'field "field"'),
                                    ({"q": "lamp", "expression": "clever"}, 400, "known are: classic, calibrated"),
                                    ({"q": "lamp", "similar": 51}, 400, 'field "similar" is 51'), ({"q": "lamp", "model": "none"}, 404, "boosts@champion")]:
            self.assertIn(text, self.boosts(status, **query)["detail"], query)

    def test_several_requests_of_a_model_at_once(self):
        def predict(model, body, status=200):
            reply = self.d.post("/v1/models/%s/predict" % model, body, key="client")
            self.assertEqual(reply.status, status, reply)
            return reply.json
        answer = predict("shop", {"inputs": [{"for": "user", "id": "ann", "n": 2}, {"for": "item", "id": "chair", "n": 1}]})
        self.assertEqual((answer["model"], [names(p) for p in answer["predictions"]]), ("shop", [["lamp", "desk"], ["desk"]]))
        answer = predict("boosts", {"alias": "champion", "inputs": [{"q": "lamp", "n": 1}]})
        self.assertEqual(answer["predictions"][0]["boosts"][0]["doc"], "d1")
        answer = predict("rewrites", {"inputs": [{"q": "red lmap"}, {"q": "lamp"}]})
        self.assertEqual([(p["rewritten"], p["changed"]) for p in answer["predictions"]], [("red lamp", True), ("lamp", False)])
        self.assertEqual(self.d.get("/v1/rewrite?q=lmap&model=rewrites@champion", key="client").json["rewritten"], "lamp")
        for model, body, status, text in [
                ("rewrites", {"inputs": [{"q": "a", "alias": "b"}]}, 400, "the path names the model"),
                ("shop", {"inputs": [{"for": "user", "id": "ann"}, {"for": "cat"}]}, 400, 'field "inputs" element 1: field "for" is "cat"'),
                ("shop", {"inputs": [{"for": "user", "id": "ann", "model": "x"}]}, 400, "the path names it"),
                ("shop", {}, 400, 'field "inputs" is missing'), ("nothing", {"inputs": []}, 404, "shop@champion"),
                ("odd", {"inputs": []}, 400, "predicts nothing"), ("catalogue", {"inputs": []}, 400, "predicts nothing")]:
            self.assertIn(text, predict(model, body, status)["detail"])

    def test_a_deleted_unit_is_unknown_at_once(self):
        d = self.d
        self.assertEqual(names(ask(d, **{"for": "user", "id": "eve", "n": 1})), ["rug"])
        d.post("/v1/signals", [{"type": "click", "unit": "eve", "doc": "lamp"}], key="client")
        self.assertEqual(ask(d, **{"for": "user", "id": "eve"})["history"]["recent"], 1)
        self.assertEqual(d.request("DELETE", "/v1/units/eve").status, 202)
        answer = wait_for(lambda: (lambda a: a if a.get("note") == "deleted_user" else None)(ask(d, **{"for": "user", "id": "eve", "n": 2})),
                          "eve to be forgotten")
        self.assertEqual(names(answer), ["sofa", "lamp"])
        self.assertNotIn("history", answer)
        self.assertEqual(items(ask(d, **{"for": "users", "id": "rug"}), "user"), [("bob", "similar")])
        self.assertEqual(d.sql("select count(*) from erased_units"), [["1"]])

    def test_versions_are_swapped_and_several_daemons_agree(self):
        d = self.d
        first = publish(d, "night", make("recommender", popular=lists({"": [["moon", 1]]})))
        self.wait_version("night", first)
        with Daemon("--database-url", d.database_url()) as other:
            other.keys = d.keys
            self.wait_version("night", first, d=other)
            for alias in ("champion", "challenger"):
                second = publish(d, "night", make("recommender", popular=lists({"": [["star", 1]]})), alias=alias)
            began = time.monotonic()
            self.wait_version("night", second, "challenger", d=other)
            self.wait_version("night", second, "challenger")
            print("both daemons had it after %.2f s" % (time.monotonic() - began))
            for one in (d, other):
                answer = ask(one, **{"for": "top", "model": "night@challenger"})
                self.assertEqual((names(answer), answer["version"]), (["star"], second))
                self.assertEqual(names(ask(one, **{"for": "top", "model": "night", "alias": "challenger"})), ["star"])
            point(d, "night", first)
            for one in (d, other):
                self.wait_version("night", first, d=one)
                self.assertEqual(names(ask(one, **{"for": "top", "model": "night"})), ["moon"])
        metrics = d.get("/metrics").body.decode()
        self.assertRegex(metrics, r"experimentd_models_swaps_total [1-9]")
        self.assertIn("experimentd_models_failing 0", metrics)


if __name__ == "__main__":
    unittest.main(verbosity=2)
