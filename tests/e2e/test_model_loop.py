"""A ranker proves itself on users, under a clock that the test sets: signals → nightly training → gate → challenger → tried on users, whose clicks depend on the list
that they are served by the alias of their variant → champion. Then a campaign puts what is sponsored first: a ranker that learned from those clicks without asking where
they came from looks better offline, and users drop it.

With LOOP_STORY_DIR in the environment the stories are written there, as the page asks for them."""
import datetime
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from clock import SetClock, can_set  # noqa: E402
from daemon import wait_for  # noqa: E402
from jobs import JobsDaemon  # noqa: E402

UTC = datetime.timezone.utc
MODEL, EXPERIMENT, JOB = "ranker", "loop-ranker", "train"
FEATURES = ("match", "quality", "sponsored", "age")
LOOKED = (1, 0.8, 0.65, 0.15, 0.12, 0.1, 0.08, 0.06, 0.05, 0.04)  # how often a place is looked at
USERS, QUERIES, DOCS, SPONSORED, DAYS_BEFORE, TRIAL_DAYS = 1200, 40, 12, 4, 3, 6
LOOP = {"traffic": 0.9, "min_days": 2, "max_days": 14, "analysis": {"method": "any_time", "planned_units": 1000},
        "metrics": [{"metric": "clicks_per_query", "role": "primary"}, {"metric": "ctr", "role": "secondary"}]}
TRAINING = {"model": MODEL, "feature_set": "shop", "labels": "clicks", "debias": "none", "days": 4, "holdout_days": 2, "min_sessions": 8, "folds": 0, "trees": 40,
            "depth": 3, "gate": "superior", "gate_min_units": 20}


