/* The job "head-tail": which queries get the traffic and which do not, why, and what those may be rewritten to.
 *
 * Three passes over the query log: how traffic is spread, from which head and tail are found; the head's records, which become a blob together with the
 * words that are not rare; and of each tail query, the reason and the best head. The head is everywhere, the tail is in splits. */
#include "trainer/jobs/head_tail.h"

#include <inttypes.h>
#include <stdlib.h>

#include "stats/special/special.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"

enum { ARENA_FIRST = 1 << 20, BLOB_MAX = 1 << 30, REPORT_MAX = 240 << 10 };

/* ---- parameters ---- */

static bool read_params(struct head_tail *h, struct err *err)
{
    const struct run_context *run = h->run;
    struct tail_params *p = &h->params;
    double head = run_real(run, "head"), tail = run_real(run, "tail");
    p->by_searches = strcmp(run->param(run, "traffic"), "searches") == 0;
    p->min_searches = (uint64_t)run_whole(run, "min_searches");
    p->min_chars = (uint64_t)run_whole(run, "min_chars");
    p->top = (uint64_t)run_whole(run, "top");
    p->rules = (struct tail_rules){ .length_scale = run_real(run, "length_scale"),
                                    .min_confidence = run_real(run, "min_confidence"),
                                    .min_overlap = run_real(run, "min_overlap"),
                                    .min_clicks = (uint64_t)run_whole(run, "min_clicks"),
                                    .z = special_normal_qinv(1 - run_real(run, "level")) };
    if (!run_flag(run, "rewrite"))
        p->top = 0;
    if ((head < 0 && head != -1) || (tail < 0 && tail != -1))
        return err_set(err, ERR_INVALID,
                       "parameter \"%s\" is %g: must be -1, for finding it, a share up to 1, or a number of queries",
                       head < 0 && head != -1 ? "head" : "tail", head < 0 && head != -1 ? head : tail);
    return true;
}

/* ---- passes ---- */

static bool pass_each(struct head_tail *h, const char *name, const char *kernel, const int *blobs, size_t blobs_count,
                      struct engine_result *out, struct err *err)
{
    struct str params;
    if (!tail_params_write(&h->params, &h->arena, &params, err))
        return false;
    const struct engine_pass pass = { .name = name,
                                      .kernel = kernel,
                                      .params = params,
                                      .splits = query_splits_each(&h->arena, h->log.parts),
                                      .splits_count = h->log.parts,
                                      .input_pass = h->log.pass,
                                      .out = ENGINE_COLLECT,
                                      .blobs = blobs,
                                      .blobs_count = blobs_count };
    return run_pass(h->run, &pass, out, err);
}

/* ---- traffic ---- */

struct word_list {
    struct intern texts;
    struct head_tail_word *list;
    size_t room;
};

static bool add_words(struct word_list *w, struct str in, struct err *err)
{
    struct head_tail_word one;
    uint64_t sums[3];
    while (in.n) {
        if (!record_take_text(&in, &one.text) || !record_take(&in, sums, sizeof sums))
            return err_set(err, ERR_SYSTEM, "what was counted of words is damaged");
        uint32_t id = intern_add(&w->texts, one.text);
        if (id >= w->room) {
            size_t was = w->room;
            w->room = w->room ? 2 * w->room : 4096;
            w->list = mem_realloc(w->list, w->room * sizeof *w->list);
            memset(w->list + was, 0, (w->room - was) * sizeof *w->list);
        }
        w->list[id].queries += sums[0];
        w->list[id].searches += sums[1];
        w->list[id].traffic += sums[2];
    }
    return true;
}

static int by_word_traffic(const void *a, const void *b)
{
    const struct head_tail_word *x = a, *y = b;
    if (x->traffic != y->traffic)
        return x->traffic > y->traffic ? -1 : 1;
    if (x->searches != y->searches)
        return x->searches > y->searches ? -1 : 1;
    return pair_text_compare(x->text, y->text);
}

static void keep_words(struct head_tail *h, struct word_list *w)
{
    h->words_count = w->texts.count;
    h->words = arena_alloc(&h->arena, (h->words_count + 1) * sizeof *h->words);
    for (uint32_t i = 0; i < w->texts.count; i++) {
        h->words[i] = w->list[i];
        h->words[i].text = arena_str(&h->arena, w->texts.texts[i]);
    }
    if (h->words_count)
        qsort(h->words, h->words_count, sizeof *h->words, by_word_traffic);
}

static bool add_counts(struct head_tail *h, struct word_list *w, struct str in, struct err *err)
{
    uint64_t bytes;
    if (!record_take(&in, &bytes, sizeof bytes) || bytes > in.n)
        return err_set(err, ERR_SYSTEM, "what was counted of traffic is damaged");
    return traffic_read(&h->traffic, (struct str){ in.p, bytes }, err) &&
           add_words(w, (struct str){ in.p + bytes, in.n - bytes }, err);
}

