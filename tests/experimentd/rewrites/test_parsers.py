"""Exports read by the parser that Solr and Elasticsearch read them with: Lucene's, of Debian's liblucene8-java (LUCENE_JARS names another folder)."""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
from daemon import DaemonTest  # noqa: E402

JARS = [jar for name in ("core", "analyzers-common")
        for jar in glob.glob(os.path.join(os.environ.get("LUCENE_JARS", "/usr/share/java"), "lucene-%s-*.jar" % name))]
SIGNS = ["a,b", "a=>b", "=>", "#1", "back\\slash", "\\", "c++", "\"quoted\"", "ü,ß", "a\\,b", "=", ">", "#", "x#y", "tab & co", "100 % wool", ",", "$1", "a*"]


@unittest.skipUnless(len(JARS) == 2 and shutil.which("javac"), "liblucene8-java or a JDK is not installed")
class Parsers(DaemonTest):
    @classmethod
    def prepare(cls, d):
        cls.rules = [("spelling", "ipone", "iphone", False), ("spelling", "note pad", "notepad", False), ("synonym", "sofa", "couch", True),
                     ("synonym", "sofa", "settee", False), ("synonym", "tv", "flat screen television", False), ("synonym", "tv", "telly", False)]
        for n, sign in enumerate(SIGNS):
            cls.rules += [("spelling", "%s s%d" % (sign, n), "right%d %s" % (n, sign), False), ("synonym", "y%d %s" % (n, sign), "%s also%d" % (sign, n), True)]
        reply = d.post("/v1/rewrites", [{"type": t, "input": i, "output": o, "bidirectional": b} for t, i, o, b in cls.rules])
        assert reply.status == 200 and reply.json["created"] == len(cls.rules), reply
        cls.folder = tempfile.mkdtemp(dir=os.environ.get("TMPDIR", "/var/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Synonyms.java")
        subprocess.run(["javac", "-cp", ":".join(JARS), "-d", cls.folder, source], check=True, timeout=120)

    def lucene(self, synonyms, texts):
        """What Lucene searches for each text."""
        path = os.path.join(self.folder, "synonyms.txt")
        with open(path, "w", encoding="utf-8") as f:
            f.write(synonyms)
        done = subprocess.run(["java", "-cp", ":".join([self.folder] + JARS), "Synonyms", path], input="\n".join(texts), capture_output=True,
                              text=True, encoding="utf-8", check=False, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {line.split("\t")[0]: sorted(line.split("\t")[1:]) for line in done.stdout.splitlines()}

    def expected(self, text):
        """The same, from the rules."""
        put = [o for t, i, o, _ in self.rules if t == "spelling" and i == text]
        if put:
            return put[:1]
        return sorted([text] + [o for t, i, o, _ in self.rules if t == "synonym" and i == text]
                      + [i for t, i, o, both in self.rules if t == "synonym" and both and o == text])

    def check(self, synonyms):
        texts = sorted({i for _, i, _, _ in self.rules} | {o for _, _, o, _ in self.rules} | {"neither"})
        found = self.lucene(synonyms, texts)
        self.assertEqual(found, {t: self.expected(t) for t in texts})

    def test_solr(self):
        self.check(self.daemon.get("/v1/rewrites/export?format=solr").body.decode())

    def test_elasticsearch(self):
        body = json.loads(self.daemon.get("/v1/rewrites/export?format=elasticsearch").body)
        self.assertEqual(len({r["id"] for r in body["synonyms_set"]}), len(body["synonyms_set"]))
        self.check("".join(r["synonyms"] + "\n" for r in body["synonyms_set"]))


if __name__ == "__main__":
    unittest.main()
