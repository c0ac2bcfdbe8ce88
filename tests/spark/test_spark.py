"""Runs on a real Spark (standalone, two hosts in network namespaces): the same as without Spark, whatever dies; nothing is left behind.

    test_spark.py VERSION [unittest's arguments]        VERSION: 4, or 3.5 for a smaller round
"""
import atexit
import concurrent.futures
import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from daemon import Daemon, program, wait_for  # noqa: E402
from engines import Engine  # noqa: E402
from month import Month  # noqa: E402
from postgres import Postgres  # noqa: E402
from searches import Searches  # noqa: E402
from spark import JAVA, Processes, SparkCluster, cannot_run  # noqa: E402

VERSION = sys.argv.pop(1) if sys.argv[1:] and sys.argv[1][0].isdigit() else "4"
SMALL = ["rows=100000", "splits=8", "parts=4", "passes=2"]
MONTH = Month(seed=11, days=5, visits=40, first=datetime.date.today() - datetime.timedelta(days=7))
AS_OF = "as_of=%s" % MONTH.date(4)
# These write to one table, or read what others of them have written: one after the other.
OF_REWRITES = ("spelling", "phrases", "head-tail", "synonyms", "remove-words", "publish-rewrites")
# Of each job: its parameters, and what it leaves behind.
JOBS = [
    ("clicks", [AS_OF], ["select * from query_doc_weights order by query, filters, rank"]),
    ("preferences", [AS_OF], ["select * from user_item_prefs order by unit, doc"]),
    ("history", [AS_OF], ["select * from user_query_history order by unit, query"]),
    ("sql", [AS_OF, "table=by_doc", "select=select doc, count(*) as n from day_signals where doc is not null group by doc", "keys=doc"],
     ["select * from aggregations.by_doc order by doc"]),
    ("sessions", ["from=%s" % MONTH.date(0), "to=%s" % MONTH.date(4)], ["select * from sessions order by unit, started_at"]),
    ("spelling", [AS_OF, "min_searches=0", "min_count_filter=1", "min_count_main=0", "misspelling_threshold=0", "correction_threshold=1", "cor_mis_ratio=1.5",
                  "max_distance=3", "len_scale=0", "min_misspelling_len=3", "min_prefix=0"],
     ["select input, output, confidence, review, searches, evidence from query_rewrites where type = 'spelling' order by input"]),
    ("phrases", [AS_OF, "min_searches=0", "minmatch=2", "level=0.9", "min_lift=1"],
     ["select input, confidence, review, searches, evidence from query_rewrites where type = 'phrase' order by input"]),
    ("head-tail", [AS_OF, "min_searches=1", "min_confidence=0.2", "min_signals=1"],
     ["select input, output, confidence, review, searches, evidence from query_rewrites where type = 'head_tail' order by input"]),
    ("synonyms", [AS_OF, "min_clicks=3", "min_signals=1", "level=0.9"],
     ["select input, output, bidirectional, confidence, searches, evidence from query_rewrites where type = 'synonym' order by input, output"]),
    ("remove-words", [AS_OF, "min_signals=1"],
     ["select input, output, confidence, review, searches, evidence from query_rewrites where type = 'remove_words' order by input"]),
    ("publish-rewrites", [AS_OF, "holdout_days=2", "min_searches=10", "max_changed=1", "max_lost=1"],
     ["with gone as (delete from models where name = 'rewrites') select artifact, status, metrics from model_versions where model = 'rewrites'"]),
    ("als", [AS_OF, "holdout_days=2", "min_units=10", "min_item_units=2", "factors=8", "iterations=4", "max_concentration=1"],
     ["with gone as (delete from models where name = 'als') select artifact, status, metrics from model_versions where model = 'als'"]),
    ("bpr", [AS_OF, "holdout_days=2", "min_units=10", "min_item_units=2", "factors=8", "epochs=4", "max_concentration=1"],
     ["with gone as (delete from models where name = 'bpr') select artifact, status, metrics from model_versions where model = 'bpr'"]),
    ("popular", [AS_OF, "holdout_days=1", "min_units=5"],
     ["with gone as (delete from models where name = 'popular') select artifact, status, gate->>'decision' from model_versions where model = 'popular'"]),
    ("item-similarity", [AS_OF, "holdout_days=1", "min_units=5", "values=weights"],
     ["with gone as (delete from models where name = 'item-similarity') select artifact, status, gate->>'decision' from model_versions where model = 'item-similarity'"]),
    ("association-rules", [AS_OF, "holdout_days=1", "min_units=5", "min_count=2", "max_q=1", "weights=click=1,cart=1,purchase=1"],
     ["with gone as (delete from models where name = 'association-rules') select artifact, status, gate->>'decision' from model_versions where model = 'association-rules'"]),
    ("trending", [AS_OF, "target_days=2", "reference_days=3", "min_signals=10", "max_q=0.9"],
     ["with gone as (delete from models where name = 'trending') select artifact, status, gate->>'decision' from model_versions where model = 'trending'"]),
    ("content", ["fields=title=1"],
     ["with gone as (delete from models where name = 'content') select artifact, status, gate->>'decision' from model_versions where model = 'content'"]),
    ("clusters", ["fields=title=1", "k=3", "min_documents=5", "short_len=0", "outlier_k=4", "max_cluster_share=1"],
     ["with gone as (delete from models where name = 'clusters') select artifact, status, metrics from model_versions where model = 'clusters'"]),
    ("cluster-labels", ["fields=title=1", "class_field=title"],
     ["with gone as (delete from models where name = 'cluster-labels') select artifact, status, metrics from model_versions where model = 'cluster-labels'"]),
    ("word2vec", [AS_OF, "sources=both", "fields=title=1", "dimension=8", "min_count=2", "min_sentences=10", "epochs=2", "block_words=1000"],
     ["with gone as (delete from models where name = 'word2vec') select artifact, status, metrics from model_versions where model = 'word2vec'"]),
    ("similar-queries", [AS_OF, "holdout_days=2", "min_searches=10", "min_llr=0", "min_pair_count=1", "min_overlap=0.1", "max_concentration=1"],
     ["with gone as (delete from models where name = 'similar-queries') select artifact, status, metrics from model_versions where model = 'similar-queries'"]),
    ("query-similarity", [AS_OF, "holdout_days=2", "min_searches=10", "factors=8", "iterations=4", "min_similarity=0", "max_concentration=1"],
     ["with gone as (delete from models where name = 'query-similarity') select artifact, status, metrics from model_versions where model = 'query-similarity'"]),
    ("boosts", [AS_OF, "holdout_days=2", "min_queries=2", "min_llr=0", "min_pair_count=1", "max_concentration=1"],
     ["with gone as (delete from models where name = 'boosts') select artifact, status, metrics from model_versions where model = 'boosts'"]),
    ("judgments", [AS_OF, "method=click_skip", "min_sessions=1"],
     ["with gone as (delete from judgment_sets where name = 'clicks') select query, doc, grade, confidence, evidence from judgments where set_name = 'clicks' order by 1, 2"]),
    ("query-set", [AS_OF, "size=20"], ["with gone as (delete from query_sets where name = 'sampled') select position, query, weight from query_set_queries where set_name = 'sampled' order by 1"]),
    ("training-data", [AS_OF, "category_field=title", "min_texts=1", "min_pair_count=1", "min_query_units=1", "top_category_proportion=0.1"],
     ["select text, label, weight from labelled_texts order by text, label"]),
    ("query-intent", ["texts=shop", "min_examples=2", "min_feature_texts=1", "hash_bits=12", "max_iterations=4", "holdout=0.3"],
     ["with gone as (delete from models where name = 'query-intent') select artifact, status, metrics from model_versions where model = 'query-intent'"]),
    ("learn-to-rank", [AS_OF, "feature_set=ranks", "judgments=ranks", "trees=5", "folds=2", "min_queries=5", "holdout_queries=0.3", "gate_min_units=1"],
     ["with gone as (delete from models where name = 'learn-to-rank') select artifact, status, metrics from model_versions where model = 'learn-to-rank'"]),
    ("click-models", [AS_OF, "holdout_days=2", "min_sessions=10", "min_query_sessions=2", "max_iterations=3", "gate_min_units=1"],
     ["with gone as (delete from models where name = 'click-models') select artifact, status, metrics from model_versions where model = 'click-models'"]),
    ("off-policy", [AS_OF, "min_decisions=10", "replicates=20"], ["select result from runs where job = 'off-policy' order by started_at desc limit 1"]),
    ("ranking-metrics", ["searches=asked,brought", "query_set=ranked", "judgments=ranked", "metrics=ndcg@5,mrr,judged@5", "draws=200", "at_once=2"],
     ["with gone as (delete from evaluations) select config, position, docs, grades, metrics, error from evaluation_queries order by config, position"]),
    ("metrics", [], ["select * from moments order by 1, 2, 3, 4, 5", "select * from exposure_counts order by 1, 2, 3, 4"]),
]


