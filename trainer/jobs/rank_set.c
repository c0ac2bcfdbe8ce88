#include "trainer/jobs/rank_set.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/pgout.h"
#include "job/types.h"
#include "model/query_text.h"
#include "trainer/jobs/rank_judgments.h"

enum { VALUE_BYTES = 4, ARRAY_HEAD = 20 };
#define SHARES 1000000 /* parts that hashes of queries are dealt into, for holdout_queries */

static const struct pg_stmt read_spec = { "rank_set_spec", 1,
                                          "select spec -> 'features' from feature_sets where name = $1" };

/* A document for a query. */
struct pair {
    struct str query, doc;
    const float *values; /* NULL: no row */
    float label, evidence;
    size_t number; /* in the order in which they came */
};
struct pairs {
    struct arena *arena;
    struct pair *list;
    size_t count, room;
    uint32_t features;
};

/* ---- the set's features ---- */

static int signal_of(struct str name)
{
    for (int i = 0; i < CLICK_FEATURES; i++)
        if (str_eq_c(name, click_feature_names[i]))
            return i;
    return -1;
}

static bool read_feature(struct rank_set *s, uint32_t i, const json_t *f, struct err *err)
{
    const json_t *name = json_object_get(f, "name"), *source = json_object_get(f, "source"),
                 *fallback = json_object_get(f, "default");
    s->names[i] = arena_str(s->arena, (struct str){ json_string_value(name), json_string_length(name) });
    s->monotone[i] = (int8_t)json_integer_value(json_object_get(f, "monotone"));
    s->defaults[i] = json_is_number(fallback) ? (float)json_number_value(fallback) : NAN;
    s->signals[i] = -1;
    if (!json_is_string(source) || strcmp(json_string_value(source), "signals") != 0)
        return true;
    s->signals[i] = signal_of(s->names[i]);
    s->signals_count++;
    return s->signals[i] >= 0 ||
           err_set(err, ERR_INVALID,
                   "feature set \"%s\": \"" STR_FMT "\" is no feature of signals, as are clicks, impressions, "
                   "ctr, coec, doc_clicks, doc_impressions, doc_ctr, doc_coec",
                   s->run->param(s->run, "feature_set"), STR_ARG(str_cut(s->names[i], 60)));
}

bool rank_set_missing(const struct run_context *run, const char *param, const char *what, struct err *err)
{
    const char *name = run->param(run, param), *fallback = job_param_find(run->type, str_of(param))->fallback;
    if (fallback && strcmp(name, fallback) == 0)
        return run_too_little(run, err, "there is no %s \"%s\" yet (parameter \"%s\")", what, name, param);
    return err_set(err, ERR_INVALID, "parameter \"%s\": there is no %s \"%.80s\"", param, what, name);
}

static bool read_features(struct rank_set *s, struct err *err)
{
    const char *params[] = { s->run->param(s->run, "feature_set") };
    AUTO(pg_result_free) PGresult *r = pg_run(s->run->pg, &read_spec, params, err);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return rank_set_missing(s->run, "feature_set", "feature set", err);
    s->features_json = arena_str(s->arena, pg_get(r, 0, 0));
    json_auto_t *list = json_parse(s->features_json, err);
    if (!list)
        return false;
    s->features = (uint32_t)json_array_size(list);
    s->names = arena_zalloc(s->arena, s->features * sizeof *s->names);
    s->monotone = arena_zalloc(s->arena, s->features);
    s->defaults = arena_zalloc(s->arena, s->features * sizeof *s->defaults);
    s->signals = arena_zalloc(s->arena, s->features * sizeof *s->signals);
    for (uint32_t i = 0; i < s->features; i++)
        if (!read_feature(s, i, json_array_get(list, i), err))
            return false;
    return true;
}

/* ---- its rows ---- */

static void add_pair(struct pairs *p, struct pair pair)
{
    if (p->count == p->room) {
        p->room = p->room ? 2 * p->room : 1024;
        p->list = mem_realloc(p->list, p->room * sizeof *p->list);
    }
    pair.number = p->count;
    p->list[p->count++] = pair;
}

