#!/usr/bin/env python3
"""Records fixtures/clusters/clusters.json: sections of the project's own guide (docs/*.md) as a catalogue, put into clusters and made into word vectors; what a
daemon answers of both. BUILD_DIR names the programs.

    record_clusters.py --items        prints the catalogue as NDJSON and records nothing: what docs/clusters.md is about
"""
import glob
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
from daemon import Daemon, wait_for  # noqa: E402

OUT = os.path.join(HERE, "fixtures", "clusters")
WORDS = ("experiment", "interval", "query", "unit", "model", "spelling")
TEXTS = ("which variant won the experiment", "misspelled queries and what was meant", "how many bytes an hour of signals takes")


def sections():
    """Of each page its sections, as documents: title, text without its examples, the page's name as category."""
    for path in sorted(glob.glob(os.path.join(ROOT, "docs", "*.md"))):
        page = os.path.basename(path)[:-3]
        if page in ("README", "clusters", "word2vec"):  # a list of pages; what tells of these sections
            continue
        with open(path, encoding="utf-8") as f:
            text = re.sub(r"```.*?```", " ", f.read(), flags=re.S)
        for n, part in enumerate(re.split(r"^#+ ", text, flags=re.M)[1:]):
            title, _, body = part.partition("\n")
            body = re.sub(r"\]\([^)]*\)|`[^`]*`|https?://\S+", " ", body)
            yield {"id": "%s-%d" % (page, n), "title": title, "text": " ".join(re.sub(r"[*|#\[\]_-]", " ", body).split()), "category": page}


def run(d, job, *params):
    print(d.run("trainer", "run", job, "--data-dir", d.dir, *(x for p in params for x in ("--param", p))).stderr)


def main():
    if "--items" in sys.argv:
        return print("\n".join(json.dumps(s, ensure_ascii=False) for s in sections()))
    with Daemon() as d:
        d.post("/v1/items", list(sections()))
        run(d, "clusters", "k=4", "starts=1", "k_max=20")
        run(d, "clusters")
        run(d, "clusters", "k=2")
        run(d, "word2vec", "dimension=32", "epochs=30")
        wait_for(lambda: d.post("/v1/models/word2vec/predict", {"inputs": []}, key="client").status == 200, "vectors are served")

        def ask(model, inputs):
            return d.post("/v1/models/%s/predict" % model, {"inputs": inputs}, key="client").json
        models = d.get("/v1/models").json["models"]
        versions = {m["name"]: d.get("/v1/models/%s/versions" % m["name"]).json["versions"] for m in models}
        groups = ask("clusters", [{"clusters": True}])
        names = [g["cluster"] for g in groups["predictions"][0]["clusters"]]
        members = dict(zip(names, ask("clusters", [{"cluster": c, "n": 20} for c in names])["predictions"]))
        texts = dict(zip(TEXTS, ask("clusters", [{"text": t} for t in TEXTS])["predictions"]))
        words = dict(zip(WORDS, ask("word2vec", [{"word": w} for w in WORDS])["predictions"]))
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, "clusters.json"), "w", encoding="utf-8") as f:
        json.dump({"models": models, "versions": versions, "groups": groups["predictions"][0], "members": members, "texts": texts, "words": words}, f, indent=1, ensure_ascii=False)
        f.write("\n")
    for g in groups["predictions"][0]["clusters"]:
        print(g["cluster"], g["documents"], g["labels"])


main()
