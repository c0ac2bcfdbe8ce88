"""OpenFeature's and GrowthBook's endpoints from outside: what they answer, what they refuse and how, and what they record."""
import base64
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import Daemon, DaemonTest, program  # noqa: E402

FLAGS = "/ofrep/v1/evaluate/flags"


def context(unit=None, **attributes):
    return {"context": {**({"targetingKey": unit} if unit else {}), **attributes}}


class FrontApi(DaemonTest):
    @classmethod
    def prepare(cls, d):
        d.make_experiment("ranker", variants=[{"key": "bm25", "value": "bm25"}, {"key": "ltr", "value": "ltr"}], default_value="none")
        d.make_experiment("german", targeting={"country": "DE"}, forced={"vip": "b"})
        d.make_experiment("stuck", sticky=True)
        d.make_experiment("child", prerequisites=[{"experiment": "ranker", "variants": ["ltr"]}],
                          variants=[{"key": "a", "value": 1}, {"key": "b", "value": 2}], default_value=0)
        d.make_experiment("draft", start=False)
        done = d.run("experimentd", "key", "create", "--data-dir", d.dir, "--scope", "qa", "--label", "tester")
        d.keys["qa"] = done.stdout.split()[-1]

    def flag(self, key, body, status=200, scope="client"):
        reply = self.daemon.post("%s/%s" % (FLAGS, key), body, key=scope)
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def assigned(self, unit, **attributes):
        reply = self.daemon.post("/v1/assign", {"unit": unit, "attributes": attributes}, key="client")
        return {a["experiment"]: a for a in reply.json["assignments"]}

    def exposures(self, where):
        self.daemon.wait_loaded()
        return self.daemon.number("select count(*) from exposures where " + where)

    # ---- OpenFeature

    def test_a_flag_says_value_variant_reason_and_experiment(self):
        for i in range(50):
            want = self.assigned("of-%d" % i)["ranker"]
            got = self.flag("ranker", context("of-%d" % i))
            self.assertEqual(got, {"key": "ranker", "value": want["value"], "reason": "SPLIT", "variant": want["variant"],
                                   "metadata": {"experiment": "ranker", "phase": 1, "reason": "split"}})

    def test_reasons(self):
        self.assertEqual(self.flag("german", context("u", country="FR")), {"key": "german", "reason": "DEFAULT"})
        got = self.flag("german", context("vip", country="FR"))
        self.assertEqual([got["reason"], got["variant"]], ["TARGETING_MATCH", "b"])
        self.assertEqual(self.flag("draft", context("u")), {"key": "draft", "reason": "DISABLED"})

    def test_a_concluded_experiment_is_static(self):
        self.daemon.make_experiment("won", variants=[{"key": "a", "value": 1}, {"key": "b", "value": 2}])
        reply = self.daemon.post("/v1/experiments/won/conclude", {"winner": "b", "rollout": True})
        self.assertEqual(reply.status, 200, reply)
        got = self.flag("won", context("anybody"))
        self.assertEqual([got["value"], got["reason"], got["variant"]], [2, "STATIC", "b"])

    def test_an_evaluated_flag_is_an_exposure_and_a_refused_one_is_none(self):
        self.flag("ranker", context("of-exposed"))
        self.flag("ranker", context("x" * 5000), 400)
        self.daemon.wait_rows("exposures", 1, "unit = 'of-exposed'")
        self.assertEqual(self.exposures("unit = 'of-exposed' and experiment = 'ranker'"), 1)
        self.assertEqual(self.exposures("unit = 'of-exposed' and experiment <> 'ranker'"), 0)

    def test_errors_name_the_field(self):
        for body, code, text in [("{", "PARSE_ERROR", "JSON"), ("[]", "PARSE_ERROR", "not an object"),
                                 ({"context": 3}, "INVALID_CONTEXT", '"context" is a number'),
                                 ({"context": {"targetingKey": 7}}, "INVALID_CONTEXT", '"context.targetingKey" is a number'),
                                 (context("x" * 5000), "INVALID_CONTEXT", '"context.targetingKey" is longer'),
                                 ({}, "TARGETING_KEY_MISSING", "targetingKey"), (b"", "TARGETING_KEY_MISSING", "targetingKey")]:
            got = self.flag("ranker", body, 400)
            self.assertEqual([got["key"], got["errorCode"]], ["ranker", code], body)
            self.assertIn(text, got["errorDetails"])
        got = self.flag("nobody%20%22", context("u"), 404)
        self.assertEqual([got["key"], got["errorCode"]], ['nobody "', "FLAG_NOT_FOUND"])
        self.assertEqual(self.daemon.post(FLAGS, [], key="client").json["errorCode"], "PARSE_ERROR")

    def test_keys(self):
        self.assertEqual(self.daemon.post(FLAGS, context("u"), key=None).status, 401)
        self.assertEqual(self.daemon.get("/ofrep/v1/events/nobody", key=None).status, 401)
        reply = self.daemon.post(FLAGS, context("u"), key=None, headers={"X-API-Key": self.daemon.keys["client"]})
        self.assertEqual(reply.status, 200, reply)
        self.assertIn(self.daemon.keys["client"], reply.json["eventStreams"][0]["endpoint"]["requestUri"])
        self.assertNotIn("eventStreams", self.daemon.post(FLAGS, context("u"), key="admin").json)  # that key belongs in no URL

    def test_a_qa_key_sees_drafts_and_is_not_counted(self):
        got = self.flag("draft", context("qa-unit"), scope="qa")
        self.assertEqual(got["reason"], "SPLIT")
        self.flag("ranker", context("qa-unit"), scope="qa")
        self.flag("ranker", context("qa-after"))
        self.daemon.wait_rows("exposures", 1, "unit = 'qa-after'")
        self.assertEqual(self.exposures("unit = 'qa-unit'"), 0)

    def test_all_flags_agree_with_assign_and_have_a_tag(self):
        want = self.assigned("bulk", country="DE")
        reply = self.daemon.post(FLAGS, context("bulk", country="DE"), key="client")
        flags = {f["key"]: f for f in reply.json["flags"]}
        for key, a in want.items():
            if a["variant"]:
                self.assertEqual([flags[key].get("value"), flags[key]["variant"]], [a["value"], a["variant"]])
            else:
                self.assertNotIn("variant", flags[key])
        self.assertNotIn("draft", flags)
        tag = reply.headers["etag"]
        again = self.daemon.post(FLAGS, context("bulk", country="DE"), key="client", headers={"If-None-Match": tag})
        self.assertEqual([again.status, again.body, again.headers["etag"]], [304, b"", tag])
        other = self.daemon.post(FLAGS, context("bulk-2", country="FR"), key="client", headers={"If-None-Match": tag})
        self.assertEqual(other.status, 200)
        self.assertNotEqual(other.headers["etag"], tag)

    def test_sticky_assignments_are_the_same_at_every_door(self):
        before = {u: self.flag("stuck", context(u))["variant"] for u in ("s1", "s2", "s3", "s4", "s5", "s6")}
        weights = [{"key": "a", "weight": 0.02}, {"key": "b", "weight": 0.98}]
        reply = self.daemon.post("/v1/experiments/stuck/phases", {"variants": weights, "reassign": False})
        self.assertEqual(reply.status, 200, reply)
        for unit in before:
            want = self.assigned(unit)["stuck"]["variant"]
            self.assertEqual(want, before[unit])
            self.assertEqual(self.flag("stuck", context(unit))["variant"], want)
            flags = {f["key"]: f for f in self.daemon.post(FLAGS, context(unit), key="client").json["flags"]}
            self.assertEqual(flags["stuck"]["variant"], want)
            self.assertEqual(self.remote({"id": unit})["stuck"]["rules"][0]["tracks"][0]["result"]["key"], want)

    def test_one_flag_leaves_other_sticky_experiments_alone(self):
        self.flag("ranker", context("not-stuck"))
        self.assertEqual(self.daemon.number("select count(*) from sticky_assignments where value = 'not-stuck'"), 0)

    # ---- GrowthBook

    def remote(self, attributes, **fields):
        reply = self.daemon.post("/api/eval/" + self.daemon.keys["client"], {"attributes": attributes, **fields}, key=None)
        self.assertEqual(reply.status, 200, reply)
        return reply.json["features"]

    def test_remote_evaluation_tracks_prerequisites_and_records_nothing(self):
        units = {self.assigned("r%d" % i)["ranker"]["variant"]: "r%d" % i for i in range(40)}
        child = self.remote({"id": units["ltr"]})["child"]["rules"][0]
        want = self.assigned(units["ltr"])["child"]
        self.assertEqual(child["force"], want["value"])
        self.assertEqual([(t["experiment"]["key"], t["result"]["key"]) for t in child["tracks"]],
                         [("ranker", "ltr"), ("child", want["variant"])])
        out = self.remote({"id": units["bm25"]})["child"]["rules"][0]
        self.assertEqual([out["force"], [t["experiment"]["key"] for t in out["tracks"]]], [0, ["ranker"]])
        self.remote({"id": "remote-only"})
        self.flag("ranker", context("remote-after"))
        self.daemon.wait_rows("exposures", 1, "unit = 'remote-after'")
        self.assertEqual(self.exposures("unit = 'remote-only'"), 0)

    def test_remote_evaluation_obeys_what_is_forced(self):
        got = self.remote({"id": "f"}, forcedVariations={"ranker": 1}, forcedFeatures=[["german", {"x": [1, "é\""]}], ["nobody", 1]])
        self.assertEqual(got["ranker"], {"rules": [{"force": "ltr"}]})
        self.assertEqual(got["german"], {"rules": [{"force": {"x": [1, "é\""]}}]})
        self.assertEqual(self.remote({})["ranker"], {"defaultValue": "none"})

    def test_payload_answers_304_and_refuses_strangers(self):
        path = "/api/features/" + self.daemon.keys["client"]
        reply = self.daemon.get(path, key=None)
        self.assertEqual([reply.status, reply.headers["x-sse-support"]], [200, "enabled"])
        again = self.daemon.get(path, key=None, headers={"If-None-Match": reply.headers["etag"]})
        self.assertEqual([again.status, again.body], [304, b""])
        for method, path in (("GET", "/api/features/nobody"), ("GET", "/sub/nobody"), ("POST", "/api/eval/nobody")):
            refused = self.daemon.request(method, path, {}, key=None)
            self.assertEqual([refused.status, refused.headers["x-unrecoverable"], refused.json["status"]], [400, "1", 400])

    def test_libassign_evaluates_the_payload_as_the_daemon_does(self):
        payload = self.daemon.get("/api/features/" + self.daemon.keys["client"], key=None).body
        path = os.path.join(self.daemon.root, "payload.json")
        with open(path, "wb") as f:
            f.write(payload)
        asks = "".join(json.dumps({"attributes": {"id": "x%d" % i, "country": "DE"}}) + "\n" for i in range(100))
        done = subprocess.run([program("xassign"), "eval", path], input=asks, capture_output=True, text=True, check=True)
        for i, line in enumerate(done.stdout.splitlines()):
            want = self.assigned("x%d" % i, country="DE")
            got = json.loads(line)
            self.assertEqual(got["ranker"]["value"], want["ranker"]["value"])
            self.assertEqual(got["german"]["value"], want["german"]["value"])

    def test_an_exposure_behind_two_prerequisites_is_told_once(self):
        values = {"variants": [{"key": "a", "value": 1}, {"key": "b", "value": 2}], "default_value": 0}
        either = {"variants": ["a", "b"]}
        for key, needs in (("left", [{"experiment": "ranker", "variants": ["ltr"]}]),
                           ("right", [{"experiment": "ranker", "variants": ["ltr"]}]),
                           ("top", [{"experiment": "left", **either}, {"experiment": "right", **either}])):
            self.daemon.make_experiment(key, prerequisites=needs, **values)
            self.addCleanup(self.daemon.post, "/v1/experiments/%s/stop" % key)
        told = []
        for i in range(50):
            reply = self.daemon.post("/api/eval/" + self.daemon.keys["client"], {"attributes": {"id": "two-%d" % i}}, key=None)
            self.assertEqual(reply.status, 200, reply)
            for rule in reply.json["features"]["top"].get("rules", []):
                told.append(sorted(track["experiment"]["key"] for track in rule.get("tracks", [])))
        self.assertIn(["left", "ranker", "right", "top"], told)
        for keys in told:
            self.assertEqual(len(keys), len(set(keys)), keys)


