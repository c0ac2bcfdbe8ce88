"""Jobs that learn which items go together: the artifact is what plain Python finds, whatever the number of workers; what is too little is refused."""
import collections
import datetime
import fractions
import itertools
import json
import math
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from artifact import of_version  # noqa: E402
from daemon import DaemonTest  # noqa: E402
from month import Month  # noqa: E402

MONTH = Month(seed=5, days=12, visits=120, units=120, docs=80, late=0)
LAST, HOLDOUT = MONTH.days - 1, 2
WEIGHTS = {"click": 1, "cart": 10, "purchase": 25}
AS_OF = "as_of=%s" % MONTH.date(LAST)
CATEGORIES = {"doc-%d" % i: ["lamps", "desks", "beds"][i % 3] for i in range(60)}


class Recommenders(DaemonTest):
    @classmethod
    def prepare(cls, d):
        for day in range(MONTH.days):
            MONTH.send(d, day)
        d.wait_loaded()
        assert d.post("/v1/items", [{"id": doc, "category": c if i % 2 else [c, "all"]} for i, (doc, c) in enumerate(CATEGORIES.items())]).status == 200
        until = datetime.datetime.combine(MONTH.date(LAST - HOLDOUT), datetime.time.max).isoformat()
        marked = {r[0] for r in d.sql("select unit from marked_units where mark <> 0")}
        cls.carts = collections.defaultdict(set)
        cls.rows = collections.defaultdict(dict)  # of each unit: the items it had, with their weights; nothing decays
        for unit, doc, kind in d.sql("select unit, doc, type from signals where doc is not null and type in ('click', 'cart', 'purchase') and at <= '%s+00'" % until):
            if unit not in marked:
                cls.rows[unit][doc] = cls.rows[unit].get(doc, 0) + WEIGHTS[kind]
                if kind != "click":
                    cls.carts[unit].add(doc)

    def compute(self, job, *params, workers=2, check=True):
        return self.daemon.run("trainer", "run", job, "--data-dir", self.daemon.dir, "--workers", str(workers),
                               *(x for p in (AS_OF, "holdout_days=%d" % HOLDOUT, *params) for x in ("--param", p)), check=check)

    def last(self, model):
        """Number, status and artifact of the last version."""
        return self.daemon.sql("select version, status, artifact from model_versions where model = '%s' order by version desc limit 1" % model)[0]

    def trained(self, job, *params):
        self.compute(job, *params)
        return of_version(self.daemon, job, int(self.last(job)[0]))

    def digests(self, job, *params):
        found = set()
        for workers in (1, 2, 4):
            self.compute(job, *params, workers=workers)
            found.add(self.last(job)[2])
        return found

    def item_units(self):
        units = collections.defaultdict(set)
        for unit, items in self.rows.items():
            for doc in items:
                units[doc].add(unit)
        return units

    def same_lists(self, got, want, places=5):
        """Keys, and of each the scores; of equal scores the order is by text."""
        self.assertEqual(sorted(got), sorted(want))
        for key, entries in want.items():
            self.assertEqual([e for e, _ in got[key]], [e for e, _ in entries], key)
            for (_, values), (_, score) in zip(got[key], entries):
                self.assertAlmostEqual(values["score"], score, delta=10 ** -places * max(1, abs(score)))

    # ---- popular

    def test_popular(self):
        units = self.item_units()
        score = {doc: sum(items.get(doc, 0) for items in self.rows.values()) * len(u) / (len(u) + 5) for doc, u in units.items()}
        rank = lambda docs: [(d, score[d]) for d in sorted(docs, key=lambda d: (-score[d], d))[:10]]  # noqa: E731
        want = {"": rank(score), "all": rank(d for i, d in enumerate(CATEGORIES) if i % 2 == 0 and d in score)}
        for c in set(CATEGORIES.values()):
            want[c] = rank(d for d in CATEGORIES if CATEGORIES[d] == c and d in score)
        artifact = self.trained("popular", "half_life_days=0", "popular_top=10")
        self.same_lists(artifact.lists("popular"), want)
        self.assertEqual(artifact.card["units"], len(self.rows))
        self.assertEqual(len(self.digests("popular", "half_life_days=3")), 1)

    # ---- item-similarity

    def similarities(self, by, weighted, shrink=3.0, least=2):
        units = {d: u for d, u in self.item_units().items() if len(u) >= 2}
        n = len([1 for items in self.rows.values() if any(d in units for d in items)])
        weight = (lambda u, d: self.rows[u][d]) if weighted else (lambda u, d: 1)
        norm = {d: math.sqrt(sum(weight(u, d) ** 2 for u in us)) for d, us in units.items()}
        found = collections.defaultdict(list)
        for a in units:
            for b in units:
                both = units[a] & units[b]
                if a == b or len(both) < least:
                    continue
                if by == "cosine":
                    score = sum(weight(u, a) * weight(u, b) for u in both) / norm[a] / norm[b]
                else:
                    score = self.llr(len(both), len(units[a]), len(units[b]), n)
                if score > 0:
                    found[a].append((b, score * len(both) / (len(both) + shrink)))
        return {a: sorted(entries, key=lambda e: (-e[1], e[0])) for a, entries in found.items()}

    @staticmethod
    def llr(k, a, b, n):
        if k * n <= a * b:
            return 0
        cells = [(k, a, b), (a - k, a, n - b), (b - k, n - a, b), (n - a - b + k, n - a, n - b)]
        return sum(2 * x * math.log(x * n / (row * column)) for x, row, column in cells if x)

    def check_similar(self, artifact, want, top):
        got = artifact.lists("items_for_item")
        self.assertGreater(len(got), 30)
        self.assertEqual(sorted(got), sorted(want))
        for key, entries in got.items():
            known = dict(want[key])
            self.assertEqual(len(entries), min(top, len(known)))
            for (doc, values), (_, score) in zip(entries, want[key]):
                self.assertAlmostEqual(values["score"], known[doc], delta=1e-5 * max(1, known[doc]))
                self.assertAlmostEqual(values["score"], score, delta=1e-5 * max(1, score))

    def test_similarity_cosine(self):
        artifact = self.trained("item-similarity", "min_units=20", "top=10", "user_top=15")
        want = self.similarities("cosine", False)
        self.check_similar(artifact, want, 10)
        self.check_units(artifact, {a: entries[:10] for a, entries in want.items()})
        evaluated = json.loads(self.daemon.sql("select metrics from model_versions where model = 'item-similarity' order by version desc limit 1")[0][0])
        self.assertGreater(evaluated["ndcg@10"]["n"], 30)

    def check_units(self, artifact, similar):
        likes, seen = artifact.lists("items_for_user"), artifact.lists("seen")
        self.assertEqual(sorted(likes), sorted(seen))
        for unit, entries in likes.items():
            had = {d: w for d, w in self.rows[unit].items() if len(self.item_units()[d]) >= 2} if unit in self.rows else {}
            self.assertEqual({d for d, _ in seen[unit]}, set(had))
            score = collections.Counter()
            for doc, weight in had.items():
                for other, s in similar.get(doc, ()):
                    score[other] += weight * s
            want = sorted((-s for d, s in score.items() if d not in had))[:15]
            for (doc, values), s in zip(entries, want):
                self.assertNotIn(doc, had)
                self.assertAlmostEqual(values["score"], -s, delta=1e-4 * max(1, -s))
            self.assertEqual(len(entries), len(want))

    def test_similarity_by_weights_and_llr(self):
        self.check_similar(self.trained("item-similarity", "min_units=20", "values=weights", "user_top=0"), self.similarities("cosine", True), 50)
        self.check_similar(self.trained("item-similarity", "min_units=20", "similarity=llr", "user_top=0", "shrink=0", "min_pair_units=3"),
                           self.similarities("llr", False, 0, 3), 50)

    def test_similarity_workers(self):
        self.assertEqual(len(self.digests("item-similarity", "min_units=20", "half_life_days=5", "values=weights")), 1)

    # ---- association-rules

    def rules(self, least):
        """Of each antecedent its rules: consequent, confidence, lift, p; q over all rules that there could have been."""
        baskets = self.carts.values()
        units = collections.Counter(d for b in baskets for d in b)
        baskets = [{d for d in b if units[d] >= 2} for b in baskets]
        baskets = [b for b in baskets if b]
        n = len(baskets)
        sets = collections.Counter(frozenset(c) for b in baskets for k in (1, 2, 3) for c in itertools.combinations(sorted(b), k))
        looked_at = []
        for s, count in sets.items():
            if len(s) < 2 or count < least:
                continue
            for then in s:
                of_a, of_c = sets[s - {then}], sets[frozenset({then})]
                halves = [sets[frozenset({a, then})] / sets[frozenset({a})] for a in s - {then}] if len(s) == 3 else []
                looked_at.append(("\x1f".join(sorted(s - {then})), then, count / of_a, count * n / (of_a * of_c), self.together(count, of_a, of_c, n), max(halves, default=0)))
        looked_at.sort(key=lambda r: r[4])
        items = sum(1 for s, count in sets.items() if len(s) == 1 and count >= least)
        possible = items * (items - 1) + (items - 2) * sum(1 for s, count in sets.items() if len(s) == 2 and count >= least)
        least_q, adjusted = 1, [0.0] * len(looked_at)
        for i in range(len(looked_at) - 1, -1, -1):
            least_q = min(least_q, looked_at[i][4] * possible / (i + 1))
            adjusted[i] = least_q
        return n, [(*r, q) for r, q in zip(looked_at, adjusted)]

    @staticmethod
    def together(k, a, b, n):
        if k * n <= a * b:
            return 1.0
        return float(fractions.Fraction(sum(math.comb(b, i) * math.comb(n - b, a - i) for i in range(k, min(a, b) + 1)), math.comb(n, a)))

    def test_rules(self):
        params = ("min_units=20", "min_count=3", "max_q=0.3", "min_confidence=0.1", "top=10000", "weights=cart=1,purchase=1")
        artifact = self.trained("association-rules", *params)
        n, looked_at = self.rules(3)
        kept = [r for r in looked_at if r[3] > 1 and r[2] >= 0.1 and r[6] <= 0.3 and ("\x1f" not in r[0] or r[2] > r[5])]
        got = {(key, doc): values for key, entries in artifact.lists("rules").items() for doc, values in entries}
        self.assertEqual(artifact.card["units"], n)
        self.assertGreater(len([r for r in kept if "\x1f" in r[0]]), 5)
        self.assertEqual(sorted(got), sorted((r[0], r[1]) for r in kept))
        for key, then, confidence, lift, p, _, q in kept:
            for name, want in (("score", confidence), ("confidence", confidence), ("lift", lift), ("p", p), ("q", q)):
                self.assertAlmostEqual(got[key, then][name], want, delta=1e-5 * want, msg=(key, then, name))
        alone = artifact.lists("items_for_item")
        self.assertEqual(sorted(alone), sorted({r[0] for r in kept if "\x1f" not in r[0]}))
        for key, entries in alone.items():
            want = sorted([(-r[2], r[1]) for r in kept if r[0] == key])
            self.assertEqual([e for e, _ in entries], [doc for _, doc in want])
        self.assertEqual(len(self.digests("association-rules", *params)), 1)

    # ---- trending

    def windows(self, column, kind, target, reference):
        """Of each thing: hits and unit-days before and lately, as of the last day."""
        marked = {r[0] for r in self.daemon.sql("select unit from marked_units where mark <> 0")}
        found = collections.defaultdict(lambda: [0, 0, set(), set()])
        for unit, thing, at in self.daemon.sql("select unit, to_json(%s), (at at time zone 'UTC')::date from signals where type = '%s' and %s is not null" % (column, kind, column)):
            thing = " ".join(json.loads(thing).lower().split())
            age = (MONTH.date(LAST) - datetime.date.fromisoformat(at)).days
            if unit in marked or not 0 <= age < target + reference:
                continue
            row = found[thing]
            row[age < target] += 1
            row[2 + (age < target)].add((unit, age))
        return {thing: (r, t, len(ru), len(tu)) for thing, (r, t, ru, tu) in found.items()}

    def check_trending(self, model, counts, target, reference, q):
        artifact = of_version(self.daemon, model, int(self.last(model)[0]))
        k, classic = reference / target, artifact.lists("classic")[""]
        rose = {d: c for d, c in counts.items() if c[0] and c[1] > c[0] / k}
        self.assertEqual({d for d, _ in classic}, set(rose))
        for doc, v in classic:
            ref, now = rose[doc][:2]
            a, d = ref / k, now - ref / k
            want = {"average_weekly_vol": a, "vol_diff": d, "hit_vol_ratio": now / a, "vol_diff_ratio": d / a, "combine_score": now / a * d,
                    "ref_wt_vol_diff_ratio": ref * d / a, "vol_diff_wt_ratio": d * d / a, "log_diff_wt_ratio": now / a + math.log(d)}
            for name, value in want.items():
                self.assertAlmostEqual(v[name], value, delta=1e-5 * abs(value))
        self.assertEqual([v["combine_score"] for _, v in classic], sorted((v["combine_score"] for _, v in classic), reverse=True))
        tested = {d: c for d, c in counts.items() if c[2] + c[3] >= 5}
        share = sum(c[3] for c in counts.values()) / sum(c[2] + c[3] for c in counts.values())
        p = {d: sum(math.comb(c[2] + c[3], i) * share ** i * (1 - share) ** (c[2] + c[3] - i) for i in range(c[3], c[2] + c[3] + 1)) for d, c in tested.items()}
        order, least, adjusted = sorted(p, key=p.get, reverse=True), 1, {}
        for i, d in enumerate(order):
            least = min(least, p[d] * len(p) / (len(p) - i))
            adjusted[d] = least
        rising = artifact.lists("trending")["rising"]
        self.assertEqual(artifact.lists("popular")[""], rising)
        self.assertTrue({d for d, _ in rising} <= {d for d in tested if adjusted[d] <= q})
        e = {d: c[2] * share / (1 - share) for d, c in tested.items()}
        left = sum((tested[d][3] - e[d]) ** 2 - e[d] * (1 + share / (1 - share)) for d in tested)
        shape = min(1000, max(0.1, sum(x * x for x in e.values()) / left)) if left > 0 else 1000
        for doc, v in rising:
            self.assertAlmostEqual(v["p"], p[doc], delta=1e-5 * p[doc])
            self.assertAlmostEqual(v["q"], adjusted[doc], delta=1e-5 * adjusted[doc])
            self.assertAlmostEqual(v["ratio"], (tested[doc][3] + shape) / (e[doc] + shape), delta=1e-4)
            self.assertGreater(v["ratio"], v["score"])
            self.assertEqual((v["ref_hits"], v["trgt_hits"]), counts[doc][:2])
            self.assertEqual(v["trgt_rank"], 1 + sum((-c[1], d) < (-counts[doc][1], doc) for d, c in counts.items()))
        return [d for d, _ in rising]

    def test_y_trending(self):
        """A planted rise is found, a bot's is not."""
        d, day = self.daemon, datetime.datetime.combine(MONTH.date(LAST), datetime.time(12), datetime.timezone.utc)
        d.post("/v1/signals", [{"type": "click", "unit": "fan-%d" % i, "doc": "doc-77", "id": "fan-%d" % i, "timestamp": (day - datetime.timedelta(days=i % 2)).isoformat()} for i in range(60)]
               + [{"type": "click", "unit": "one-fan", "doc": "doc-78", "id": "one-%d" % i, "timestamp": day.isoformat()} for i in range(200)], key="client")
        d.wait_loaded()
        params = ("target_days=3", "reference_days=7", "max_q=0.2", "prior=0")
        digests = set()
        for workers in (1, 2, 4):
            self.daemon.run("trainer", "run", "trending", "--data-dir", d.dir, "--workers", str(workers), *(x for p in (AS_OF, *params) for x in ("--param", p)))
            digests.add(self.last("trending")[2])
        self.assertEqual(len(digests), 1)
        rising = self.check_trending("trending", self.windows("doc", "click", 3, 7), 3, 7, 0.2)
        self.assertEqual(rising[0], "doc-77")
        self.assertNotIn("doc-78", rising)
        self.daemon.run("trainer", "run", "trending", "--data-dir", d.dir, *(x for p in (AS_OF, "of=queries", "model=queries", *params) for x in ("--param", p)))
        self.check_trending("queries", self.windows("query", "request", 3, 7), 3, 7, 0.2)
        done = self.daemon.run("trainer", "run", "trending", "--data-dir", d.dir, "--param", "as_of=2020-01-01", check=False)
        self.assertIn('too little data: 0 signals in the target window, parameter "min_signals" asks for 100', done.stderr)

    # ---- what is refused

    def test_z_too_little_and_impossible(self):
        for params, words in ((["min_units=100000"], "too little data"), (["shrink=-1"], '"shrink"'), (["similarity=jaccard"], '"similarity"'),
                              (["weights=click"], 'parameter "weights"'), (["top=0"], '"top"')):
            done = self.compute("item-similarity", *params, check=False)
            self.assertNotEqual(done.returncode, 0, params)
            self.assertIn(words, done.stderr)
        done = self.compute("association-rules", "min_units=20", "min_count=1000", check=False)
        self.assertIn("too little data: of 0 rules of sets that at least 1000 units had", done.stderr)


if __name__ == "__main__":
    unittest.main()
