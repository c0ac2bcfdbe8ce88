"""Rollups written by hand, for tests of what is made of them.

    publish(d, "shop", [row("ctr", "a", values), row("ctr", "a", values, segment="country=de"), …], day="2026-03-15")

Values are a list with one number a unit, or of a ratio one (x, y) a unit.
"""
import datetime

ROWS_A_COMMAND = 400

def mean_and_rest(values):
    mean = sum(values) / len(values)
    return mean, sum((v - mean) ** 2 for v in values)


def packed(columns):
    """Moments of several columns as moments.pre has them: mean and rest of each, then the upper triangle."""
    means = [sum(c) / len(c) for c in columns]
    triangle = [sum((x - means[i]) * (y - means[j]) for x, y in zip(columns[i], columns[j]))
                for i in range(len(columns)) for j in range(i, len(columns))]
    return "{%s}" % ",".join(repr(v) for v in [v for mean in means for v in (mean, 0.0)] + triangle)


def row(metric, variant, values, segment="", day=None, before=None):
    """before: what the same units did before their first exposure, shaped as values."""
    xs = [v[0] if isinstance(v, tuple) else v for v in values]
    mean_x, m2_x = mean_and_rest(xs)
    made = {"metric": metric, "variant": variant, "segment": segment, "day": day, "n": len(xs), "mean_x": mean_x, "m2_x": m2_x,
            "mean_y": None, "m2_y": None, "cxy": None, "pre": None}
    if isinstance(values[0], tuple):
        ys = [v[1] for v in values]
        made["mean_y"], made["m2_y"] = mean_and_rest(ys)
        made["cxy"] = sum((x - mean_x) * (y - made["mean_y"]) for x, y in values)
    if before is not None:
        flat = lambda vs: list(zip(*vs)) if isinstance(vs[0], tuple) else [vs]
        made["pre"] = packed([list(c) for c in flat(values) + flat(before)])
    return made


def text(value):
    return "null" if value is None else "'%s'" % value.replace("'", "''") if isinstance(value, str) else repr(value)


def publish(d, experiment, rows, day, units=0, multiple=0):
    """In the place of what was published before; `day` is of the rows that have none."""
    run = "018f0000-0000-7000-8000-%012d" % (abs(hash((experiment, day))) % 10 ** 12)
    columns = ("metric", "variant", "segment", "day", "n", "mean_x", "m2_x", "mean_y", "m2_y", "cxy", "pre")
    d.sql("""insert into runs (id, job, params, engine, workers, state, finished_at) values ('%s', 'metrics', '{}', 'local', 2, 'success', now())
        on conflict do nothing;
delete from moments where experiment = %s""" % (run, text(experiment)))
    for at in range(0, len(rows), ROWS_A_COMMAND):
        values = ["(%s, %s)" % (text(experiment), ", ".join(text(r[c] if c != "day" else r[c] or day) for c in columns))
                  for r in rows[at:at + ROWS_A_COMMAND]]
        d.sql("insert into moments (experiment, %s) values %s" % (", ".join(columns), ",\n".join(values)))
    d.sql("""insert into moments_current (experiment, run, as_of, units, multiple_exposures) values (%s, '%s', '%s'::timestamptz, %d, %d)
    on conflict (experiment) do update set run = excluded.run, as_of = excluded.as_of, units = excluded.units"""
          % (text(experiment), run, day + "T23:00:00Z", units, multiple))


def days(first, count):
    start = datetime.date.fromisoformat(first)
    return [(start + datetime.timedelta(days=i)).isoformat() for i in range(count)]
