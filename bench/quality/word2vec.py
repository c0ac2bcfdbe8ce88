"""quality: word vectors from the adventures of Sherlock Holmes: the job word2vec beside gensim on the same sentences.

Each paragraph is an item of a catalogue; the job is run as it is. gensim gets the job's own training sentences: those paragraphs, by the same words. Then both are asked by
code of this file, from their vectors alone:
  skill       of the paragraphs that were left out of training, 1 - loss / ln 2 for each word that is to be told, over the same pairs and the same drawn words
  neighbours  of the 200 most frequent words that are longer than three letters, how many of the ten nearest are the same; for scale, of two seeds of each
  words/s     words of the vocabulary that training goes through in a second, one thread each; the best of three
"""
import math
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "support"))
from artifact import hash64, of_version  # noqa: E402
from daemon import SHARED_DATA, Daemon  # noqa: E402
from vectors import words_of  # noqa: E402

try:
    import gensim.models
    import numpy as np
except ImportError:
    gensim = None

DATA = os.path.join(SHARED_DATA, "holmes_text", "sherlockholmes.txt")
DIMENSION, WINDOW, NEGATIVE, EPOCHS, MIN_COUNT, HOLDOUT = 100, 5, 5, 20, 5, 0.1
SHOWN = ("holmes", "watson", "london", "door", "morning", "father", "money")


def paragraphs():
    with open(DATA, encoding="utf-8", errors="replace") as f:
        for n, text in enumerate(re.split(r"\n\s*\n", f.read())):
            if text.strip():
                yield "p-%05d" % n, " ".join(text.split())


def tokens(text):
    """Runs of letters and digits, as model/text_words.h has them."""
    return [w for piece in text.lower().split() for w in re.findall(r"(?:[0-9][.,](?=[0-9])|[^\W_]|[+#&%]|[^\x00-\x7f])+", piece)]


def held(doc):
    return (hash64(doc.encode()) >> 11) / 2 ** 53 < HOLDOUT


class Vectors:
    def __init__(self, words, inner, outer):
        self.number = {w: i for i, w in enumerate(words)}
        self.words, self.inner, self.outer = words, np.asarray(inner, float), np.asarray(outer, float)
        self.unit = self.inner / np.maximum(np.linalg.norm(self.inner, axis=1, keepdims=True), 1e-30)

    def nearest(self, word, n=10):
        i = self.number[word]
        scores = self.unit @ self.unit[i]
        scores[i] = -2
        return [self.words[k] for k in np.argsort(-scores, kind="stable")[:n]]

    def skill(self, judged):
        """The mean over sentences of 1 - loss / ln 2. judged: of each its pairs: word, word beside it, others."""
        values = []
        for pairs in judged:
            targets = np.array([[self.number[w] for w in (word, *others)] for word, _, others in pairs])
            beside = np.array([self.number[w] for _, w, _ in pairs])
            x = np.einsum("pd,ptd->pt", self.inner[beside], self.outer[targets])
            x[:, 0] *= -1
            told = np.ones(targets.shape, bool)
            told[:, 1:] = targets[:, 1:] != targets[:, :1]
            values.append(1 - float((np.logaddexp(0, x) * told).sum()) / (told.sum() * math.log(2)))
        return sum(values) / len(values), len(values)


def pairs_of(sentence, draw):
    for i, word in enumerate(sentence):
        for k in range(max(0, i - WINDOW), min(len(sentence), i + WINDOW + 1)):
            if k != i:
                yield word, sentence[k], draw()


