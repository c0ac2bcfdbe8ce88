"""What search engines make of the files that a ranker is exported to, written from their documentation and sources alone, with their strictness:
what they would refuse fails here.

    Solr(store, model).score({"a": 1.5})          a document without a feature has no value
    Elastic(featureset, create_model).score(…)
    RankLib(text).score([1.5, 0])                 by ordinal
    Vespa(profile, trees).score({"a": 1.5})       attributes; what is missing is NaN
    LightGBM(text).score([1.5, nan])
"""
import json
import math
import re
import xml.etree.ElementTree as xml

import numpy

F = numpy.float32


def need(condition, what):
    if not condition:
        raise ValueError(what)


def java_float(text):
    """Float.parseFloat: of a string, and only of one."""
    need(isinstance(text, str), "%r is not a string: the setter for its class is missing" % (text,))
    return F(text)


class Solr:
    """MultipleAdditiveTreesModel and LinearModel, with StandardNormalizer; FieldValueFeature and others by their default value."""

    CLASSES = "org.apache.solr.ltr.model."

    def __init__(self, store, model):
        self.defaults = {}
        for feature in store:
            need(set(feature) == {"store", "name", "class", "params"}, "a feature has %s" % sorted(feature))
            need(feature["store"] == model["store"], "the feature is in another store")
            need(feature["name"] not in self.defaults, "feature %s is there twice" % feature["name"])
            self.defaults[feature["name"]] = F(feature["params"].get("defaultValue", 0))
        self.features = [f["name"] for f in model["features"]]
        need(set(self.features) <= set(self.defaults), "a feature of the model is not in the store")
        self.norms = [self._norm(f.get("norm")) for f in model["features"]]
        self.params = model["params"]
        self.run = {self.CLASSES + "MultipleAdditiveTreesModel": self._trees, self.CLASSES + "LinearModel": self._linear}[model["class"]]
        if self.run == self._trees:
            need(isinstance(self.params.get("isNullSameAsZero", True), bool), "isNullSameAsZero has one setter: boolean")
            for tree in self.params["trees"]:
                need("weight" in tree and "root" in tree, "a tree lacks weight or root")
                java_float(tree["weight"])
                self._check(tree["root"])
        else:
            weights = self.params["weights"]
            need(all(isinstance(w, (int, float)) and not isinstance(w, bool) for w in weights.values()), "a weight is no number")
            need(all(f in weights for f in self.features), "Model lacks weight(s) for a feature")

    @staticmethod
    def _norm(norm):
        if norm is None:
            return lambda v: v
        need(norm["class"] == "org.apache.solr.ltr.norm.StandardNormalizer", norm["class"])
        avg, std = java_float(norm["params"]["avg"]), java_float(norm["params"]["std"])
        need(std > 0, "Standard Normalizer standard deviation must be positive")
        return lambda v: F(F(v - avg) / std)

    def _check(self, node):
        if "feature" not in node:
            need(set(node) == {"value"}, "a leaf has %s" % sorted(node))
            java_float(node["value"])
            return
        need({"feature", "threshold", "left", "right"} <= set(node) <= {"feature", "threshold", "left", "right", "missing"}, "a node has %s" % sorted(node))
        need(node["feature"] in self.features, "the tree would score 0: no feature %s" % node["feature"])
        node["compared"] = F(java_float(node["threshold"]) + F(1e-6))
        self._check(node["left"])
        self._check(node["right"])

    def compared(self):
        """(feature, what its values are compared with) of all nodes."""
        found, left = set(), [t["root"] for t in self.params["trees"]]
        for node in left:
            if "feature" in node:
                found.add((node["feature"], node["compared"]))
                left += [node["left"], node["right"]]
        return found

    def score(self, document):
        vector = [F(document[f]) if f in document else self.defaults[f] for f in self.features]
        return self.run(vector)

    def _trees(self, vector):
        nulls = not self.params.get("isNullSameAsZero", True)
        by_name = {f: v if nulls and numpy.isnan(v) else norm(v) for f, v, norm in zip(self.features, vector, self.norms)}
        total = F(0)
        for tree in self.params["trees"]:
            node = tree["root"]
            while "feature" in node:
                v = by_name[node["feature"]]
                if v <= node["compared"]:
                    node = node["left"]
                elif nulls and numpy.isnan(v):
                    node = node["left"] if node["missing"] == "left" else node["right"]
                else:
                    node = node["right"]
            total = F(total + F(java_float(tree["weight"]) * java_float(node["value"])))
        return total

    def _linear(self, vector):
        total = F(0)
        for f, v, norm in zip(self.features, vector, self.norms):
            total = F(total + F(norm(v) * F(self.params["weights"][f])))
        return total


