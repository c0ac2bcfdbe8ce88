"""quality: next item, association rules and trending on a shop's views, carts and purchases, beside popularity, item cosine and mlxtend.

Retailrocket (../shared/data/retailrocket_processed) has no timestamps: lines are ordered by visitor, and the order of a visitor's lines is taken as that of
what it did. So, for the next item, all views but the last of each visitor are of one day and the last is of the day behind it. Rules are found on the carts and
purchases of visitors with odd numbers, and held against those with even ones. For trends there is no order to go by: each view gets a day of four weeks by chance,
so that nothing trends, and of some items a part is moved into the last week, which is what is to be found. Items and their volumes are real, instants are not.
"""
import collections
import datetime
import itertools
import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from artifact import of_version  # noqa: E402
from daemon import Daemon, SHARED_DATA  # noqa: E402

DATA = os.path.join(SHARED_DATA, "retailrocket_processed")
FIRST, DAYS, TARGET = datetime.datetime(2026, 9, 1, tzinfo=datetime.timezone.utc), 28, 7
PLANTED, TIMES, SEED = 30, 4, 11
NEXT = {"as_of": str((FIRST + datetime.timedelta(days=1)).date()), "weights": "view=1", "half_life_days": 0, "holdout_days": 1, "min_item_units": 1, "max_unit_items": 10000, "gate": "none"}
RULES = {"as_of": str(FIRST.date()), "weights": "cart=1,purchase=1", "holdout_days": 0, "min_item_units": 1, "max_unit_items": 10000, "min_count": 2, "min_confidence": 0, "top": 10000,
         "min_units": 10, "user_top": 0}


def missing():
    """What is not there, as a sentence; or None."""
    return None if os.path.exists(DATA) else "there is no %s: nothing to measure" % os.path.normpath(DATA)


# ---- the data

def read(name):
    with open(os.path.join(DATA, name + "_ecommerce.dat"), encoding="ascii") as f:
        next(f)
        return [tuple(line.split("\t")[:2]) for line in f]


def by_visitor(rows):
    found = collections.defaultdict(list)
    for visitor, item in rows:
        found[visitor].append(item)
    return found


class Shop:
    def __init__(self, d):
        self.d, self.sent = d, 0

    def send(self, signals):
        """Of (type, unit, doc, seconds since the first day began)."""
        signals = iter(signals)
        while batch := list(itertools.islice(signals, 5000)):
            body = "".join(json.dumps({"id": "s-%d" % (self.sent + i), "type": kind, "unit": unit, "doc": doc, "timestamp": (FIRST + datetime.timedelta(seconds=at)).isoformat()}) + "\n"
                           for i, (kind, unit, doc, at) in enumerate(batch)).encode()
            reply = self.d.post("/v1/signals", body, key="client")
            assert reply.status == 200 and not reply.json["rejected"], reply
            self.sent += len(batch)

    def run(self, job, model, **params):
        """The artifact and the metrics of the version."""
        self.d.run("trainer", "run", job, "--data-dir", self.d.dir, *(x for k, v in {"model": model, **params}.items() for x in ("--param", "%s=%s" % (k, v))))
        version, metrics = self.d.sql("select version, metrics from model_versions where model = '%s' order by version desc limit 1" % model)[0]
        return of_version(self.d, model, int(version)), json.loads(metrics)


# ---- the next item

NEXT_MODELS = [
    ("popular", "popular", {"popular_shrink": 0, "min_units": 10}),
    ("item-similarity, cosine, shrink 0, top 300", "item-similarity", {"shrink": 0, "min_pair_units": 1, "top": 300}),
    ("item-similarity, cosine (defaults: shrink 3, top 50)", "item-similarity", {}),
    ("item-similarity, llr", "item-similarity", {"similarity": "llr", "shrink": 0}),
    ("association-rules, by lift, all", "association-rules", {"min_count": 2, "max_q": 1, "triples": "false", "rank_by": "lift"}),
    ("association-rules, by lift, q at most 0.05", "association-rules", {"min_count": 2, "triples": "false", "rank_by": "lift"}),
]