static bool pass_traffic(struct head_tail *h, struct err *err)
{
    struct engine_result r;
    struct word_list w = { .room = 0 };
    if (!pass_each(h, "traffic", TAIL_TRAFFIC_KERNEL, NULL, 0, &r, err))
        return false;
    bool ok = true;
    intern_init(&w.texts);
    for (uint32_t i = 0; ok && i < r.count; i++)
        ok = add_counts(h, &w, buf_str(&r.parts[i]), err);
    if (ok)
        keep_words(h, &w);
    traffic_sort(&h->traffic);
    intern_release(&w.texts);
    mem_free(w.list);
    engine_result_release(&r);
    return ok;
}

/* ---- the head ---- */

/* Not more than max_head: of queries with as much traffic, all or none. */
static void limit_head(struct head_tail *h)
{
    const struct traffic *t = &h->traffic;
    uint64_t most = (uint64_t)run_whole(h->run, "max_head"), heads = 0;
    size_t i = t->count;
    while (i > 0 && t->steps[i - 1].traffic >= h->params.head && heads + t->steps[i - 1].queries <= most)
        heads += t->steps[--i].queries;
    h->heads_left = 0;
    for (size_t j = 0; j < i; j++)
        h->heads_left += t->steps[j].traffic >= h->params.head ? t->steps[j].queries : 0;
    if (h->heads_left)
        h->params.head = i < t->count ? t->steps[i].traffic : UINT64_MAX;
}

static bool cut(struct head_tail *h, struct err *err)
{
    struct traffic_cuts cuts = traffic_cut(&h->traffic, run_real(h->run, "head"), run_real(h->run, "tail"));
    h->params.head = cuts.head;
    h->params.tail = cuts.tail;
    h->params.queries = h->traffic.queries;
    limit_head(h);
    if (h->params.head > INT64_MAX)
        return err_set(err, ERR_INVALID,
                       "head-tail: no head: of %" PRIu64
                       " queries none has more %s than the others, or parameters \"head\" and "
                       "\"max_head\" leave none",
                       h->traffic.queries, h->params.by_searches ? "searches" : "clicks");
    if (h->heads_left)
        run_say(h->run, "%" PRIu64 " more queries would be in the head: max_head leaves them out", h->heads_left);
    return true;
}

static int by_query_traffic(const void *a, const void *b, void *arg)
{
    const struct query_record *x = a, *y = b;
    const struct tail_params *p = arg;
    uint64_t tx = tail_traffic_of(p, x), ty = tail_traffic_of(p, y);
    if (tx != ty)
        return tx > ty ? -1 : 1;
    return pair_text_compare(x->text, y->text);
}

static bool read_heads(struct head_tail *h, struct err *err)
{
    struct str rest = buf_str(&h->head_bytes);
    size_t room = 1024;
    h->heads = mem_alloc(room * sizeof *h->heads);
    for (h->heads_count = 0; rest.n; h->heads_count++) {
        if (h->heads_count == room) {
            room *= 2;
            h->heads = mem_realloc(h->heads, room * sizeof *h->heads);
        }
        if (!query_record_read(&rest, NULL, &h->heads[h->heads_count], NULL))
            return err_set(err, ERR_SYSTEM, "what was collected of the head is damaged");
    }
    qsort_r(h->heads, h->heads_count, sizeof *h->heads, by_query_traffic, &h->params);
    return true;
}

static bool pass_head(struct head_tail *h, struct err *err)
{
    struct engine_result r;
    if (!pass_each(h, "head", TAIL_HEAD_KERNEL, NULL, 0, &r, err))
        return false;
    for (uint32_t i = 0; i < r.count; i++)
        buf_add_str(&h->head_bytes, buf_str(&r.parts[i]));
    engine_result_release(&r);
    return buf_ok(&h->head_bytes, "the head", err) && read_heads(h, err);
}

static int by_word_text(const void *a, const void *b)
{
    return pair_text_compare((*(const struct head_tail_word *const *)a)->text,
                             (*(const struct head_tail_word *const *)b)->text);
}

/* Words that are not rare, by text. */
static bool write_words(struct head_tail *h, struct err *err)
{
    uint64_t least = (uint64_t)run_whole(h->run, "rare_queries");
    const struct head_tail_word **list = arena_alloc(&h->arena, (h->words_count + 1) * sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < h->words_count; i++)
        if (h->words[i].queries >= least)
            list[n++] = &h->words[i];
    if (n)
        qsort(list, n, sizeof *list, by_word_text);
    for (size_t i = 0; i < n; i++) {
        record_put_text(&h->word_bytes, list[i]->text);
        record_put(&h->word_bytes, &list[i]->queries, sizeof list[i]->queries);
    }
    return buf_ok(&h->word_bytes, "the words", err);
}

/* ---- the tail ---- */