class Elastic:
    """model/xgboost+json, model/xgboost+json+raw and model/linear of the LTR plugins."""

    OBJECTIVES = ("binary:logistic", "binary:logitraw", "rank:ndcg", "rank:map", "rank:pairwise", "reg:linear", "reg:logistic")

    def __init__(self, featureset, body):
        features = featureset["featureset"]["features"]
        for f in features:
            need(set(f) == {"name", "params", "template_language", "template"}, "a feature has %s" % sorted(f))
        self.features = [f["name"] for f in features]
        need(len(set(self.features)) == len(self.features), "a feature is there twice")
        need(re.fullmatch(r"[a-z0-9._-]+", body["model"]["name"]), "the name of the model")
        model = body["model"]["model"]
        need(isinstance(model["definition"], str), "definition is not a string")
        definition = json.loads(model["definition"])
        self.normalizers = {f: n["standard"] for f, n in model.get("feature_normalizers", {}).items()}
        need(set(self.normalizers) <= set(self.features), "a normalizer for no feature")
        self.run, take = {"model/xgboost+json": (self._trees, self._take_dump), "model/xgboost+json+raw": (self._trees, self._take_raw),
                          "model/linear": (self._linear, self._take_linear)}[model["type"]]
        take(definition)

    def _take_dump(self, definition):
        if isinstance(definition, dict):
            need(definition.get("objective", "rank:ndcg") in self.OBJECTIVES, "objective %s" % definition.get("objective"))
            need("logistic" not in definition["objective"], "this scorer has no sigmoid")
            definition = definition["splits"]
        self.trees = [self._dump_node(t) for t in definition]

    def _dump_node(self, node):
        if "leaf" in node:
            need({"nodeid", "leaf"} <= set(node), "a leaf has %s" % sorted(node))
            return F(node["leaf"])
        need({"nodeid", "depth", "split", "split_condition", "yes", "no", "children"} <= set(node), "a split has %s" % sorted(node))
        need(node["split"] in self.features, "split %s is no feature of the set" % node["split"])
        need([c["nodeid"] for c in node["children"]] == [node["yes"], node["no"]], "children are not [yes, no]")
        left, right = (self._dump_node(c) for c in node["children"])
        return (node["split"], F(node["split_condition"]), left, right, node.get("missing") == node["yes"])

    def _take_raw(self, definition):
        learner = definition["learner"]
        names, types = learner["feature_names"], learner["feature_types"]
        need(names and len(names) == len(types) and set(types) == {"float"}, "feature_names and feature_types")
        need(set(names) <= set(self.features), "a feature is not in the set")
        need(learner["objective"]["name"] in self.OBJECTIVES, "objective %s" % learner["objective"]["name"])

        def node(tree, at):
            if tree["left_children"][at] == -1:
                return F(tree["split_conditions"][at])
            return (names[tree["split_indices"][at]], F(tree["split_conditions"][at]), node(tree, tree["left_children"][at]),
                    node(tree, tree["right_children"][at]), tree["default_left"][at] == 1)
        self.trees = [node(t, 0) for t in learner["gradient_booster"]["model"]["trees"]]

    def _take_linear(self, definition):
        need(set(definition) <= set(self.features), "a weight for no feature")
        need(all(isinstance(w, (int, float)) for w in definition.values()), "a weight is no number")
        self.weights = definition

    def score(self, document):
        return self.run({f: F(document[f]) for f in self.features if f in document})

    def _trees(self, values):
        total = F(0)
        for node in self.trees:
            while isinstance(node, tuple):
                feature, threshold, left, right, missing_left = node
                v = values.get(feature, F("nan"))
                node = (left if missing_left else right) if numpy.isnan(v) else left if v < threshold else right
            total = F(total + node)
        return total

    def _linear(self, values):
        total = F(0)
        for f in self.features:
            v, n = values.get(f, F(0)), self.normalizers.get(f)
            if n:
                need(n["standard_deviation"] > 0, "standard deviation")
                v = F(F(v - F(n["mean"])) / F(n["standard_deviation"]))
            total = F(total + F(F(self.weights.get(f, 0)) * v))
        return total


