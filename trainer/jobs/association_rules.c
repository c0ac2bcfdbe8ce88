/* The job "association-rules": who had these also had that.
 *
 * A basket is what a unit had in the days of training. Passes "pairs" and "frequent pairs" count the pairs of all baskets (an exchange by the first item) and keep
 * those that enough units had; "triples" and "frequent triples" do the same for triples of which every two are a frequent pair. Rules are made of these counts here. */
#include <inttypes.h>
#include <math.h>

#include "trainer/jobs/user_lists.h"
#include "trainer/kernels/items/items.h"
#include "trainer/kernels/items/rules.h"

#define SUMS_MAX ((size_t)4 << 30)
enum { KEY_MAX = 2048 };
static const char *const columns[] = { "score", "confidence", "lift", "support", "leverage", "units", "p", "q" };

struct mining {
    struct recommender_job *j;
    uint64_t min_count;
    struct buf pairs, triples; /* struct pair_sum, by key */
    struct rule *rules;
    size_t looked_at, kept;
};

/* ---- counting ---- */

/* The frequent sums of a pass that left sums in parts, in the order of keys: parts are of ascending numbers. */
static bool pass_frequent(struct mining *g, const char *name, int input_pass, uint32_t parts, struct buf *out,
                          struct err *err)
{
    struct recommender_job *j = g->j;
    struct engine_result result;
    const struct engine_pass pass = { .name = name,
                                      .kernel = PAIR_SUMS_MERGE_KERNEL,
                                      .params = arena_printf(&j->arena, "{\"min_count\":%" PRIu64 "}", g->min_count),
                                      .splits = recommender_parts(j, parts),
                                      .splits_count = parts,
                                      .input_pass = input_pass };
    if (!run_pass(j->run, &pass, &result, err))
        return false;
    for (uint32_t i = 0; i < result.count; i++)
        buf_add_str(out, buf_str(&result.parts[i]));
    engine_result_release(&result);
    engine_drop(j->run->engine, input_pass);
    return buf_ok(out, "the frequent sets", err);
}

static uint32_t parts_for(const struct mining *g, uint64_t numbers)
{
    return numbers < g->j->m.ranges ? (uint32_t)numbers : g->j->m.ranges;
}

static bool count_pairs(struct mining *g, struct err *err)
{
    struct recommender_job *j = g->j;
    struct engine_result result;
    const uint32_t parts = parts_for(g, j->m.items);
    const int number = j->run->passes;
    const struct engine_pass pass = {
        .name = "pairs",
        .kernel = ITEM_PAIRS_COUNT_KERNEL,
        .params = arena_printf(&j->arena, "{\"items\":%u,\"weighted\":false,\"both\":false}", j->m.items),
        .splits = recommender_rows(j),
        .splits_count = j->m.ranges,
        .input_pass = j->m.pass,
        .out = ENGINE_DATASET,
        .parts = parts,
    };
    if (!run_pass(j->run, &pass, &result, err))
        return false;
    engine_result_release(&result);
    return pass_frequent(g, "frequent pairs", number, parts, &g->pairs, err);
}

static int keys_blob(struct mining *g, struct err *err)
{
    AUTO(buf_release) struct buf keys;
    struct pair_sum e;
    buf_init(&keys, SUMS_MAX);
    for (struct str in = buf_str(&g->pairs); in.n; in.p += sizeof e, in.n -= sizeof e) {
        memcpy(&e, in.p, sizeof e);
        buf_add(&keys, &e.key, sizeof e.key);
    }
    return buf_ok(&keys, "the frequent pairs", err) ? engine_blob(g->j->run->engine, buf_str(&keys), err) : -1;
}

static bool count_triples(struct mining *g, struct err *err)
{
    struct recommender_job *j = g->j;
    const uint64_t pairs = g->pairs.n / sizeof(struct pair_sum);
    if (pairs < 3 || !run_flag(j->run, "triples"))
        return true;
    if (pairs >= UINT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "%" PRIu64 " frequent pairs: parameter \"min_count\" is too small", pairs);
    int number, blob = keys_blob(g, err);
    const struct engine_pass pass = { .name = "triples",
                                      .kernel = ITEM_TRIPLES_COUNT_KERNEL,
                                      .splits = recommender_rows(j),
                                      .splits_count = j->m.ranges,
                                      .input_pass = j->m.pass,
                                      .out = ENGINE_DATASET,
                                      .parts = parts_for(g, pairs),
                                      .blobs = &blob,
                                      .blobs_count = 1 };
    bool ok = blob >= 0 && run_pass_numbered(j->run, &pass, &number, err);
    if (blob >= 0)
        engine_blob_drop(j->run->engine, blob);
    return ok && pass_frequent(g, "frequent triples", number, pass.parts, &g->triples, err);
}

/* ---- rules ---- */

static enum rule_measure measure_named(const char *name)
{
    enum rule_measure m = RULE_CONFIDENCE;
    while (m < RULE_MEASURE_COUNT - 1 && strcmp(name, rule_measure_names[m]) != 0)
        m++;
    return m;
}

static struct rule_limits limits_of(const struct run_context *run)
{
    return (struct rule_limits){ .min_confidence = run_real(run, "min_confidence"),
                                 .min_lift = run_real(run, "min_lift"),
                                 .min_improvement = run_real(run, "min_improvement"),
                                 .max_q = run_real(run, "max_q"),
                                 .by = measure_named(run->param(run, "rank_by")) };
}

