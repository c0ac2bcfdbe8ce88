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
    return make_of({"kind": kind, "sections": sections})


def make_rewrites(rules):
    """rules: (type, input, output, confidence)"""
    return make_of({"kind": "rewrites", "rules": rules})


def make_of(document):
    document = json.dumps(document).encode()
    done = subprocess.run([os.path.join(program("tests"), "make_artifact")], input=document, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    return done.stdout, done.stderr.decode().strip()


def statements(model, kind, artifact):
    """A new version: the last one answers with its number."""
    content, digest = artifact
    parts = ["insert into artifact_parts values ('%s', %d, '\\x%s')" % (digest, i, content[i * PART:(i + 1) * PART].hex())
             for i in range((len(content) + PART - 1) // PART)]
    return ["select artifact_open('%s', %d, '%s')" % (digest, len(content), kind), *parts,
            "select model_version_add('%s', '%s', jsonb_build_object('status', 'ready', 'artifact', '%s', 'bytes', %d))->>'version' as version \\gset"
            % (model, kind, digest, len(content)), "select :version"]


def run(d, texts):
    done = subprocess.run(d._psql(), input="".join(t + (";\n" if not t.endswith("\\gset") else "\n") for t in texts), capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout.split()


def add(d, model, artifact, kind="recommender"):
    """The number of the new version, to which no alias points."""
    return int(run(d, ["begin", *statements(model, kind, artifact), "commit"])[-1])


def publish(d, model, artifact, kind="recommender", alias="champion"):
    """The number of the new version, to which the alias points."""
    texts = ["begin", *statements(model, kind, artifact),
             "select model_alias_set('%s', '%s', :version, 'publish', 'test')" % (model, alias), "commit"]
    run(d, texts)
    return d.number("select version from model_aliases where model = '%s' and alias = '%s'" % (model, alias))


def point(d, model, version, alias="champion"):
    """The alias to a version that is there."""
    d.sql("select model_alias_set('%s', '%s', %d, 'set', 'test')" % (model, alias, version))