class RankLib:
    """Ensemble of regression trees: features from 1, value <= threshold goes left."""

    def __init__(self, text):
        lines = text.split("\n")
        need(lines[0] == "## LambdaMART", "the first line names the ranker")
        self.root = xml.fromstring("\n".join(line for line in lines if not line.startswith("##")))
        need(self.root.tag == "ensemble" and len(self.root) > 0, "no ensemble")

    def score(self, vector):
        total = F(0)
        for tree in self.root:
            node = tree.find("split")
            while node.find("output") is None:
                number = int(node.find("feature").text)
                need(1 <= number <= len(vector), "feature %d" % number)
                side = "left" if F(vector[number - 1]) <= F(node.find("threshold").text.strip()) else "right"
                node, = [s for s in node.findall("split") if s.get("pos") == side]
            total = F(total + F(F(node.find("output").text.strip()) * F(tree.get("weight"))))
        return total


class Vespa:
    """A rank profile with its functions, and trees as its importer of XGBoost dumps makes them expressions: in double, a comparison with NaN is false."""

    def __init__(self, profile, trees=None):
        name = re.match(r"rank-profile ([A-Za-z0-9_]+) inherits default \{", profile).group(1)
        self.functions = dict(re.findall(r"function ([A-Za-z_]\w*)\(\) \{\s+expression: (.*)\n", profile))
        self.expression = re.search(r"second-phase \{\s+rerank-count: \d+\s+expression: (.*)\n", profile).group(1)
        self.trees = trees
        if trees is not None:
            need(self.expression == 'xgboost("%s.json")' % name, self.expression)
        need(profile.count("{") == profile.count("}"), "brackets")

    @staticmethod
    def _attribute(expression, document):
        guarded = re.fullmatch(r"if \(isNan\((.+)\) == 1, (\S+), (.+)\)", expression)
        if guarded:
            v = Vespa._attribute(guarded.group(1), document)
            need(guarded.group(1) == guarded.group(3), expression)
            return float(guarded.group(2)) if math.isnan(v) else v
        return float(document.get(re.fullmatch(r"attribute\((\w+)\)", expression).group(1), "nan"))

    def score(self, document):
        values = {f: self._attribute(e, document) for f, e in self.functions.items()}
        if self.trees is not None:
            return sum(self._tree(t, values) for t in self.trees)
        need(re.fullmatch(r"[\w .+*/()-]+", self.expression), "letters of the expression")
        return eval(self.expression, {"__builtins__": {}}, values)  # pylint: disable=eval-used

    def _tree(self, node, values):
        while "leaf" not in node:
            v, c = values[node["split"]], float(node["split_condition"])
            true = not v >= c if node["missing"] == node["yes"] else v < c
            wanted = node["yes"] if true else node["no"]
            node, = [n for n in node["children"] if n["nodeid"] == wanted]
        return float(node["leaf"])


class LightGBM:
    """The text of a model: value <= threshold goes left, in double; missing type NaN."""

    def __init__(self, text):
        need(text.startswith("tree\nversion=v4\n") and "\nend of trees\n" in text and text.endswith("pandas_categorical:[]\n"), "frame")
        self.features = re.search(r"^feature_names=(.*)$", text, re.M).group(1).split(" ")
        need(int(re.search(r"^max_feature_idx=(\d+)$", text, re.M).group(1)) == len(self.features) - 1, "max_feature_idx")
        blocks = text.split("\nend of trees\n")[0].split("Tree=")[1:]
        self.trees = [dict(line.split("=", 1) for line in block.split("\n")[1:] if line) for block in blocks]
        need([int(b.split("\n")[0]) for b in blocks] == list(range(len(blocks))), "numbers of trees")
        for tree in self.trees:
            leaves = int(tree["num_leaves"])
            for name, n in [("leaf_value", leaves)] + [(c, leaves - 1) for c in ("split_feature", "threshold", "decision_type", "left_child", "right_child")]:
                tree[name] = [float(v) for v in tree.get(name, "").split()]
                need(len(tree[name]) == n, "%s has %d, not %d" % (name, len(tree[name]), n))

    def score(self, vector):
        return sum(self._tree(t, vector) for t in self.trees)

    @staticmethod
    def _tree(tree, vector):
        at = 0 if tree["threshold"] else -1
        while at >= 0:
            v, decision = float(vector[int(tree["split_feature"][at])]), int(tree["decision_type"][at])
            need(decision & 1 == 0 and decision >> 2 == 2, "decision type %d" % decision)
            left = bool(decision & 2) if math.isnan(v) else v <= tree["threshold"][at]
            at = int(tree["left_child" if left else "right_child"][at])
        return tree["leaf_value"][-at - 1]
