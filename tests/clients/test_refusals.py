#!/usr/bin/python3
"""What each real client does when the daemon refuses: 429 made by ingest.key_rate, 503 by a full journal while PostgreSQL is stopped, and a
batch with one bad event. Prints the table of docs/signals.md. Checked is only what must hold: no event twice, what was answered with 200 is
there, the good events of a batch are there; what a client then does is its own affair."""
import collections
import json
import os
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from daemon import Daemon, wait_for  # noqa: E402
from run import check_node, fetch_packages, skip  # noqa: E402
from shop import HERE, ROWS_OF_INSIGHTS, ROWS_OF_PAGE, ROWS_OF_TRACKERS, SECONDS, Proxy, finish_sdk, rows, start_sdk  # noqa: E402
from test_beacons import CHROMIUM  # noqa: E402

RATE, DEBT_SECONDS, AWAY_SECONDS = 10, 8, 30
FILLER = {"type": "filler", "unit": "filler"}
PACKAGES = {"segment": "@segment/analytics-node", "rudderstack": "@rudderstack/rudder-sdk-node", "insights": "search-insights"}
WANT = {"segment": ROWS_OF_TRACKERS, "rudderstack": ROWS_OF_TRACKERS, "rudderstack_unhandled": ROWS_OF_TRACKERS,
        "rudderstack_patient": ROWS_OF_TRACKERS, "insights": ROWS_OF_INSIGHTS,
        "beacon": ROWS_OF_PAGE}


def counted(signals):
    """Without the query's text: a click has it from its query, which may have been refused."""
    return collections.Counter(tuple(s[:3] + s[4:]) for s in signals)


def name_of(client):
    package = PACKAGES.get(client.split("_")[0], "search-insights")
    how = {"beacon": ", beacons of a page", "rudderstack_unhandled": ", no `errorHandler`", "rudderstack_patient": ", `retryCount: 10`"}
    with open(os.path.join(HERE, "node_modules", package, "package.json"), encoding="utf-8") as f:
        return "`%s` %s%s" % (package, json.load(f)["version"], how.get(client, ""))


