"""/v1/interleave from outside, on two daemons with one database: lists are what the coins of coins.py say, both daemons agree, a query is one
impression, bad input is refused with its field's name."""
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
sys.path.insert(0, os.path.dirname(__file__))
from coins import Coins  # noqa: E402
from daemon import SOURCE_DIR, Daemon, wait_for  # noqa: E402

A = ["a", "b", "c", "d", "e"]
B = ["c", "b", "f", "g", "a", "é\"\\"]
C = ["x", "a", "f"]
METHODS = {"draft": "team_draft", "balance": "balanced", "optimal": "optimized", "multi": "multileave"}


def draft(seed, query_id, rankings, length):
    """Team draft as the papers tell it; a team is found used up when it is its turn."""
    coins, docs, owners = Coins(seed, query_id), [], []
    picks, used_up = {t: 0 for t in rankings}, set()
    while len(docs) < length and any(d not in docs for r in rankings.values() for d in r):
        fewest = min(n for t, n in picks.items() if t not in used_up)
        level = [t for t in rankings if t not in used_up and picks[t] == fewest]
        team = level[coins.toss(len(level))] if len(level) > 1 else level[0]
        left = [d for d in rankings[team] if d not in docs]
        if not left:
            used_up.add(team)
            continue
        docs.append(left[0])
        owners.append(team)
        picks[team] += 1
    return docs, owners


def winner(answer, clicks):
    """bm25, ltr or tie, by the rules of the method, for rankings A and B."""
    docs = answer["docs"]
    credit = {"bm25": 0, "ltr": 0}
    for c in clicks:
        if answer["method"] == "balanced":
            lowest = docs[clicks[-1]]
            k = min(r.index(lowest) for r in (A, B) if lowest in r)
            credit["bm25"] += docs[c] in A[:k + 1]
            credit["ltr"] += docs[c] in B[:k + 1]
        elif answer["owners"][c]:
            credit[answer["owners"][c]] += answer.get("credit", [1] * len(docs))[c]
    return "tie" if abs(credit["bm25"] - credit["ltr"]) < 1e-9 else max(credit, key=credit.get)


class InterleaveApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemons = []
        cls.first = d = Daemon()
        cls.daemons.append(d)
        d.start()
        cls.second = Daemon("--database-url", d.database_url())
        cls.daemons.insert(0, cls.second)
        for key, method in METHODS.items():
            cls.make(key, {"method": method}, *(["bm25", "ltr", "new"] if method == "multileave" else ["bm25", "ltr"]))
        cls.make("half", {"method": "team_draft"}, "bm25", "ltr", coverage=0.5)
        cls.make("draft-only", {"method": "team_draft"}, "bm25", "ltr", start=False)
        cls.make("over", {"method": "team_draft"}, "bm25", "ltr")
        d.post("/v1/experiments/over/stop")
        d.make_experiment("ab")
        cls.second.start()

    @classmethod
    def make(cls, key, interleave, *variants, **fields):
        cls.first.make_experiment(key, kind="interleave", interleave=interleave, variants=[{"key": v} for v in variants], seed="s-" + key,
                                  **fields)

    @classmethod
    def tearDownClass(cls):
        try:
            for d in cls.daemons:
                d.stop()
        finally:
            for d in cls.daemons:
                d.destroy()

    def ask(self, experiment, query_id, rankings=None, daemon=None, status=200, **fields):
        body = {"unit": "u-1", "query_id": query_id, "experiment": experiment, "rankings": rankings or {"bm25": A, "ltr": B}, **fields}
        reply = (daemon or self.first).post("/v1/interleave", body, key="client")
        self.assertEqual(reply.status, status, reply)
        return reply.json if status == 200 else reply.json["detail"]

    def impressions(self, where):
        for d in self.daemons:
            d.wait_loaded()
        return self.first.sql("select id, unit, query_id, params from signals where type = 'interleave' and " + where)

    def test_lists_are_drafted_by_the_coins_of_the_query(self):
        for i in range(60):
            query, length = "draft-%d" % i, i % 9 + 1
            rankings = {"bm25": A, "ltr": B}
            answer = self.ask("draft", query, {"ltr": B, "bm25": A}, length=length)
            docs, owners = draft("s-draft", query, rankings, length)
            self.assertEqual(answer, {"experiment": "draft", "method": "team_draft", "interleaved": True, "reason": "split", "docs": docs,
                                      "owners": owners})
            three = {**rankings, "new": C}
            answer = self.ask("multi", query, three)
            self.assertEqual((answer["docs"], answer["owners"]), draft("s-multi", query, three, 6), query)

    def test_both_daemons_give_the_same_list(self):
        rng, different = random.Random(7), set()
        for i in range(40):
            for key, method in METHODS.items():
                names = ["bm25", "ltr", "new"][:3 if method == "multileave" else 2]
                rankings = {n: rng.sample(sorted(set(A + B)), rng.randint(0, 7)) for n in names}
                one = self.ask(key, "same-%d" % i, rankings)
                other = self.ask(key, "same-%d" % i, dict(reversed(list(rankings.items()))), daemon=self.second, unit="u-2")
                self.assertEqual(one, other)
                self.assertEqual(len(one["docs"]), min(max(map(len, rankings.values())), len(set(sum(rankings.values(), [])))))
                self.assertEqual(len(one["owners"]), len(one["docs"]))
            different.add(json.dumps(self.ask("draft", "other-%d" % i)))
        self.assertGreater(len(different), 4, "another query, other coins")

    def test_a_query_that_is_asked_again_is_one_impression(self):
        for key, extra in (("draft", None), ("optimal", "credit"), ("balance", "ranks")):
            for i in range(10):
                answer = self.ask(key, "again", daemon=self.daemons[i % 2])
            rows = self.impressions("query_id = 'again' and params->>'experiment' = '%s'" % key)
            self.assertEqual(len(rows), 1, rows)
            self.assertEqual(rows[0][1], "u-1")
            params = json.loads(rows[0][3])
            self.assertEqual(params.pop("length"), len(answer["docs"]))
            if extra:
                self.assertEqual(len(params.pop(extra)), len(answer["docs"]))
            self.assertEqual(params, {"experiment": key, "method": METHODS[key], "docs": answer["docs"], "owners": answer["owners"]})

    def test_who_gets_a_list_is_exposed(self):
        for i in range(3):
            self.ask("draft", "exposed-%d" % i, unit="exposed")
        self.first.wait_loaded()
        rows = self.first.sql("select distinct experiment, variant from exposures where unit = 'exposed'")
        self.assertEqual(rows, [["draft", "interleaved"]])

    def test_who_is_not_in_gets_the_control(self):
        seen = {}
        for i in range(40):
            answer = self.ask("half", "cover-%d" % i, unit="cover-%d" % i, length=3)
            seen[answer["reason"]] = answer
            self.assertEqual(answer["interleaved"], answer["reason"] == "split")
        self.assertEqual(set(seen), {"split", "not_in_coverage"})
        self.assertEqual(seen["not_in_coverage"], {"experiment": "half", "method": "team_draft", "interleaved": False,
                                                   "reason": "not_in_coverage", "docs": A[:3], "owners": None})
        for key in ("draft-only", "over"):
            answer = self.ask(key, "idle", {"ltr": B, "bm25": A})
            self.assertEqual((answer["interleaved"], answer["reason"], answer["docs"], answer["owners"]), (False, "not_running", A, None))
        self.assertEqual(self.impressions("query_id = 'idle'"), [])

    def test_a_rolled_out_winner_is_shown_alone(self):
        self.make("won", {"method": "team_draft"}, "bm25", "ltr")
        reply = self.first.post("/v1/experiments/won/conclude", {"winner": "ltr", "rollout": True})
        self.assertEqual(reply.status, 200, reply)
        answer = self.ask("won", "won", length=4)
        self.assertEqual((answer["interleaved"], answer["reason"], answer["docs"], answer["owners"]), (False, "rollout", B[:4], None))
        self.assertEqual(self.impressions("query_id = 'won'"), [])

    def test_a_qa_key_sees_drafts_and_leaves_no_trace(self):
        key = self.first.run("experimentd", "key", "create", "--scope", "qa", "--data-dir", self.first.dir).stdout.strip()
        body = {"unit": "qa", "query_id": "qa", "experiment": "draft-only", "rankings": {"bm25": A, "ltr": B}}
        reply = wait_for(lambda: (lambda r: r if r.status != 401 else None)(self.first.post("/v1/interleave", body, key=key)), "the key")
        self.assertEqual((reply.status, reply.json["interleaved"]), (200, True), reply)
        self.assertEqual(self.ask("draft-only", "qa", unit="qa")["interleaved"], False)
        self.assertEqual(self.impressions("unit = 'qa'"), [])
        self.assertEqual(self.first.number("select count(*) from exposures where unit = 'qa'"), 0)

    def test_empty_and_one_sided_rankings(self):
        for key in ("draft", "balance", "optimal"):
            self.assertEqual(self.ask(key, "empty", {"bm25": [], "ltr": []})["docs"], [])
            one = self.ask(key, "one-sided", {"bm25": [], "ltr": B}, length=10000)
            self.assertEqual(one["docs"], B)
            self.assertNotIn("bm25", one["owners"])

    def test_clicks_are_credited_by_query_id(self):
        """By the job, and of drafted lists by the statement that docs/interleaving.md gives."""
        with open(os.path.join(SOURCE_DIR, "docs", "interleaving.md"), encoding="utf-8") as f:
            statement = f.read().split("```sql\n")[1].split("```")[0]
        rng = random.Random(11)
        for key, method in METHODS.items():
            if method == "multileave":
                continue
            wins = {"bm25": 0, "ltr": 0, "tie": 0}
            self.make("credit-" + key, {"method": method}, "bm25", "ltr")
            for i in range(40):
                query = "credit-%s-%d" % (key, i)
                answer = self.ask("credit-" + key, query, unit="credit-" + key)
                clicks = sorted(rng.sample(range(len(answer["docs"])), rng.randint(0, 3)))
                for c in clicks + clicks[:1]:
                    self.first.post("/v1/signals", {"type": "click", "unit": "credit-" + key, "query_id": query, "doc": answer["docs"][c],
                                                             "position": c + 1})
                wins[winner(answer, clicks)] += 1
            for d in self.daemons:
                d.wait_loaded()
            want = [str(wins[w]) for w in ("ltr", "bm25", "tie")]
            self.first.run("trainer", "run", "interleave", "--data-dir", self.first.dir, "--param", "experiment=credit-" + key)
            self.assertEqual(self.first.sql("select wins_a, wins_b, ties from preferences where experiment = 'credit-%s' order by day desc limit 1" % key),
                             [want], method)
            if method == "team_draft":
                self.assertEqual(self.first.sql(statement.replace("'ranker'", "'credit-%s'" % key))[0][:3], want)
            self.assertGreater(min(wins.values()), 0, "the test tells nothing")

    def test_results_of_such_an_experiment_can_be_asked_for(self):
        self.assertEqual(self.first.get("/v1/experiments/draft/results").status, 200)

    def test_bad_input_names_its_field(self):
        for fields, status, detail in [
                ({"experiment": "nope"}, 404, "experiment \"nope\" is not known"),
                ({"experiment": "ab"}, 400, "request: field \"experiment\": \"ab\" is not an experiment of kind interleave"),
                ({"rankings": {"bm25": A}}, 400, "request: field \"rankings.ltr\" is missing: every variant needs its ranking"),
                ({"rankings": {"bm25": A, "ltr": B, "x": C}}, 400, "request: field \"rankings.x\" names no variant of the experiment"),
                ({"rankings": {"bm25": A, "ltr": B + ["b"]}}, 400, "request: field \"rankings.ltr\" element 6 repeats \"b\""),
                ({"length": 0}, 400, "request: field \"length\" is 0, not between 1 and 10000"),
                ({"unit": ""}, 400, "request: field \"unit\" must have 1 to 256 bytes, not 0"),
                ({"query_id": "q" * 257}, 400, "request: field \"query_id\" must have 1 to 256 bytes, not 257"),
                ({"attributes": []}, 400, "request: field \"attributes\" is a list, not an object")]:
            fields = {"experiment": "draft", **fields}
            self.assertEqual(self.ask(fields.pop("experiment"), fields.pop("query_id", "bad"), status=status, **fields), detail)
        reply = self.first.post("/v1/interleave", b"{", key="client")
        self.assertEqual(reply.status, 400)
        self.assertEqual(self.impressions("query_id = 'bad'"), [])


