/* "spelling.correct@1": terms that are searched seldom → what was meant by them. */
#include "trainer/engine/task.h"
#include "trainer/kernels/spelling/spelling.h"

enum { TICK_EVERY = 64, BESIDE_MAX = 2 * TERMS_LIST_MAX };

struct correcting {
    struct task *task;
    struct spelling_params params;
    struct speller *speller;
    struct buf rows;
};

static uint32_t beside_of(const struct term_record *r, struct spell_beside *out)
{
    uint32_t n = 0;
    for (int k = TERM_BEFORE; k <= TERM_BEHIND; k++)
        for (uint32_t i = 0; i < r->lists[k].count && n < BESIDE_MAX; i++)
            out[n++] = (struct spell_beside){ r->lists[k].entries[i].text, k == TERM_BEFORE,
                                              r->lists[k].entries[i].count };
    return n;
}

static uint32_t next_of(const struct term_record *r, struct spell_next *out)
{
    const struct query_list *l = &r->lists[TERM_NEXT];
    uint32_t n = 0;
    for (; n < l->count && n < TERMS_LIST_MAX; n++)
        out[n] = (struct spell_next){ l->entries[n].text, l->entries[n].count };
    return n;
}

static void add_row(struct correcting *c, const struct term_record *r, const struct spell_meant *m)
{
    const struct spelling_row row = { r->text,
                                      m->text,
                                      { .typed = r->counts,
                                        .searches = m->searches,
                                        .clicks = m->clicks,
                                        .listed = m->listed,
                                        .next = m->next,
                                        .edit_cost = m->edit_cost,
                                        .score = m->score,
                                        .probability = m->probability,
                                        .confidence = m->confidence,
                                        .distance = m->distance,
                                        .sounds_same = m->sounds_same,
                                        .words_known = m->words_known,
                                        .split = m->split } };
    spelling_row_write(&c->rows, &row);
}

static void correct(struct correcting *c, const struct term_record *r)
{
    struct spell_beside beside[BESIDE_MAX];
    struct spell_next next[TERMS_LIST_MAX];
    uint32_t words = term_words(r->text);
    struct spell_meant m;
    if (words > 2 || (words == 2 && !c->params.phrases) ||
        r->counts.searches >= (words == 1 ? c->params.word_below : c->params.phrase_below))
        return;
    const struct spell_typed typed = { .text = r->text,
                                       .searches = r->counts.searches,
                                       .clicks = r->counts.clicks,
                                       .zero_results = r->counts.zero_results,
                                       .beside = beside,
                                       .beside_count = beside_of(r, beside),
                                       .next = next,
                                       .next_count = next_of(r, next) };
    if (spell_correct(c->speller, &typed, &m))
        add_row(c, r, &m);
}

static bool read_block(struct correcting *c, struct str block, struct arena *arena, struct err *err)
{
    uint64_t rows = 0;
    while (block.n) {
        struct term_record r;
        arena_reset(arena);
        if (!term_record_read(&block, arena, &r))
            return err_set(err, ERR_SYSTEM, "a record of a term is damaged");
        correct(c, &r);
        if (++rows % TICK_EVERY == 0 && !task_tick(c->task, TICK_EVERY, err))
            return false;
    }
    return task_tick(c->task, rows % TICK_EVERY, err);
}

static bool read_terms(struct correcting *c, struct err *err)
{
    struct arena arena;
    bool ok = true, end = false;
    arena_init(&arena, 1 << 16);
    while (ok && !end) {
        struct str block;
        ok = task_next(c->task, 0, &block, &end, err) && (end || read_block(c, block, &arena, err));
    }
    arena_release(&arena);
    return ok;
}

static bool run(struct task *t, struct err *err)
{
    struct correcting c = { .task = t };
    struct head head;
    if (!spelling_params_read(task_params(t), &c.params, err) || !head_read(task_blob(t, 0), &head, err))
        return false;
    AUTO(speller_free) struct speller *speller = speller_new(&head, &c.params.rules);
    c.speller = speller;
    buf_init(&c.rows, TASK_COLLECT_MAX);
    bool ok = read_terms(&c, err) && buf_ok(&c.rows, "the corrections of a part", err) &&
              task_collect(t, buf_str(&c.rows), err);
    buf_release(&c.rows);
    return ok;
}

const struct kernel kernel_spelling_correct = { SPELLING_CORRECT_KERNEL, run };
