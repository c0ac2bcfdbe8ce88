#!/usr/bin/env python3
"""Writes fixtures/jobs/: the nightly set with a month of made-up runs in the shape of the API, and the types of jobs: fixtures_jobs.py

Times count from RECORDED; the mock moves them to now. One night a worker is out of memory, one runs out of time, the last one lost PostgreSQL."""
import datetime as dt
import json
import os
import random
import uuid

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "jobs")
RECORDED, MADE, NIGHTS = dt.datetime(2026, 11, 27, 9, 7), dt.datetime(2026, 10, 2, 8, 30), 31
FULL = ("full", "boolean", False, "read all days, whatever is kept of them", {})
RANGES = ("ranges", "integer", 16, "ranges of buckets, which are splits of a pass", {"enum": [2 ** i for i in range(11)]})
EXPERIMENT = ("experiment", "string", None, "only this one; without: all", {"unit": "key"})
TYPES = {  # name: summary, incremental, parameters (name, type, default, help, more)
    "seal": ("old days → archive files", False, [("after_days", "integer", None, "days older than so many become files", {"minimum": 0, "maximum": 100000, "unit": "days"})]),
    "retention": ("what is too old is deleted: signals, runs and their logs", False, [("run_log_days", "integer", 30, "how long a run's log is kept", {"minimum": 1, "maximum": 100000, "unit": "days"})]),
    "sessions": ("signals → sessions: what a unit did without a pause", True, [FULL, ("gap_minutes", "integer", 30, "a longer pause ends a session", {"minimum": 1, "maximum": 720, "unit": "minutes"})]),
    "clicks": ("clicks → weights of documents by query, with decay", True, [
        FULL, ("half_life_days", "number", 30, "after so many days a click counts half", {"minimum": 0.1, "maximum": 3650, "unit": "days"}),
        ("from", "string", None, "the first day that counts", {"format": "date"}), ("decay", "string", "exponential", "how age takes weight away", {"enum": ["exponential", "none"]}),
        ("weights", ["object", "array"], {"click": 1, "cart": 10, "purchase": 25}, "what a signal of each type counts", {})]),
    "preferences": ("signals → which documents a user likes", True, [FULL]),
    "history": ("signals → what a user searched for", True, [FULL]),
    "metrics": ("signals and exposures → moments of every metric, variant and day", True, [EXPERIMENT, RANGES, FULL]),
    "interleave": ("interleaved lists and clicks → what users preferred", True, [EXPERIMENT, RANGES]),
    "bandit": ("moments of running bandits → weights of their variants", False, [EXPERIMENT]),
    "sql": ("an aggregation of your own, in SQL, rolled up day by day", True, [("sql", "string", None, "select of one day's signals", {"maxLength": 20000}), FULL]),
}
JOBS = [  # id, type, name, started by, seconds, minutes after two
    ("seal", "seal", "Close days", "0 2 * * *", 11, 0), ("retention", "retention", "Delete what is too old", "seal", 4, 1),
    ("sessions", "sessions", "Sessions", "seal", 38, 1), ("clicks", "clicks", "Click weights", "sessions", 96, 2), ("preferences", "preferences", "Preferences of users", "clicks", 61, 4),
    ("history", "history", "Queries of users", "preferences", 44, 6), ("metrics-nightly", "metrics", "Experiments, at night", "history", 31, 7),
    ("interleave", "interleave", "Interleaved lists", "metrics-nightly", 3, 8), ("bandit", "bandit", "Weights of bandits", "metrics-nightly", 2, 8),
    ("metrics", "metrics", "Experiments, every quarter of an hour", "*/15 * * * *", 21, None), ("category-clicks", "sql", "Clicks by category", None, 15, 30)]
WRONG = {("clicks", 4): ("failed", 'pass "days", split 3, attempt 2: the split needs more than its 2048 MiB of memory (memory_mb)'),
         ("history", 9): ("timeout", "it ran longer than its timeout"),
         ("preferences", 0): ("failed", "PostgreSQL did not come back: server closed the connection unexpectedly")}
rng = random.Random(5)


def iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else None


def schema(name, summary, params):
    properties = {}
    for key, kind, default, text, more in params:
        properties[key] = {"type": kind, **more, **({} if default is None else {"default": default}), "description": text}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, "description": summary, "type": "object", "properties": properties, "required": ["sql"] if name == "sql" else [], "additionalProperties": False}


def key_of(job, night):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "%s/%d" % (job[0], night)))


