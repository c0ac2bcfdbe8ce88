/* The summary of an evaluation: of each search its means, of each pair what differs, and what is to be known before believing it. */
#include <math.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "stats/multiple/family.h"
#include "stats/ranking/similar.h"
#include "trainer/jobs/evaluation.h"
#include "trainer/kernels/intern.h"

enum { EXAMPLES_MAX = 5 };

struct report {
    struct evaluation *e;
    struct jsonw w;
    struct intern docs; /* all documents of all lists */
    uint32_t **numbers; /* of each list, its documents as numbers of `docs` */
    uint64_t *counts;   /* search by search: how often each document is shown */
    struct paired_rules rules;
    double *scratch;
};

/* ---- one search ---- */

static void write_examples(struct report *r, size_t search)
{
    const struct evaluation *e = r->e;
    int shown = 0;
    jsonw_open(&r->w, "error_examples", '[');
    for (size_t q = 0; q < e->queries.count && shown < EXAMPLES_MAX; q++) {
        const struct evaluation_list *l = evaluation_list(e, search, q);
        if (!l->error.p)
            continue;
        shown++;
        jsonw_open(&r->w, NULL, '{');
        jsonw_str(&r->w, "query", str_cut(e->queries.queries[q].text, 120));
        jsonw_str(&r->w, "error", l->error);
        jsonw_close(&r->w);
    }
    jsonw_close(&r->w);
}

static bool write_mean(struct report *r, size_t search, size_t metric, struct err *err)
{
    struct evaluation_values v;
    double mean = NAN, low = NAN, high = NAN;
    evaluation_values(r->e, metric, search, search, &v);
    if (v.count == 1)
        mean = v.a[0];
    else if (v.count > 1 && !paired_mean(v.a, v.weights, v.count, r->e->alpha, &mean, &low, &high, err))
        return false;
    jsonw_open(&r->w, r->e->names[metric], '{');
    jsonw_double(&r->w, "mean", mean);
    jsonw_double(&r->w, "low", low);
    jsonw_double(&r->w, "high", high);
    jsonw_i64(&r->w, "queries", (int64_t)v.count);
    jsonw_close(&r->w);
    return true;
}

static double judged_share(const struct evaluation_search *s)
{
    return s->shown ? 1 - (double)s->holes / (double)s->shown : (double)NAN;
}

static bool write_search(struct report *r, size_t search, struct err *err)
{
    const struct evaluation_search *s = &r->e->searches[search];
    struct jsonw *w = &r->w;
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "name", s->name);
    jsonw_text(w, "engine", search_engine_names[s->config.engine]);
    jsonw_i64(w, "version", (int64_t)s->version);
    jsonw_i64(w, "errors", s->errors);
    jsonw_i64(w, "empty", s->empty);
    jsonw_i64(w, "repeated", s->repeated);
    jsonw_double(w, "judged", r->e->has_judgments ? judged_share(s) : (double)NAN);
    jsonw_i64(w, "holes", (int64_t)s->holes);
    write_examples(r, search);
    jsonw_open(w, "metrics", '{');
    for (size_t m = 0; r->e->has_judgments && m < r->e->metrics_count; m++)
        if (!write_mean(r, search, m, err))
            return false;
    jsonw_close(w);
    jsonw_close(w);
    return true;
}

/* ---- pairs ---- */

static void number_docs(struct report *r)
{
    struct evaluation *e = r->e;
    size_t lists = e->searches_count * e->queries.count;
    r->numbers = arena_alloc(&e->arena, lists * sizeof *r->numbers);
    for (size_t i = 0; i < lists; i++) {
        r->numbers[i] = arena_alloc(&e->arena, (e->lists[i].count + 1) * sizeof **r->numbers);
        for (size_t d = 0; d < e->lists[i].count; d++)
            r->numbers[i][d] = intern_add(&r->docs, e->lists[i].docs[d]);
    }
    r->counts = arena_zalloc(&e->arena, (e->searches_count * r->docs.count + 1) * sizeof *r->counts);
    for (size_t i = 0; i < lists; i++)
        for (size_t d = 0; d < e->lists[i].count; d++)
            r->counts[i / e->queries.count * r->docs.count + r->numbers[i][d]]++;
}

static bool same_list(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
    return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a * sizeof *a) == 0);
}