class FullJournal(unittest.TestCase):
    def test_an_impression_that_cannot_be_kept_is_counted_and_the_list_still_shown(self):
        with Daemon("--journal-max-bytes", "64k", "--journal-segment-bytes", "64k", threads=1) as d:
            d.make_experiment("full", kind="interleave", interleave={"method": "team_draft"}, variants=[{"key": "a"}, {"key": "b"}])
            session = d.sql_session()
            session.stdin.write("begin; lock table signals in access exclusive mode; select 1;\n")  # the loader waits for it
            session.stdin.flush()
            session.stdout.readline()
            asked = 0
            while d.metric("experimentd_impressions_lost_total") == 0:
                asked += 1
                self.assertLess(asked, 1000)
                reply = d.post("/v1/interleave", {"unit": "u", "query_id": "q-%d" % asked, "experiment": "full",
                                                  "rankings": {"a": ["x" * 500], "b": ["y" * 500]}}, key="client")
                self.assertEqual((reply.status, len(reply.json["docs"])), (200, 1))
            session.stdin.write("rollback;\n")
            session.stdin.close()
            session.wait()
            session.stdout.close()
            d.wait_loaded()
            lost = d.metric("experimentd_impressions_lost_total")
            self.assertEqual(d.number("select count(*) from signals where type = 'interleave'"), asked - lost)


if __name__ == "__main__":
    unittest.main()
