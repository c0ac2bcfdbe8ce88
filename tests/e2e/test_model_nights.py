"""Nights of a young shop under a clock that the test sets: a day's signals → aggregates → models → gate → published → other answers; a day of click bots,
which the gate refuses; and a roll-back, which restores the answers at once."""
import datetime
import json
import os
import random
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from clock import SetClock, can_set  # noqa: E402
from daemon import wait_for  # noqa: E402
from jobs import JobsDaemon  # noqa: E402

UTC = datetime.timezone.utc
GROUPS = ("lantern", "desk", "sofa", "tent")  # what a quarter of the users want, and search for
USERS, BOTS, DAYS_BEFORE = 240, 400, 8
WORDS = ("light", "small", "red", "cheap", "large", "used", "green", "oak", "round", "soft")
TYPO = ("lantern", "lantren")  # as it is meant, and as some type it before they try again


class Shop:
    """Visits of a day: who comes searches for what he wants and clicks four of the documents for it, the new ones gladly."""

    def __init__(self, daemon):
        self.daemon, self.days = daemon, 0

    def visit(self, rng, day, user, new):
        group = GROUPS[user % len(GROUPS)]
        query, at = "%s %s" % (group, WORDS[user // len(GROUPS) % len(WORDS)]), day + datetime.timedelta(seconds=rng.randrange(3 * 3600, 20 * 3600))
        docs = rng.sample(["%s-%d" % (group, n) for n in range(40)], 3) + (rng.sample(["%s-new-%d" % (group, n) for n in range(3)], 2) if new else [])
        typed = [query.replace(*TYPO), query] if group == TYPO[0] and rng.random() < 0.15 else [query]
        for n, text in enumerate(typed):
            asked = {"unit": "user-%d" % user, "query_id": "q-%d-%s-%d" % (user, day.date(), n), "query": text}
            chosen = docs if text == query else []
            yield {**asked, "type": "request", "timestamp": (at + datetime.timedelta(seconds=20 * n)).isoformat()}
            yield {**asked, "type": "response", "value": len(chosen), "timestamp": (at + datetime.timedelta(seconds=20 * n + 0.2)).isoformat()}
            for k, doc in enumerate(chosen):
                yield {**asked, "type": "click", "doc": doc, "position": k + 1, "timestamp": (at + datetime.timedelta(seconds=20 * n + 5 * k + 3)).isoformat()}

    @staticmethod
    def bot(rng, day, number):
        """One of many who look like people of a group, and want one document to be seen."""
        at, group = day + datetime.timedelta(seconds=rng.randrange(3600, 80000)), GROUPS[number % len(GROUPS)]
        docs = ["spam"] * 3 + ["%s-%d" % (group, n) for n in rng.sample(range(40), 10)]
        return [{"unit": "ghost-%d" % number, "type": "click", "doc": doc, "query": "light", "timestamp": (at + datetime.timedelta(seconds=n)).isoformat()}
                for n, doc in enumerate(docs)]

    def send(self, day, new=False, bots=False):
        self.days += 1
        rng = random.Random(self.days)
        signals = [s for user in range(USERS) if rng.random() < 0.6 for s in self.visit(rng, day, user, new)]
        signals += [s for n in range(BOTS if bots else 0) for s in self.bot(rng, day, n)]
        for start in range(0, len(signals), 1000):
            reply = self.daemon.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in signals[start:start + 1000]).encode(), key="client")
            assert reply.status == 200 and not reply.json["rejected"], reply
        self.daemon.wait_loaded()


