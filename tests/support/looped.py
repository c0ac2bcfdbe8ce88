"""Models with loops, for tests of what becomes of their versions: no signals, results are published by hand.

    with JobsDaemon() as d:
        m = Looped(d, "ranker", versions=3)           version 1 is champion
        m.loop(min_days=0)
        m.point("challenger", 2)
        m.wait("started")
        m.results(0.10, 0.14)                          of champion and challenger, as if tomorrow
        m.wait("promoted")
"""
import datetime

import artifacts
from daemon import wait_for
from moments import publish, row

UNITS = 2000
ARTIFACT = None


def artifact():
    global ARTIFACT
    if ARTIFACT is None:
        ARTIFACT = artifacts.make("recommender", popular=artifacts.lists({"": [["lamp", 3], ["desk", 2]]}))
    return ARTIFACT


def share(of, rate):
    """So many ones; the rest are noughts."""
    return [1] * round(of * rate) + [0] * (of - round(of * rate))


class Looped:
    def __init__(self, daemon, model, versions=3):
        self.daemon, self.model, self.path = daemon, model, "/v1/models/" + model
        artifacts.publish(daemon, model, artifact())
        for _ in range(versions - 1):
            self.add()

    def add(self):
        return artifacts.add(self.daemon, self.model, artifact())

    def loop(self, status=200, **fields):
        spec = {"metrics": [{"metric": "ctr", "role": "primary"}, {"metric": "zero_result_rate", "role": "guardrail"}], "traffic": 0.5, "min_days": 0,
                "adjustment": "none", **fields}
        reply = self.daemon.request("PUT", self.path + "/loop", spec)
        assert reply.status == status, reply
        return reply.json

    def point(self, alias, version):
        reply = self.daemon.request("PUT", "%s/aliases/%s" % (self.path, alias), {"version": version})
        assert reply.status == 200, reply

    def act(self, what, status=202):
        reply = self.daemon.post("%s/loop/%s" % (self.path, what))
        assert reply.status == status, reply
        return reply.json

    def state(self):
        return self.daemon.get(self.path + "/loop").json["state"]

    def aliases(self):
        return self.daemon.get(self.path).json["aliases"]

    def steps(self):
        """Oldest first."""
        return self.daemon.get(self.path + "/story?page_size=500").json["steps"][::-1]

    def names(self):
        return [s["step"] for s in self.steps()]

    def wait(self, step, count=1):
        """The newest step of this name, once there are so many of it."""
        return wait_for(lambda: (lambda found: found[-1] if len(found) >= count else None)([s for s in self.steps() if s["step"] == step]),
                        "%d × %s of %s; there is %s" % (count, step, self.model, self.names()))

    def experiment(self):
        return self.daemon.get("/v1/experiments/loop-" + self.model).json

    def ended(self):
        """The experiment, once the server knows that it has ended."""
        return wait_for(lambda: (lambda e: e if e["status"] in ("stopped", "concluded") else None)(self.experiment()), "the experiment to end")

    def runs(self, phase=1):
        """Once the server knows that the experiment runs in this phase: until then a person's edit would be refused."""
        wait_for(lambda: (lambda e: e["status"] == "running" and e["phase"] == phase)(self.experiment()), "phase %d to run" % phase)

    def preferences(self, mean, units=400, days=3):
        """Of interleaved lists: units' mean scores, challenger against champion, as if counted tomorrow and the days behind."""
        first = datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=1)
        rows = []
        for n in range(1, days + 1):
            of, day = units * n // days, first + datetime.timedelta(days=n - 1)
            wins, spread = round(of * (1 + mean) / 2), of * (1 - mean * mean)
            rows.append("('loop-%s', 'challenger', 'champion', '%s', %d, %d, %d, %d, %r, %r, %r, %r, 2, %r, 0)" % (
                self.model, day, wins, of - wins, of, of, mean, spread, 2 * mean, 4 * spread, of * 0.1))
        self.daemon.sql("delete from preferences where experiment = 'loop-%s'; insert into preferences (experiment, a, b, day, wins_a, wins_b, ties, units, mean_unit, "
                        "m2_unit, mean_x, m2_x, mean_y, m2_y, cxy) values %s; insert into preferences_current (experiment, run, as_of) values ('loop-%s', gen_random_uuid(), "
                        "now() + interval '3 days') on conflict (experiment) do update set published_at = clock_timestamp(); notify runs" % (self.model, ", ".join(rows), self.model))

    def results(self, champion, challenger, zero=(0.1, 0.1), days=1, units=(UNITS, UNITS)):
        """Shares of units that clicked, and of queries without a result, as if aggregated tomorrow and the days behind."""
        first = datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=1)
        rows, last = [], first
        for n in range(1, days + 1):
            last = first + datetime.timedelta(days=n - 1)
            for variant, clicked, empty, of in zip(("champion", "challenger"), (champion, challenger), zero, units):
                seen = of * n // days
                rows.append(row("ctr", variant, share(seen, clicked), day=last.isoformat()))
                rows.append(row("zero_result_rate", variant, [(x, 1) for x in share(seen, empty)], day=last.isoformat()))
        publish(self.daemon, "loop-" + self.model, rows, last.isoformat(), sum(units))
        self.daemon.sql("update moments_current set published_at = clock_timestamp() where experiment = 'loop-%s'; notify runs" % self.model)  # as a run that ends does
