"""A model proves itself on users, under a clock that the test sets: signals → nightly training → gate → challenger → tried on users, whose clicks depend on the list
that they are served → champion. Then click bots come: what learned from them looks better offline, and users drop it.

With LOOP_STORY_DIR in the environment the stories are written there, as the page asks for them."""
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
MODEL, EXPERIMENT, JOB = "similar", "loop-similar", "train"
GROUPS = ("lantern", "desk", "sofa", "tent")  # what a quarter of the users want
USERS, BOTS, DAYS_BEFORE, OLD, NEW, SPAM = 600, 500, 4, 30, 8, 24
LOOP = {"traffic": 0.9, "min_days": 2, "max_days": 14, "adjustment": "none", "analysis": {"method": "any_time", "planned_units": 500},
        "metrics": [{"metric": "clicks_per_query", "role": "primary"}, {"metric": "ctr", "role": "secondary"}]}


class Shop:
    """Users want documents of their group, and new ones most of all; what they click is among what they were shown."""

    def __init__(self, daemon):
        self.daemon, self.days = daemon, 0

    @staticmethod
    def wants(user, doc):
        """The probability of a click on a document that a user is shown."""
        if not doc.startswith(GROUPS[user % len(GROUPS)]) or "spam" in doc:
            return 0.01
        return 0.55 if "new" in doc else 0.2

    @staticmethod
    def organic(rng, user, new):
        """What the search engine alone shows: some of all groups, mostly of the one that was searched for."""
        group, other = GROUPS[user % len(GROUPS)], rng.choice(GROUPS)
        return rng.sample(["%s-%d" % (group, n) for n in range(OLD)], 6) + rng.sample(["%s-%d" % (other, n) for n in range(OLD)], 1) + (
            rng.sample(["%s-new-%d" % (group, n) for n in range(NEW)], 3) if new else [])

    def served(self, users):
        """Lists by user: each from the alias of his variant; who is in no variant gets the champion's."""
        answers = self.daemon.post("/v1/assign", [{"unit": "user-%d" % u} for u in users], key="client")
        assert answers.status == 200, answers
        lists, connection = {}, self.daemon.connection("client")
        for user, answer in zip(users, answers.json):
            value = next((a["value"] for a in answer["assignments"] if a["experiment"] == EXPERIMENT), None) or {"model": MODEL, "alias": "champion"}
            reply = connection.request("GET", "/v1/recommend?" + urllib.parse.urlencode({**value, "id": "user-%d" % user, "n": 10, "for": "user"}))
            assert reply.status == 200, (value, reply)
            lists[user] = [i["item"] for i in reply.json["items"]]
        connection.close()
        return lists

    def visit(self, rng, day, user, docs):
        at = day + datetime.timedelta(seconds=rng.randrange(3 * 3600, 20 * 3600))
        asked = {"unit": "user-%d" % user, "query_id": "q-%d-%s" % (user, day.date()), "query": GROUPS[user % len(GROUPS)]}
        yield {**asked, "type": "request", "timestamp": at.isoformat()}
        yield {**asked, "type": "response", "value": len(docs), "params": {"docs": docs}, "timestamp": (at + datetime.timedelta(seconds=0.2)).isoformat()}
        for k, doc in enumerate(docs):
            if rng.random() < self.wants(user, doc):
                yield {**asked, "type": "click", "doc": doc, "position": k + 1, "timestamp": (at + datetime.timedelta(seconds=5 * k + 3)).isoformat()}

    @staticmethod
    def bot(rng, day, number):
        """One of many who look like people of a group, and want documents of one seller to be seen."""
        at, group = day + datetime.timedelta(seconds=rng.randrange(3600, 80000)), GROUPS[number % len(GROUPS)]
        docs = rng.sample(["%s-spam-%d" % (group, n) for n in range(SPAM)], 10) + ["%s-new-%d" % (group, n) for n in rng.sample(range(NEW), 4)]
        return [{"unit": "ghost-%d" % number, "type": "click", "doc": doc, "query": group, "timestamp": (at + datetime.timedelta(seconds=20 * n)).isoformat()}
                for n, doc in enumerate(docs)]

    def opens(self, new=False, bots=False, serve=False):
        """Who will come today, and what each is going to be shown."""
        self.days += 1
        self.rng, self.bots = random.Random(self.days), bots
        users = [u for u in range(USERS) if self.rng.random() < 0.6]
        self.lists = self.served(users) if serve else {u: self.organic(self.rng, u, new) for u in users}

    def closes(self, day):
        rng, lists, bots = self.rng, self.lists, self.bots
        signals = [s for u in lists for s in self.visit(rng, day, u, lists[u])]
        signals += [s for n in range(BOTS if bots else 0) for s in self.bot(rng, day, n)]
        for start in range(0, len(signals), 1000):
            reply = self.daemon.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in signals[start:start + 1000]).encode(), key="client")
            assert reply.status == 200 and not reply.json["rejected"], reply
        self.daemon.wait_loaded()


