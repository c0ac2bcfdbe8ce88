/* "tail.match@1": of the tail queries of a part, why they are, and which head they are rewritten to. */
#include <stdlib.h>

#include "trainer/kernels/queries/query_each.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/tail/tail.h"

struct matching {
    struct arena *arena;
    struct tail_params params;
    struct tail_heads heads;
    struct tail_counts counts;
    struct tail_row *rows;
    size_t count, room;
};

/* ---- the blobs ---- */

static bool read_heads(struct str bytes, struct arena *arena, struct query_record **out, size_t *out_count,
                       struct err *err)
{
    size_t room = 1024;
    *out = mem_alloc(room * sizeof **out);
    for (*out_count = 0; bytes.n; ++*out_count) {
        if (*out_count == room) {
            room *= 2;
            *out = mem_realloc(*out, room * sizeof **out);
        }
        if (!query_record_read(&bytes, arena, &(*out)[*out_count], NULL))
            return err_set(err, ERR_INVALID, "a record of the head is damaged");
    }
    return true;
}

static bool read_words(struct str bytes, struct tail_word **out, size_t *out_count, struct err *err)
{
    size_t room = 1024;
    *out = mem_alloc(room * sizeof **out);
    for (*out_count = 0; bytes.n; ++*out_count) {
        if (*out_count == room) {
            room *= 2;
            *out = mem_realloc(*out, room * sizeof **out);
        }
        struct tail_word *w = &(*out)[*out_count];
        if (!record_take_text(&bytes, &w->text) || !record_take(&bytes, &w->queries, sizeof w->queries))
            return err_set(err, ERR_INVALID, "the words are damaged");
    }
    return true;
}

/* ---- queries ---- */

static enum tail_class class_of(const struct tail_params *p, const struct query_record *q)
{
    uint64_t traffic = tail_traffic_of(p, q);
    return traffic >= p->head ? TAIL_CLASS_HEAD : traffic <= p->tail ? TAIL_CLASS_TAIL : TAIL_CLASS_TORSO;
}

static void keep_row(struct matching *m, const struct query_record *q, const struct tail_match *found)
{
    const struct query_record *head = found->head == UINT32_MAX ? NULL : m->heads.heads[found->head].query;
    if (m->count == m->room) {
        m->room = m->room ? 2 * m->room : 1024;
        m->rows = mem_realloc(m->rows, m->room * sizeof *m->rows);
    }
    m->rows[m->count++] = (struct tail_row){ .text = arena_str(m->arena, q->text),
                                             .head = head ? head->text : STR(""),
                                             .reason = found->reason,
                                             .searches = q->searches,
                                             .zero_results = q->zero_results,
                                             .clicks = q->clicks,
                                             .head_searches = head ? head->searches : 0,
                                             .head_clicks = head ? head->clicks : 0,
                                             .evidence = found->evidence };
}

static void match_tail(struct matching *m, const struct query_record *q)
{
    if (q->searches < m->params.min_searches || words_chars(q->text) < m->params.min_chars) {
        tail_sum_add(&m->counts.seldom, q);
        return;
    }
    struct tail_match found = tail_match(&m->heads, &m->params.rules, q);
    tail_sum_add(&m->counts.reasons[found.reason], q);
    if (found.head != UINT32_MAX)
        tail_sum_add(&m->counts.rewritten[found.reason], q);
    keep_row(m, q, &found);
}

static bool match_query(void *arg, const struct query_record *q, struct str bytes, struct err *err)
{
    struct matching *m = arg;
    struct words w;
    enum tail_class class = class_of(&m->params, q);
    (void)bytes;
    (void)err;
    words_split(q->text, &w);
    uint32_t length = w.count == 0 ? 1 : w.count > TAIL_LENGTHS ? TAIL_LENGTHS : w.count;
    tail_sum_add(&m->counts.lengths[class][length - 1], q);
    if (class == TAIL_CLASS_TAIL)
        match_tail(m, q);
    return true;
}

static bool collect(struct task *t, struct matching *m, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, TASK_COLLECT_MAX);
    record_put(&b, &m->counts, sizeof m->counts);
    if (m->count)
        qsort(m->rows, m->count, sizeof *m->rows, tail_row_compare);
    size_t n = tail_rows_choose(m->rows, m->count, m->params.top, TAIL_EXAMPLES);
    for (size_t i = 0; i < n; i++)
        tail_row_write(&b, &m->rows[i]);
    return buf_ok(&b, "the tail queries of a part", err) && task_collect(t, buf_str(&b), err);
}

static bool run_match(struct task *t, struct err *err)
{
    struct matching m = { .arena = task_arena(t) };
    struct query_record *heads = NULL;
    struct tail_word *words = NULL;
    size_t heads_count = 0, words_count = 0;
    bool ok = tail_params_read(task_params(t), &m.params, err) &&
              read_heads(task_blob(t, 0), m.arena, &heads, &heads_count, err) &&
              read_words(task_blob(t, 1), &words, &words_count, err);
    if (ok) {
        tail_heads_init(&m.heads, m.arena, heads, heads_count, words, words_count, m.params.queries);
        ok = query_each(t, match_query, &m, err) && collect(t, &m, err);
        tail_heads_release(&m.heads);
    }
    mem_free(m.rows);
    mem_free(heads);
    mem_free(words);
    return ok;
}

const struct kernel kernel_tail_match = { TAIL_MATCH_KERNEL, run_match };
