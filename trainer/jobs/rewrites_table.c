#include "trainer/jobs/rewrites_table.h"

enum { SAID_MAX = 20 };
enum column { ID, TYPE, INPUT, OUTPUT, BIDIRECTIONAL, CONFIDENCE, MANUAL, DECIDED, CHANGED };

static const struct pg_stmt read_rules = {
    "rewrites_to_publish", 1,
    "select id, type, input, output, bidirectional, confidence, source = 'manual', source = 'manual' or review = "
    "'approved', us(updated_at) from query_rewrites where review in ('auto', 'approved') and (source = 'manual' or "
    "review = 'approved' or confidence >= $1::real) order by id"
};
static struct rewrite_rule rule_of(const PGresult *r, int row, struct arena *arena)
{
    return (struct rewrite_rule){ .id = (uint64_t)pg_get_i64(r, row, ID),
                                  .type = rewrite_type_of(pg_get(r, row, TYPE)),
                                  .input = arena_str(arena, pg_get(r, row, INPUT)),
                                  .output = arena_str(arena, pg_get(r, row, OUTPUT)),
                                  .bidirectional = pg_get_bool(r, row, BIDIRECTIONAL),
                                  .confidence = pg_get_double(r, row, CONFIDENCE),
                                  .manual = pg_get_bool(r, row, MANUAL) };
}

static void say_rule(const struct run_context *run, size_t n, const struct rewrite_rule *r, const char *why)
{
    if (n < SAID_MAX)
        run_say(run, "left out: %s \"" STR_FMT "\" → \"" STR_FMT "\" (%llu): %s", rewrite_type_names[r->type],
                STR_ARG(str_cut(r->input, 60)), STR_ARG(str_cut(r->output, 60)), (unsigned long long)r->id, why);
    else if (n == SAID_MAX)
        run_say(run, "left out: more of them");
}

static void take_rules(struct run_context *run, const PGresult *r, bool *decided, struct arena *arena,
                       struct rewrites_table *out)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct rewrite_rule rule = rule_of(r, i, arena);
        struct err why;
        if (!rewrite_check(&rule, &why)) {
            say_rule(run, out->wrong++, &rule, why.text);
            continue;
        }
        int64_t changed_us = pg_get_i64(r, i, CHANGED);
        out->changed_us = changed_us > out->changed_us ? changed_us : out->changed_us;
        decided[out->count] = pg_get_bool(r, i, DECIDED);
        out->rules[out->count++] = rule;
    }
}

bool rewrites_table_read(struct run_context *run, double min_confidence, struct arena *arena,
                         struct rewrites_table *out, struct err *err)
{
    const char *params[] = { arena_printf(arena, "%.9g", min_confidence).p };
    struct rewrites_table t = { .count = 0 };
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &read_rules, params, err);
    if (!r)
        return false;
    size_t n = (size_t)PQntuples(r);
    bool *decided = arena_zalloc(arena, (n + 1) * sizeof *decided);
    t.rules = arena_alloc(arena, (n + 1) * sizeof *t.rules);
    take_rules(run, r, decided, arena, &t);
    size_t all = t.count;
    rewrites_break_circles(t.rules, decided, &t.count, arena, &t.circle);
    for (size_t i = t.count; i < all; i++)
        say_rule(run, t.circles++, &t.rules[i], "it would lead in a circle");
    *out = t;
    return true;
}
