"""Days of a shop where people search about one thing at a time: a topic has some queries, which they ask behind each other, and some documents, which they
click. One query is asked about everything ("sale"), one document is clicked for everything ("home"). The same for the same seed.

    topics = Topics(seed=3)
    topics.send(d, day)         # signals of the day
    topics.send(d, day, bots=True)

Sessions begin at all hours, so some go on behind midnight. Some searches find nothing. A bot asks "spam" and "sale" again and again, and clicks on "junk".
"""
import bisect
import datetime
import itertools
import json
import random

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1)"
UTC = datetime.timezone.utc
WORDS = ("lamp", "desk", "sofa", "rug", "vase", "clock", "shelf", "chair")
KINDS = ("%s", "red %s", "%s red", "small %s", "%s for kids", "cheap %s")


class Zipf:
    def __init__(self, n, power=1.0):
        self.sums = list(itertools.accumulate(1 / (k + 1) ** power for k in range(n)))

    def draw(self, rng):
        return bisect.bisect(self.sums, rng.random() * self.sums[-1])


class Topics:
    def __init__(self, seed=1, first=datetime.date(2026, 10, 1), visits=120, units=200):
        self.seed, self.visits = seed, visits
        self.first = datetime.datetime.combine(first, datetime.time(), UTC)
        self.units, self.topics, self.kinds, self.docs = Zipf(units, 0.6), Zipf(len(WORDS), 0.5), Zipf(len(KINDS)), Zipf(6)

    def date(self, day):
        return (self.first + datetime.timedelta(days=day)).date()

    def search(self, unit, word, at, query_id, rng):
        """A request, its response, clicks."""
        query = "sale" if rng.random() < 0.12 else KINDS[self.kinds.draw(rng)] % word
        typed = rng.choice((query, query, query.upper(), " " + query.replace(" ", "  ")))
        common = {"unit": unit, "query_id": query_id, "session": "s-" + query_id.rsplit("-", 1)[0]}
        yield at, {**common, "type": "request", "query": typed}
        yield at + 0.4, {**common, "type": "response", "value": 0 if rng.random() < 0.05 else 12}
        for n in range(rng.choice((0, 1, 1, 2))):
            doc = "home" if rng.random() < 0.15 else "%s-%d" % ("sale" if query == "sale" else word, self.docs.draw(rng))
            yield at + 20 + 15 * n, {**common, "type": rng.choice(("click", "click", "click", "cart")), "doc": doc, "query": typed, "position": n + 1}

    def visit(self, day, number, rng):
        unit, word, at = "unit-%d" % self.units.draw(rng), WORDS[self.topics.draw(rng)], rng.uniform(0, 86400)
        for n in range(rng.choice((1, 2, 3, 4))):
            yield from self.search(unit, word, at, "q-%d-%d-%d" % (day, number, n), rng)
            at += rng.uniform(60, 900)

    def bot(self, day):
        for n in range(30):
            common = {"unit": "bot-1", "query_id": "b-%d-%d" % (day, n)}
            yield 600 * n + 7, {**common, "type": "request", "query": "sale" if n % 2 else "spam"}
            yield 600 * n + 9, {**common, "type": "click", "doc": "junk", "query": "sale" if n % 2 else "spam"}

    def day(self, day, bots=False):
        rng = random.Random("%d %d" % (self.seed, day))
        found = self.bot(day) if bots else (s for number in range(self.visits) for s in self.visit(day, number, rng))
        return [{**s, "id": "%s-%d" % (s["query_id"], i), "timestamp": (self.first + datetime.timedelta(days=day, seconds=round(at, 3), microseconds=i % 1000)).isoformat()}
                for i, (at, s) in enumerate(found)]

    def send(self, d, day, bots=False):
        """To a daemon (daemon.py). How many there were; they are loaded soon after (wait_loaded)."""
        signals = self.day(day, bots)
        reply = d.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in signals).encode(), key="client", headers={"User-Agent": BOT} if bots else None)
        if reply.status != 200 or reply.json["rejected"]:
            raise AssertionError(reply)
        return len(signals)