class Nights(unittest.TestCase):
    def setUp(self):
        reason = can_set()
        if reason:
            self.skipTest(reason)
        self.clock = self.enterContext(SetClock())
        self.day = datetime.datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + datetime.timedelta(days=1)
        # Behind the night of the day before, whatever the hour at which the test runs.
        self.clock.set(round((self.day - datetime.timedelta(hours=1) - datetime.datetime.now(UTC)).total_seconds()))
        # What users chose lately is no part of what is compared: answers are to be those of a version.
        self.daemon = self.enterContext(JobsDaemon("--models-recent-bytes", "0", environment=self.clock.environment, predefined=True))
        wait_for(self.daemon.leads, "the daemon to lead")
        self.shop, self.nights, self.answers = Shop(self.daemon), 0, {}

    # ---- the clock

    def set_clock(self, at):
        self.clock.set(round((at - datetime.datetime.now(UTC)).total_seconds()))
        wait_for(lambda: abs(self.daemon.number("select extract(epoch from now() - '%s')::bigint" % at.isoformat())) < 600, "PostgreSQL to see %s" % at)

    def night(self, days=1):
        """Two o'clock, so many days on; returns when all that the night does is done."""
        self.day += datetime.timedelta(days=days)
        self.set_clock(self.day + datetime.timedelta(hours=2, seconds=2))
        self.nights += 1
        wait_for(lambda: len(self.daemon.runs("publish-rewrites")) == self.nights and self.daemon.number(
            "select count(*) from runs where state in ('queued', 'running', 'publishing') or settled_at is null") == 0, "night %d" % self.nights, 300)
        return {job: self.daemon.runs(job)[-1] for job in ("als", "item-similarity", "popular", "boosts", "publish-rewrites")}

    def passes(self, **what):
        """The day that has begun with the night, up to its last hour."""
        self.set_clock(self.day + datetime.timedelta(hours=23))
        self.shop.send(self.day, **what)

    # ---- what is served

    def ask(self, path, **query):
        reply = self.daemon.get(path + "?" + urllib.parse.urlencode(query), key="client")
        self.assertEqual(reply.status, 200, reply)
        return reply.json

    def items(self, user, model="als"):
        answer = self.ask("/v1/recommend", model=model, id="user-%d" % user, n=10, **{"for": "user"})
        return [i["item"] for i in answer["items"]]

    def serves(self, model, version):
        wait_for(lambda: [m["version"] for m in self.daemon.get("/v1/serving").json["models"] if m["model"] == model and m["alias"] == "champion"] == [version],
                 "%s version %d to be served" % (model, version))

    def champion(self):
        """Its version, once it is served; what it answers is remembered by version."""
        version = self.daemon.get("/v1/models/als/versions/@champion").json["version"]
        self.serves("als", version)
        answers = {u: self.items(u) for u in range(12)}
        self.assertEqual(self.answers.setdefault(version, answers), answers, "a version answers as it did")
        return version

    def version(self, model, version):
        return self.daemon.get("/v1/models/%s/versions/%d" % (model, version)).json

    def wanted(self, user):
        """How many of what is recommended are of the user's kind, and how many of these are new."""
        own = [i for i in self.items(user) if i.startswith(GROUPS[user % len(GROUPS)])]
        return len(own), sum("new" in i for i in own)

    # ---- the story

    def test_nights(self):
        for n in range(DAYS_BEFORE, 0, -1):
            self.shop.send(self.day - datetime.timedelta(days=n + 1))
        self.shop.send(self.day - datetime.timedelta(days=1))
        first = self.night(0)
        self.assertEqual({j: (r["state"], r["note"]) for j, r in first.items() if r["state"] != "success"}, {})
        for model in ("als", "boosts", "rewrites"):
            self.assertEqual([v["gate"]["decision"] for v in self.daemon.get("/v1/models/%s/versions" % model).json["versions"]], ["passed"], (model, self.version(model, 1)["gate"]))
            self.serves(model, 1)
        self.assertEqual(self.champion(), 1)
        for user, answer in self.answers[1].items():
            self.assertGreaterEqual(self.wanted(user)[0], 8, answer)
        self.check_queries()
        self.shop_changes()
        self.bots_come()
        self.roll_back()

    def check_queries(self):
        boosts = self.ask("/v1/boosts", q=TYPO[0] + " light")["boosts"]
        self.assertTrue(boosts and all(b["doc"].startswith("lantern-") for b in boosts), boosts)
        self.assertEqual(self.ask("/v1/rewrite", q=TYPO[1] + " light")["rewritten"], TYPO[0] + " light")

    def shop_changes(self):
        """There are new documents, which people like: one day teaches them, the next one says that it was better to know them."""
        self.passes(new=True)
        self.night()
        self.champion()
        self.passes(new=True)
        self.night()
        newest = self.daemon.get("/v1/models/als/versions").json["versions"][0]
        self.assertEqual((newest["status"], newest["gate"]["decision"]), ("ready", "passed"), newest)
        self.assertGreater(newest["metrics"]["ndcg@10"]["difference"]["low"], 0)
        self.assertEqual(self.champion(), newest["version"])
        self.assertGreaterEqual(sum(self.wanted(u)[1] > 0 for u in range(12)), 3, "who is shown what is new: %s" % self.answers[newest["version"]])

    def bots_come(self):
        """The night behind their day still learns from days before; the next one has it among what it learns from."""
        self.passes(new=True, bots=True)
        self.night()
        champion = self.champion()
        self.passes(new=True)
        run = self.night()["als"]
        newest = self.daemon.get("/v1/models/als/versions").json["versions"][0]
        self.assertEqual((run["state"], newest["status"], newest["gate"]["decision"]), ("success", "refused", "refused"), newest)
        print("refused: %s" % newest["gate"]["reason"])
        self.assertEqual(self.champion(), champion)

    def roll_back(self):
        champion = self.champion()
        reply = self.daemon.post("/v1/models/als/aliases/champion/rollback")
        self.assertEqual(reply.status, 200, reply)
        self.assertLess(reply.json["version"], champion)
        self.assertIn(reply.json["version"], self.answers)
        self.assertEqual(self.champion(), reply.json["version"])
        self.assertNotEqual(self.answers[reply.json["version"]], self.answers[champion])


if __name__ == "__main__":
    unittest.main(verbosity=2)
