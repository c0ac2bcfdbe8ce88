/* The report of the job "head-tail": tables of a JSON object, each a list of rows in an order that is said. */
#include <math.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "trainer/jobs/head_tail.h"

enum { SHOWN_BYTES = 120, EVIDENCE_MAX = 4096 };

static void write_query(struct jsonw *w, const char *key, struct str text)
{
    jsonw_str(w, key, str_cut(text, SHOWN_BYTES));
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* ---- the whole ---- */

/* One row: so many of the first queries have so much of the traffic. */
static void write_step(struct jsonw *w, const struct traffic *t, const char *what, double of, uint64_t queries,
                       uint64_t traffic)
{
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "what", what);
    jsonw_double(w, "of", of);
    jsonw_i64(w, "queries", (int64_t)queries);
    jsonw_i64(w, "traffic", (int64_t)traffic);
    jsonw_double(w, "queries_share", share((double)queries, (double)t->queries));
    jsonw_double(w, "traffic_share", share((double)traffic, (double)t->total));
    jsonw_close(w);
}

static void write_distribution(struct jsonw *w, const struct traffic *t)
{
    static const double first[] = { 100, 1000 }, first_share[] = { 0.01, 0.1 }, traffic_share[] = { 0.25, 0.5, 0.75 };
    static const uint64_t below[] = { 1, 5 };
    jsonw_open(w, "overall_distribution", '[');
    for (size_t i = 0; i < COUNT_OF(first); i++) {
        uint64_t n = first[i] < (double)t->queries ? (uint64_t)first[i] : t->queries;
        write_step(w, t, "first_queries", first[i], n, traffic_of_first(t, n));
    }
    for (size_t i = 0; i < COUNT_OF(first_share); i++) {
        uint64_t n = (uint64_t)(first_share[i] * (double)t->queries);
        write_step(w, t, "first_share_of_queries", first_share[i], n, traffic_of_first(t, n));
    }
    for (size_t i = 0; i < COUNT_OF(traffic_share); i++) {
        uint64_t n = traffic_queries_for(t, traffic_share[i] * (double)t->total);
        write_step(w, t, "queries_for_share_of_traffic", traffic_share[i], n, traffic_of_first(t, n));
    }
    uint64_t most = traffic_queries_for(t, 0.99 * (double)t->total);
    write_step(w, t, "queries_of_last_share_of_traffic", 0.01, t->queries - most, t->total - traffic_of_first(t, most));
    for (size_t i = 0; i < COUNT_OF(below); i++) {
        uint64_t n = traffic_queries_below(t, below[i]);
        write_step(w, t, "queries_with_traffic_below", (double)below[i], n,
                   t->total - traffic_of_first(t, t->queries - n));
    }
    jsonw_close(w);
}

static void write_class(struct jsonw *w, const struct head_tail *h, enum tail_class class, const char *bound,
                        uint64_t at)
{
    struct tail_sum sum = { 0 };
    for (int n = 0; n < TAIL_LENGTHS; n++) {
        const struct tail_sum *s = &h->counts.lengths[class][n];
        sum.queries += s->queries;
        sum.searches += s->searches;
        sum.zero_results += s->zero_results;
        sum.clicks += s->clicks;
    }
    uint64_t traffic = h->params.by_searches ? sum.searches : sum.clicks;
    jsonw_open(w, tail_class_names[class], '{');
    if (bound)
        jsonw_i64(w, bound, (int64_t)at);
    jsonw_i64(w, "queries", (int64_t)sum.queries);
    jsonw_i64(w, "searches", (int64_t)sum.searches);
    jsonw_i64(w, "clicks", (int64_t)sum.clicks);
    jsonw_i64(w, "zero_results", (int64_t)sum.zero_results);
    jsonw_double(w, "queries_share", share((double)sum.queries, (double)h->traffic.queries));
    jsonw_double(w, "traffic_share", share((double)traffic, (double)h->traffic.total));
    jsonw_close(w);
}

