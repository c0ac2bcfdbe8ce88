"""Artifacts of models for tests of serving: made of a document by build/tests/make_artifact, put into the registry by SQL.

    from artifacts import lists, make, publish
    publish(d, "shop", make("recommender", items_for_user=lists({"ann": [["lamp", 9]]})))

`publish` makes a version and points the alias to it, in one transaction, as a training job does.
"""
import json
import os
import subprocess

from daemon import program

PART = 1 << 20


def lists(rows, columns=("score",)):
    """rows: {"key": [["entry", value…]…]}"""
    return {"columns": list(columns), "lists": rows}


def make(kind, **sections):
    """(bytes, digest)"""
    document = json.dumps({"kind": kind, "sections": sections}).encode()
    done = subprocess.run([os.path.join(program("tests"), "make_artifact")], input=document, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    return done.stdout, done.stderr.decode().strip()


def statements(model, kind, artifact, alias="champion"):
    content, digest = artifact
    parts = ["insert into artifact_parts values ('%s', %d, '\\x%s')" % (digest, i, content[i * PART:(i + 1) * PART].hex())
             for i in range((len(content) + PART - 1) // PART)]
    version = ("model_version_add('%s', '%s', jsonb_build_object('status', 'ready', 'artifact', '%s', 'bytes', %d))->>'version'"
               % (model, kind, digest, len(content)))
    return ["select artifact_open('%s', %d, '%s')" % (digest, len(content), kind), *parts,
            "select model_alias_set('%s', '%s', (%s)::int, 'publish', 'test')" % (model, alias, version)]


def publish(d, model, artifact, kind="recommender", alias="champion"):
    """The number of the new version."""
    text = "begin;\n" + ";\n".join(statements(model, kind, artifact, alias)) + ";\ncommit;\n"
    done = subprocess.run(d._psql("-v", "ON_ERROR_STOP=1"), input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return int(d.sql("select version from model_aliases where model = '%s' and alias = '%s'" % (model, alias))[0][0])


def point(d, model, version, alias="champion"):
    """The alias to a version that is there."""
    d.sql("select model_alias_set('%s', '%s', %d, 'set', 'test')" % (model, alias, version))