class Settings(unittest.TestCase):
    def test_bulk_exposures_can_be_left_to_the_client(self):
        with Daemon("--ofrep-bulk-exposures=false") as d:
            d.make_experiment("x")
            self.assertEqual(len(d.post(FLAGS, context("bulk"), key="client").json["flags"]), 1)
            d.post(FLAGS + "/x", context("single"), key="client")
            d.wait_rows("exposures", 1)
            self.assertEqual(d.sql("select unit from exposures"), [["single"]])
            d.stop()

    def test_encrypted_payloads_are_the_same_on_every_daemon(self):
        with Daemon() as plain:
            plain.make_experiment("secret-ranker")
            path = os.path.join(plain.root, "key")
            with open(path, "w", encoding="ascii") as f:
                f.write(base64.b64encode(bytes(range(16))).decode())
            url = plain.database_url()
            arguments = ("--database-url", url, "--features-encryption-key-file", path)
            with Daemon(*arguments) as first, Daemon(*arguments) as second:
                client = plain.keys["client"]
                one, two = (d.get("/api/features/" + client, key=None) for d in (first, second))
                self.assertEqual(one.json["features"], {})
                self.assertNotIn(b"secret-ranker", one.body)
                self.assertEqual([one.body, one.headers["etag"]], [two.body, two.headers["etag"]])
                self.assertNotEqual(one.headers["etag"], plain.get("/api/features/" + client, key=None).headers["etag"])
                second.stop()
                first.stop()
            plain.stop()

    def test_a_bad_key_file_is_named(self):
        for text, part in (("abc", "does not hold base64 of 16 bytes"), (None, "cannot open")):
            d = Daemon("--features-encryption-key-file", os.path.join("/nonexistent", "x"))
            if text:
                path = os.path.join(d.root, "key")
                with open(path, "w", encoding="ascii") as f:
                    f.write(text)
                d.command[-1] = path
            with self.assertRaisesRegex(RuntimeError, "features.encryption_key_file.*" + part):
                d.start()
            d.process = None
            d.destroy()


if __name__ == "__main__":
    unittest.main()