/* Means over the queries that both answered. */
static bool write_similar(struct report *r, size_t a, size_t b, struct err *err)
{
    struct evaluation *e = r->e;
    struct similar sum = { 0 }, s;
    double changed = 0, n = 0;
    for (size_t q = 0; q < e->queries.count; q++) {
        const struct evaluation_list *x = evaluation_list(e, a, q), *y = evaluation_list(e, b, q);
        const uint32_t *i = r->numbers[a * e->queries.count + q], *j = r->numbers[b * e->queries.count + q];
        if (x->error.p || y->error.p || x->count + y->count == 0)
            continue;
        if (!similar_lists(i, x->count, j, y->count, run_real(e->run, "persistence"), &s, err))
            return false;
        sum.rbo += s.rbo;
        sum.rbo_truncated += s.rbo_truncated;
        sum.jaccard += s.jaccard;
        sum.overlap += s.overlap;
        changed += same_list(i, x->count, j, y->count) ? 0 : 1;
        n++;
    }
    jsonw_i64(&r->w, "compared", (int64_t)n);
    jsonw_double(&r->w, "rbo", sum.rbo / n);
    jsonw_double(&r->w, "rbo_truncated", sum.rbo_truncated / n);
    jsonw_double(&r->w, "jaccard", sum.jaccard / n);
    jsonw_double(&r->w, "overlap", sum.overlap / n);
    jsonw_double(&r->w, "changed", changed / n);
    jsonw_double(&r->w, "frequency_weighted",
                 similar_frequency(r->counts + a * r->docs.count, r->counts + b * r->docs.count, r->docs.count));
    return true;
}

static void write_paired(struct report *r, size_t metric, const struct paired *p, double log_p_adjusted)
{
    struct jsonw *w = &r->w;
    bool sure = exp(log_p_adjusted) <= r->e->alpha && fabs(p->difference) > 0;
    jsonw_open(w, r->e->names[metric], '{');
    jsonw_i64(w, "queries", (int64_t)p->n);
    jsonw_double(w, "a", p->mean_a);
    jsonw_double(w, "b", p->mean_b);
    jsonw_double(w, "difference", p->difference);
    jsonw_double(w, "low", p->ci_lo);
    jsonw_double(w, "high", p->ci_hi);
    jsonw_double(w, "bootstrap_low", p->bootstrap_lo);
    jsonw_double(w, "bootstrap_high", p->bootstrap_hi);
    jsonw_double(w, "t", p->varies ? p->t : (double)NAN);
    jsonw_double(w, "p_t", p->varies ? exp(p->log_p_t) : (double)NAN);
    jsonw_double(w, "p_randomisation", exp(p->log_p_randomisation));
    jsonw_double(w, "p_wilcoxon", exp(p->log_p_wilcoxon));
    jsonw_double(w, "p_sign", exp(p->log_p_sign));
    jsonw_double(w, "p_adjusted", exp(log_p_adjusted));
    jsonw_bool(w, "exact", p->exact);
    jsonw_i64(w, "wins", (int64_t)p->wins);
    jsonw_i64(w, "losses", (int64_t)p->losses);
    jsonw_i64(w, "ties", (int64_t)p->ties);
    jsonw_text(w, "better", !sure ? NULL : p->difference > 0 ? "b" : "a");
    jsonw_close(w);
}

/* Metrics are read together: their p are adjusted by Holm. Fewer than two common queries: no comparison. */
static bool write_tests(struct report *r, size_t a, size_t b, struct err *err)
{
    struct evaluation *e = r->e;
    struct paired paired[EVALUATION_METRICS_MAX];
    struct family_rank ranks[EVALUATION_METRICS_MAX];
    double log_p[EVALUATION_METRICS_MAX] = { 0 }, adjusted[EVALUATION_METRICS_MAX];
    size_t n = 0;
    for (size_t m = 0; m < e->metrics_count; m++) {
        struct evaluation_values v;
        evaluation_values(e, m, a, b, &v);
        if (v.count < 2)
            break;
        if (!paired_compare(v.a, v.b, v.weights, v.count, &r->rules, r->scratch, &paired[m], err) ||
            !run_tick(e->run, "comparing", (uint32_t)m, (uint32_t)e->metrics_count, err))
            return false;
        log_p[n++] = paired[m].log_p_randomisation;
    }
    family_rank(log_p, n, ranks);
    family_p(FAMILY_HOLM, ranks, n, adjusted);
    jsonw_open(&r->w, "metrics", '{');
    for (size_t m = 0; m < n; m++)
        write_paired(r, m, &paired[m], adjusted[m]);
    jsonw_close(&r->w);
    return true;
}

static bool write_pair(struct report *r, size_t a, size_t b, struct err *err)
{
    jsonw_open(&r->w, NULL, '{');
    jsonw_str(&r->w, "a", r->e->searches[a].name);
    jsonw_str(&r->w, "b", r->e->searches[b].name);
    if (!write_similar(r, a, b, err) || !write_tests(r, a, b, err))
        return false;
    jsonw_close(&r->w);
    return true;
}

