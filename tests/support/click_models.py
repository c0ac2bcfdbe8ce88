"""Click models in NumPy, by the formulas of their papers and by other ways than ours: every search by itself, EM for pbm and ubm over attractiveness and
examination both (as PyClick has it), for dbn and ccm by forward and backward probabilities of a chain of two states.

    s = Searches([("lamp", ["a", "b"], {1}), …])        query, documents, places from 0 that were clicked; in the order of time
    train, held = s.split(0.2)                          the last fifth of each query's searches
    m = PBM(train, prior=2).fit(100)
    m.loglikelihood(held), m.perplexity(held)           per document; at each position
"""
import numpy as np

FLOOR = 1e-6


class Searches:
    """Lists of one length for each search: shorter ones are padded, `here` says where there is a document."""

    def __init__(self, rows, pairs=None, queries=None):
        self.pairs, self.queries = ({}, {}) if pairs is None else (pairs, queries)
        self.n = max(len(docs) for _, docs, _ in rows)
        self.docs = np.zeros((len(rows), self.n), np.int64)
        self.clicks = np.zeros((len(rows), self.n), bool)
        self.here = np.zeros((len(rows), self.n), bool)
        self.query = np.zeros(len(rows), np.int64)
        for i, (query, docs, clicked) in enumerate(rows):
            self.query[i] = self.queries.setdefault(query, len(self.queries))
            for r, doc in enumerate(docs):
                self.docs[i, r] = self.pairs.setdefault((query, doc), len(self.pairs))
                self.clicks[i, r], self.here[i, r] = r in clicked, True

    def some(self, which):
        s = object.__new__(Searches)
        s.pairs, s.queries, s.n = self.pairs, self.queries, self.n
        s.docs, s.clicks, s.here, s.query = self.docs[which], self.clicks[which], self.here[which], self.query[which]
        return s

    def split(self, share):
        held = np.zeros(len(self.query), bool)
        for q in range(len(self.queries)):
            own = np.flatnonzero(self.query == q)
            n = int(np.floor(len(own) * share + 1e-9))
            held[own[len(own) - n:]] = True
        return self.some(~held), self.some(held)

    def sum(self, values):
        """Of each pair of query and document."""
        return np.bincount(self.docs[self.here], np.asarray(values, float)[self.here], len(self.pairs))

    def before(self):
        """Of each position that of the click before it, from 1; 0 none."""
        at = np.where(self.clicks, np.arange(1, self.n + 1), 0)
        return np.hstack([np.zeros((len(at), 1), np.int64), np.maximum.accumulate(at, axis=1)[:, :-1]])

    def further(self):
        """There is a click behind this position."""
        return (np.cumsum(self.clicks[:, ::-1], axis=1)[:, ::-1] - self.clicks) > 0


def shrunk(a, n, strength, mean):
    return (a + strength * mean) / (n + strength)


class Model:
    def __init__(self, s, prior):
        self.s, self.m = s, prior
        shown, clicks = s.here.sum(axis=0), s.clicks.sum(axis=0)
        self.ctr_at, self.ctr = (clicks + 1) / (shown + 2), (clicks.sum() + 1) / (shown.sum() + 2)
        self.mean = self.ctr_at[0]

    def fit(self, iterations=0):
        for _ in range(iterations):
            self.step()
        return self

    def step(self):
        pass

    def loglikelihood(self, s):
        """Per document shown."""
        p = np.clip(self.given(s), 1e-300, None)
        return float((np.where(s.clicks, np.log(p), np.log1p(-np.minimum(p, 1 - 1e-16))) * s.here).sum() / s.here.sum())

    def perplexity(self, s):
        p = np.clip(self.alone(s), FLOOR, 1 - FLOOR)
        bits = np.where(s.clicks, np.log2(p), np.log2(1 - p)) * s.here
        return 2 ** (-bits.sum(axis=0) / s.here.sum(axis=0))

    def alone(self, s):
        return self.given(s)


class GCTR(Model):
    def given(self, s):
        return np.full(s.docs.shape, self.ctr)


class RCTR(Model):
    def given(self, s):
        return np.broadcast_to(self.ctr_at[:s.n], s.docs.shape)


class DCTR(Model):
    def given(self, s):
        return shrunk(self.s.sum(self.s.clicks), self.s.sum(self.s.here), self.m, self.ctr)[s.docs]


class COEC(Model):
    def given(self, s):
        expected = self.s.sum(np.broadcast_to(self.ctr_at, self.s.docs.shape))
        coec = (self.s.sum(self.s.clicks) + self.m * self.ctr) / (expected + self.m * self.ctr)
        return np.clip(coec[s.docs] * self.ctr_at[:s.n], FLOOR, 1 - FLOOR)


