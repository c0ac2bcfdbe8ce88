"""A month of a shop's signals, the same for the same seed: who comes, what is searched, clicked, put into carts and bought, and what arrives late.

    month = Month(seed=7)
    for day in range(month.days):
        month.send(d, day)          # what comes in on this day: its own signals, and late ones of the days before

Popular units, queries and documents are much more popular than others (Zipf). Queries are typed in different ways, some under filters. Some signals
name their query by its id alone. Visits go on behind midnight. A few bots click everything: they send with the header of one, so they are marked.
Each day is made from seed and day alone; nothing depends on the clock.
"""
import bisect
import datetime
import itertools
import json
import random

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1)"
UTC = datetime.timezone.utc
WORDS = ("lamp", "desk", "Büro", "chair", "sofa", "élan", "shelf", "rug", "ÖL", "vase", "clock", "bed")
FILTERS = (["colour:red"], ["brand:acme", "colour:blue"], ["size:L", "brand:acme"], "sale")


class Zipf:
    """Numbers 0 … n - 1, the k-th with a probability in proportion to 1 / (k + 1)^power."""

    def __init__(self, n, power=1.0):
        self.sums = list(itertools.accumulate(1 / (k + 1) ** power for k in range(n)))

    def draw(self, rng):
        return bisect.bisect(self.sums, rng.random() * self.sums[-1])


class Month:
    def __init__(self, seed=1, days=30, first=datetime.date(2026, 10, 1), visits=60, units=150, queries=80, docs=200, late=0.06):
        """visits: a day. late: the share of them whose signals come in one to three days later."""
        self.seed, self.days, self.visits, self.late = seed, days, visits, late
        self.first = datetime.datetime.combine(first, datetime.time(), UTC)
        self.units, self.queries, self.docs = Zipf(units, 0.7), Zipf(queries), Zipf(docs, 0.8)
        self.made = {}

    def date(self, day):
        return (self.first + datetime.timedelta(days=day)).date()

    # ---- one visit

    @staticmethod
    def query_text(number):
        return "%s %s %d" % (WORDS[number % len(WORDS)], WORDS[(number * 7 + 3) % len(WORDS)], number)

    @staticmethod
    def typed(text, rng):
        """As people type it: the same query all the same."""
        return rng.choice([text, text, text.upper(), text.title(), "  " + text.replace(" ", "  "), text.replace(" ", "\t") + "\u3000"])

    def search(self, unit, day, at, number, rng):
        """A request, its response, clicks on some of the results, carts and purchases of some of these."""
        query = self.queries.draw(rng)
        query_id = "q-%d-%d-%d" % (self.seed, day, number)
        filters = rng.choice(FILTERS) if rng.random() < 0.25 else None
        common = {"unit": unit, "session": "s-%d-%d" % (day, number // 3), "query_id": query_id}
        shown = [(query * 3 + self.docs.draw(rng)) % len(self.docs.sums) for _ in range(8)]
        yield at, {**common, "type": "request", "query": self.typed(self.query_text(query), rng), **({"params": {"filters": filters}} if filters else {})}
        yield at + 0.2, {**common, "type": "response", "value": len(shown), "params": {"docs": ["doc-%d" % doc for doc in shown]}}
        for position, doc in enumerate(shown, 1):
            if rng.random() >= 0.5 / position:
                continue
            at += rng.uniform(2, 90)
            chosen = {**common, "doc": "doc-%d" % doc, "position": position}
            if rng.random() < 0.5:
                chosen["query"] = self.typed(self.query_text(query), rng)
            if filters and rng.random() < 0.3:
                chosen["params"] = {"filters": list(reversed(filters)) if isinstance(filters, list) else filters}
            yield at, {**chosen, "type": "click"}
            if rng.random() < 0.3:
                del chosen["position"]
                yield at + 30, {**chosen, "type": "cart"}
                if rng.random() < 0.4:
                    yield at + rng.uniform(100, 4000), {**chosen, "type": "purchase", "value": round(rng.lognormvariate(3, 1), 2)}

    def visit(self, day, number, rng):
        bot = rng.random() < 0.04
        unit = "bot-%d" % rng.randrange(3) if bot else "unit-%d" % self.units.draw(rng)
        at = rng.uniform(0, 86400)
        signals = [s for n in range(rng.choice((1, 1, 2, 3))) for s in self.search(unit, day, at + n * 240, number * 3 + n, rng)]
        delay = 0 if bot or rng.random() >= self.late else rng.randrange(1, 4)
        return day + delay, bot, [{**s, "id": "%s-%d" % (s["query_id"], i), "timestamp": (self.first + datetime.timedelta(days=day, seconds=round(t, 3))).isoformat()}
                                  for i, (t, s) in enumerate(signals)]

    def day(self, day):
        """The visits that began on it: when they come in, whether it was a bot, signals."""
        if day not in self.made:
            rng = random.Random("%d %d" % (self.seed, day))
            self.made[day] = [self.visit(day, number, rng) for number in range(self.visits)]
        return self.made[day]

    # ---- sending

    def arrivals(self, day, bots=False):
        """Signals that come in on a day; with bots, theirs instead. What would come in later comes on the last day."""
        return [s for began in range(max(0, day - 3), day + 1) for comes, bot, signals in self.day(began) for s in signals
                if bot == bots and min(comes, self.days - 1) == day]

    def send(self, d, day, batch=1000):
        """To a daemon (daemon.py). How many there were; they are loaded soon after (wait_loaded)."""
        count = 0
        for bots in (False, True):
            signals = self.arrivals(day, bots)
            for start in range(0, len(signals), batch):
                body = "".join(json.dumps(s) + "\n" for s in signals[start:start + batch]).encode()
                reply = d.post("/v1/signals", body, key="client", headers={"User-Agent": BOT} if bots else None)
                if reply.status != 200 or reply.json["rejected"]:
                    raise AssertionError(reply)
            count += len(signals)
        return count