static uint32_t be32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* real[] of one dimension, as PostgreSQL sends it: dimensions, nulls, type, then length and first index, then of each its bytes and value. */
static bool read_array(struct str f, float *out, uint32_t room, struct err *err)
{
    uint32_t count = f.n >= ARRAY_HEAD ? be32(f.p + 12) : 0;
    if (f.n < 12 || (be32(f.p) == 1 && f.n != ARRAY_HEAD + (size_t)count * 2 * VALUE_BYTES))
        return err_set(err, ERR_SYSTEM, "the values of a feature row are damaged");
    for (uint32_t i = 0; i < room; i++)
        out[i] = NAN;
    for (uint32_t i = 0; be32(f.p) == 1 && i < count && i < room; i++) {
        uint32_t bits = be32(f.p + ARRAY_HEAD + (size_t)i * 2 * VALUE_BYTES + VALUE_BYTES);
        memcpy(&out[i], &bits, sizeof bits);
    }
    return true;
}

static bool on_row(void *arg, const struct str *fields, size_t count, struct err *err)
{
    struct pairs *p = arg;
    char text[QUERY_TEXT_MAX];
    (void)count;
    float *values = arena_alloc(p->arena, (p->features + 1) * sizeof *values);
    if (!read_array(fields[2], values, p->features, err))
        return false;
    struct str query = query_text(fields[0], text);
    bool same = p->count && str_eq(query, p->list[p->count - 1].query);
    add_pair(p, (struct pair){ same ? p->list[p->count - 1].query : arena_str(p->arena, query),
                               arena_str(p->arena, fields[1]), values, 0, 1, 0 });
    return true;
}

static int compare(struct str a, struct str b)
{
    int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return d ? d : a.n < b.n ? -1 : a.n > b.n;
}

static int by_pair(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int d = compare(x->query, y->query);
    return d ? d : compare(x->doc, y->doc);
}

static int by_pair_then_number(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int d = by_pair(x, y);
    return d ? d : x->number < y->number ? -1 : x->number > y->number;
}

/* Of a document that comes twice for queries that are the same in their form the first one counts, as the database has them sorted. */
static void sort_rows(struct pairs *p)
{
    size_t kept = 0;
    if (p->count)
        qsort(p->list, p->count, sizeof *p->list, by_pair_then_number);
    for (size_t i = 0; i < p->count; i++)
        if (kept == 0 || by_pair(&p->list[kept - 1], &p->list[i]) != 0)
            p->list[kept++] = p->list[i];
    p->count = kept;
}

static bool read_rows(struct rank_set *s, struct pairs *p, struct err *err)
{
    const char *name = s->run->param(s->run, "feature_set");
    char *literal = PQescapeLiteral(s->run->pg->conn, name, strlen(name));
    if (!literal)
        return err_set(err, ERR_INVALID, "the name of a feature set is no text of the database");
    struct str sql = arena_printf(
        s->arena,
        "copy (select query, doc, values from feature_rows where set_name = %s order by query, "
        "doc) to stdout (format binary)",
        literal);
    PQfreemem(literal);
    *p = (struct pairs){ .arena = s->arena, .features = s->features };
    if (!pg_copy_out(s->run->pg, sql.p, "the rows of the feature set", on_row, p, err))
        return false;
    s->rows = p->count;
    sort_rows(p);
    return true;
}

static const float *find_row(const struct pairs *rows, struct str query, struct str doc)
{
    const struct pair key = { .query = query, .doc = doc };
    const struct pair *found = rows->count ? bsearch(&key, rows->list, rows->count, sizeof *rows->list, by_pair) : NULL;
    return found ? found->values : NULL;
}

/* ---- putting together ---- */

struct joining {
    struct rank_set *s;
    const struct pairs *rows;
    const struct rank_clicks *signals; /* NULL: no feature is counted from them */
    struct pairs made;
    uint64_t missing;
};

static void fill_signals(const struct joining *j, struct str query, struct str doc, float *values, bool *any)
{
    const struct click_sums *of_doc = j->signals ? rank_clicks_doc(j->signals, doc) : NULL;
    if (!of_doc)
        return;
    const struct click_sums *of_query = rank_clicks_find(j->signals, query, doc);
    for (uint32_t i = 0; i < j->s->features; i++)
        if (j->s->signals[i] >= 0) {
            values[i] = click_feature_value((enum click_feature)j->s->signals[i], of_query, of_doc, &j->signals->total);
            *any = true;
        }
}