class Shop:
    """Queries with documents that are good or not; who searches clicks what he looks at and likes."""

    def __init__(self, daemon):
        self.daemon, self.days, rng = daemon, 0, random.Random(8)
        self.queries = {"thing %d" % q: {"d-%d-%d" % (q, k): (round(rng.random(), 3), round(rng.random(), 3), float(k < SPONSORED), round(rng.random(), 3))
                                        for k in range(DOCS)} for q in range(QUERIES)}
        self.query = lambda user: "thing %d" % (user % QUERIES)

    def rows(self):
        """Features, with grades of an editor who went by words alone."""
        return "".join("%d qid:%d %s # %s\t%s\n" % (int(4 * v[0]), q, " ".join("%d:%g" % (i + 1, x) for i, x in enumerate(v)), doc, query)
                       for q, (query, docs) in enumerate(self.queries.items(), 1) for doc, v in docs.items())

    def likes(self, query, doc):
        """The probability of a click on a document that is looked at: the truth, which no ranker is told."""
        _, quality, sponsored, _ = self.queries[query][doc]
        return 0.03 + (0.2 if sponsored else 0.5) * quality

    def served(self, users):
        """Lists by user: ranked by the alias of his variant; who is in none has the champion's."""
        answers = self.daemon.post("/v1/assign", [{"unit": "user-%d" % u} for u in users], key="client")
        assert answers.status == 200, answers
        lists, connection, seen = {}, self.daemon.connection("client"), {}
        for user, answer in zip(users, answers.json):
            value = next((a["value"] for a in answer["assignments"] if a["experiment"] == EXPERIMENT), None) or {"model": MODEL, "alias": "champion"}
            asked = (self.query(user), value["alias"])
            if asked not in seen:
                docs = [{"id": doc, "features": dict(zip(FEATURES, v))} for doc, v in self.queries[asked[0]].items()]
                reply = connection.request("POST", "/v1/rank", {**value, "query": asked[0], "docs": docs})
                assert reply.status == 200, (value, reply)
                seen[asked] = [d["id"] for d in reply.json["docs"]]
            lists[user] = seen[asked]
        connection.close()
        return lists

    def opens(self, order):
        """Who will come today, and what each is going to be shown: "mixed", as its alias ranks ("served"), or that behind what is sponsored ("campaign")."""
        self.days += 1
        self.rng = random.Random(self.days)
        users = [u for u in range(USERS) if self.rng.random() < 0.5]
        mixed = lambda query: self.rng.sample(list(self.queries[query]), DOCS)
        self.lists = {u: mixed(self.query(u)) for u in users} if order == "mixed" else self.served(users)
        if order == "campaign":
            self.lists = {u: sorted(docs, key=lambda doc, q=self.query(u): -self.queries[q][doc][2]) for u, docs in self.lists.items()}

    def visit(self, day, user, docs):
        at, query = day + datetime.timedelta(seconds=self.rng.randrange(3 * 3600, 20 * 3600)), self.query(user)
        asked = {"unit": "user-%d" % user, "query_id": "q-%d-%s" % (user, day.date()), "query": query}
        yield {**asked, "type": "request", "timestamp": at.isoformat()}
        yield {**asked, "type": "response", "value": len(docs), "params": {"docs": docs}, "timestamp": (at + datetime.timedelta(seconds=0.2)).isoformat()}
        for place, doc in enumerate(docs):
            if self.rng.random() < LOOKED[place] * self.likes(query, doc):
                yield {**asked, "type": "click", "doc": doc, "position": place + 1, "timestamp": (at + datetime.timedelta(seconds=5 * place + 3)).isoformat()}

    def closes(self, day):
        signals = [s for u, docs in self.lists.items() for s in self.visit(day, u, docs[:len(LOOKED)])]
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
        self.daemon = self.enterContext(JobsDaemon(environment=self.clock.environment))
        wait_for(self.daemon.leads, "the daemon to lead")
        self.shop, self.nights, self.trained = Shop(self.daemon), 0, 0
        self.daemon.make_job("metrics-at-night", type="metrics", params={}, triggers=[{"type": "cron", "value": "0 2 * * *"}])
        self.daemon.make_job(JOB, type="learn-to-rank", params=TRAINING, triggers=[{"type": "job", "job": "metrics-at-night", "on": ["success", "failed"]}])

    def first_ranker(self):
        """Before there is a click: from what an editor said."""
        spec = {"features": list(FEATURES)}
        self.assertEqual(self.daemon.request("PUT", "/v1/feature-sets/shop", spec).status, 201)
        put = self.daemon.post("/v1/feature-sets/shop/rows?judgments=editor", self.shop.rows().encode())
        self.assertEqual((put.status, put.json["created"]), (200, QUERIES * DOCS), put)
        self.daemon.make_job("first", type="learn-to-rank", params={"model": MODEL, "feature_set": "shop", "judgments": "editor", "folds": 0, "trees": 20, "gate_min_units": 5})
        self.daemon.wait_run(self.daemon.start_run("first"), "success")
        self.assertEqual(self.aliases(), {"champion": 1})
        self.serves("champion", 1)

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
        self.trained += train
        job, wanted = (JOB, self.trained) if train else ("metrics-at-night", self.nights)
        wait_for(lambda: len(self.daemon.runs(job)) == wanted and self.daemon.number(
            "select count(*) from runs where state in ('queued', 'running', 'publishing') or settled_at is null") == 0, "night %d" % self.nights, 300)
        run = self.daemon.runs(job)[-1]
        self.assertEqual(run["state"], "success", run)

    def passes(self, order):
        """The day that has begun with the night, up to its last hour. Who is in the experiment is so before he clicks."""
        self.shop.opens(order)
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
            ("story", "/v1/models/%s/story" % MODEL), ("results", "/v1/experiments/%s/results" % EXPERIMENT), ("timeseries", "/v1/experiments/%s/timeseries" % EXPERIMENT))}
        with open(os.path.join(directory, name + ".json"), "w", encoding="utf-8") as f:
            json.dump(answers, f)

    def tried(self, until):
        """Days on which users are served by the alias of their variant; the step that ends the trial."""
        for day in range(TRIAL_DAYS):
            self.passes("served")
            self.night(train=False)
            if day == 1 and until == "promoted":
                self.keep("trying")
            if self.ended():
                break
        return self.wait_step(until)

    def ended(self):
        return [s for s in self.steps() if s["step"] in ("promoted", "dropped", "rolled_back", "timed_out") and s["phase"] == self.phase]

    # ---- the story

    def test_loop(self):
        self.first_ranker()
        reply = self.daemon.request("PUT", "/v1/models/%s/loop" % MODEL, LOOP)
        self.assertEqual(reply.status, 200, reply)
        for n in range(DAYS_BEFORE, 0, -1):
            self.shop.opens("mixed")
            self.shop.closes(self.day - datetime.timedelta(days=n))
        self.night(0)
        self.users_like_it()
        self.a_campaign_fools_the_gate()

    def challenger(self):
        """The newest version: it passed its gate, and is tried."""
        newest = self.newest()
        self.assertEqual((newest["status"], newest["aliases"]), ("ready", ["challenger"]), newest["gate"])
        self.assertGreater(newest["metrics"]["ndcg@10"]["difference"]["low"], 0)
        print("version %d, its gate: %s" % (newest["version"], newest["gate"]["reason"]))
        self.phase = newest["version"] - 1
        started = self.wait_step("started", self.phase)
        self.assertEqual((started["version"], started["phase"]), (newest["version"], self.phase))
        self.serves("challenger", newest["version"])
        return newest["version"]

    def users_like_it(self):
        """Lists in any order taught what people click; who ranks by that is better than who went by words."""
        better = self.challenger()
        promoted = self.tried("promoted")
        print("promoted: %s" % promoted["reason"])
        self.assertEqual((promoted["version"], promoted["who"], promoted["evidence"]["decision"]), (better, "loop", "ship"))
        self.assertGreater(promoted["evidence"]["low"], 0)
        self.assertGreaterEqual(promoted["evidence"]["days"], LOOP["min_days"])
        self.assertEqual(self.aliases(), {"champion": better, "challenger": better})
        self.assertEqual([s["step"] for s in self.steps()], ["on", "challenger", "started", "promoted"])
        self.serves("champion", better)
        self.keep("promoted")

    def a_campaign_fools_the_gate(self):
        """What is sponsored stands first, where everybody looks: its clicks look like worth, on the days that teach and on those that judge."""
        champion = self.aliases()["champion"]
        for n in range(DAYS_BEFORE):
            self.passes("campaign")
            self.night(train=n + 1 == DAYS_BEFORE)
        fooled = self.challenger()
        dropped = self.tried("dropped")
        print("dropped: %s" % dropped["reason"])
        self.assertEqual((dropped["version"], dropped["who"]), (fooled, "loop"))
        self.assertLess(dropped["evidence"]["high"], 0)
        self.assertEqual(self.aliases(), {"champion": champion, "challenger": champion})
        self.keep("dropped")


if __name__ == "__main__":
    unittest.main(verbosity=2)