class PBM(Model):
    """γ of a position; the first one is always looked at."""

    def __init__(self, s, prior):
        super().__init__(s, prior)
        self.alpha = np.full(len(s.pairs), 0.5)
        self.gamma = self.start(s)
        self.cell = self.cells(s)

    @staticmethod
    def start(s):
        return np.where(np.arange(s.n) > 0, 0.5, 1.0)

    @staticmethod
    def cells(s):
        return np.broadcast_to(np.arange(s.n), s.docs.shape)

    def step(self):
        """E: P(attracted), P(looked) given what was done. M: their means."""
        s, c = self.s, self.s.clicks
        a, g = self.alpha[s.docs], self.gamma[self.cell]
        skipped = 1 - g * a
        attracted, looked = np.where(c, 1, (1 - g) * a / skipped), np.where(c, 1, g * (1 - a) / skipped)
        self.alpha = shrunk(s.sum(attracted), s.sum(s.here), self.m, self.mean)
        n = len(self.gamma)
        num = np.bincount(self.cell[s.here], looked[s.here], n)
        den = np.bincount(self.cell[s.here], minlength=n)
        self.gamma = np.where(np.arange(n) > 0, (num + 1) / (den + 2), 1.0)

    def given(self, s):
        return self.alpha[s.docs] * self.gamma[self.cells(s)]


