/* "word2vec.queries@1": see word2vec.h. */
#include "base/json.h"
#include "trainer/kernels/queries/query_record.h"
#include "trainer/kernels/word2vec/w2v_text.h"
#include "trainer/kernels/word2vec/word2vec.h"

struct reading {
    struct task *task;
    struct w2v_text text;
    struct stop_words stop;
    int64_t repeats;
    bool sessions;
};

static bool read_params(struct reading *r, struct err *err)
{
    struct json_reader j;
    struct arena *arena = task_arena(r->task);
    struct str language = STR("none"), more = { NULL, 0 };
    json_auto_t *root = json_parse(task_params(r->task), err);
    if (!root)
        return false;
    json_reader_open(&j, root, "params");
    (void)json_get_str(&j, "language", JSON_REQUIRED, &language, arena);
    (void)json_get_str(&j, "stop_words", JSON_OPTIONAL, &more, arena);
    (void)json_get_i64(&j, "repeats", JSON_REQUIRED, &r->repeats);
    (void)json_get_bool(&j, "sessions", JSON_REQUIRED, &r->sessions);
    if (!json_reader_close(&j, err))
        return false;
    stop_words_make(arena_cstr(arena, language), more, arena, &r->stop);
    return true;
}

static uint32_t times_of(const struct reading *r, uint64_t count)
{
    return count < (uint64_t)r->repeats ? (uint32_t)count : (uint32_t)r->repeats;
}

static bool add_query(struct reading *r, const struct query_record *q, struct err *err)
{
    const uint64_t of = hash64(q->text);
    const struct query_list *next = &q->lists[QUERY_NEXT];
    r->text.times = times_of(r, q->searches);
    text_terms(q->text, &r->stop, 1, w2v_text_word, &r->text);
    bool ok = w2v_text_end(&r->text, of, (uint32_t)r->text.times, err);
    for (uint32_t i = 0; ok && r->sessions && i < next->count; i++) {
        r->text.times = times_of(r, next->entries[i].count);
        text_terms(q->text, &r->stop, 1, w2v_text_word, &r->text);
        text_terms(next->entries[i].text, &r->stop, 1, w2v_text_word, &r->text);
        ok = w2v_text_end(&r->text, of, (uint32_t)r->text.times, err);
    }
    return ok;
}

static bool read_block(struct reading *r, struct str block, struct err *err)
{
    uint64_t rows = 0;
    for (; block.n; rows++) {
        struct query_record q;
        struct arena lists;
        arena_init(&lists, 1 << 14);
        bool ok = query_record_read(&block, &lists, &q, NULL) ? add_query(r, &q, err)
                                                              : err_set(err, ERR_SYSTEM, "a query is damaged");
        arena_release(&lists);
        if (!ok)
            return false;
    }
    return task_tick(r->task, rows, err);
}

static bool read_all(struct reading *r, struct err *err)
{
    for (size_t i = 0; i < task_inputs(r->task); i++) {
        struct str block;
        for (bool end = false;;) {
            if (!task_next(r->task, i, &block, &end, err))
                return false;
            if (end)
                break;
            if (!read_block(r, block, err))
                return false;
        }
    }
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct reading r = { .task = t };
    if (!read_params(&r, err))
        return false;
    w2v_text_open(&r.text, t);
    bool ok = read_all(&r, err) && w2v_text_flush(&r.text, err);
    w2v_text_close(&r.text);
    return ok;
}

const struct kernel kernel_w2v_queries = { W2V_QUERIES_KERNEL, run };
