"""The aggregations of the jobs "metrics" and "clicks" as SQL, for bench/engine.py: written to be fast on the rows of engine_data.py, where a query has one
request and all its clicks lie within half an hour; the jobs make no such assumption.

Both leave their rows in a temporary table. Nothing is numeric that may be double, instants are subtracted from a near one so that doubles hold
microseconds, and hash tables fit in memory.
"""
METRICS = """
create temporary table bench_out as
with first as materialized (
  select unit, min(at) as at, min(variant) as variant, min(at)::date as day from exposures where experiment = 'ranker'
  group by unit having min(variant) = max(variant)),
queries as (
  select unit, query_id, min(at) filter (where type = 'request') as at, max(value) as results,
    min(round((date_part('epoch', at) - {near}) * 1e6) * 16 + position) filter (where type = 'click') as click
  from signals where type in ('request', 'click') group by unit, query_id),
of_queries as (
  select q.unit, q.at::date as day, count(*)::float8 as queries, count(*) filter (where results = 0)::float8 as zero, count(results)::float8 as known,
    sum(case when click is null then 0 else 1 / (click - 16 * floor(click / 16)) end) as rr
  from queries q join first f using (unit) where q.at >= f.at group by 1, 2),
of_signals as (
  select s.unit, s.at::date as day, count(*) filter (where type = 'click')::float8 as clicks,
    coalesce(sum(value) filter (where type = 'purchase'), 0) as revenue
  from signals s join first f using (unit) where s.at >= f.at and type in ('click', 'purchase') group by 1, 2),
daily as (
  select unit, day, coalesce(queries, 0) as queries, coalesce(zero, 0) as zero, coalesce(known, 0) as known, coalesce(rr, 0) as rr,
    coalesce(clicks, 0) as clicks, coalesce(revenue, 0) as revenue
  from of_queries full join of_signals using (unit, day)),
running as (
  select unit, day, queries as dq, zero as dz, known as dk, rr as dr, clicks as dc, revenue as dv, sum(queries) over w as q, sum(zero) over w as z,
    sum(known) over w as k, sum(rr) over w as r, sum(clicks) over w as c, sum(revenue) over w as v
  from daily window w as (partition by unit order by day)),
sums as (  -- by how much a day changes the sums over units
  select variant, r.day, sum((c > 0)::int - (c - dc > 0)::int)::float8 as any_click, sum(dc) as c, sum(c * c - (c - dc) * (c - dc)) as cc,
    sum(dq) as q, sum(q * q - (q - dq) * (q - dq)) as qq, sum(c * q - (c - dc) * (q - dq)) as cq, sum(dr) as r,
    sum(r * r - (r - dr) * (r - dr)) as rr, sum(r * q - (r - dr) * (q - dq)) as rq, sum(dz) as z, sum(z * z - (z - dz) * (z - dz)) as zz,
    sum(dk) as k, sum(k * k - (k - dk) * (k - dk)) as kk, sum(z * k - (z - dz) * (k - dk)) as zk, sum(dv) as v,
    sum(v * v - (v - dv) * (v - dv)) as vv
  from running r join first using (unit) group by variant, r.day),
newcomers as (select variant, day, count(*)::float8 as n from first group by variant, day)
select variant, day, sum(n) over w as n, sum(any_click) over w as any_click, sum(c) over w as c, sum(cc) over w as cc, sum(q) over w as q,
  sum(qq) over w as qq, sum(cq) over w as cq, sum(r) over w as r, sum(rr) over w as rr, sum(rq) over w as rq, sum(z) over w as z,
  sum(zz) over w as zz, sum(k) over w as k, sum(kk) over w as kk, sum(zk) over w as zk, sum(v) over w as v, sum(vv) over w as vv
from sums full join newcomers using (variant, day) window w as (partition by variant order by day)
"""

CLICKS = """
create temporary table bench_out as
select query, row_number() over (partition by query order by weight desc, doc) as rank, doc, weight, signals, clicks, purchases, last_at
from (
  select lower(query) as query, doc, sum(case type when 'click' then 1 when 'cart' then 10 else 25 end *
      power(2::float8, (date_part('epoch', at) - {as_of_end}) / (30 * 86400))) as weight, count(*) as signals,
    count(*) filter (where type = 'click') as clicks, count(*) filter (where type = 'purchase') as purchases, max(at) as last_at
  from signals where type in ('click', 'cart', 'purchase') and at < to_timestamp({as_of_end}) group by 1, 2) s
"""