class UBM(PBM):
    """γ of a position and the place of the click before it."""

    @staticmethod
    def start(s):
        return np.where(np.arange(s.n * (s.n + 1) // 2) > 0, 0.5, 1.0)

    @staticmethod
    def cells(s):
        r = np.arange(s.n)
        return r * (r + 1) // 2 + s.before()

    def alone(self, s):
        """Over all that could have been clicked above: of each place the probability that the last click was there."""
        out, at = np.zeros(s.docs.shape), np.zeros((len(s.docs), s.n + 1))
        at[:, 0] = 1
        for r in range(s.n):
            click = at[:, :r + 1] * self.gamma[r * (r + 1) // 2:(r + 1) * (r + 2) // 2] * self.alpha[s.docs[:, r]][:, None]
            out[:, r] = click.sum(axis=1)
            at[:, :r + 1] -= click
            at[:, r + 1] = out[:, r]
        return out


class Chain(Model):
    """Goes down: alpha of a document, on(s): goes on without a click, after(s): after one."""

    def filtered(self, s):
        """P(looked at r | clicks above)."""
        on, after, a = self.on(s), self.after(s), self.alpha[s.docs]
        e = np.ones(s.docs.shape)
        for r in range(1, s.n):
            p, c = e[:, r - 1], s.clicks[:, r - 1]
            stayed = p * (1 - a[:, r - 1]) / (1 - p * a[:, r - 1])
            e[:, r] = np.where(c, after[:, r - 1], stayed * on)
        return e

    def given(self, s):
        return self.filtered(s) * self.alpha[s.docs]

    def alone(self, s):
        on, after, a = self.on(s), self.after(s), self.alpha[s.docs]
        e = np.ones(s.docs.shape)
        for r in range(1, s.n):
            e[:, r] = e[:, r - 1] * (a[:, r - 1] * after[:, r - 1] + (1 - a[:, r - 1]) * on)
        return e * a

    def backward(self, s):
        """P(what was clicked from r on | looked at r), and the same when it was not."""
        on, after, a = self.on(s), self.after(s), self.alpha[s.docs]
        n = s.n
        none = np.cumprod(~s.clicks[:, ::-1], axis=1)[:, ::-1].astype(float)  # not looked at r: nothing further is clicked
        b, lost = np.ones((len(s.docs), n + 1)), np.hstack([none, np.ones((len(s.docs), 1))])
        for r in range(n - 1, -1, -1):
            here, c = s.here[:, r], s.clicks[:, r]
            go = np.where(c, after[:, r], on)
            one = np.where(c, a[:, r], 1 - a[:, r]) * (go * b[:, r + 1] + (1 - go) * lost[:, r + 1])
            b[:, r] = np.where(here, one, 1)
        return b, lost

    def looked(self, s):
        """P(looked at r | all clicks)."""
        f, (b, lost) = self.filtered(s), self.backward(s)
        return f * b[:, :-1] / (f * b[:, :-1] + (1 - f) * lost[:, :-1])


class CM(Chain):
    def __init__(self, s, prior):
        super().__init__(s, prior)
        first = s.before() == 0
        self.alpha = shrunk(s.sum(s.clicks & first), s.sum(s.here & first), self.m, self.mean)

    def on(self, s):
        return 1.0

    def after(self, s):
        return np.zeros(s.docs.shape)

    def given(self, s):
        return np.where(s.before() == 0, self.alpha[s.docs], FLOOR)


class DCM(Chain):
    def __init__(self, s, prior):
        super().__init__(s, prior)
        last = s.clicks & ~s.further()
        reached = s.here & (s.clicks | s.further() | ~s.clicks.any(axis=1)[:, None])
        self.alpha = shrunk(s.sum(s.clicks), s.sum(reached), self.m, self.mean)
        self.sigma = shrunk(s.sum(last), s.sum(s.clicks), self.m, 0.5)
        self.goes = ((s.clicks & ~last).sum(axis=0) + 1) / (s.clicks.sum(axis=0) + 2)

    def on(self, s):
        return 1.0

    def after(self, s):
        return np.broadcast_to(self.goes[:s.n], s.docs.shape)


class SDBN(DCM):
    def after(self, s):
        return 1 - self.sigma[s.docs]


class DBN(Chain):
    def __init__(self, s, prior):
        super().__init__(s, prior)
        self.alpha, self.sigma, self.go = np.full(len(s.pairs), 0.5), np.full(len(s.pairs), 0.5), 0.5

    def on(self, s):
        return self.go

    def after(self, s):
        return self.go * (1 - self.sigma[s.docs])

    def step(self):
        s, e = self.s, self.looked(self.s)
        b, lost = self.backward(s)
        next_here = np.hstack([s.here[:, 1:], np.zeros((len(s.docs), 1), bool)])
        went = np.hstack([e[:, 1:], np.zeros((len(s.docs), 1))])  # looked at the next one, given all clicks: then at this one, too
        sigma, clicked = self.sigma[s.docs], s.clicks & next_here
        after = self.go * (1 - sigma)
        total = after * b[:, 1:] + (1 - after) * lost[:, 1:]
        satisfied = np.where(clicked, sigma * lost[:, 1:] / total, 0)
        opportunity = np.where(clicked, 1 - satisfied, np.where(next_here & ~s.clicks, e, 0))
        self.alpha = shrunk(s.sum(s.clicks), s.sum(e * s.here), self.m, self.mean)
        self.sigma = shrunk(s.sum(satisfied), s.sum(clicked), self.m, 0.5)
        self.go = ((went * next_here).sum() + 1) / (opportunity.sum() + 2)


class CCM(Chain):
    def __init__(self, s, prior):
        super().__init__(s, prior)
        self.alpha, self.tau = np.full(len(s.pairs), 0.5), np.full(3, 0.5)

    def on(self, s):
        return self.tau[0]

    def after(self, s):
        a = self.alpha[s.docs]
        return self.tau[1] * (1 - a) + self.tau[2] * a

    def step(self):
        s, e = self.s, self.looked(self.s)
        b, lost = self.backward(s)
        next_here = np.hstack([s.here[:, 1:], np.zeros((len(s.docs), 1), bool)])
        went = np.hstack([e[:, 1:], np.zeros((len(s.docs), 1))])
        a, (t1, t2, t3) = self.alpha[s.docs], self.tau
        clicked, skipped = s.clicks & next_here, ~s.clicks & next_here
        relevant, go = a * (t3 * b[:, 1:] + (1 - t3) * lost[:, 1:]), a * t3 * b[:, 1:]
        other, go_other = (1 - a) * (t2 * b[:, 1:] + (1 - t2) * lost[:, 1:]), (1 - a) * t2 * b[:, 1:]
        total = relevant + other
        p = np.where(clicked, relevant / total, 0)
        self.alpha = shrunk(s.sum(s.clicks) + s.sum(p), s.sum(e * s.here) + s.sum(clicked), self.m, self.mean)
        rates = [((went * skipped).sum(), (e * skipped).sum()), (np.where(clicked, go_other / total, 0).sum(), np.where(clicked, 1 - p, 0).sum()),
                 (np.where(clicked, go / total, 0).sum(), p.sum())]
        self.tau = np.array([(num + 1) / (den + 2) for num, den in rates])


MODELS = {"gctr": GCTR, "rctr": RCTR, "dctr": DCTR, "coec": COEC, "cm": CM, "dcm": DCM, "sdbn": SDBN, "pbm": PBM, "ubm": UBM, "dbn": DBN, "ccm": CCM}
EM = ("pbm", "ubm", "dbn", "ccm")
