"""The rows that bench/engine.py counts in: a search shop, 30 days, made by PostgreSQL itself of one seed, so that the same size gives the same rows.

A session has one exposure and one to five queries; a query has up to three clicks, and now and then a purchase. Names of sessions and queries are
UUIDs, as clients send them; units and queries come up unequally often.
"""
import datetime

DAYS, ROWS_OF_SESSION, ROWS_OF_UNIT = 30, 6.4, 100
MASK = (1 << 64) - 1
METRICS = ("ctr", "clicks_per_query", "mrr", "zero_result_rate", "revenue_per_unit")

MAKE = """
create temporary table made_sessions as
select i, floor({units} * power(random(), 1.5))::int as u, '{day}'::timestamptz + (86000 * random()) * interval '1 second' as at,
  md5('s{day}' || i)::uuid::text as session, 1 + floor(5 * random())::int as queries
from generate_series(1, {sessions}) i;
create temporary table made_queries as
select u, session, at + ((k - 1) * 120 + 60 * random()) * interval '1 second' as at, md5('q{day}' || i || ' ' || k)::uuid::text as query_id,
  floor(2000 * power(random(), 3))::int as q, random() as c, random() as p
from made_sessions, generate_series(1, queries) k;
insert into signals (id, at, received_at, bucket, type, unit, session, query_id, query, doc, position, value, params)
select gen_random_uuid(), at, at, bench_units.bucket, type, unit, session, query_id, 'lamp number ' || q, 'sku-' || q * 10 + position, position, value, params
from (
  select u, at, 'request' as type, session, query_id, q, null::int as position, floor(30 * power(random(), 2)) as value,
    '{{"page": 1, "device": "phone"}}'::jsonb as params from made_queries
  union all
  select u, at + (5 + 100 * random()) * interval '1 second', 'click', session, query_id, q, 1 + floor(10 * power(random(), 2))::int, null, null
  from made_queries, generate_series(1, (c > 0.5)::int + (c > 0.8)::int + (c > 0.93)::int)
  union all
  select u, at + (120 + 300 * random()) * interval '1 second', 'purchase', session, query_id, q, 1, round((5 + 90 * random())::numeric, 2)::float8, null
  from made_queries where p < 0.04
) s join bench_units using (u) order by at;
insert into exposures (at, bucket, experiment, variant, unit, dims)
select at - interval '1 second', bucket, 'ranker', variant, unit, '{{"device": "phone"}}'::jsonb from made_sessions join bench_units using (u)
where at - interval '1 second' >= '{day}'::timestamptz order by at;
drop table made_sessions, made_queries;
"""


def bucket_of(unit):
    """base/hash.h"""
    h = 0xCBF29CE484222325
    for byte in unit.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    h = ((h ^ h >> 33) * 0xFF51AFD7ED558CCD) & MASK
    h = ((h ^ h >> 33) * 0xC4CEB9FE1A85EC53) & MASK
    return (h ^ h >> 33) & 4095


def day_text(day):
    """The first lies long enough ago for all to be over, and sealed when that is asked for."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return (today - datetime.timedelta(days=DAYS + 2 - day)).isoformat()


def make(d, rows):
    """Fills the daemon's tables; how many signals and exposures there are."""
    d.make_experiment("ranker", metrics=[{"metric": m, "role": "secondary" if i else "primary"} for i, m in enumerate(METRICS)])
    units = max(100, rows // ROWS_OF_UNIT)
    d.copy_in("bench_units", "u int, unit text, bucket smallint, variant text",
              ("%d\tuser-%d\t%d\t%s\n" % (u, u, bucket_of("user-%d" % u), "ab"[u % 2]) for u in range(units)))
    for day in range(DAYS + 1):  # the last sessions end behind midnight
        d.sql("select ensure_partition('%s')" % day_text(day))
    for day in range(DAYS):
        d.sql("set timezone = 'UTC'; set work_mem = '256MB'; select setseed(%g); " % (day / DAYS) +
              MAKE.format(day=day_text(day), units=units, sessions=max(1, int(rows / DAYS / ROWS_OF_SESSION))))
    d.sql("drop table bench_units")
    d.sql("vacuum analyze signals, exposures")
    return d.number("select count(*) from signals") + d.number("select count(*) from exposures")
