"""Documents of planted topics: each has words of its own and shares common ones; some are about nothing, very short or very long. The same for the same seed.

    docs = planted(seed=3, topics=6, each=40)      [{"id", "title", "text", "topic"}, …]; topic -1: an outlier
    rand(a, b)                                     adjusted Rand index of two labellings
"""
import collections
import math
import random

THINGS = "lamp desk sofa rug vase clock shelf chair bed oven knife plate towel mirror stool bench".split()


def planted(seed=1, topics=6, each=40, own=25, common=40, words=(12, 30), outliers=0):
    rng = random.Random(seed)
    shared = ["word%d" % i for i in range(common)]
    docs = []
    for topic in range(topics):
        vocabulary = [THINGS[topic % len(THINGS)]] + ["%s%d" % (THINGS[topic % len(THINGS)], i) for i in range(own - 1)]
        weights = [1 / (i + 1) ** 0.5 for i in range(own)]
        for _ in range(each):
            n = rng.randint(*words)
            text = rng.choices(vocabulary, weights, k=n) + rng.choices(shared, k=n // 2)
            rng.shuffle(text)
            docs.append({"title": " ".join(rng.choices(vocabulary, weights, k=2)), "text": " ".join(text), "topic": topic})
    for i in range(outliers):
        text = rng.choices(["odd%d" % k for k in range(10)], k=15)
        docs.append({"title": "odd thing", "text": " ".join(text), "topic": -1})
    rng.shuffle(docs)
    return [{"id": "doc-%04d" % i, **d} for i, d in enumerate(docs)]


def rand(a, b):
    def pairs(counts):
        return sum(n * (n - 1) / 2 for n in counts)
    both, of_a, of_b = (pairs(collections.Counter(x).values()) for x in (zip(a, b), a, b))
    expected, most = of_a * of_b / math.comb(len(a), 2), (of_a + of_b) / 2
    return (both - expected) / (most - expected) if most > expected else 1.0
