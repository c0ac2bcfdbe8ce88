#!/usr/bin/env python3
"""Simulated visitors of a small search shop, who use a running experimentd through its real HTTP interface.

SIMULATION: nothing here is anybody's data. The shop has two rankers; each orders the documents of a query by relevance plus
noise, ranker b with less noise. Visitors click by the position-based model: P(click on the document at position k) =
examine(k) * attraction(relevance) * taste of the visitor, each position on its own. Since taste, number of queries and query are
discrete and independent, the true effect of ranker b can be computed exactly; it is printed beside what to expect.

Two experiments are made, of origin "simulated": shop-ranker (a against b) and shop-aa, an A/A test that changes nothing.
Visits lie in the past days; an admin key may give POST /v1/assign the time of the visit.
"""
import argparse
import datetime
import http.client
import json
import random
import sys
import threading
import urllib.parse

WORDS = ("lamp chair desk sofa shelf mirror carpet curtain pillow blanket vase clock candle basket frame stool bench cabinet "
         "mattress wardrobe").split()
KINDS = ["", "small ", "oak ", "blue ", "outdoor "]
NO_RESULTS = ["lampp", "chiar", "matress", "wardrobbe"]   # misspelt: nothing is found
DOCUMENTS_PER_QUERY, SHOWN = 30, 10
NOISE = {"a": 0.45, "b": 0.20}                            # standard deviation of a ranker's error
TASTES = [(0.4, 0.25), (0.8, 0.35), (1.2, 0.25), (2.0, 0.15)]          # (factor of attraction, share of visitors)
QUERIES = [(1, 0.40), (2, 0.25), (3, 0.15), (4, 0.10), (6, 0.07), (9, 0.03)]  # (queries of a visitor, share)
RETURNING = 0.25                                          # share of visitors whose queries fall into two visits
DAY = datetime.timedelta(days=1)

EXPERIMENTS = [
    {"key": "shop-ranker", "name": "Less noisy ranking", "origin": "simulated",
     "hypothesis": "SIMULATION: ranker b orders documents with less noise, so visitors should click more, and higher up.",
     "variants": [{"key": "a", "name": "Noisy ranker (control)", "value": {"ranker": "a"}},
                  {"key": "b", "name": "Less noisy ranker", "value": {"ranker": "b"}}]},
    {"key": "shop-aa", "name": "A/A check", "origin": "simulated",
     "hypothesis": "SIMULATION: both variants are the same; no metric should differ.",
     "variants": [{"key": "a", "name": "Same (control)", "value": {}}, {"key": "a2", "name": "Same again", "value": {}}]},
]


def examine(position):
    return position ** -0.8


def attraction(relevance, taste):
    return min(1.0, taste * (0.01 + 0.45 * relevance * relevance))


def pick(rng, weighted):
    return rng.choices([v for v, _ in weighted], [w for _, w in weighted])[0]