static void write_summary(struct jsonw *w, const struct head_tail *h)
{
    const struct traffic *t = &h->traffic;
    jsonw_open(w, "summary_stat", '{');
    jsonw_text(w, "traffic", h->params.by_searches ? "searches" : "clicks");
    jsonw_i64(w, "queries", (int64_t)h->log.queries);
    jsonw_i64(w, "searches", (int64_t)h->log.searches);
    jsonw_i64(w, "clicks", (int64_t)h->log.clicks);
    jsonw_i64(w, "zero_results", (int64_t)h->log.zero_results);
    jsonw_double(w, "mean_traffic", share((double)t->total, (double)t->queries));
    jsonw_i64(w, "most_traffic", t->count ? (int64_t)t->steps[t->count - 1].traffic : 0);
    write_class(w, h, TAIL_CLASS_HEAD, "traffic_from", h->params.head);
    write_class(w, h, TAIL_CLASS_TORSO, NULL, 0);
    write_class(w, h, TAIL_CLASS_TAIL, "traffic_to", h->params.tail);
    jsonw_i64(w, "head_left_out", (int64_t)h->heads_left);
    jsonw_i64(w, "tail_too_seldom", (int64_t)h->counts.seldom.queries);
    jsonw_close(w);
}

/* ---- queries and words ---- */

