"""/v1/models: versions are uploaded, exported, compared, aliased, rolled back, deleted; what is damaged or cut is refused with the reason."""
import csv
import io
import json
import os
import re
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from artifact import Artifact, build, build_lists as lists  # noqa: E402
from daemon import DaemonTest, wait_for  # noqa: E402
from held import Held  # noqa: E402


def recommender(rows, **card):
    return build("recommender", {"items_for_user": lists(["score"], rows), "popular": lists(["score", "users"], {"": [("lamp", 5, 3), ("a,\"b\"", 0.1, 1)]}),
                                 "card": json.dumps(card).encode()})


ONE = recommender({"ann": [("lamp", 3), ("chair", 2)], "bob": [("desk", 1)]}, job="als", params={"factors": 8, "alpha": 1.5}, units=2)
TWO = recommender({"ann": [("chair", 3), ("lamp", 2)], "bob": [("desk", 1)], "eve": []}, job="als", params={"factors": 16, "alpha": 1.5}, units=3)


class Models(DaemonTest):
    def upload(self, model, data, status=201, **more):
        reply = self.daemon.post("/v1/models/%s/versions" % model, data, **more)
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def refused(self, says, status, method, path, body=None, **more):
        reply = self.daemon.request(method, path, body, **more)
        self.assertEqual(reply.status, status, (path, reply))
        self.assertIn(says, reply.json["detail"])

    def alias(self, model, alias, status=200, **body):
        return self.call("put", "/v1/models/%s/aliases/%s" % (model, alias), body, status)

    # ---- versions

    def test_what_was_uploaded_comes_back(self):
        made = self.upload("liked", ONE + b"")
        self.assertEqual(made, {"model": "liked", "version": 1})
        reply = self.daemon.get("/v1/models/liked/versions/1/artifact")
        self.assertEqual((reply.status, reply.body, reply.headers["etag"]), (200, ONE, '"%s"' % Artifact(ONE).digest))
        self.assertEqual(reply.headers["content-disposition"], 'attachment; filename="liked-1.model"')
        version = self.call("get", "/v1/models/liked/versions/1")
        self.assertEqual((version["status"], version["bytes"], version["artifact"], version["card"]["params"], version["gate"], version["run"]),
                         ("ready", len(ONE), Artifact(ONE).digest, {"factors": 8, "alpha": 1.5}, None, None))
        model = self.call("get", "/v1/models/liked")
        self.assertEqual((model["kind"], model["last_version"], model["versions"], model["aliases"]), ("recommender", 1, 1, {}))
        self.assertIn("liked", [m["name"] for m in self.call("get", "/v1/models")["models"]])

    def test_an_artifact_of_several_parts_is_stored_whole(self):
        big = build("other", {"bytes": bytes(range(256)) * 10000, "card": b"{}"})
        self.upload("big", big)
        self.assertEqual(self.daemon.get("/v1/models/big/versions/1/artifact").body, big)
        self.assertEqual(self.daemon.number("select count(*) from artifact_parts where digest = '%s'" % Artifact(big).digest), 3)

    def test_what_is_cut_or_altered_is_refused_with_the_reason(self):
        path = "/v1/models/broken/versions"
        altered = bytearray(ONE)
        altered[len(ONE) // 2] ^= 1
        self.refused("artifact is truncated: it has %d of %d bytes" % (len(ONE) - 7, len(ONE)), 400, "POST", path, ONE[:-7])
        self.refused("artifact is truncated", 400, "POST", path, ONE[:40])
        self.refused("artifact is damaged: its bytes have checksum", 400, "POST", path, bytes(altered))
        self.refused('does not begin with "XPMODEL1"', 400, "POST", path, b"")
        self.refused('does not begin with "XPMODEL1"', 400, "POST", path, b"{}")
        self.refused('section "items_for_user": lists: the section is truncated', 400, "POST", path,
                     build("recommender", {"items_for_user": lists(["score"], {"ann": [("lamp", 1)]})[:-3]}))
        self.refused("no section to recommend from", 400, "POST", path, build("recommender", {}))
        self.refused('model "Broken": a name begins', 400, "POST", "/v1/models/Broken/versions", ONE)
        self.call("get", "/v1/models/broken", status=404)
        self.assertEqual(self.daemon.number("select count(*) from models where name = 'broken'"), 0)

    def test_a_model_keeps_its_kind(self):
        self.upload("kinds", ONE)
        self.refused('model "kinds" is of kind recommender, not boosts', 409, "POST", "/v1/models/kinds/versions",
                     build("boosts", {"boosts": lists(["weight"], {})}))
        self.assertEqual(self.call("get", "/v1/models/kinds")["last_version"], 1)

    def test_bytes_altered_in_the_database_are_found(self):
        self.upload("rotten", build("other", {"x": b"rotten"}))
        self.daemon.sql("update artifact_parts set content = set_byte(content, 70, 9) where digest = "
                        "(select artifact from model_versions where model = 'rotten')")
        self.refused('model "rotten", version 1: artifact is damaged', 500, "GET", "/v1/models/rotten/versions/1/artifact")
        self.refused("artifact is damaged", 500, "GET", "/v1/models/rotten/versions/1/export")
        self.upload("rotten", build("other", {"x": b"rotten"}))  # the same bytes mend it
        self.assertEqual(self.daemon.get("/v1/models/rotten/versions/1/artifact").status, 200)

    def test_versions_are_listed_by_pages_newest_first(self):
        for _ in range(3):
            self.upload("many", ONE)
        page = self.call("get", "/v1/models/many/versions?page_size=2")
        self.assertEqual([v["version"] for v in page["versions"]], [3, 2])
        rest = self.call("get", "/v1/models/many/versions?page_size=2&page_token=" + page["next_page_token"])
        self.assertEqual(([v["version"] for v in rest["versions"]], "next_page_token" in rest), ([1], False))
        self.refused('field "page_size"', 400, "GET", "/v1/models/many/versions?page_size=0")
        self.refused('field "page_token"', 400, "GET", "/v1/models/many/versions?page_token=x")
        self.refused('model "nobody" is not known', 404, "GET", "/v1/models/nobody/versions")

    def test_descriptions_and_tags_are_changed_by_who_read_them(self):
        self.upload("tagged", ONE)
        for path in ("/v1/models/tagged", "/v1/models/tagged/versions/1"):
            reply = self.daemon.request("PATCH", path, {"description": "Best", "tags": {"team": "search"}}, headers={"If-Match": '"1"'})
            self.assertEqual((reply.status, reply.headers["etag"], reply.json["description"], reply.json["tags"]), (200, '"2"', "Best", {"team": "search"}), reply)
            self.assertEqual(self.call("patch", path, {"tags": {}})["description"], "Best")
            self.refused('which is "3"', 412, "PATCH", path, {"tags": {}}, headers={"If-Match": '"1"'})
            self.refused('field "tags"', 400, "PATCH", path, {"tags": {"a": 1}})
            self.refused('field "colour"', 400, "PATCH", path, {"colour": "red"})
        self.refused("is not known", 404, "PATCH", "/v1/models/nobody", {})
        self.refused('has no version "9"', 404, "PATCH", "/v1/models/tagged/versions/9", {})

    # ---- aliases

    def test_aliases_move_and_roll_back_in_one_call(self):
        for data in (ONE, TWO, ONE):
            self.upload("served", data)
        self.assertEqual(self.alias("served", "champion", version=1), {"model": "served", "alias": "champion", "version": 1, "was": None})
        self.alias("served", "champion", version=2)
        self.alias("served", "challenger", version=3)
        self.assertEqual(self.alias("served", "champion", version="@challenger", expected=2)["was"], 2)
        self.assertEqual(self.call("get", "/v1/models/served")["aliases"], {"challenger": 3, "champion": 3})
        self.assertEqual(self.call("get", "/v1/models/served/versions/@champion")["aliases"], ["challenger", "champion"])
        back = "/v1/models/served/aliases/champion/rollback"
        self.assertEqual(self.call("post", back)["version"], 2)
        self.assertEqual(self.call("post", back), {"model": "served", "alias": "champion", "version": 1, "was": 2})
        self.refused("no version before", 409, "POST", back)
        self.refused("points to another version (1)", 409, "PUT", "/v1/models/served/aliases/champion", {"version": 3, "expected": 2})
        self.refused("no such version", 404, "PUT", "/v1/models/served/aliases/champion", {"version": 9})
        self.refused("no such version", 404, "PUT", "/v1/models/served/aliases/champion", {"version": "@nobody"})
        self.refused('field "version"', 400, "PUT", "/v1/models/served/aliases/champion", {"version": "newest"})
        self.refused("an alias begins", 400, "PUT", "/v1/models/served/aliases/9lives", {"version": 1})
        self.refused("it is not known", 404, "PUT", "/v1/models/nobody/aliases/champion", {"version": 1})
        self.assertEqual(self.daemon.request("DELETE", "/v1/models/served/aliases/challenger").status, 204)
        self.refused('has no alias "challenger"', 404, "DELETE", "/v1/models/served/aliases/challenger")
        self.assertEqual([r["action"] for r in self.call("get", "/v1/models/served/revisions")["revisions"]],
                         ["delete alias", "rollback", "rollback", "alias", "alias", "alias", "alias", "upload", "upload", "upload"])

    def test_a_roll_back_restores_the_answers(self):
        for data in (ONE, TWO):
            self.upload("answers", data)

        def answered(best):
            reply = self.daemon.get("/v1/recommend?model=answers&for=user&id=ann&n=1", key="client")
            return reply.status == 200 and reply.json["items"][0]["item"] == best
        for version, best in ((1, "lamp"), (2, "chair")):
            self.alias("answers", "champion", version=version)
            wait_for(lambda: answered(best), "version %d to be served" % version)
        self.call("post", "/v1/models/answers/aliases/champion/rollback")
        wait_for(lambda: answered("lamp"), "version 1 to be served again")

    def test_what_the_gate_refused_is_set_only_by_force(self):
        self.upload("gated", ONE)
        self.daemon.sql("update model_versions set status = 'refused', gate = '{\"reason\": \"worse by far\"}' where model = 'gated'")
        self.refused("the gate refused this version; \"force\": true sets it nevertheless (worse by far)", 409, "PUT",
                     "/v1/models/gated/aliases/champion", {"version": 1})
        self.alias("gated", "champion", version=1, force=True)
        self.assertTrue(self.call("get", "/v1/models/gated/revisions")["revisions"][0]["after"]["forced"])

    def test_what_is_served_is_not_deleted(self):
        for data in (ONE, TWO):
            self.upload("kept", data)
        self.alias("kept", "champion", version=2)
        self.refused('alias "champion" points to it', 409, "DELETE", "/v1/models/kept/versions/2")
        self.refused('model "kept" cannot be deleted', 409, "DELETE", "/v1/models/kept")
        self.assertEqual(self.daemon.request("DELETE", "/v1/models/kept/versions/1").status, 204)
        self.refused("it has no artifact", 409, "GET", "/v1/models/kept/versions/1/artifact")
        self.assertEqual([v["version"] for v in self.call("get", "/v1/models/kept/versions")["versions"]], [2])
        self.assertEqual([v["status"] for v in self.call("get", "/v1/models/kept/versions?deleted=true")["versions"]], ["ready", "deleted"])
        self.refused('has no version "1"', 404, "DELETE", "/v1/models/kept/versions/1")
        self.assertEqual(self.daemon.request("DELETE", "/v1/models/kept/aliases/champion").status, 204)
        self.assertEqual(self.daemon.request("DELETE", "/v1/models/kept").status, 204)
        self.call("get", "/v1/models/kept", status=404)
        self.assertEqual(self.call("get", "/v1/models/kept/revisions")["revisions"][0]["action"], "delete")

    def test_retention_drops_what_nobody_needs(self):
        for data in (ONE, TWO, ONE, TWO, build("recommender", {"popular": lists(["score"], {"": [("x", 1)]})})):
            self.upload("swept", data)
        self.alias("swept", "champion", version=2)
        self.alias("swept", "champion", version=4)
        self.daemon.sql("update model_versions set created_at = now() - interval '40 days' where model = 'swept'")
        self.daemon.run("trainer", "run", "retention", "--data-dir", self.daemon.dir, "--param", "models_days=41")
        self.assertEqual(len(self.call("get", "/v1/models/swept/versions")["versions"]), 5)
        self.daemon.run("trainer", "run", "retention", "--data-dir", self.daemon.dir, "--param", "models_keep=1", "--param", "models_days=30")
        kept = [v["version"] for v in self.call("get", "/v1/models/swept/versions")["versions"]]
        self.assertEqual(kept, [5, 4, 2])  # the newest, the champion, and what a roll-back would lead to
        self.assertEqual(self.call("post", "/v1/models/swept/aliases/champion/rollback")["version"], 2)
        result = json.loads(self.daemon.sql("select result from runs where job = 'retention' order by queued_at desc limit 1")[0][0])
        self.assertEqual(result["versions"], 2)

    # ---- what is in a version

    def test_lists_are_exported(self):
        self.upload("exported", ONE)
        rows = self.daemon.get("/v1/models/exported/versions/1/export?section=popular")
        self.assertEqual(list(csv.reader(io.StringIO(rows.body.decode()))),
                         [["key", "rank", "entry", "score", "users"], ["", "1", "lamp", "5", "3"], ["", "2", "a,\"b\"", "0.1", "1"]])
        lines = self.daemon.get("/v1/models/exported/versions/1/export?format=jsonl").body.decode().splitlines()
        expected = Artifact(ONE).lists("items_for_user")
        self.assertEqual([json.loads(line) for line in lines],
                         [{"key": k, "rank": i + 1, "entry": e, **s} for k, row in expected.items() for i, (e, s) in enumerate(row)])
        self.refused('"section" is "seen"; lists of this version are: items_for_user, popular', 400, "GET", "/v1/models/exported/versions/1/export?section=seen")
        card = self.daemon.get("/v1/models/exported/versions/1/export?section=card")  # what is JSON comes as it is
        self.assertEqual((card.headers["content-type"], card.json["job"]), ("application/json", "als"))
        self.refused("neither csv nor jsonl", 400, "GET", "/v1/models/exported/versions/1/export?format=xml")

    def test_two_versions_are_compared(self):
        self.upload("compared", ONE)
        self.upload("compared", TWO)
        self.daemon.sql("update model_versions set metrics = jsonb_build_object('ndcg@10', jsonb_build_object('value', version / 4.0)) where model = 'compared'")
        found = self.call("get", "/v1/models/compared/compare?a=1&b=2")
        self.assertEqual((found["a"], found["b"], found["params"]), (1, 2, [{"name": "factors", "a": 8, "b": 16}]))
        self.assertEqual((found["counts"]["units"], found["metrics"]), ({"a": 2, "b": 3}, [{"name": "ndcg@10", "a": {"value": 0.25}, "b": {"value": 0.5}, "difference": 0.25}]))
        self.assertEqual(found["lists"], [
            {"section": "items_for_user", "keys_a": 2, "keys_b": 3, "keys_both": 2, "same": 1, "overlap": 1},
            {"section": "popular", "keys_a": 1, "keys_b": 1, "keys_both": 1, "same": 1, "overlap": 1}])
        self.refused('field "b"', 400, "GET", "/v1/models/compared/compare?a=1")
        self.refused('has no version "7"', 404, "GET", "/v1/models/compared/compare?a=1&b=7")
        self.refused('has no version "@champion"', 404, "GET", "/v1/models/compared/compare?a=1&b=@champion")

    def test_a_worker_does_not_wait_for_what_takes_long(self):
        self.upload("slow", ONE)
        key = open(os.path.join(self.daemon.dir, "admin.key"), encoding="utf-8").read().strip()
        asked = ["/v1/models/slow/versions/1/export", "/v1/models/slow/compare?a=1&b=1"] * 2 + ["/v1/models/slow/versions/1/artifact", "/healthz"]
        waits = "select count(*) from pg_stat_activity where application_name = 'experimentd models' and wait_event_type = 'Lock'"
        with socket.create_connection((self.daemon.host, self.daemon.port), timeout=120) as s:  # one connection, so one worker
            with Held(self.daemon, "lock table artifact_parts in access exclusive mode"):
                s.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n" % (
                    path.encode(), key.encode(), b"Connection: close\r\n" if path == "/healthz" else b"") for path in asked))
                wait_for(lambda: self.daemon.number(waits) == 4, "four threads to wait for the lock")
                self.assertEqual([self.daemon.get("/v1/models").status for _ in range(8)], [200] * 8)  # whichever worker gets them
            replies = b"".join(iter(lambda: s.recv(65536), b""))
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+) ", replies), [b"200"] * 4 + [b"503", b"200"])
        self.assertIn(b"Retry-After: 1", replies)

    # ---- who may

    def test_a_page_s_key_may_do_nothing_and_an_analyst_s_only_read(self):
        self.upload("scoped", ONE)
        analyst = self.daemon.run("experimentd", "key", "create", "--scope", "analyst", "--data-dir", self.daemon.dir).stdout.strip()
        with_key = {"key": None, "headers": {"Authorization": "Bearer " + analyst}}
        self.assertEqual(self.daemon.get("/v1/models/scoped", key="client").status, 403)
        wait_for(lambda: self.daemon.get("/v1/models", **with_key).status == 200, "the new key to be known")
        self.assertEqual(self.daemon.get("/v1/models/scoped/versions/1/export", **with_key).status, 200)
        for method, path in (("POST", "/versions"), ("PUT", "/aliases/champion"), ("POST", "/aliases/champion/rollback"), ("DELETE", ""), ("PATCH", "")):
            self.assertEqual(self.daemon.request(method, "/v1/models/scoped" + path, b"", **with_key).status, 403)


if __name__ == "__main__":
    unittest.main(verbosity=2)