def plain_hit_rates(views):
    """Of popularity and of item cosine, by SciPy: of all visitors, is the last item among the ten best that are not among the others? None without it."""
    try:
        import numpy
        from scipy.sparse import csr_matrix
    except ImportError:
        return None
    items = sorted({i for had in views.values() for i in had}, key=int)
    place = {item: n for n, item in enumerate(items)}
    pairs = [(v, place[i]) for v, had in enumerate(views.values()) for i in set(had[:-1])]
    x = csr_matrix((numpy.ones(len(pairs)), tuple(zip(*pairs))), (len(views), len(items)))
    units = numpy.asarray(x.sum(axis=0)).ravel()
    scaled = x.multiply(1 / numpy.sqrt(numpy.maximum(units, 1))).tocsr()
    alike = (scaled.T @ scaled).tocsr()
    hits = [0, 0]
    for v, had in enumerate(views.values()):
        for at, score in enumerate((units.copy(), numpy.asarray((x[v] @ alike).todense()).ravel())):
            score[x[v].indices] = -1
            best = numpy.argsort(-score, kind="stable")[:10]
            hits[at] += place[had[-1]] in best[score[best] > 0]
    return [h / len(views) for h in hits]


def next_item(shop):
    views = by_visitor(read("view"))
    shop.send(("view", v, item, i if i + 1 < len(items) else 86400) for v, items in views.items() for i, item in enumerate(items))
    shop.d.wait_loaded()
    plain = plain_hit_rates(views)
    rows = [("the README: popularity", 0.0003, None, None), ("the README: item cosine", 0.0733, None, None)]
    rows += [("SciPy: popularity", plain[0], None, None), ("SciPy: item cosine", plain[1], None, None)] if plain else []
    for number, (name, job, params) in enumerate(NEXT_MODELS):
        _, m = shop.run(job, "next-%d" % number, **NEXT, **params)
        share = m["hit_rate@10"]["n"] / len(views)
        rows.append((name, m["hit_rate@10"]["value"] * share, m["ndcg@10"]["value"] * share, m["coverage"]["value"]))
    return len(views), rows


# ---- rules

def lifts(rules, baskets):
    """Held-out: Σ of how often rules held over Σ of how often they would by chance, and confidence of all together."""
    n, units = len(baskets), collections.Counter(i for b in baskets for i in b)
    having = collections.defaultdict(set)
    for at, b in enumerate(baskets):
        for i in b:
            having[i].add(at)
    held, chance, asked = 0, 0.0, 0
    for antecedent, then in rules:
        of_a = set.intersection(*(having[i] for i in antecedent))
        held += len(of_a & having[then])
        chance += len(of_a) * units[then] / n
        asked += len(of_a)
    return (held / chance if chance else 0.0), (held / asked if asked else 0.0)


def of_mlxtend(baskets, least):
    """(antecedent, consequent) → support, confidence, lift, leverage; None where it is not installed."""
    try:
        import pandas
        from mlxtend.frequent_patterns import association_rules, fpgrowth
        from mlxtend.preprocessing import TransactionEncoder
    except ImportError:
        return None
    encoder = TransactionEncoder()
    table = pandas.DataFrame.sparse.from_spmatrix(encoder.fit_transform([sorted(b) for b in baskets], sparse=True), columns=encoder.columns_)
    table.columns = [str(c) for c in table.columns]
    sets = fpgrowth(table, min_support=(least - 0.5) / len(baskets), use_colnames=True, max_len=3)
    found = association_rules(sets, metric="support", min_threshold=0)
    return {(tuple(sorted(r.antecedents)), next(iter(r.consequents))): (r.support, r.confidence, r.lift, r.leverage)
            for r in found.itertuples() if len(r.consequents) == 1}


def rules(shop):
    baskets = collections.defaultdict(set)
    for name in ("add_to_cart", "purchase"):
        for visitor, item in read(name):
            baskets[int(visitor)].add(item)
    shop.send(("cart", "v%d" % v, item, 0) for v, items in baskets.items() if v % 2 for item in sorted(items))
    shop.d.wait_loaded()
    artifact, _ = shop.run("association-rules", "rules", **RULES, max_q=1)
    ours = {(tuple(key.split("\x1f")), then): v for key, entries in artifact.lists("rules").items() for then, v in entries}
    train, test = ([b for v, b in sorted(baskets.items()) if v % 2 == odd] for odd in (1, 0))
    theirs, agree = of_mlxtend(train, RULES["min_count"]), None
    if theirs is not None:
        halves = {k: v[1] for k, v in theirs.items() if len(k[0]) == 1}
        better = {k: v for k, v in theirs.items() if v[2] > 1 + 1e-12 and (len(k[0]) == 1 or v[1] > max(halves[(a,), k[1]] for a in k[0]) + 1e-12)}
        worst = max((abs(ours[k][name] / v - 1) for k in ours if k in theirs for name, v in zip(("support", "confidence", "lift", "leverage"), theirs[k])), default=0)
        agree = (len(better), len(set(ours) & set(better)), worst)
    table = []
    for name, keep in (("of frequent sets, lift > 1", lambda v: True), ("q at most 0.05", lambda v: v["q"] <= 0.05), ("q above 0.05", lambda v: v["q"] > 0.05)):
        chosen = {k: v for k, v in ours.items() if keep(v)}
        table.append((name, len(chosen), sum(len(k[0]) == 2 for k in chosen), *lifts(chosen, train), *lifts(chosen, test)))
    return len(train), len(test), table, len(ours), agree


