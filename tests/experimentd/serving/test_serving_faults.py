"""Serving when something breaks: kill -9 while a version is fetched, damaged files, an altered copy in the database, PostgreSQL gone, and load while
versions are swapped. What is served stays what was good last."""
import http.client
import os
import shutil
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from artifacts import add, lists, make, point, publish, run  # noqa: E402
from daemon import Daemon, wait_for  # noqa: E402
from postgres import Postgres  # noqa: E402

SWAPS, ASKERS = 100, 4


def version_of(number, model, size=40):
    """A model whose every list tells which one it is; of each test another artifact."""
    mark = "v%d" % number
    return make("recommender", items_for_user=lists({"u%d" % u: [["%s-%d" % (mark, i), 100 - i] for i in range(size)] for u in range(size)}),
                popular=lists({"": [["%s-top" % mark, 1]]}), card=model)


class Faults(unittest.TestCase):
    """One daemon on a PostgreSQL that outlives it; each test has a model of its own."""

    @classmethod
    def setUpClass(cls):
        cls.pg = Postgres()
        cls.pg.__enter__()
        cls.d = Daemon(postgres=cls.pg)
        cls.d.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.d.__exit__(*sys.exc_info())
        cls.pg.__exit__(None, None, None)

    def setUp(self):
        self.model = self.id().rsplit(".", 1)[-1].removeprefix("test_")[:60]

    def first(self):
        reply = self.d.get("/v1/recommend?for=user&id=u1&n=1&model=" + self.model, key="client")
        return reply.json["items"][0]["item"] if reply.status == 200 else reply

    def served(self):
        found = [m for m in self.d.get("/v1/serving").json["models"] if m["model"] == self.model]
        return found[0] if found else {"version": None, "error": None}

    def wait_served(self, version):
        wait_for(lambda: self.served()["version"] == version, "version %d to be served" % version)

    def cached(self, digest):
        return os.path.join(self.d.dir, "models", digest)

    def test_a_kill_while_a_version_is_fetched(self):
        d, one, two = self.d, version_of(1, self.model), version_of(2, self.model)
        self.wait_served(publish(d, self.model, one))
        add(d, self.model, two)
        with d.sql_session() as lock:
            lock.stdin.write("begin; lock table artifact_parts in access exclusive mode; select 'locked';\n")
            lock.stdin.flush()
            self.assertEqual(lock.stdout.readline().strip(), "locked")
            point(d, self.model, 2)
            wait_for(lambda: os.path.exists(self.cached(two[1]) + ".tmp"), "the fetch to begin")
            self.assertEqual(self.first(), "v1-0", "what was served is served while the next one is fetched")
            d.kill()
            lock.stdin.write("rollback;\n")
            lock.stdin.close()
            lock.wait()
        self.assertFalse(os.path.exists(self.cached(two[1])))
        self.assertTrue(os.path.exists(self.cached(two[1]) + ".tmp"))
        d.start()
        self.wait_served(2)
        self.assertEqual(self.first(), "v2-0")
        self.assertFalse(os.path.exists(self.cached(two[1]) + ".tmp"))

    def test_damaged_files_of_the_cache_are_fetched_anew(self):
        d, one = self.d, version_of(1, self.model)
        self.wait_served(publish(d, self.model, one))
        path, index = self.cached(one[1]), os.path.join(d.dir, "models", "index.json")
        for damage in ("a byte", "cut", "empty", "index", "no cache"):
            d.stop()
            os.chmod(path, 0o600)
            if damage == "a byte":
                with open(path, "r+b") as f:
                    f.seek(len(one[0]) // 2)
                    byte = f.read(1)
                    f.seek(-1, os.SEEK_CUR)
                    f.write(bytes([byte[0] ^ 1]))
            elif damage == "index":
                with open(index, "a", encoding="utf-8") as f:
                    f.write("}")
            elif damage == "no cache":
                shutil.rmtree(os.path.dirname(path))
            else:
                os.truncate(path, 1000 if damage == "cut" else 0)
            before = len(d.log())
            d.start()
            self.assertEqual(self.first(), "v1-0", damage)
            self.assertEqual(self.served()["error"], None)
            with open(path, "rb") as f:
                self.assertEqual(f.read(), one[0], damage)
            told = d.log()[before:]
            self.assertEqual("model_cache_damaged" in told, damage in ("a byte", "cut", "empty"), damage)
            self.assertEqual("model_index_damaged" in told, damage == "index", damage)

    def test_an_altered_copy_in_the_database_is_refused(self):
        d, two = self.d, version_of(2, self.model)
        self.wait_served(publish(d, self.model, version_of(1, self.model)))
        add(d, self.model, two)
        for damage, says in (("update artifact_parts set content = set_byte(content, 777, get_byte(content, 777) # 1) where digest = '%s'", "checksum"),
                             ("update artifact_parts set content = substr(content, 1, 500) where digest = '%s'", "part 1 is missing"),
                             ("delete from artifact_parts where digest = '%s'", "part 0 is missing")):
            point(d, self.model, 1)
            d.sql(damage % two[1])
            point(d, self.model, 2)
            wait_for(lambda says=says: says in (self.served()["error"] or ""), says)
            self.assertEqual((self.served()["version"], self.served()["wanted_version"]), (1, 2))
            told = d.get("/v1/models/" + self.model).json
            self.assertEqual((told["aliases"], told["served"]["champion"]["version"]), ({"champion": 2}, 1))
            self.assertIn(says, told["served"]["champion"]["error"])
            self.assertEqual(self.first(), "v1-0")
            self.assertGreaterEqual(d.metric("experimentd_models_failing"), 1)
            self.assertFalse([f for f in os.listdir(os.path.join(d.dir, "models")) if f.startswith(two[1])])
        self.assertIn("model_refused", d.log())
        run(d, ["begin", "delete from artifact_parts where digest = '%s'" % two[1], "insert into artifact_parts values ('%s', 0, '\\x%s')"
                % (two[1], two[0].hex()), "notify experimentd_models", "commit"])
        self.wait_served(2)
        self.assertEqual((self.first(), self.served()["error"]), ("v2-0", None))

    def test_a_model_of_which_nothing_could_be_had(self):
        d, one = self.d, version_of(9, self.model)
        add(d, self.model, one)
        d.sql("delete from artifact_parts where digest = '%s'" % one[1])
        point(d, self.model, 1)
        wait_for(lambda: self.served()["error"], "the error to be told")
        reply = d.get("/v1/recommend?for=user&id=u1&model=" + self.model, key="client")
        self.assertEqual(reply.status, 503)
        self.assertIn('model "%s" is not there yet: artifact' % self.model, reply.json["detail"])

    def test_versions_are_swapped_under_load(self):
        d = self.d
        artifacts = [version_of(n, self.model) for n in (1, 2, 3)]
        for a in artifacts:
            add(d, self.model, a)
        point(d, self.model, 1)
        self.wait_served(1)
        stop, wrong, answered = threading.Event(), [], [0] * ASKERS

        def asker(number):
            c = http.client.HTTPConnection(d.host, d.port, timeout=30)
            headers = {"Authorization": "Bearer " + d.keys["client"]}
            while not stop.is_set():
                for path in ("for=user&id=u7&n=5", "for=user&id=nobody", "for=top"):
                    c.request("GET", "/v1/recommend?model=%s&%s" % (self.model, path), headers=headers)
                    reply = c.getresponse()
                    body = reply.read()
                    mark = b'"item":"v%d-' % int(body.split(b'"version":')[1].split(b",")[0]) if reply.status == 200 else b""
                    if reply.status != 200 or body.count(b'"item":') != body.count(mark) or not body.count(mark):
                        wrong.append(body)
                    answered[number] += 1
            c.close()
        askers = [threading.Thread(target=asker, args=(n,)) for n in range(ASKERS)]
        for t in askers:
            t.start()
        with d.sql_session() as session:
            for swap in range(SWAPS):
                version = 2 + swap % 2
                session.stdin.write("select model_alias_set('%s', 'champion', %d, 'set', 'test')->>'version';\n" % (self.model, version))
                session.stdin.flush()
                session.stdout.readline()
                self.wait_served(version)
            session.stdin.close()
            session.wait()
        stop.set()
        for t in askers:
            t.join()
        print("%d answers while %d versions were swapped" % (sum(answered), d.metric("experimentd_models_swaps_total")))
        self.assertEqual(wrong[:1], [])
        self.assertGreaterEqual(d.metric("experimentd_models_swaps_total"), SWAPS)
        self.assertGreater(min(answered), 10)

    def test_answers_go_on_while_postgresql_is_gone(self):
        d = self.d
        publish(d, self.model, version_of(1, self.model))
        self.wait_served(1)
        self.pg.kill()
        wait_for(lambda: not d.get("/v1/serving").json["database_up"], "the loss to be noticed")
        for _ in range(20):
            self.assertEqual(self.first(), "v1-0")
        self.pg.start()
        wait_for(lambda: d.get("/v1/serving").json["database_up"], "the registry to be followed again")
        publish(d, self.model, version_of(2, self.model))
        self.wait_served(2)
        self.assertEqual(self.first(), "v2-0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