static bool make_rules(struct mining *g, struct err *err)
{
    const struct matrix *m = &g->j->m;
    const struct rule_counts counts = { .units = m->units,
                                        .min_count = g->min_count,
                                        .items = m->items,
                                        .item_units = m->item_units,
                                        .pairs = (const void *)buf_str(&g->pairs).p,
                                        .triples = (const void *)buf_str(&g->triples).p,
                                        .pairs_count = g->pairs.n / sizeof(struct pair_sum),
                                        .triples_count = g->triples.n / sizeof(struct pair_sum) };
    const struct rule_limits limits = limits_of(g->j->run);
    g->looked_at = rules_count(&counts);
    g->rules = mem_alloc((g->looked_at + 1) * sizeof *g->rules);
    rules_make(&counts, g->rules);
    rules_adjust(g->rules, g->looked_at, rules_possible(&counts));
    g->kept = rules_choose(g->rules, g->looked_at, &limits);
    run_say(g->j->run, "%zu frequent pairs, %zu frequent triples, of %" PRIu64 " units or more; %zu of %zu rules kept",
            counts.pairs_count, counts.triples_count, g->min_count, g->kept, g->looked_at);
    return g->kept > 0 || run_too_little(g->j->run, err,
                                         "of %zu rules of sets that at least %" PRIu64 " units had, none is within "
                                         "min_confidence, min_lift and max_q",
                                         g->looked_at, g->min_count);
}

/* ---- sections ---- */

static void put_values(const struct rule *r, enum rule_measure by, float out[COUNT_OF(columns)])
{
    const float values[] = { (float)r->measures[by],
                             (float)r->measures[RULE_CONFIDENCE],
                             (float)r->measures[RULE_LIFT],
                             (float)r->measures[RULE_SUPPORT],
                             (float)r->measures[RULE_LEVERAGE],
                             (float)r->units,
                             (float)exp(r->log_p),
                             (float)exp(r->log_q) };
    memcpy(out, values, sizeof values);
}

static bool same_antecedent(const struct rule *a, const struct rule *b)
{
    return a->first == b->first && a->second == b->second;
}

static void put_key(const struct matrix *m, const struct rule *r, struct lists_out *out)
{
    AUTO(buf_release) struct buf key;
    buf_init(&key, KEY_MAX);
    buf_add_str(&key, m->item_texts[r->first]);
    if (r->second != RULE_ONE) {
        buf_add_byte(&key, '\x1f');
        buf_add_str(&key, m->item_texts[r->second]);
    }
    lists_key(out, buf_str(&key));
}

/* Of each antecedent its best rules. only_one: those of one item. */
static bool add_lists(struct mining *g, const char *section, bool only_one, struct err *err)
{
    const struct matrix *m = &g->j->m;
    const int64_t top = run_whole(g->j->run, "top");
    const enum rule_measure by = limits_of(g->j->run).by;
    struct lists_out out;
    int64_t count = 0;
    lists_begin(&out, columns, COUNT_OF(columns));
    for (size_t i = 0; i < g->kept; i++) {
        const struct rule *r = &g->rules[i];
        float values[COUNT_OF(columns)];
        if (only_one && r->second != RULE_ONE)
            continue;
        if (i == 0 || !same_antecedent(r, &g->rules[i - 1])) {
            put_key(m, r, &out);
            count = 0;
        }
        put_values(r, by, values);
        if (count++ < top)
            lists_add(&out, m->item_texts[r->then], values);
    }
    bool ok = model_file_lists(&g->j->file, section, &out, err);
    lists_release(&out);
    return ok;
}

/* What a unit would like, by the rules of one item. */
static bool add_users(struct mining *g, struct err *err)
{
    struct recommender_job *j = g->j;
    const enum rule_measure by = limits_of(j->run).by;
    uint64_t *ends = arena_zalloc(&j->arena, ((size_t)j->m.items + 1) * sizeof *ends);
    struct item_score *entries = mem_alloc((g->kept + 1) * sizeof *entries);
    uint64_t count = 0;
    for (size_t i = 0; i < g->kept; i++)
        if (g->rules[i].second == RULE_ONE) {
            entries[count++] = (struct item_score){ g->rules[i].then, (float)g->rules[i].measures[by] };
            ends[g->rules[i].first + 1] = count;
        }
    for (uint32_t i = 0; i < j->m.items; i++)
        if (ends[i + 1] < ends[i])
            ends[i + 1] = ends[i];
    bool ok = user_lists_add(j, ends, entries, err);
    mem_free(entries);
    return ok;
}

/* ---- the job ---- */

static bool train(struct recommender_job *j, struct err *err)
{
    struct mining g = { .j = j };
    uint64_t least = (uint64_t)run_whole(j->run, "min_count");
    double share = ceil(run_real(j->run, "min_support") * (double)j->m.units);
    g.min_count = share > (double)least ? (uint64_t)share : least;
    buf_init(&g.pairs, SUMS_MAX);
    buf_init(&g.triples, SUMS_MAX);
    bool ok = count_pairs(&g, err) && count_triples(&g, err) && make_rules(&g, err) &&
              add_lists(&g, "items_for_item", true, err) && add_lists(&g, "rules", false, err) && add_users(&g, err);
    buf_release(&g.pairs);
    buf_release(&g.triples);
    mem_free(g.rules);
    return ok;
}

static bool run_association_rules(struct run_context *run, struct err *err)
{
    return recommender_run(run, train, err);
}

const struct job job_association_rules = { "association-rules", run_association_rules };