/* ---- the whole ---- */

static void warn(struct report *r, const char *code, const struct evaluation_search *s, struct str text)
{
    jsonw_open(&r->w, NULL, '{');
    jsonw_text(&r->w, "code", code);
    jsonw_str(&r->w, "search", s ? s->name : (struct str){ NULL, 0 });
    jsonw_str(&r->w, "text", text);
    jsonw_close(&r->w);
    run_say(r->e->run, "warning: " STR_FMT, STR_ARG(text));
}

static void write_warnings(struct report *r)
{
    struct evaluation *e = r->e;
    double min = run_real(e->run, "min_judged");
    jsonw_open(&r->w, "warnings", '[');
    for (size_t i = 0; i < e->searches_count; i++) {
        const struct evaluation_search *s = &e->searches[i];
        if (e->has_judgments && judged_share(s) < min)
            warn(r, "holes", s,
                 arena_printf(&e->arena,
                              "of the documents that \"" STR_FMT
                              "\" shows only %.0f %% are judged: the others count as not "
                              "relevant or are passed over, and what is new is judged worse than it is",
                              STR_ARG(s->name), 100 * judged_share(s)));
        if (s->errors)
            warn(r, "errors", s,
                 arena_printf(&e->arena, "\"" STR_FMT "\" failed on %u of %zu queries, which are left out",
                              STR_ARG(s->name), s->errors, e->queries.count));
        if (s->repeated)
            warn(r, "repeated", s,
                 arena_printf(&e->arena, "\"" STR_FMT "\" gave %u documents twice; the later ones are left out",
                              STR_ARG(s->name), s->repeated));
    }
    if (e->has_judgments && e->judged_queries < e->queries.count)
        warn(r, "queries", NULL,
             arena_printf(&e->arena, "%zu of %zu queries have no judgment and are left out",
                          e->queries.count - e->judged_queries, e->queries.count));
    jsonw_close(&r->w);
}

static void write_rules(struct report *r)
{
    const struct evaluation *e = r->e;
    struct jsonw *w = &r->w;
    jsonw_i64(w, "queries", (int64_t)e->queries.count);
    jsonw_i64(w, "judged_queries", (int64_t)e->judged_queries);
    jsonw_i64(w, "query_set_version", (int64_t)e->queries.version);
    jsonw_i64(w, "judgments_version", (int64_t)e->judgments.version);
    jsonw_i64(w, "k", (int64_t)e->k);
    jsonw_double(w, "max_grade", e->has_judgments ? e->max_grade : (double)NAN);
    jsonw_double(w, "relevant_at", e->relevant_at);
    jsonw_text(w, "unjudged", ranking_unjudged_names[e->unjudged]);
    jsonw_bool(w, "weighted", e->weighted);
    jsonw_double(w, "alpha", e->alpha);
    jsonw_i64(w, "draws", (int64_t)r->rules.draws);
    jsonw_i64(w, "seed", (int64_t)r->rules.seed);
    jsonw_double(w, "persistence", run_real(e->run, "persistence"));
}

static bool write_all(struct report *r, struct err *err)
{
    const struct evaluation *e = r->e;
    jsonw_open(&r->w, NULL, '{');
    write_rules(r);
    jsonw_open(&r->w, "searches", '[');
    for (size_t i = 0; i < e->searches_count; i++)
        if (!write_search(r, i, err))
            return false;
    jsonw_close(&r->w);
    jsonw_open(&r->w, "pairs", '[');
    for (size_t i = 0; i < e->searches_count; i++)
        for (size_t j = i + 1; j < e->searches_count; j++)
            if (!write_pair(r, i, j, err))
                return false;
    jsonw_close(&r->w);
    write_warnings(r);
    jsonw_close(&r->w);
    return true;
}

bool evaluation_report(struct evaluation *e, struct buf *out, struct err *err)
{
    struct report r = { .e = e,
                        .rules = { .alpha = e->alpha,
                                   .draws = (uint64_t)run_whole(e->run, "draws"),
                                   .seed = (uint64_t)run_whole(e->run, "seed") } };
    jsonw_init(&r.w, out);
    intern_init(&r.docs);
    number_docs(&r);
    r.scratch = mem_alloc(paired_room(e->queries.count, &r.rules) * sizeof *r.scratch);
    bool ok = write_all(&r, err);
    mem_free(r.scratch);
    intern_release(&r.docs);
    return ok && buf_ok(out, "the summary of an evaluation", err);
}