static void write_queries(struct jsonw *w, const struct head_tail *h, size_t most)
{
    jsonw_open(w, "queries_ordered", '[');
    for (size_t i = 0; i < h->heads_count && i < most; i++) {
        jsonw_open(w, NULL, '{');
        write_query(w, "query", h->heads[i].text);
        jsonw_i64(w, "searches", (int64_t)h->heads[i].searches);
        jsonw_i64(w, "clicks", (int64_t)h->heads[i].clicks);
        jsonw_i64(w, "zero_results", (int64_t)h->heads[i].zero_results);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_words(struct jsonw *w, const struct head_tail *h, size_t most)
{
    jsonw_open(w, "tokens_ordered", '[');
    for (size_t i = 0; i < h->words_count && i < most; i++) {
        jsonw_open(w, NULL, '{');
        write_query(w, "token", h->words[i].text);
        jsonw_i64(w, "queries", (int64_t)h->words[i].queries);
        jsonw_i64(w, "searches", (int64_t)h->words[i].searches);
        jsonw_i64(w, "traffic", (int64_t)h->words[i].traffic);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_sum(struct jsonw *w, const struct tail_sum *s)
{
    jsonw_i64(w, "queries", (int64_t)s->queries);
    jsonw_i64(w, "searches", (int64_t)s->searches);
    jsonw_i64(w, "clicks", (int64_t)s->clicks);
    jsonw_i64(w, "zero_results", (int64_t)s->zero_results);
}

static void write_lengths(struct jsonw *w, const struct head_tail *h)
{
    jsonw_open(w, "query_length", '[');
    for (int class = 0; class < TAIL_CLASS_COUNT; class ++)
        for (int n = 0; n < TAIL_LENGTHS; n++) {
            if (!h->counts.lengths[class][n].queries)
                continue;
            jsonw_open(w, NULL, '{');
            jsonw_text(w, "class", tail_class_names[class]);
            jsonw_i64(w, "words", n + 1);
            write_sum(w, &h->counts.lengths[class][n]);
            jsonw_close(w);
        }
    jsonw_close(w);
}

/* ---- the tail ---- */

static void write_examples(struct jsonw *w, const struct head_tail *h, int reason)
{
    jsonw_open(w, "examples", '[');
    for (size_t i = 0, n = 0; i < h->rows_count && n < TAIL_EXAMPLES; i++) {
        if ((int)h->rows[i].reason != reason)
            continue;
        write_query(w, NULL, h->rows[i].text);
        n++;
    }
    jsonw_close(w);
}

static void write_reasons(struct jsonw *w, const struct head_tail *h)
{
    jsonw_open(w, "tail_reasons", '[');
    for (int r = 0; r < TAIL_REASON_COUNT; r++) {
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "reason", tail_reason_names[r]);
        write_sum(w, &h->counts.reasons[r]);
        jsonw_i64(w, "rewritten_queries", (int64_t)h->counts.rewritten[r].queries);
        jsonw_i64(w, "rewritten_searches", (int64_t)h->counts.rewritten[r].searches);
        write_examples(w, h, r);
        jsonw_close(w);
    }
    jsonw_close(w);
}

/* Four digits behind the point are enough to look at. */
static double shown(double v)
{
    return round(v * 1e4) / 1e4;
}

static void write_evidence(struct jsonw *w, const struct tail_row *r)
{
    const struct tail_evidence *e = &r->evidence;
    jsonw_text(w, "reason", tail_reason_names[r->reason]);
    jsonw_double(w, "text", shown(e->text));
    jsonw_i64(w, "shared_words", e->shared_words);
    jsonw_i64(w, "edits", e->edits);
    jsonw_double(w, "documents", shown(e->documents));
    jsonw_i64(w, "shared_documents", e->shared_docs);
    jsonw_double(w, "sessions", shown(e->sessions));
    jsonw_i64(w, "searched_next", (int64_t)e->next);
    jsonw_double(w, "click_rate", shown(e->click_rate));
    jsonw_double(w, "head_click_rate", shown(e->head_click_rate));
    jsonw_i64(w, "clicks", (int64_t)r->clicks);
    jsonw_i64(w, "zero_results", (int64_t)r->zero_results);
    jsonw_i64(w, "head_searches", (int64_t)r->head_searches);
    jsonw_i64(w, "head_clicks", (int64_t)r->head_clicks);
}

static void write_rewriting(struct jsonw *w, const struct head_tail *h, size_t most)
{
    jsonw_open(w, "tail_rewriting", '[');
    for (size_t i = 0, n = 0; h->params.top && i < h->rows_count && n < most; i++) {
        const struct tail_row *r = &h->rows[i];
        if (!r->head.n)
            continue;
        jsonw_open(w, NULL, '{');
        write_query(w, "query", r->text);
        write_query(w, "head", r->head);
        jsonw_double(w, "confidence", shown(r->evidence.confidence));
        jsonw_i64(w, "searches", (int64_t)r->searches);
        write_evidence(w, r);
        jsonw_close(w);
        n++;
    }
    jsonw_close(w);
}

/* ---- together ---- */

struct str head_tail_evidence(struct head_tail *h, const struct tail_row *row, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, EVIDENCE_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    write_evidence(&w, row);
    jsonw_close(&w);
    if (!buf_ok(&b, "the evidence of a rewriting", err))
        return (struct str){ NULL, 0 };
    return arena_str(&h->arena, buf_str(&b));
}

static void write_days(struct jsonw *w, const struct head_tail *h)
{
    const struct day_plan *d = &h->log.days;
    char text[CLOCK_TEXT_MAX];
    jsonw_i64(w, "days", (int64_t)d->days_count);
    jsonw_text(w, "from", d->days_count ? clock_format_day(d->days[0], text) : NULL);
    jsonw_text(w, "until", d->days_count ? clock_format_day(d->days[d->days_count - 1], text) : NULL);
}

bool head_tail_report(struct head_tail *h, const struct rewrites_counts *rewrites, struct buf *out, struct err *err)
{
    size_t most = (size_t)run_whole(h->run, "report_rows");
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    write_days(&w, h);
    jsonw_raw(&w, "rewrites", query_rewrites_json(&h->arena, rewrites));
    write_summary(&w, h);
    write_distribution(&w, &h->traffic);
    write_lengths(&w, h);
    write_reasons(&w, h);
    write_queries(&w, h, most);
    write_words(&w, h, most);
    write_rewriting(&w, h, most);
    jsonw_close(&w);
    return buf_ok(out, "the report", err);
}