class Run:
    """A run of `trainer` that goes on beside the test."""

    def __init__(self, test, arguments, root=None):
        """root: its data directory; the test's own when nothing else is said."""
        self.test = test
        self.log = os.path.join(test.root, "run-%d.log" % time.monotonic_ns())
        of_job = "select id from runs where job = '%s'" % arguments[0]
        known = set(test.column(of_job))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([program("trainer"), "run", *arguments, "--database-url", test.postgres.url(), "--data-dir", root or test.root],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, "JAVA_TOOL_OPTIONS": JAVA})
        test.addCleanup(self.stop)
        if "--run" in arguments:
            self.id = arguments[arguments.index("--run") + 1]
        else:
            wait_for(lambda: set(test.column(of_job)) - known or self.process.poll() is not None, "the run's row")
            self.id = (set(test.column(of_job)) - known).pop()

    def stop(self):
        """Of a test that has failed."""
        for pid in self.descendants() if self.process.poll() is None else ():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def get(self, what):
        return self.test.column("select %s from runs where id = '%s'" % (what, self.id))[0]

    def wait_pass(self, name, busy=True):
        """Until this pass has begun and, where it is a slow one, is at work on both hosts."""
        begun = "select count(*) from run_passes where run = '%s' and name = '%s'" % (self.id, name)
        wait_for(lambda: self.test.column(begun) != ["0"] or self.process.poll() is not None, "pass " + name, 400)
        if self.process.poll() is not None:
            raise AssertionError("the run ended before pass %s\n%s" % (name, self.text()[-3000:]))
        if busy:
            self.test.spark.wait_busy()

    def descendants(self, *words):
        now = Processes()
        return [pid for pid in now.below([self.process.pid]) if all(word in now.command(pid) for word in words)]

    def wait(self, state="success"):
        self.process.wait(900)
        found = self.get("state")
        if found != state:
            raise AssertionError("the run is %s, not %s: %s\n%s\n%s" % (found, state, self.get("coalesce(error, '')"), self.text()[-3000:],
                                                                     self.spark_log()[-3000:]))
        return self

    def spark_log(self):
        path = os.path.join(self.test.root, "spark", "log", self.id + ".log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def digest(self):
        return self.get("result->>'digest'")


@unittest.skipIf(cannot_run(VERSION), cannot_run(VERSION))
class SparkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spark = SparkCluster(VERSION)
        cls.enterClassContext(cls.spark)
        cls.postgres = cls.enterClassContext(Postgres(address=cls.spark.address, role="experimentd"))
        cls.daemon = cls.enterClassContext(Daemon(postgres=cls.postgres))
        cls.root = os.path.join(cls.daemon.root, "trainer")
        os.makedirs(cls.root)
        cls.want = {}

    # ---- what tests say

    def column(self, text):
        return [row[0] for row in self.daemon.sql(text)]

    def golden(self, *params, spark=True, conf=None, more=()):
        arguments = self.spark.arguments(**(conf or {})) if spark else ["--workers", "2"]
        return Run(self, ["golden", *(x for p in [*SMALL, *params] for x in ("--param", p)), *arguments, *more])

    def expected(self, *params):
        """The digest of the local engine."""
        if params not in self.want:
            self.want[params] = self.golden(*params, spark=False).wait().digest()
        return self.want[params]

    def docs(self):
        return self.daemon.sql("select * from golden_docs order by doc")

    def check_nothing_left(self, run):
        """No worker, no driver, no table of a run that has ended."""
        wait_for(lambda: not self.spark.c_workers() and not run.descendants(), "the run's processes to end")
        self.assertEqual(self.column("select count(*) from pg_tables where schemaname = 'staging'"), ["0"])

    def end(self, find, number=signal.SIGKILL):
        """The first process that is found, as soon as there is one: between two tasks a worker is idle."""
        os.kill(wait_for(find, "a process to signal", 300)[0], number)


class Whole(SparkTest):
    def test_1_clean(self):
        want = self.expected()
        rows = self.docs()
        run = self.golden().wait()
        self.assertEqual(run.digest(), want)
        self.assertEqual(self.docs(), rows)
        self.assertEqual(run.get("retries"), "0")
        self.assertRegex(run.get("app_id"), "^app-")
        self.assertRegex(run.get("ui_url"), "^http://%s:" % re.escape(self.spark.address))
        self.check_nothing_left(run)

    def test_2_processes_die(self):
        """A C worker by SIGKILL and one by SIGSEGV, a Python worker, an executor in mid-pass, one between passes with what it had cached."""
        want = self.expected("fault=slow", "slow_ms=1")
        run = self.golden("fault=slow", "slow_ms=1500")
        run.wait_pass("stats")
        self.end(lambda: self.spark.busy(0))
        self.end(lambda: self.spark.busy(1), signal.SIGSEGV)
        self.spark.wait_busy(1)
        self.end(lambda: self.spark.python_workers(1))
        self.spark.wait_busy(0)
        self.end(lambda: self.spark.executors(0))
        run.wait_pass("counts", busy=False)
        self.end(lambda: self.spark.executors(1))
        self.assertEqual(run.wait().digest(), want)
        self.assertGreaterEqual(int(run.get("retries")), 3)
        self.check_nothing_left(run)


class Faults(SparkTest):
    def test_1_bad_data_fails_at_once_and_in_our_words(self):
        rows = self.docs()
        run = self.golden("fault=poison", "fault_split=3").wait("failed")
        self.assertRegex(run.get("error"), "pass \"stats\", split 3, attempt 1: ")
        self.assertEqual(run.process.returncode, 1)
        self.assertEqual((run.get("retries"), self.docs()), ("0", rows))
        self.check_nothing_left(run)

    def test_2_cancel(self):
        run = self.golden("fault=slow", "slow_ms=5000")
        run.wait_pass("stats")
        self.daemon.run("trainer", "cancel", run.id, "--database-url", self.postgres.url())
        run.wait("cancelled")
        self.assertEqual(run.process.returncode, 130)
        self.check_nothing_left(run)

    def test_3_a_driver_that_is_killed_loses_the_run_and_another_takes_it(self):
        want, rows = self.expected("fault=slow", "slow_ms=1"), self.docs()
        run = self.golden("fault=slow", "slow_ms=1000")
        run.wait_pass("counts", busy=False)
        self.end(lambda: run.descendants("python", "driver.py"))
        run.wait("lost")
        self.assertEqual(self.docs(), rows)
        wait_for(lambda: not self.spark.c_workers() and not run.descendants(), "the run's processes to end")
        again = Run(self, ["--run", run.id, *self.spark.arguments()]).wait()
        self.assertEqual(again.digest(), want)
        self.check_nothing_left(again)

    def test_4_a_worker_that_hangs_is_overtaken(self):
        """Stopped, it says nothing; Spark starts another attempt and takes what comes first."""
        want = self.expected("fault=slow", "slow_ms=1")
        run = self.golden("fault=slow", "slow_ms=800", more=["--stall", "300"])
        run.wait_pass("stats")
        self.end(lambda: self.spark.busy(0), signal.SIGSTOP)
        self.assertEqual(run.wait().digest(), want)
        self.check_nothing_left(run)

    def test_5_a_kernel_that_hangs_is_ended(self):
        run = self.golden("fault=hang", conf={"spark.speculation": "false", "spark.task.maxFailures": "2"}, more=["--stall", "4"]).wait("failed")
        self.assertRegex(run.get("error"), "pass \"stats\", split 3, attempt 2: it said nothing for 4 s")
        self.check_nothing_left(run)


class Hosts(SparkTest):
    def test_1_a_host_is_cut_off_in_mid_pass(self):
        want = self.expected("fault=slow", "slow_ms=1")
        run = self.golden("fault=slow", "slow_ms=1500")
        run.wait_pass("stats")
        self.spark.cut(1)
        self.assertEqual(run.wait().digest(), want)
        self.spark.mend(1)
        self.spark.wait_workers(2)
        self.check_nothing_left(run)

    def test_2_a_host_dies_in_mid_pass(self):
        want = self.expected("fault=slow", "slow_ms=1")
        run = self.golden("fault=slow", "slow_ms=1500")
        run.wait_pass("stats")
        self.spark.kill_host(1)
        self.assertEqual(run.wait().digest(), want)
        self.assertGreaterEqual(int(run.get("retries")), 1)
        self.check_nothing_left(run)


class Jobs(SparkTest):
    def prepare(self):
        d = self.daemon
        for day in range(MONTH.days):
            MONTH.send(d, day)
        log = Searches(MONTH.date(3))  # what the queries of the month do not have: other words for the same
        for query, searches, docs, zero in (("leather sofa", 40, {"s-1": 20, "s-2": 9}, 0), ("leather couch", 20, {"s-1": 9, "s-2": 4}, 0), ("lether sofa", 9, {"s-1": 1}, 5),
                                            ("bestest leather sofa", 12, {}, 12), ("settee", 12, {"s-1": 9}, 0)):
            log.add(query, searches, docs, zero=zero)
        log.send(d)
        d.post("/v1/items", [{"id": "doc-%d" % i, "title": "%s %s" % (("lamp", "desk", "sofa")[i % 3], ("oak", "brass", "steel", "red")[i % 4])} for i in range(40)])
        shown = [{"type": kind, "unit": "drawn-%d" % (i % 9), "query_id": "drawn-%d" % i, "query": "drawn", "timestamp": "%sT10:00:%02dZ" % (MONTH.date(2), i), **rest}
                 for i in range(50) for kind, rest in (("response", {"params": {"docs": ["doc-%d" % (i % 3)], "propensity": (.5, .3, .2)[i % 3]}}),
                                                      ("click", {"doc": "doc-%d" % (i % 3 if i % 4 else 0)}))]
        self.assertEqual(d.post("/v1/signals", "".join(json.dumps(s) + "\n" for s in shown).encode(), key="client").status, 200)
        texts = "".join("%s %s %d,%s\n" % (a, b, i, a) for a in ("lamp", "desk", "sofa") for b in ("oak", "brass", "red") for i in range(6))
        self.assertEqual(d.request("POST", "/v1/labelled-texts/shop/import", ("text,label\n" + texts).encode()).status, 201)
        letor = "".join("%d qid:%d 1:%d 2:%d # doc-%d\tquery %d\n" % ((i * 7 + i * i) % 4, i // 8 + 1, (i * 5) % 11, (i * i) % 7, i, i // 8) for i in range(240))
        self.assertEqual(d.post("/v1/feature-sets/ranks/rows?create=true&judgments=ranks", letor.encode()).status, 200)
        d.make_experiment("shown", metrics=[{"metric": "ctr", "role": "primary"}, {"metric": "mrr", "role": "secondary"}])
        at = "%sT00:00:01Z" % MONTH.date(0)
        reply = d.post("/v1/rewrites", {"type": "spelling", "input": MONTH.query_text(0).split()[0].lower(), "output": "something"})
        self.assertEqual(reply.status, 201, reply)
        exposures = [{"unit": unit, "experiment": "shown", "variant": n % 2, "timestamp": at}
                     for n, unit in enumerate(self.column("select distinct unit from signals order by unit"))]
        reply = d.post("/v1/exposures", "".join(json.dumps(e) + "\n" for e in exposures).encode())
        self.assertTrue(reply.status == 200 and not reply.json["rejected"], reply)
        d.wait_loaded()
        self.prepare_engine()

    def prepare_engine(self):
        """One that the cluster's hosts can ask, and a ranking that was brought."""
        queries = ["query %d" % q for q in range(20)]
        lists = {q: ["doc-%d" % ((i * 7 + n) % 40) for i in range(12)] for n, q in enumerate(queries)}
        engine = self.enterContext(Engine("solr", lists, {"query 3": "500"}, address=self.spark.address))
        ratings = "query,doc,grade\n" + "".join("%s,%s,%d\n" % (q, doc, (i * 5) % 4) for q in queries for i, doc in enumerate(lists[q][:9]))
        for method, path, body in (("POST", "/v1/judgments/ranked/import?format=csv&create=true", ratings.encode()),
                                   ("POST", "/v1/query-sets/ranked/import?format=text&create=true", "".join(q + "\n" for q in queries).encode()),
                                   ("PUT", "/v1/searches/asked", {"engine": "solr", "url": engine.url}), ("PUT", "/v1/searches/brought", {"engine": "run"}),
                                   ("PUT", "/v1/searches/brought/lists?format=jsonl", "".join(json.dumps({"query": q, "docs": lists[q][::-1]}) + "\n" for q in queries).encode())):
            reply = self.daemon.request(method, path, body)
            self.assertIn(reply.status, (200, 201), reply)

    def given(self, job, params):
        """What reads days reads all of them, in few ranges; others have no such parameters."""
        known = self.types[job]["params"]["properties"]
        return [x for p in [*params, *(p for p in ("full=true", "ranges=4") if p.split("=")[0] in known)] for x in ("--param", p)]

    def compare(self, lane, jobs, found):
        """One after the other, beside other lanes: each of them has a core of the cluster, and a data directory of its own."""
        root = os.path.join(self.root, "lane-%d" % lane)
        os.makedirs(root, exist_ok=True)
        for job, params, queries in jobs:
            given = self.given(job, params)
            for arguments in (["--workers", "1"], self.spark.arguments(**{"spark.cores.max": "1"})):
                shutil.rmtree(os.path.join(root, "archive"), ignore_errors=True)  # what the first run kept would spare the second its work
                Run(self, [job, *given, *arguments], root).wait()
                found.setdefault(job, []).append([self.daemon.sql(q) for q in queries])

    def test_every_job_gives_the_same_rows(self):
        self.prepare()
        found, self.types = {}, {t["name"]: t for t in self.daemon.get("/v1/job-types").json["job_types"]}
        first = [j for j in JOBS if j[0] in OF_REWRITES]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            others = [j for j in JOBS if j not in first]
            lanes = [pool.submit(self.compare, n, jobs, found) for n, jobs in enumerate((first, others[::2], others[1::2]))]
            for lane in lanes:
                lane.result()
        for job, _, _ in JOBS:
            with self.subTest(job):
                self.assertTrue(all(found[job][0]))
                self.assertEqual(found[job][0], found[job][1])


def load_tests(loader, tests, pattern):
    """On the older Spark a clean run and one with faults are enough."""
    return loader.loadTestsFromTestCase(Whole) if VERSION != "4" and not pattern else tests


def stop(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    for case in SparkTest.__subclasses__():
        atexit.register(case.doClassCleanups)  # the cluster is taken down, however the tests end
    unittest.main(verbosity=2)
