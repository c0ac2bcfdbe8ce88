"""Classifiers of texts (model/classifier.h), read and computed by other code than ours: hashing, n-grams, the objective, its optimum, predictions, metrics."""
import math
import re
import struct

import numpy as np
import scipy.optimize

M = (1 << 64) - 1
WORD_MARK = 0x9E3779B97F4A7C15


def hash64(text):
    h = 0xcbf29ce484222325
    for b in text.encode():
        h = (h ^ b) * 0x100000001b3 & M
    h ^= h >> 33
    h = h * 0xff51afd7ed558ccd & M
    h ^= h >> 33
    h = h * 0xc4ceb9fe1a85ec53 & M
    return h ^ h >> 33


def normal(text):
    words = re.sub(r'[,;!?()\[\]{}"<>|]', " ", text.lower()).split()
    return " %s " % " ".join(words) if words else " "


def share(text):
    """From 0 to 1: what part of the data a text is in."""
    return (hash64(normal(text)) >> 11) / 2 ** 53


def group(text, groups=20):
    return (hash64(normal(text)) * 0xD6E8FEB86659FD93 & M) // 2 ** 32 % groups


def buckets(text, chars=(2, 5), words=2, bits=20):
    """Bucket → how often."""
    found, out = normal(text).split(), {}

    def add(gram, mark):
        b = (hash64(gram) ^ mark) >> (64 - bits)
        out[b] = out.get(b, 0) + 1

    for word in found:
        padded = " %s " % word
        for n in range(chars[0], chars[1] + 1):
            for i in range(max(1, len(padded) - n + 1)):
                add(padded[i:i + n], 0)
            if n >= len(padded):
                break
    for i in range(len(found)):
        for n in range(1, words + 1):
            if i + n <= len(found):
                add(" ".join(found[i:i + n]), WORD_MARK)
    return out


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class Classifier:
    """One out of an artifact."""

    def __init__(self, section):
        head = struct.unpack_from("<8Id", section)
        _, self.bits, low, high, self.words, classes, rows, label_bytes, self.temperature = head
        self.chars, at = (low, high), 40

        def take(dtype, n):
            nonlocal at
            out = np.frombuffer(section, dtype, n, at)
            at += out.nbytes
            return out

        ends, self.bias, self.slots = take("<u4", classes), take("<f4", classes), take("<u4", 1 << self.bits)
        self.idf, self.weights = take("<f4", rows), take("<f4", rows * classes).reshape(rows, classes)
        labels = section[at:at + label_bytes]
        self.labels = [labels[a:b].decode() for a, b in zip([0, *ends[:-1]], ends)]

    def vector(self, text):
        rows = {int(self.slots[b]) - 1: n for b, n in sorted(buckets(text, self.chars, self.words, self.bits).items()) if self.slots[b]}
        values = np.array([n * float(self.idf[r]) for r, n in rows.items()])
        return list(rows), values / math.sqrt((values ** 2).sum()) if rows else values

    def predict(self, text):
        rows, values = self.vector(text)
        return softmax((self.bias.astype(float) + values @ self.weights[rows].astype(float)) / self.temperature)


def matrix(texts, c):
    import scipy.sparse
    at, columns, values = [0], [], []
    for text in texts:
        rows, v = c.vector(text)
        columns += rows
        values += list(v)
        at.append(len(columns))
    return scipy.sparse.csr_matrix((values, columns, at), (len(texts), len(c.idf)))


def optimum(x, y, s, c):
    """The least of sum s loss / sum s + |W|^2 / (2 C sum s). Returns (objective, biases, weights)."""
    n, k, total = x.shape[1], y.shape[1], s.sum()

    def f(v):
        b, w = v[:k], v[k:].reshape(n, k)
        z = x @ w + b
        m = z.max(axis=1, keepdims=True)
        lse = m[:, 0] + np.log(np.exp(z - m).sum(axis=1))
        loss = (s * (lse - (y * z).sum(axis=1))).sum() / total + (w ** 2).sum() / (2 * c * total)
        g = (np.exp(z - lse[:, None]) - y) * s[:, None] / total
        return loss, np.concatenate([g.sum(axis=0), (x.T @ g + w / (c * total)).ravel()])

    r = scipy.optimize.minimize(f, np.zeros(k + n * k), jac=True, method="L-BFGS-B", options={"maxiter": 5000, "maxfun": 20000, "ftol": 0, "gtol": 1e-9, "maxcor": 30})
    return r.fun, r.x[:k], r.x[k:].reshape(n, k)