static void join(struct joining *j, struct str query, struct str doc, float label, float evidence)
{
    const struct rank_set *s = j->s;
    const float *row = find_row(j->rows, query, doc);
    float *values = arena_alloc(s->arena, (s->features + 1) * sizeof *values);
    bool any = row != NULL;
    for (uint32_t i = 0; i < s->features; i++)
        values[i] = row ? row[i] : NAN;
    fill_signals(j, query, doc, values, &any);
    if (!any) {
        j->missing++;
        return;
    }
    for (uint32_t i = 0; i < s->features; i++)
        if (isnan(values[i]))
            values[i] = s->defaults[i];
    add_pair(&j->made, (struct pair){ query, doc, values, label, evidence, 0 });
}

static bool starts_query(const struct pairs *p, size_t i)
{
    return i == 0 || !str_eq(p->list[i].query, p->list[i - 1].query);
}

/* Queries whose hash is in the wanted part of them all; share 1: all. */
static bool wanted(uint64_t hash, double share, bool inside)
{
    return ((double)(hash / 4096 % SHARES) < share * SHARES) == inside;
}

static void lay_down(struct rank_set *s, const struct pairs *p, double share, bool inside, struct rank_set_part *out)
{
    uint32_t *ends = arena_zalloc(s->arena, (p->count + 1) * sizeof *ends);
    uint64_t *hashes = arena_zalloc(s->arena, (p->count + 1) * sizeof *hashes);
    float *weights = arena_zalloc(s->arena, (p->count + 1) * sizeof *weights),
          *labels = arena_zalloc(s->arena, (p->count + 1) * sizeof *labels),
          *evidence = arena_zalloc(s->arena, (p->count + 1) * sizeof *evidence),
          *values = arena_zalloc(s->arena, (p->count * s->features + 1) * sizeof *values);
    struct rank_data d = { .features = s->features,
                           .ends = ends,
                           .weights = weights,
                           .hashes = hashes,
                           .labels = labels,
                           .evidence = evidence,
                           .values = values };
    bool take = false;
    double sum = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (starts_query(p, i)) {
            uint64_t hash = hash64(p->list[i].query);
            take = wanted(hash, share, inside);
            if (take) {
                weights[d.queries] = 1;
                hashes[d.queries++] = hash;
            }
        }
        if (!take)
            continue;
        labels[d.rows] = p->list[i].label;
        evidence[d.rows] = p->list[i].evidence;
        sum += (double)p->list[i].evidence;
        memcpy(values + d.rows * s->features, p->list[i].values, s->features * sizeof *values);
        ends[d.queries - 1] = (uint32_t)++d.rows;
    }
    for (uint64_t i = 0; i < d.rows; i++) /* as sure as others: 1 */
        evidence[i] = (float)((double)evidence[i] * (double)d.rows / sum);
    out->d = d;
    for (uint32_t q = 0; q < d.queries; q++)
        for (uint32_t i = rank_first(&d, q) + 1; i < ends[q]; i++)
            if (labels[i] != labels[i - 1]) {
                out->learnable++;
                break;
            }
}

/* ---- labels ---- */

static void on_judgment(void *arg, struct str query, struct str doc, float grade)
{
    join(arg, query, doc, grade, 1);
}

static bool from_judgments(struct rank_set *s, struct pairs *rows, const struct rank_clicks *signals, struct err *err)
{
    struct joining j = { .s = s, .rows = rows, .signals = signals };
    const double share = run_real(s->run, "holdout_queries");
    if (!rank_judgments_each(s->run, s->arena, on_judgment, &j, err))
        return false;
    lay_down(s, &j.made, share, false, &s->train);
    lay_down(s, &j.made, share, true, &s->held);
    s->train.unlabelled = j.missing;
    mem_free(j.made.list);
    return true;
}