def start_beacon(node, url, key):
    return subprocess.Popen([node, os.path.join(HERE, "beacons.js"), "insights", url, key], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def tries_of(seen):
    """Each request with its repeats, [answer…], in the order of their first."""
    requests = collections.OrderedDict()
    for answer in seen:
        requests.setdefault(answer.events, []).append(answer)
    return list(requests.values())


def told(tries):
    """"429, after 8.0 s 200": of the request that was tried most often."""
    longest = max(tries, key=len)
    end = ", never again" if longest[-1].status != 200 else ""
    return str(longest[0].status) + "".join(", after %.1f s %d" % (b.at - a.at, b.status) for a, b in zip(longest, longest[1:])) + end


def honours(tries):
    """Whether it came again no sooner than it was told (a tenth of a second less is its clock's)."""
    waits = [b.at - a.at >= float(a.retry_after) - 0.1 for request in tries for a, b in zip(request, request[1:]) if a.retry_after]
    return "-" if not waits else "yes" if all(waits) else "no" if not any(waits) else "sometimes"


def application_sees(status, said, error):
    seen = collections.Counter("%s: %s" % (s["what"], s["reason"].split("\n")[0]) for s in said if s["what"] in ("error", "flush"))
    seen.update("`false`" for s in said if s["what"] == "answer" and "path" not in s and s["status"] != 200)
    texts = ["%s%s" % (text, " (%d times)" % n if n > 1 else "") for text, n in seen.items()]
    if status:
        reason = next((line for line in error.splitlines() if "Error" in line), "")
        texts.append("its process ends with status %d: %s" % (status, re.sub(r"^[0-9TZ:.-]+ ", "", reason)[:80]))
    return "; ".join(texts) or "nothing"


class Refusals(unittest.TestCase):
    maxDiff = None
    table = []

    @classmethod
    def setUpClass(cls):
        cls.node = check_node()
        cls.host = Daemon()  # whose PostgreSQL can be stopped
        cls.addClassCleanup(cls.host.destroy)
        cls.host.start()
        cls.daemon = Daemon("--database-url", cls.host.database_url(), "--ingest-key-rate", str(RATE), "--journal-max-bytes", "64k",
                            "--log-level", "error")
        cls.addClassCleanup(cls.daemon.destroy)
        cls.daemon.start()

    @classmethod
    def tearDownClass(cls):
        print("\n| client | the daemon | tries of a request | honours `Retry-After` | taken | the application sees |\n|---|---|---|---|---|---|")
        for row in cls.table:
            print("| %s |" % " | ".join(row))
        cls.daemon.stop()
        cls.host.stop()

    def setUp(self):
        self.daemon.wait_loaded()
        self.host.sql("truncate signals, exposures")
        self.proxy = Proxy(self.daemon)
        self.addCleanup(self.proxy.close)
        wait_for(lambda: self.send([FILLER], "client") == 200, "what an earlier client owes to be paid")

    def send(self, signals, key):
        return self.daemon.post("/v1/signals", signals, key=key).status

    def start(self, client):
        arguments = (self.node, self.proxy.url, self.daemon.keys["client"])
        return start_beacon(*arguments) if client == "beacon" else start_sdk(arguments[0], client, *arguments[1:])

    def finish(self, client, state, process):
        """Once the client has ended and all is loaded: what must hold, and the table's row."""
        status, said, error = finish_sdk(process)
        self.daemon.wait_loaded()
        got, want = counted(rows(self.host)), counted(WANT[client])
        tries = tries_of(self.proxy.seen)
        taken = [request[-1].status == 200 for request in tries]
        self.assertTrue(tries, "%s sent nothing: %s" % (client, error))
        self.assertEqual(got - want, collections.Counter(), "twice, or never sent")
        self.assertEqual(sum(json.loads(a.body)["accepted"] for a in self.proxy.seen if a.status == 200) > 0, bool(got))
        if all(taken) and status == 0:
            self.assertEqual(got, want)
        share = "all, once" if got == want else "none: lost" if not got else "%d of %d signals, the rest lost" % (sum(got.values()), sum(want.values()))
        self.table.append((name_of(client), state, told(tries), honours(tries), share, application_sees(status, said, error)))
        print("%s: %s" % (client, self.table[-1][1:]))

    def check_bad_event(self, client):
        self.finish(client, "one bad event in a batch", self.start(client))
        answers = [json.loads(a.body) for a in self.proxy.seen]
        self.assertEqual({a.status for a in self.proxy.seen}, {200})
        self.assertEqual(sum(len(a["rejected"]) for a in answers), 1)
        self.assertEqual(sorted(rows(self.host)), sorted(WANT[client]))

    def check_429(self, client, seconds=DEBT_SECONDS):
        self.assertEqual(self.send([FILLER] * RATE * (seconds + 1), "client"), 200)
        self.finish(client, "429 for %d s" % seconds, self.start(client))
        self.assertEqual(self.proxy.seen[0].status, 429)

    def check_503(self, client, seconds):
        """PostgreSQL comes back so long after the first refusal, or when the client has given up."""
        self.host.stop()
        filler = {**FILLER, "params": {"text": "x" * 10000}}
        wait_for(lambda: self.send([filler], "admin") == 503, "the journal to be full")
        process = self.start(client)
        wait_for(lambda: self.proxy.seen or process.poll() is not None, "the first refusal")
        until = time.monotonic() + seconds
        wait_for(lambda: time.monotonic() > until or process.poll() is not None, "PostgreSQL's return")
        self.host.start()
        self.finish(client, "503, PostgreSQL away for %d s" % seconds if seconds else "503, PostgreSQL comes back at once", process)
        self.assertEqual([self.proxy.seen[0].status, self.proxy.seen[0].retry_after], [503, "5"])


def add_tests():
    for client in ("segment", "rudderstack", "insights", "beacon"):
        setattr(Refusals, "test_%s_1_bad_event" % client, lambda self, c=client: self.check_bad_event(c))
        setattr(Refusals, "test_%s_2_429" % client, lambda self, c=client: self.check_429(c, 60 if c == "beacon" else DEBT_SECONDS))
        setattr(Refusals, "test_%s_3_503_short" % client, lambda self, c=client: self.check_503(c, 0))
    for client in ("segment", "rudderstack", "rudderstack_patient", "rudderstack_unhandled"):
        setattr(Refusals, "test_%s_4_503_long" % client, lambda self, c=client: self.check_503(c, AWAY_SECONDS))


add_tests()

if __name__ == "__main__":
    if not os.path.exists(CHROMIUM):
        skip("no Chromium at %s (apt-get install chromium)" % CHROMIUM)
    fetch_packages()
    fetch_packages("browser", "playwright-core")
    unittest.main()
