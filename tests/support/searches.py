"""A log of searches with known contents: each query so often, with so many clicks on which documents, and what was searched next.

    log = Searches(day=datetime.date(2026, 10, 1))
    log.add("leather sofa", 40, {"sofa-1": 20, "sofa-2": 5})
    log.add("lether sofa", 6, {}, zero=6, next="leather sofa")
    log.send(d)

Each search is a session of its own unit: a request, a response with its number of results, a click; and, with `next`, a second request. What was added is
counted beside (queries), for tests that compute the same otherwise. The next search counts as a search of its own query.
"""
import collections
import datetime
import json

UTC = datetime.timezone.utc


class Searches:
    def __init__(self, day=datetime.date(2026, 10, 1)):
        self.at = datetime.datetime.combine(day, datetime.time(1), UTC)
        self.signals, self.units = [], 0
        self.queries = {}

    def query(self, text):
        return self.queries.setdefault(text, {"searches": 0, "zero": 0, "clicks": 0, "docs": collections.Counter(), "next": collections.Counter()})

    def signal(self, unit, seconds, kind, **fields):
        at = self.at + datetime.timedelta(seconds=seconds, microseconds=self.units * 997)
        self.signals.append({"id": "s-%d" % len(self.signals), "type": kind, "unit": unit, "timestamp": at.isoformat(), **fields})

    def add(self, text, searches, docs, zero=0, next=None):
        """zero: of the searches, so many find nothing; docs: clicks, the first ones of the searches with results."""
        query, clicks = self.query(text), [doc for doc in sorted(docs) for _ in range(docs[doc])]
        assert len(clicks) <= searches - zero, text
        for n in range(searches):
            unit, query_id = "unit-%d" % self.units, "q-%d" % self.units
            self.units += 1
            finds = n < searches - zero
            self.signal(unit, 0, "request", query=text, query_id=query_id)
            self.signal(unit, 1, "response", query=text, query_id=query_id, value=10 if finds else 0)
            if n < len(clicks):
                self.signal(unit, 5, "click", query=text, query_id=query_id, doc=clicks[n], position=1)
            if next:
                self.signal(unit, 20, "request", query=next, query_id=query_id + "-next")
                self.query(next)["searches"] += 1
                query["next"][next] += 1
        query["searches"] += searches
        query["zero"] += zero
        query["clicks"] += len(clicks)
        query["docs"].update(docs)

    def send(self, d, batch=2000):
        for start in range(0, len(self.signals), batch):
            reply = d.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in self.signals[start:start + batch]).encode(), key="client")
            if reply.status != 200 or reply.json["rejected"]:
                raise AssertionError(reply)
        d.wait_loaded()
        return len(self.signals)
