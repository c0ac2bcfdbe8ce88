/* First exposures by day: their rows, and what a verdict has to know of them. */
#include "base/pg.h"
#include "experimentd/config/experiment.h"
#include "experimentd/health/health.h"

/* Columns of QUERY_HEALTH_COUNTS. */
enum { COUNT_SEGMENT, COUNT_DAY, COUNT_VARIANT, COUNT_UNITS, COUNT_SEVERAL };

static struct health_count *count_of(struct health_input *in, struct str segment, int32_t day, size_t variants,
                                     struct arena *arena)
{
    struct health_count *last = in->counts_count ? &in->counts[in->counts_count - 1] : NULL;
    if (last && last->day == day && str_eq(last->segment, segment))
        return last;
    struct health_count *c = &in->counts[in->counts_count++];
    *c = (struct health_count){ .segment = arena_str(arena, segment), .day = day };
    c->units = arena_zalloc(arena, (variants + 1) * sizeof *c->units);
    c->several = arena_zalloc(arena, (variants + 1) * sizeof *c->several);
    return c;
}

/* Those of a day stand together. */
void health_read_counts(struct health_input *in, const struct snapshot_experiment *e, const PGresult *r,
                        struct arena *arena)
{
    in->counts = arena_alloc(arena, ((size_t)PQntuples(r) + 1) * sizeof *in->counts);
    for (int row = 0; row < PQntuples(r); row++) {
        int v = experiment_variant(e, pg_get(r, row, COUNT_VARIANT));
        if (v < 0)
            continue;
        struct health_count *c = count_of(in, pg_get(r, row, COUNT_SEGMENT), (int32_t)pg_get_i64(r, row, COUNT_DAY),
                                          e->variants_count, arena);
        c->several[v] = pg_get_i64(r, row, COUNT_SEVERAL);
        c->units[v] = pg_get_i64(r, row, COUNT_UNITS) - c->several[v];
    }
}

/* Units of each day from the first one on, days without any among them. */
static struct traffic traffic_of(const struct health_input *in, size_t variants)
{
    double first[TRAFFIC_DAYS_MAX] = { 0 };
    int32_t from = 0;
    size_t days = 0;
    for (size_t k = 0; k < in->counts_count && in->counts[k].segment.n == 0; k++) {
        const struct health_count *c = &in->counts[k];
        from = k ? from : c->day;
        size_t at = (size_t)(c->day - from);
        for (size_t i = 0; at < TRAFFIC_DAYS_MAX && i < variants; i++)
            first[at] += (double)c->units[i];
        days = at < TRAFFIC_DAYS_MAX ? at + 1 : days;
    }
    return days ? traffic_of_first_exposures(first, days) : (struct traffic){ .days = 1 };
}

void health_tell(struct health_input *in, struct result *r, struct arena *arena)
{
    struct health h;
    in->r = r;
    health_make(in, arena, &h);
    enum health_check spoilt = health_spoilt_by(&h);
    r->first_exposures = traffic_of(in, r->experiment->variants_count);
    if (spoilt < HEALTH_CHECK_COUNT)
        r->spoilt = arena_printf(arena, "%s: " STR_FMT, health_words[spoilt].name, STR_ARG(h.of[spoilt].text));
}