class Loop(unittest.TestCase):
    def setUp(self):
        reason = can_set()
        if reason:
            self.skipTest(reason)
        self.clock = self.enterContext(SetClock())
        self.day = datetime.datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + datetime.timedelta(days=1)
        self.clock.set(round((self.day - datetime.timedelta(hours=1) - datetime.datetime.now(UTC)).total_seconds()))
        self.daemon = self.enterContext(JobsDaemon("--models-recent-bytes", "0", environment=self.clock.environment))
        wait_for(self.daemon.leads, "the daemon to lead")
        self.shop, self.nights = Shop(self.daemon), 0
        self.daemon.make_job("metrics-at-night", type="metrics", params={}, triggers=[{"type": "cron", "value": "0 2 * * *"}])
        self.daemon.make_job(JOB, type="item-similarity", params={"model": MODEL, "holdout_days": 2, "days": 30, "gate": "superior"},
                             triggers=[{"type": "job", "job": "metrics-at-night", "on": ["success", "failed"]}])

    # ---- the clock

    def set_clock(self, at):
        self.clock.set(round((at - datetime.datetime.now(UTC)).total_seconds()))
        wait_for(lambda: abs(self.daemon.number("select extract(epoch from now() - '%s')::bigint" % at.isoformat())) < 600, "PostgreSQL to see %s" % at)

    def night(self, days=1, train=True):
        """Two o'clock, so many days on; returns when all that the night does is done."""
        self.day += datetime.timedelta(days=days)
        reply = self.daemon.request("PUT", "/v1/jobs/%s/schedule" % JOB, {"enabled": train})
        self.assertEqual(reply.status, 200, reply)
        self.set_clock(self.day + datetime.timedelta(hours=2, seconds=2))
        self.nights += 1
        job, before = (JOB, self.trained) if train else ("metrics-at-night", self.nights - 1)
        wait_for(lambda: len(self.daemon.runs(job)) > before and self.daemon.number(
            "select count(*) from runs where state in ('queued', 'running', 'publishing') or settled_at is null") == 0, "night %d" % self.nights, 300)
        self.trained += train
        run = self.daemon.runs(job)[-1]
        self.assertEqual(run["state"], "success", run)

    trained = 0

    def passes(self, **what):
        """The day that has begun with the night, up to its last hour. Who is in the experiment is so before he clicks."""
        self.shop.opens(**what)
        self.set_clock(self.day + datetime.timedelta(hours=23))
        self.shop.closes(self.day)

    # ---- what has come of it

    def aliases(self):
        return self.daemon.get("/v1/models/" + MODEL).json["aliases"]

    def steps(self):
        return self.daemon.get("/v1/models/%s/story" % MODEL).json["steps"][::-1]

    def newest(self):
        return self.daemon.get("/v1/models/%s/versions" % MODEL).json["versions"][0]

    def wait_step(self, step, count=1):
        def look():
            found = [s for s in self.steps() if s["step"] == step]
            return found[-1] if len(found) >= count else None
        return wait_for(look, "step %s" % step)

    def serves(self, alias, version):
        wait_for(lambda: [m["version"] for m in self.daemon.get("/v1/serving").json["models"] if m["model"] == MODEL and m["alias"] == alias] == [version],
                 "version %d to be served as %s" % (version, alias))

    def keep(self, name):
        """What the page asks for, for its fixtures."""
        directory = os.environ.get("LOOP_STORY_DIR")
        if not directory:
            return
        answers = {what: self.daemon.get(path).json for what, path in (
            ("story", "/v1/models/%s/story" % MODEL), ("results", "/v1/experiments/%s/results" % EXPERIMENT), ("timeseries", "/v1/experiments/%s/timeseries" % EXPERIMENT),
            ("model", "/v1/models/" + MODEL))}
        with open(os.path.join(directory, name + ".json"), "w", encoding="utf-8") as f:
            json.dump(answers, f)

    # ---- the story

    def test_loop(self):
        for n in range(DAYS_BEFORE, 0, -1):
            self.shop.opens()
            self.shop.closes(self.day - datetime.timedelta(days=n))
        self.night(0)
        self.assertEqual(self.aliases(), {"champion": 1}, self.newest()["gate"])
        reply = self.daemon.request("PUT", "/v1/models/%s/loop" % MODEL, LOOP)
        self.assertEqual(reply.status, 200, reply)
        self.users_like_it()
        self.bots_fool_the_gate()

    def users_like_it(self):
        """There are new documents, which people like: who has learned from that passes the gate, is tried, and becomes champion."""
        self.passes(new=True)
        self.night(train=False)
        self.passes(new=True)
        self.night(train=False)
        self.passes(new=True)
        self.night()
        better = self.newest()
        self.assertEqual((better["status"], better["aliases"]), ("ready", ["challenger"]), better["gate"])
        self.assertEqual(self.aliases()["champion"], 1)
        self.assertEqual(self.wait_step("started")["version"], better["version"])
        self.serves("challenger", better["version"])
        for day in range(5):
            self.passes(serve=True)
            self.night(train=False)
            if day == 1:
                self.keep("trying")
            if [s for s in self.steps() if s["step"] == "promoted"]:
                break
        promoted = self.wait_step("promoted")
        print("promoted: %s" % promoted["reason"])
        self.assertEqual((promoted["version"], promoted["who"], promoted["evidence"]["decision"]), (better["version"], "loop", "ship"))
        self.assertGreater(promoted["evidence"]["low"], 0)
        self.assertGreaterEqual(promoted["evidence"]["days"], LOOP["min_days"])
        self.assertEqual(self.aliases(), {"champion": better["version"]})
        self.assertEqual([s["step"] for s in self.steps()], ["on", "challenger", "started", "promoted"])
        self.serves("champion", better["version"])
        self.keep("promoted")

    def bots_fool_the_gate(self):
        """What learned from bots is better at guessing what bots click: offline it wins. Users click it less."""
        champion = self.aliases()["champion"]
        self.passes(new=True, bots=True)
        self.night(train=False)
        self.passes(new=True, bots=True)
        self.night(train=False)
        self.passes(new=True, bots=True)
        self.night()
        fooled = self.newest()
        self.assertEqual((fooled["status"], fooled["aliases"]), ("ready", ["challenger"]), fooled["gate"])
        self.assertGreater(fooled["metrics"]["ndcg@10"]["difference"]["low"], 0)
        print("its gate: %s" % fooled["gate"]["reason"])
        started = self.wait_step("started", 2)
        self.assertEqual((started["version"], started["phase"]), (fooled["version"], 2))
        self.serves("challenger", fooled["version"])
        for _ in range(5):
            self.passes(serve=True)
            self.night(train=False)
            if [s for s in self.steps() if s["step"] == "dropped"]:
                break
        dropped = self.wait_step("dropped")
        print("dropped: %s" % dropped["reason"])
        self.assertEqual((dropped["version"], dropped["who"]), (fooled["version"], "loop"))
        self.assertLess(dropped["evidence"]["high"], 0)
        self.assertEqual(self.aliases(), {"champion": champion})
        self.keep("dropped")


if __name__ == "__main__":
    unittest.main(verbosity=2)