def passes_of(state, seconds, again):
    first = {"pass": 0, "name": "days", "splits": 8, "done": 8 if state == "success" else 5, "attempts": 8 + again, "rows_in": int(seconds * 310000), "seconds": round(seconds * 0.7, 2)}
    return [first] + ([{"pass": 1, "name": "merge", "splits": 4, "done": 4, "attempts": 4, "rows_in": int(seconds * 9000), "seconds": round(seconds * 0.3, 2)}] if state == "success" else [])


def run_of(job, night):
    key, kind, _, by, base, minute = job
    clock = by is not None and " " in by
    due = RECORDED - dt.timedelta(minutes=15 * night + 7) if minute is None else RECORDED.replace(hour=2, minute=minute) - dt.timedelta(days=night)
    seconds = round(base * (0.75 + 0.5 * rng.random()) * (1 - 0.006 * night), 2)
    state, error = WRONG.get((key, night), ("success", None))
    skipped = key == "metrics" and night in (6, 11)
    state, began, again = "skipped" if skipped else state, due + dt.timedelta(seconds=1), int(night % 5 == 2)
    passes = [] if skipped else passes_of(state, seconds, again)
    return {
        "id": key_of(job, night), "job": key, "type": kind, "state": state, "trigger": "schedule" if clock else "job" if by else "manual", "trigger_run": None,
        "trigger_job": None if clock else by, "triggered_by": None if by else "admin.key", "due_at": iso(due) if clock else None, "queued_at": iso(due), "not_before": None,
        "started_at": None if skipped else iso(began), "finished_at": iso(due if skipped else began + dt.timedelta(seconds=seconds)), "seconds": None if skipped else seconds, "attempt": 1,
        "resumes": 0, "progress": 1.0 if state == "success" else 0.4, "pass": None, "rows_in": sum(p["rows_in"] for p in passes), "retries": 0 if skipped else again, "engine": "local",
        "workers": 2, "host": "search-1", "error": error, "result": {"rows": int(seconds * 2100), "days": 31, "days_read": 1} if state == "success" else None,
        "log_lines": 0 if skipped else 42, "log_url": "/v1/runs/%s/log" % key_of(job, night), "ui_url": None, "app_id": None, "note": "the run before it still ran" if skipped else None, "cancel_requested": False,
        "params": {"half_life_days": 30} if key == "clicks" else {}, "timeout_seconds": 3600, "passes": passes}


def chain(runs):
    """Which run started which: those of the same night."""
    at = {(run["job"], run["queued_at"][:10]): run["id"] for run in runs}
    for run in runs:
        if run["trigger_job"]:
            run["trigger_run"] = at.get((run["trigger_job"], run["queued_at"][:10]))


def job_of(job, last):
    key, kind, name, by, _, _ = job
    clock = by is not None and " " in by
    quarter = RECORDED.replace(minute=15)
    due = [] if not clock else [quarter + dt.timedelta(minutes=15 * i) for i in range(5)] if by.startswith("*") else [RECORDED.replace(hour=2, minute=0) + dt.timedelta(days=i + 1) for i in range(5)]
    trigger = [] if not by else [{"type": "cron", "value": by, "enabled": True}] if clock else [{"type": "job", "job": by, "on": ["success", "failed"], "enabled": True}]
    return {
        "id": key, "type": kind, "name": name, "params": {"half_life_days": 30} if key == "clicks" else {}, "enabled": key != "bandit", "engine": "local", "workers": 0, "timezone": "UTC",
        "triggers": trigger, "concurrency": "skip", "catch_up": "once", "max_retries": 1, "retry_after_seconds": 60, "timeout_seconds": 3600, "notify": None, "summary": TYPES[kind][0],
        "next_run_at": iso(due[0]) if due else None, "next_runs_at": [iso(at) for at in due], "predefined": by is not None, "last_run": last, "running": 0, "queued": 0, "version": 1, "created_at": iso(MADE), "updated_at": iso(MADE), "updated_by": None}


def write(name, value):
    with open(os.path.join(OUT, f"{name}.json"), "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")


def main():
    runs = [run_of(job, night) for job in JOBS for night in range(NIGHTS if job[3] else 3)]
    chain(runs)
    last = {run["job"]: run for run in reversed(runs)}
    write("runs", {"runs": sorted(runs, key=lambda run: run["queued_at"], reverse=True)})
    write("jobs", {"recorded_at": iso(RECORDED), "jobs": [job_of(job, last[job[0]]) for job in JOBS]})
    write("job-types", {"job_types": [{"name": name, "summary": s, "incremental": i, "by_hand": False, "params": schema(name, s, p)} for name, (s, i, p) in TYPES.items()]})


if __name__ == "__main__":
    main()