class Shop:
    """The catalogue, the queries with their popularity, and both rankers' fixed orders."""

    def __init__(self, seed):
        rng = random.Random(seed)
        self.queries = [kind + word for word in WORDS for kind in KINDS] + NO_RESULTS
        rng.shuffle(self.queries)
        zipf = [1 / (rank + 3) for rank in range(len(self.queries))]
        self.popularity = [w / sum(zipf) for w in zipf]
        self.found = {}   # query -> number of results
        self.shown = {}   # (ranker, query) -> [(document, relevance)]
        for query in self.queries:
            documents = []
            if query not in NO_RESULTS:
                documents = [("p%05d" % rng.randrange(100000), rng.betavariate(0.8, 1.6)) for _ in range(DOCUMENTS_PER_QUERY)]
            self.found[query] = len(documents)
            for ranker, noise in NOISE.items():
                ordered = sorted(documents, key=lambda d: -(d[1] + rng.gauss(0, noise)))
                self.shown[ranker, query] = ordered[:SHOWN]

    def clicks(self, rng, ranker, query, taste):
        """[(position, document)], from the top of the list."""
        return [(k, document) for k, (document, relevance) in enumerate(self.shown[ranker, query], 1)
                if rng.random() < examine(k) * attraction(relevance, taste)]

    def probabilities(self, ranker, query, taste):
        return [examine(k) * attraction(r, taste) for k, (_, r) in enumerate(self.shown[ranker, query], 1)]

    def truth(self, ranker):
        """Expected value of each metric, exactly: sums over tastes, queries and numbers of queries."""
        no_click = {taste: 0.0 for taste, _ in TASTES}   # P(a query of this visitor has no click)
        clicks = reciprocal = 0.0
        for taste, share in TASTES:
            for query, popular in zip(self.queries, self.popularity):
                none = 1.0
                for k, p in enumerate(self.probabilities(ranker, query, taste), 1):
                    clicks += share * popular * p
                    reciprocal += share * popular * none * p / k
                    none *= 1 - p
                no_click[taste] += popular * none
        mean_queries = sum(n * share for n, share in QUERIES)
        ctr = sum(share * s * (1 - no_click[taste] ** n) for taste, share in TASTES for n, s in QUERIES)
        zero = sum(p for q, p in zip(self.queries, self.popularity) if self.found[q] == 0)
        return {"ctr": ctr, "clicks_per_unit": clicks * mean_queries, "clicks_per_query": clicks, "mrr": reciprocal,
                "zero_result_rate": zero}

    def lift(self):
        a, b = self.truth("a"), self.truth("b")
        return {metric: b[metric] / a[metric] - 1 for metric in a}


class Visit:
    def __init__(self, at, unit, session, taste, queries):
        self.at, self.unit, self.session, self.taste, self.queries = at, unit, session, taste, queries


def plan_visits(shop, rng, visitors, days, end):
    """All visits, oldest first. Evenings are busier than mornings; a second visit comes some days after the first."""
    visits = []
    span = days * 86400 - 3600  # the last visits end before `end`
    for number in range(visitors):
        unit = "visitor-%06d" % number
        taste, count = pick(rng, TASTES), pick(rng, QUERIES)
        queries = rng.choices(shop.queries, shop.popularity, k=count)
        offset = rng.random() * span
        if rng.random() < 0.3:  # move some of the night into the evening before
            offset -= min(offset, 3600 * 4 * rng.random())
        first = end - datetime.timedelta(seconds=3600 + span - offset)
        cut = rng.randrange(1, count) if count > 1 and rng.random() < RETURNING else count
        visits.append(Visit(first, unit, unit + "-1", taste, queries[:cut]))
        second = first + rng.random() * 5 * DAY + DAY / 24
        if cut < count:
            if second > end - DAY / 24:
                visits[-1].queries = queries
            else:
                visits.append(Visit(second, unit, unit + "-2", taste, queries[cut:]))
    visits.sort(key=lambda v: v.at)
    return visits


def rfc3339(at):
    return at.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def visit_signals(shop, rng, visit, ranker):
    """What the front end of the shop would send during this visit."""
    at = visit.at + datetime.timedelta(seconds=rng.uniform(0.5, 3))
    for number, query in enumerate(visit.queries, 1):
        query_id = "%s-q%d" % (visit.session, number)
        common = {"unit": visit.unit, "session": visit.session, "query_id": query_id, "query": query}
        yield {"type": "request", "timestamp": rfc3339(at), "value": shop.found[query], **common}
        for position, document in shop.clicks(rng, ranker, query, visit.taste):
            at += datetime.timedelta(seconds=rng.uniform(2, 4 + 3 * position))
            yield {"type": "click", "timestamp": rfc3339(at), "doc": document, "position": position, **common}
        at += datetime.timedelta(seconds=rng.uniform(10, 90))


class Server:
    """One keep-alive connection of one thread."""

    def __init__(self, url, key):
        parts = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=60)
        self.headers = {"Authorization": "Bearer " + key}

    def request(self, method, path, body=None, accept=(200, 201)):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.connection.request(method, path, body, {**self.headers, "Content-Type": "application/json"})
        reply = self.connection.getresponse()
        text = reply.read().decode()
        if reply.status not in accept:
            raise SystemExit("simulate: %s %s was answered with %d: %s" % (method, path, reply.status, text.strip()))
        return reply.status, json.loads(text) if text else None