TEXTS = {"metrics": METRICS, "clicks": CLICKS}
SETTINGS = "set timezone = 'UTC'; set jit = off; set work_mem = '512MB'; set hash_mem_multiplier = 2; set temp_buffers = '256MB'; set enable_sort = %s; "
PARALLEL = ("set max_parallel_workers_per_gather = %d; set parallel_tuple_cost = 0; set parallel_setup_cost = 0; "
            "set min_parallel_table_scan_size = 0; ")


def script(kind, processes, **values):
    """Settings, and the statement. One process: the session's own; two: a parallel worker beside it, whatever the planner thinks it costs."""
    return (SETTINGS % ("off" if kind == "metrics" else "on") + PARALLEL % (processes - 1), TEXTS[kind].format(**values))


# ---- the same from the tables that the jobs publish: rows that compare

PUBLISHED = {
    "metrics": "select variant, day, metric, n, mean_x, m2_x, mean_y, m2_y, cxy from moments where experiment = 'ranker' and segment = '' "
               "and day <= '{last_day}'",  # what lies behind midnight of it may be a day of its own, or none
    "clicks": "select query, rank, doc, weight, signals, coalesce((counts ->> 'click')::bigint, 0), coalesce((counts ->> 'purchase')::bigint, 0), last_at "
              "from query_doc_weights order by query, rank",
}
RESULT = {"metrics": "select * from bench_out", "clicks": "select * from bench_out order by query, rank"}
PARTS = {"ctr": ("any_click", "any_click", None, None, None), "clicks_per_query": ("c", "cc", "q", "qq", "cq"), "mrr": ("r", "rr", "q", "qq", "rq"),
         "zero_result_rate": ("z", "zz", "k", "kk", "zk"), "revenue_per_unit": ("v", "vv", None, None, None)}
COLUMNS = "variant day n any_click c cc q qq cq r rr rq z zz k kk zk v vv".split()


def near(a, b, scale=1.0):
    return abs(a - b) <= 1e-7 * max(abs(a), abs(b), scale)


def number(text):
    return 0.0 if text in ("", "None") else float(text)


def check_metrics(published, rows, columns=tuple(COLUMNS)):
    """How many moments were compared."""
    sums = {}
    for row in rows:
        named = dict(zip(columns, row))
        sums[named["variant"], named["day"]] = {k: number(v) for k, v in named.items() if k not in ("variant", "day")}
    compared = 0
    for variant, day, metric, n, mean_x, m2_x, mean_y, m2_y, cxy in published:
        s = sums.get((variant, day))
        if not s:
            continue
        x, xx, y, yy, xy = PARTS[metric]
        count = s["n"]
        expected = [(float(n), count), (float(mean_x), s[x] / count), (float(m2_x), s[xx] - s[x] ** 2 / count)]
        if y:
            expected += [(float(mean_y), s[y] / count), (float(m2_y), s[yy] - s[y] ** 2 / count), (float(cxy), s[xy] - s[x] * s[y] / count)]
        for a, b in expected:
            if not near(a, b):
                raise SystemExit("bench engine: %s of %s on %s: the job says %r, SQL %r" % (metric, variant, day, a, b))
        compared += 1
    if compared < 0.9 * len(published):  # a day without a newcomer on which nobody did anything has no sums
        raise SystemExit("bench engine: only %d of %d moments could be compared" % (compared, len(published)))
    return compared


def check_clicks(published, rows, columns=None):
    """Weights that agree but for rounding may be ranked the other way round: documents are compared by name."""
    ours, theirs = ({(r[0], r[2]): r for r in table} for table in (published, rows))
    if ours.keys() != theirs.keys() or not ours:
        raise SystemExit("bench engine: the job weighs %d pairs of query and document, SQL %d" % (len(ours), len(theirs)))
    for key, a in ours.items():
        b = theirs[key]
        if not near(float(a[3]), float(b[3]), 1e-3) or a[4:7] != b[4:7] or (not columns and a[7] != b[7]):  # others write instants otherwise
            raise SystemExit("bench engine: the job says %r, SQL %r" % (a, b))
    return len(ours)


CHECKS = {"metrics": check_metrics, "clicks": check_clicks}