static bool from_clicks(struct rank_set *s, struct pairs *rows, const char *what, struct query_window window,
                        const struct rank_clicks *signals, const struct click_rules *rules, struct rank_set_part *out,
                        struct err *err)
{
    struct rank_clicks c;
    struct joining j = { .s = s, .rows = rows, .signals = signals };
    bool ok = rank_clicks_open(&c, s->run, s->arena, what, window, (uint64_t)run_whole(s->run, "min_sessions"), rules,
                               err);
    for (size_t i = 0; ok && i < c.set.count; i++) {
        const struct serp_query *q = &c.set.queries[i];
        const struct str query = arena_str(s->arena, q->text);
        for (uint32_t k = 0; k < q->docs_count; k++)
            if (c.sums[i][k].shown > 0)
                join(&j, query, arena_str(s->arena, q->docs[k]), (float)click_label(&c.sums[i][k], rules),
                     (float)click_evidence(&c.sums[i][k], rules));
    }
    if (ok) {
        if (j.made.count)
            qsort(j.made.list, j.made.count, sizeof *j.made.list, by_pair);
        lay_down(s, &j.made, 1, true, out);
        out->unlabelled = j.missing;
        run_say(s->run, "%s: %" PRIu64 " searches and %" PRIu64 " clicks label %" PRIu64 " documents of %u queries",
                what, c.log.sessions, c.log.clicks, out->d.rows, out->d.queries);
    }
    mem_free(j.made.list);
    rank_clicks_release(&c);
    return ok;
}

/* ---- signals ---- */

static struct query_window before(const struct rank_set *s, int32_t until)
{
    return (struct query_window){ until - (int32_t)run_whole(s->run, "feature_days") + 1, until };
}

int32_t rank_set_as_of(const struct rank_set *s)
{
    return s->evaluation.from <= s->evaluation.until ? s->evaluation.until : s->training.until;
}

static bool open_signals(const struct rank_set *s, struct query_window window, const char *what,
                         struct rank_clicks *out, struct err *err)
{
    const struct click_rules rules = { .debias = DEBIAS_NONE, .examination = { 1 }, .clip = 1 };
    *out = (struct rank_clicks){ .open = false };
    return s->signals_count == 0 || rank_clicks_open(out, s->run, s->arena, what, window, 1, &rules, err);
}

static bool click_part(struct rank_set *s, struct pairs *rows, bool evaluation, const struct click_rules *rules,
                       struct err *err)
{
    struct query_window window = evaluation ? s->evaluation : s->training;
    struct rank_clicks signals;
    if (window.from > window.until)
        return true;
    int32_t first = window.from == INT32_MIN ? window.until : window.from;
    bool ok = open_signals(s, before(s, first - 1), evaluation ? "features of evaluation" : "features", &signals,
                           err) &&
              from_clicks(s, rows, evaluation ? "evaluation" : "training", window, s->signals_count ? &signals : NULL,
                          rules, evaluation ? &s->held : &s->train, err);
    rank_clicks_release(&signals);
    return ok;
}

static bool both_parts(struct rank_set *s, struct pairs *rows, struct err *err)
{
    struct click_rules rules;
    return rank_click_rules(s->run, &rules, err) && click_part(s, rows, false, &rules, err) &&
           click_part(s, rows, true, &rules, err);
}

static bool judged_parts(struct rank_set *s, struct pairs *rows, struct err *err)
{
    struct rank_clicks signals;
    bool ok = open_signals(s, before(s, rank_set_as_of(s)), "features", &signals, err) &&
              from_judgments(s, rows, s->signals_count ? &signals : NULL, err);
    rank_clicks_release(&signals);
    return ok;
}

bool rank_set_open(struct rank_set *s, struct run_context *run, struct arena *arena, struct err *err)
{
    struct pairs rows = { .list = NULL };
    *s = (struct rank_set){ .run = run, .arena = arena };
    s->from_clicks = strcmp(run->param(run, "labels"), "clicks") == 0;
    query_log_window(run, &s->training, &s->evaluation);
    bool ok = read_features(s, err) && read_rows(s, &rows, err) &&
              (s->from_clicks ? both_parts(s, &rows, err) : judged_parts(s, &rows, err));
    mem_free(rows.list);
    return ok;
}

bool rank_set_signals(const struct rank_set *s, struct lists_out *out, bool *out_any, struct err *err)
{
    enum click_feature features[CLICK_FEATURES];
    uint32_t count = 0;
    struct rank_clicks c;
    *out_any = s->signals_count > 0;
    if (!*out_any)
        return true;
    for (uint32_t i = 0; i < s->features && count < CLICK_FEATURES; i++)
        if (s->signals[i] >= 0)
            features[count++] = (enum click_feature)s->signals[i];
    bool ok = open_signals(s, before(s, rank_set_as_of(s)), "features for serving", &c, err) &&
              rank_clicks_lists(&c, features, count, out, err);
    rank_clicks_release(&c);
    return ok;
}