# ---- trends

def trends(shop):
    rng = random.Random(SEED)
    views = read("view")
    volume = collections.Counter(item for _, item in views)
    planted = set(rng.sample(sorted(i for i, n in volume.items() if n >= 30), PLANTED))
    # A share of three weeks' views goes to the last one, so that its daily rate becomes TIMES that of the days before.
    moved = 1 - DAYS / (TIMES * TARGET + DAYS - TARGET)

    def day(item):
        at = rng.randrange(DAYS)
        return rng.randrange(DAYS - TARGET, DAYS) if at < DAYS - TARGET and item in planted and rng.random() < moved else at
    shop.send(("look", "%s" % visitor, item, day(item) * 86400 + 60) for visitor, item in views)
    shop.d.wait_loaded()
    as_of = str((FIRST + datetime.timedelta(days=DAYS - 1)).date())
    artifact, metrics = shop.run("trending", "trending", as_of=as_of, types="look", target_days=TARGET, reference_days=DAYS - TARGET, top=100000)
    found = [doc for doc, _ in artifact.lists("trending")["rising"]]
    loose, _ = shop.run("trending", "trending", as_of=as_of, types="look", target_days=TARGET, reference_days=DAYS - TARGET, top=100000, max_q=0.99)
    classic = artifact.lists("classic")[""]
    orders = [("combine_score (classic)", [d for d, _ in classic]),
              ("hit_vol_ratio (classic)", [d for d, v in sorted(classic, key=lambda e: (-e[1]["hit_vol_ratio"], e[0]))]),
              ("log_diff_wt_ratio (classic)", [d for d, v in sorted(classic, key=lambda e: (-e[1]["log_diff_wt_ratio"], e[0]))]),
              ("shrunk score", [d for d, _ in loose.lists("trending")["rising"]])]
    return ([(name, len(planted & set(order[:PLANTED])) / PLANTED) for name, order in orders], len(found), len(planted & set(found)), metrics["prior"]["value"], len(volume))


# ---- what is said

def report():
    with Daemon() as d:
        shop = Shop(d)
        visitors, rows = next_item(shop)
        print("next item: the last view of each of %d visitors hidden, all unseen items ranked; shares of all visitors\n" % visitors)
        print("| model | HR@10 | nDCG@10 | coverage |\n|---|---|---|---|")
        for name, hits, ndcg, coverage in rows:
            print("| %s | %.4f | %s | %s |" % (name, hits, "" if ndcg is None else "%.4f" % ndcg, "" if coverage is None else "%.3f" % coverage))
        train, test, table, ours, agree = rules(shop)
        print("\nassociation rules: sets of %d or more of %d visitors' carts and purchases; held out: %d others\n" % (RULES["min_count"], train, test))
        print("| rules | how many | of two items | lift | confidence | lift, held out | confidence, held out |\n|---|---|---|---|---|---|---|")
        for row in table:
            print("| %s | %d | %d | %.1f | %.3f | %.1f | %.3f |" % row)
        print("\nmlxtend: not installed" if agree is None else "\nmlxtend finds %d rules with the same limits, %d of them here among %d; the largest relative difference of a measure is %.1e"
              % (agree[0], agree[1], ours, agree[2]))
        orders, found, right, prior, items = trends(shop)
        print("\ntrends: %d of the items with 30 views or more (of %d) made to come %d times as often in the last week\n" % (PLANTED, items, TIMES))
        print("| order | planted ones among the first %d |\n|---|---|" % PLANTED)
        for name, share in orders:
            print("| %s | %.2f |" % (name, share))
        print("\nfound at q 0.05: %d, of which %d are planted; the prior's shape is %.3g" % (found, right, prior))
        return rows, table, orders, (found, right)


if __name__ == "__main__":
    why = missing()
    print(why) if why else report()