def make_experiments(server):
    for experiment in EXPERIMENTS:
        server.request("POST", "/v1/experiments", experiment, accept=(201, 409))
        server.request("POST", "/v1/experiments/%s/start" % experiment["key"], accept=(200, 409))


class Totals:
    def __init__(self):
        self.lock = threading.Lock()
        self.visits = self.queries = self.clicks = 0

    def add(self, visits, signals):
        clicks = sum(s["type"] == "click" for s in signals)
        with self.lock:
            self.visits += visits
            self.clicks += clicks
            self.queries += len(signals) - clicks


def run_visits(shop, visits, url, key, seed, totals, batch=40):
    """Assigns each visit, shows the ranking of its variant, sends its signals in batches of NDJSON."""
    server = Server(url, key)
    for start in range(0, len(visits), batch):
        signals = []
        for visit in visits[start:start + batch]:
            _, reply = server.request("POST", "/v1/assign", {"unit": visit.unit, "timestamp": rfc3339(visit.at)})
            values = {a["experiment"]: a["value"] for a in reply["assignments"]}
            ranker = values["shop-ranker"]["ranker"]
            signals += visit_signals(shop, random.Random("%s/%s" % (seed, visit.session)), visit, ranker)
        lines = "".join(json.dumps(s) + "\n" for s in signals)
        _, reply = server.request("POST", "/v1/signals", lines.encode())
        if reply["accepted"] != len(signals):
            raise SystemExit("simulate: %d of %d signals were accepted: %s" % (reply["accepted"], len(signals), reply))
        totals.add(len(visits[start:start + batch]), signals)


def run(shop, visits, options, key):
    totals, errors = Totals(), []

    def work(part):
        try:
            run_visits(shop, part, options.url, key, options.seed, totals)
        except BaseException as error:  # a thread's SystemExit would pass unseen
            errors.append(error)

    threads = [threading.Thread(target=work, args=(visits[i::options.connections],)) for i in range(options.connections)]
    for thread in threads:
        thread.start()
    while any(t.is_alive() for t in threads):
        threads[0].join(0.2) if threads[0].is_alive() else [t.join(0.2) for t in threads]
        if sys.stderr.isatty():
            print("\r  %d of %d visits" % (totals.visits, len(visits)), end="", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    if errors:
        raise errors[0]
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key-file", help="file with an admin key (DIR/admin.key)")
    parser.add_argument("--visitors", type=int, default=4000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--end", type=datetime.datetime.fromisoformat, help="when the last visit ended; default: now")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--truth", action="store_true", help="only print the true values, as JSON")
    options = parser.parse_args()
    shop = Shop(options.seed)
    if options.truth:
        print(json.dumps({"a": shop.truth("a"), "b": shop.truth("b"), "lift": shop.lift()}))
        return
    if not options.key_file:
        parser.error("--key-file is missing: an admin key, as in DIR/admin.key")
    with open(options.key_file, encoding="ascii") as f:
        key = f.read().strip()
    make_experiments(Server(options.url, key))
    end = options.end or datetime.datetime.now(datetime.timezone.utc)
    visits = plan_visits(shop, random.Random(options.seed), options.visitors, options.days, end)
    totals = run(shop, visits, options, key)
    print("SIMULATION: %d visitors, %d visits, %d queries, %d clicks over %d days" % (
        options.visitors, totals.visits, totals.queries, totals.clicks, options.days))
    a, lift = shop.truth("a"), shop.lift()
    print("true effect of ranker b, computed from the click model:")
    for metric in ("ctr", "clicks_per_query", "mrr", "zero_result_rate"):
        print("  %-18s %.4f -> lift %+.1f %%" % (metric, a[metric], 100 * lift[metric]))


if __name__ == "__main__":
    main()
