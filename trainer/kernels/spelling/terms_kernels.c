/* "terms.count@1" and "terms.merge@1": queries → terms in parts, parts → terms, each once. */
#include "base/hash.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/spelling/spelling.h"

enum { RECORD_MAX = 1 << 20 };

struct writing {
    struct task *task;
    struct terms_params params;
    struct terms_seen seen;
    struct buf record, told; /* told: what is collected of records */
};

static void writing_init(struct writing *w, struct task *t)
{
    *w = (struct writing){ .task = t };
    buf_init(&w->record, RECORD_MAX);
    buf_init(&w->told, TASK_COLLECT_MAX - sizeof w->seen);
}

static void writing_release(struct writing *w)
{
    buf_release(&w->record);
    buf_release(&w->told);
}

/* ---- counting ---- */

static bool add_queries(struct terms *terms, struct str block, struct arena *arena, uint64_t *out_rows, struct err *err)
{
    for (*out_rows = 0; block.n; (*out_rows)++) {
        struct query_record q;
        arena_reset(arena);
        if (!query_record_read(&block, arena, &q, NULL))
            return err_set(err, ERR_SYSTEM, "a record of a query is damaged");
        terms_add_query(terms, &q);
    }
    return true;
}

static bool add_terms(struct terms *terms, struct str block, struct arena *arena, uint64_t *out_rows, struct err *err)
{
    for (*out_rows = 0; block.n; (*out_rows)++) {
        struct term_record r;
        arena_reset(arena);
        if (!term_record_read(&block, arena, &r))
            return err_set(err, ERR_SYSTEM, "a record of a term is damaged");
        terms_add_record(terms, &r);
    }
    return true;
}

typedef bool (*add_fn)(struct terms *terms, struct str block, struct arena *arena, uint64_t *out_rows, struct err *err);

static bool read_input(struct task *t, size_t input, struct terms *terms, struct arena *arena, add_fn add,
                       struct err *err)
{
    for (;;) {
        struct str block;
        uint64_t rows;
        bool end;
        if (!task_next(t, input, &block, &end, err))
            return false;
        if (end)
            return true;
        if (!add(terms, block, arena, &rows, err) || !task_tick(t, rows, err))
            return false;
    }
}

static bool read_all(struct task *t, struct terms *terms, add_fn add, struct err *err)
{
    struct arena arena;
    bool ok = true;
    arena_init(&arena, 1 << 16);
    for (size_t i = 0; ok && i < task_inputs(t); i++)
        ok = read_input(t, i, terms, &arena, add, err);
    arena_release(&arena);
    return ok;
}

/* ---- kernels ---- */

static bool emit(struct writing *w, uint32_t part, const struct term_record *r, struct err *err)
{
    buf_clear(&w->record);
    term_record_write(&w->record, r);
    return buf_ok(&w->record, "a record of a term", err) && task_emit(w->task, part, buf_str(&w->record), err);
}

static bool emit_by_text(void *arg, const struct term_record *r, struct err *err)
{
    struct writing *w = arg;
    return emit(w, (uint32_t)(hash64(r->text) % task_parts(w->task)), r, err);
}

static bool run_count(struct task *t, struct err *err)
{
    struct writing w;
    struct terms_params p;
    if (!terms_params_read(task_params(t), &p, err))
        return false;
    AUTO(terms_free) struct terms *terms = terms_new(p.longest, p.lists);
    writing_init(&w, t);
    bool ok = read_all(t, terms, add_queries, err) && terms_finish(terms, UINT32_MAX, emit_by_text, &w, err);
    writing_release(&w);
    return ok;
}

static bool emit_and_tell(void *arg, const struct term_record *r, struct err *err)
{
    struct writing *w = arg;
    uint32_t words = term_words(r->text);
    w->seen.terms[words - 1]++;
    w->seen.searches[words - 1] += r->counts.searches;
    if (r->counts.searches < w->params.min_searches)
        return true;
    record_put_text(&w->told, r->text);
    record_put(&w->told, &r->counts, sizeof r->counts);
    return buf_ok(&w->told, "the words of a part", err) && emit(w, 0, r, err);
}

static bool run_merge(struct task *t, struct err *err)
{
    struct writing w;
    writing_init(&w, t);
    bool ok = terms_params_read(task_params(t), &w.params, err);
    AUTO(terms_free) struct terms *terms = terms_new(w.params.longest, w.params.lists);
    ok = ok && read_all(t, terms, add_terms, err) && terms_finish(terms, TERMS_LIST_MAX, emit_and_tell, &w, err) &&
         task_collect(t, (struct str){ (const char *)&w.seen, sizeof w.seen }, err) &&
         task_collect(t, buf_str(&w.told), err);
    writing_release(&w);
    return ok;
}

const struct kernel kernel_terms_count = { TERMS_COUNT_KERNEL, run_count };
const struct kernel kernel_terms_merge = { TERMS_MERGE_KERNEL, run_merge };