static bool take_rows(struct head_tail *h, uint32_t part, size_t *room, struct err *err)
{
    struct str in = buf_str(&h->row_bytes[part]);
    struct tail_counts counts;
    if (!record_take(&in, &counts, sizeof counts))
        return err_set(err, ERR_SYSTEM, "what was found in the tail is damaged");
    tail_counts_add(&h->counts, &counts);
    while (in.n) {
        if (h->rows_count == *room) {
            *room = *room ? 2 * *room : 1024;
            h->rows = mem_realloc(h->rows, *room * sizeof *h->rows);
        }
        if (!tail_row_read(&in, &h->rows[h->rows_count++]))
            return err_set(err, ERR_SYSTEM, "what was found in the tail is damaged");
    }
    return true;
}

/* Rows borrow from the result, which is kept. */
static bool take_all_rows(struct head_tail *h, struct engine_result *r, struct err *err)
{
    size_t room = 0;
    h->row_bytes_count = r->count;
    h->row_bytes = mem_zalloc((r->count + 1) * sizeof *h->row_bytes);
    for (uint32_t i = 0; i < r->count; i++) {
        h->row_bytes[i] = r->parts[i];
        r->parts[i] = (struct buf){ .n = 0 };
        if (!take_rows(h, i, &room, err))
            return false;
    }
    if (h->rows_count)
        qsort(h->rows, h->rows_count, sizeof *h->rows, tail_row_compare);
    h->rows_count = tail_rows_choose(h->rows, h->rows_count, h->params.top, TAIL_EXAMPLES);
    return true;
}

static bool pass_match(struct head_tail *h, struct err *err)
{
    struct engine_result r;
    const int blobs[] = { engine_blob(h->run->engine, buf_str(&h->head_bytes), err),
                          engine_blob(h->run->engine, buf_str(&h->word_bytes), err) };
    if (blobs[0] < 0 || blobs[1] < 0 || !pass_each(h, "tail", TAIL_MATCH_KERNEL, blobs, 2, &r, err))
        return false;
    bool ok = take_all_rows(h, &r, err);
    engine_result_release(&r);
    return ok;
}

/* ---- publishing ---- */

static bool make_rewrites(struct head_tail *h, struct rewrite_row *rows, size_t *out_count, struct err *err)
{
    double automatic = run_real(h->run, "auto_confidence");
    *out_count = 0;
    for (size_t i = 0; i < h->rows_count && *out_count < h->params.top; i++) {
        const struct tail_row *r = &h->rows[i];
        if (!r->head.n)
            continue;
        struct str evidence = head_tail_evidence(h, r, err);
        if (!evidence.p)
            return false;
        rows[(*out_count)++] = (struct rewrite_row){ .input = r->text,
                                                     .output = r->head,
                                                     .confidence = r->evidence.confidence,
                                                     .automatic = automatic > 0 && r->evidence.confidence >= automatic,
                                                     .searches = r->searches,
                                                     .evidence = evidence };
    }
    return true;
}

static bool publish(struct head_tail *h, struct err *err)
{
    struct rewrite_row *rows = arena_zalloc(&h->arena, (h->rows_count + 1) * sizeof *rows);
    struct rewrites_counts counts = { 0 };
    size_t count;
    AUTO(buf_release) struct buf report;
    buf_init(&report, REPORT_MAX);
    if (!make_rewrites(h, rows, &count, err) || !run_publish_begin(h->run, err) ||
        !rewrites_put(h->run, "head_tail", rows, count, &counts, err) || !head_tail_report(h, &counts, &report, err))
        return false;
    run_result(h->run, "%s", report.p);
    if (!run_publish_end(h->run, err))
        return false;
    run_say(h->run, "head-tail: %zu queries in the head, %s", h->heads_count,
            query_rewrites_said(&h->arena, &counts).p);
    return true;
}

/* ---- the job ---- */

static bool compute(struct head_tail *h, struct err *err)
{
    return read_params(h, err) && query_log_begin(&h->log, h->run, &h->arena, err) && pass_traffic(h, err) &&
           cut(h, err) && pass_head(h, err) && write_words(h, err) && pass_match(h, err) && publish(h, err);
}

static bool run_head_tail(struct run_context *run, struct err *err)
{
    struct head_tail h = { .run = run };
    arena_init(&h.arena, ARENA_FIRST);
    traffic_init(&h.traffic);
    buf_init(&h.head_bytes, BLOB_MAX);
    buf_init(&h.word_bytes, BLOB_MAX);
    bool ok = compute(&h, err);
    query_log_close(&h.log);
    for (uint32_t i = 0; i < h.row_bytes_count; i++)
        buf_release(&h.row_bytes[i]);
    mem_free(h.row_bytes);
    mem_free(h.rows);
    mem_free(h.heads);
    buf_release(&h.head_bytes);
    buf_release(&h.word_bytes);
    traffic_release(&h.traffic);
    arena_release(&h.arena);
    return ok;
}

const struct job job_head_tail = { "head-tail", run_head_tail };
