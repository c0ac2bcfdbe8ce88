#include "trainer/jobs/serp_log.h"

#include <stdlib.h>

#include "base/clock.h"
#include "trainer/jobs/query_passes.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/serps/serp_log.h"

static const char *const own_types[] = { "request", "response", "interleave", "impression", NULL };
static const struct log_kind kind = { .day = SERP_DAY_KERNEL,
                                      .merge = SERP_MERGE_KERNEL,
                                      .collect = SERP_COLLECT_KERNEL,
                                      .merged = "lists",
                                      .collected = "lists",
                                      .own_types = own_types,
                                      .own_said = "one that tells what was shown",
                                      .totals = sizeof(struct serp_totals) / sizeof(uint64_t),
                                      .set_bytes = SERP_SET_BYTES };

/* ---- opening ---- */

static struct str merge_params(const struct serp_log *s)
{
    const char *share = s->run->param(s->run, "holdout_share");
    return arena_printf(s->arena, "{\"positions\":%lld,\"holdout_share\":%s,\"held_from_us\":%lld}",
                        (long long)run_whole(s->run, "positions"), share ? share : "0",
                        (long long)(s->held_from * US_PER_DAY));
}

static bool open_log(struct serp_log *s, const char *what, struct query_window window, struct err *err)
{
    struct run_context *run = s->run;
    struct serp_totals totals = { .queries = 0 };
    const struct log_opening o = { .kind = &kind,
                                   .run = run,
                                   .arena = s->arena,
                                   .days = &s->days,
                                   .what = what,
                                   .merge_params = merge_params(s),
                                   .out_pass = &s->pass,
                                   .out_parts = &s->parts,
                                   .out_totals = (uint64_t *)(void *)&totals };
    bool ok = log_open(&o, window, err);
    s->queries = totals.queries;
    s->documents = totals.documents;
    s->sessions = totals.sessions;
    s->held = totals.held;
    s->clicks = totals.clicks;
    s->clicked_sessions = totals.clicked_sessions;
    if (ok)
        run_say(run, "%s: %llu searches of %llu queries with their lists, %llu of them with clicks (%llu)%s", what,
                (unsigned long long)s->sessions, (unsigned long long)s->queries,
                (unsigned long long)s->clicked_sessions, (unsigned long long)s->clicks,
                s->held ? arena_printf(s->arena, "; %llu more are held out", (unsigned long long)s->held).p : "");
    return ok;
}

bool serp_log_open(struct serp_log *s, struct run_context *run, struct arena *arena, const char *what,
                   struct query_window window, struct err *err)
{
    *s = (struct serp_log){ .run = run, .arena = arena, .pass = -1 };
    return open_log(s, what, window, err);
}

bool serp_log_open_both(struct serp_log *s, struct run_context *run, struct arena *arena, struct query_window training,
                        struct query_window evaluation, struct err *err)
{
    bool later = evaluation.from <= evaluation.until;
    *s = (struct serp_log){ .run = run, .arena = arena, .pass = -1, .held_from = later ? evaluation.from : 0 };
    return open_log(s, "searches", (struct query_window){ training.from, later ? evaluation.until : training.until },
                    err);
}

void serp_log_close(struct serp_log *s)
{
    log_close(s->run, &s->pass);
}

struct engine_split *serp_log_splits(const struct serp_log *s)
{
    return query_splits_each(s->arena, s->parts);
}

/* ---- collecting ---- */

struct collecting {
    struct serp_set set;
    struct serp_reader reader; /* texts are borrowed from the parts */
};

static bool take_record(void *arg, struct str *rest)
{
    struct collecting *c = arg;
    struct serp_set *s = &c->set;
    bool whole;
    if (!serp_reader_take(&c->reader, rest, &whole))
        return false;
    if (!whole)
        return true;
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        s->queries = mem_realloc(s->queries, s->room * sizeof *s->queries);
    }
    serp_query_copy(&c->reader.q, &s->arena, &s->queries[s->count++]);
    return true;
}

bool serp_log_collect(struct serp_log *s, uint64_t min_sessions, struct serp_set *out, struct err *err)
{
    struct collecting c = { .set.count = 0 };
    arena_init(&c.set.arena, 1 << 20);
    serp_reader_init(&c.reader, true);
    bool ok = log_collect(&kind, s->run, s->arena, s->pass, s->parts, min_sessions, &c.set.bytes, take_record, &c, err);
    serp_reader_release(&c.reader);
    if (!ok) {
        serp_set_release(&c.set);
        return false;
    }
    if (c.set.count)
        qsort(c.set.queries, c.set.count, sizeof *c.set.queries, pair_text_first);
    *out = c.set;
    return true;
}

void serp_set_release(struct serp_set *s)
{
    log_parts_release(&s->bytes);
    mem_free(s->queries);
    arena_release(&s->arena);
    *s = (struct serp_set){ .count = 0 };
}

const struct serp_query *serp_set_find(const struct serp_set *s, struct str text)
{
    const struct serp_query key = { .text = text };
    return s->count ? bsearch(&key, s->queries, s->count, sizeof key, pair_text_first) : NULL;
}
