#!/usr/bin/python3
"""Writes fixtures/jobs/: types of jobs and the nightly set as a daemon shows them, with a month of made-up runs: fixtures_jobs.py

Times count from RECORDED; the mock moves them to now. One night a worker is out of memory, one runs out of time, the last one lost PostgreSQL.
tests/browser/test_jobs_live.js holds the members of runs against those of real ones."""
import datetime as dt
import json
import os
import random
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))
from daemon import Daemon, wait_for  # noqa: E402

OUT = os.path.join(HERE, "fixtures", "jobs")
RECORDED, MADE, NIGHTS = dt.datetime(2026, 11, 27, 9, 7), dt.datetime(2026, 10, 2, 8, 30), 31
JOBS = {  # seconds that it takes, minutes after two; who starts it is the daemon's to say
    "seal": (11, 0), "retention": (4, 1), "sessions": (38, 1), "clicks": (96, 2), "preferences": (61, 4), "history": (44, 6), "metrics-nightly": (31, 7), "interleave": (3, 8),
    "bandit": (2, 8), "metrics": (21, None), "category-clicks": (15, 30)}
OWN = {"id": "category-clicks", "type": "sql", "name": "Clicks by category",
       "params": {"table": "category_clicks", "select": "select params->>'category' as category, count(*) as clicks from day_signals where type = 'click' group by 1", "keys": "category"}}
WRONG = {("clicks", 4): ("failed", 'pass "days", split 3, attempt 2: the split needs more than its 2048 MiB of memory (memory_mb)'),
         ("history", 9): ("timeout", "it ran longer than its timeout"),
         ("preferences", 0): ("failed", "PostgreSQL did not come back: server closed the connection unexpectedly")}
rng = random.Random(5)


def iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else None


def key_of(job, night):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "%s/%d" % (job, night)))


def passes_of(state, seconds, again):
    first = {"pass": 0, "name": "days", "splits": 8, "done": 8 if state == "success" else 5, "attempts": 8 + again, "rows_in": int(seconds * 310000), "seconds": round(seconds * 0.7, 2)}
    return [first] + ([{"pass": 1, "name": "merge", "splits": 4, "done": 4, "attempts": 4, "rows_in": int(seconds * 9000), "seconds": round(seconds * 0.3, 2)}] if state == "success" else [])


def starts(job):
    """Its cron expression, or the job that it comes after."""
    trigger = job["triggers"][0] if job["triggers"] else {}
    return trigger.get("value"), trigger.get("job")


def run_of(job, night):
    key, (base, minute), (clock, before) = job["id"], JOBS[job["id"]], starts(job)
    due = RECORDED - dt.timedelta(minutes=15 * night + 7) if minute is None else RECORDED.replace(hour=2, minute=minute) - dt.timedelta(days=night)
    seconds = round(base * (0.75 + 0.5 * rng.random()) * (1 - 0.006 * night), 2)
    state, error = WRONG.get((key, night), ("success", None))
    skipped = key == "metrics" and night in (6, 11)
    state, began, again = "skipped" if skipped else state, due + dt.timedelta(seconds=1), int(night % 5 == 2)
    passes = [] if skipped else passes_of(state, seconds, again)
    return {
        "id": key_of(key, night), "job": key, "type": job["type"], "state": state, "trigger": "schedule" if clock else "job" if before else "manual", "trigger_run": None,
        "trigger_job": before, "triggered_by": None if clock or before else "admin.key", "due_at": iso(due) if clock else None, "queued_at": iso(due), "not_before": None,
        "started_at": None if skipped else iso(began), "finished_at": iso(due if skipped else began + dt.timedelta(seconds=seconds)), "seconds": None if skipped else seconds, "attempt": 1,
        "resumes": 0, "progress": 1.0 if state == "success" else 0.4, "pass": None, "rows_in": sum(p["rows_in"] for p in passes), "retries": 0 if skipped else again, "engine": "local",
        "workers": 2, "host": "search-1", "error": error, "result": {"rows": int(seconds * 2100), "days": 31, "days_read": 1} if state == "success" else None,
        "log_lines": 0 if skipped else 42, "log_url": "/v1/runs/%s/log" % key_of(key, night), "ui_url": None, "app_id": None, "note": "the run before it still ran" if skipped else None, "cancel_requested": False,
        "params": job["params"], "timeout_seconds": 3600, "passes": passes}


def chain(runs):
    """Which run started which: those of the same night."""
    at = {(run["job"], run["queued_at"][:10]): run["id"] for run in runs}
    for run in runs:
        if run["trigger_job"]:
            run["trigger_run"] = at.get((run["trigger_job"], run["queued_at"][:10]))


def due_at(clock):
    """The next five, as if it were RECORDED."""
    if clock is None:
        return []
    first, step = (RECORDED.replace(minute=15), {"minutes": 15}) if clock == "*/15 * * * *" else (RECORDED.replace(hour=2, minute=0) + dt.timedelta(days=1), {"days": 1})
    return [iso(first + i * dt.timedelta(**step)) for i in range(5)]


def nightly(d):
    """Every job as the daemon shows it; one is of one's own, one switched off, one has a parameter."""
    wait_for(lambda: {"metrics", "bandit"} <= {job["id"] for job in d.get("/v1/jobs").json["jobs"]}, "the nightly set")
    made = d.post("/v1/jobs", OWN)
    assert made.status == 201, made
    assert d.request("PUT", "/v1/jobs/bandit/schedule", {"enabled": False}).status == 200
    clicks = d.get("/v1/jobs/clicks").json
    assert d.request("PUT", "/v1/jobs/clicks", {**clicks, "params": {"half_life_days": 30}}).status == 200
    return d.get("/v1/jobs").json["jobs"]


def write(name, value):
    with open(os.path.join(OUT, f"{name}.json"), "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")


def main():
    with Daemon(jobs=True) as d:
        jobs, types = nightly(d), d.get("/v1/job-types").json
        d.stop()
    runs = [run_of(job, night) for job in jobs for night in range(NIGHTS if job["triggers"] else 3)]
    chain(runs)
    runs.sort(key=lambda run: run["queued_at"], reverse=True)
    for job in jobs:
        due = due_at(starts(job)[0])
        job.update(next_run_at=due[0] if due else None, next_runs_at=due, running=0, queued=0, created_at=iso(MADE), updated_at=iso(MADE),
                   last_run=next(run for run in runs if run["job"] == job["id"]))
    write("runs", {"runs": runs})
    write("jobs", {"recorded_at": iso(RECORDED), "jobs": jobs})
    write("job-types", types)


if __name__ == "__main__":
    main()