def by_job(d, seed):
    given = {"fields": "text=1", "dimension": DIMENSION, "window": WINDOW, "negative": NEGATIVE, "epochs": EPOCHS, "min_count": MIN_COUNT, "seed": seed, "holdout": HOLDOUT,
             "gate": "none", "model": "holmes-%d" % seed}
    done = d.run("trainer", "run", "word2vec", "--data-dir", d.dir, "--workers", "1", *(x for n, v in given.items() for x in ("--param", "%s=%s" % (n, v))))
    rates = [float(m) for m in re.findall(r"([0-9]+) words/s", done.stdout + done.stderr)]
    a = of_version(d, "holmes-%d" % seed)
    words, inner, outer = words_of(a)
    metrics = d.sql("select metrics->'skill'->>'value' from model_versions where model = 'holmes-%d'" % seed)[0][0]
    return Vectors(words, inner, outer), max(rates), float(metrics)


def by_gensim(sentences, seed):
    best = 0
    for _ in range(3):
        model = gensim.models.Word2Vec(vector_size=DIMENSION, window=WINDOW, negative=NEGATIVE, sg=1, hs=0, min_count=MIN_COUNT, sample=1e-3, alpha=0.025, min_alpha=0.0001, workers=1,
                                       seed=seed)
        model.build_vocab(sentences)
        known = sum(w in model.wv.key_to_index for s in sentences for w in s)
        began = time.perf_counter()
        model.train(sentences, total_examples=len(sentences), epochs=EPOCHS)
        best = max(best, known * EPOCHS / (time.perf_counter() - began))
    return Vectors(model.wv.index_to_key, model.wv.vectors, model.syn1neg), best


def overlap(a, b, words):
    return sum(len(set(a.nearest(w)) & set(b.nearest(w))) for w in words) / (10 * len(words))


def main():
    if not os.path.exists(DATA):
        return print("%s is not there: nothing is measured" % DATA)
    if not gensim:
        return print("gensim cannot be had: nothing to compare with")
    texts = dict(paragraphs())
    with Daemon() as d:
        items = [{"id": doc, "text": text} for doc, text in texts.items()]
        for i in range(0, len(items), 500):
            assert d.post("/v1/items", items[i:i + 500]).status == 200
        ours, rate, said = by_job(d, 1)
        again, other_rate, _ = by_job(d, 2)
        rate = max(rate, other_rate, by_job(d, 3)[1])
    train = [tokens(text) for doc, text in texts.items() if not held(doc)]
    theirs, their_rate = by_gensim(train, 1)
    their_again, _ = by_gensim(train, 2)
    shared = [w for w in ours.words if w in theirs.number]
    print("%d paragraphs, %d for training; words: job %d, gensim %d, both %d\n" % (len(texts), len(train), len(ours.words), len(theirs.words), len(shared)))
    rng, known = random.Random(7), set(shared)
    judged = [[w for w in tokens(text) if w in known] for doc, text in texts.items() if held(doc)]
    counts = {}
    for s in train:
        for w in s:
            counts[w] = counts.get(w, 0) + 1
    drawn = iter(rng.choices(shared, [counts.get(w, 1) ** 0.75 for w in shared], k=NEGATIVE * 400000))
    judged = [list(pairs_of(s, lambda: [next(drawn) for _ in range(NEGATIVE)])) for s in judged if len(s) > 1]
    asked = [w for w in shared if len(w) > 3][:200]
    print("| | skill | of paragraphs | words/s |\n|---|---|---|---|")
    for name, v, r in (("job word2vec", ours, rate), ("gensim", theirs, their_rate)):
        print("| %s | %.4f | %d | %d |" % ((name,) + v.skill(judged) + (round(r, -3),)))
    print("\nThe job's own figure of its version: skill %.4f\n" % said)
    print("| ten nearest that are the same | |\n|---|---|")
    for name, a, b in (("job and gensim", ours, theirs), ("job, two seeds", ours, again), ("gensim, two seeds", theirs, their_again)):
        print("| %s | %.3f |" % (name, overlap(a, b, [w for w in asked if w in b.number])))
    print("\n| word | job | gensim |\n|---|---|---|")
    for w in SHOWN:
        print("| %s | %s | %s |" % (w, ", ".join(ours.nearest(w, 5)), ", ".join(theirs.nearest(w, 5))))


main()
