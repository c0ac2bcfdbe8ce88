/* "synonyms.pairs@1": of each document, the pairs of queries that led to it and differ in one place. */
#include <stdlib.h>

#include "base/hash.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/synonyms/synonyms.h"

enum { EVIDENCE_MAX = 16 << 10, PAIR_MAX = 2 * QUERY_TEXT_MAX + 1 };

struct pairing {
    struct task *task;
    struct synonyms_params params;
    struct synonyms_known known;
    struct synonyms_click *clicks;
    size_t count, room;
    struct buf record;
};

/* ---- reading ---- */

static bool keep_block(struct pairing *p, struct intern *texts, struct str block, struct err *err)
{
    while (block.n) {
        struct synonyms_click c;
        if (!synonyms_click_read(&block, &c))
            return err_set(err, ERR_INVALID, "a record of clicks is damaged");
        if (synonyms_known_wrong(&p->known, c.query))
            continue;
        if (p->count == p->room) {
            p->room = p->room ? 2 * p->room : 4096;
            p->clicks = mem_realloc(p->clicks, p->room * sizeof *p->clicks);
        }
        c.doc = texts->texts[intern_add(texts, c.doc)];
        c.query = texts->texts[intern_add(texts, c.query)];
        p->clicks[p->count++] = c;
    }
    return true;
}

static bool read_all(struct pairing *p, struct intern *texts, struct err *err)
{
    for (size_t i = 0; i < task_inputs(p->task); i++)
        for (;;) {
            struct str block;
            bool end;
            size_t before = p->count;
            if (!task_next(p->task, i, &block, &end, err))
                return false;
            if (end)
                break;
            if (!keep_block(p, texts, block, err) || !task_tick(p->task, p->count - before, err))
                return false;
        }
    return true;
}

static int by_document(const void *a, const void *b)
{
    const struct synonyms_click *x = a, *y = b;
    int d = pair_text_compare(x->doc, y->doc);
    if (d)
        return d;
    if (x->clicks != y->clicks)
        return x->clicks > y->clicks ? -1 : 1;
    return pair_text_compare(x->query, y->query);
}

/* ---- pairs ---- */

static uint32_t part_of(const struct pairing *p, const struct slot *s)
{
    char text[PAIR_MAX];
    memcpy(text, s->a.p, s->a.n);
    text[s->a.n] = ' ';
    memcpy(text + s->a.n + 1, s->b.p, s->b.n);
    return (uint32_t)(hash64((struct str){ text, s->a.n + 1 + s->b.n }) % task_parts(p->task));
}

static bool emit_pair(struct pairing *p, const struct slot *s, const struct synonyms_click *x,
                      const struct synonyms_click *y, struct err *err)
{
    const struct synonyms_click *a = s->swapped ? y : x, *b = s->swapped ? x : y;
    const struct synonym_evidence e = { .a = s->a,
                                        .b = s->b,
                                        .context = { s->context, s->context_n },
                                        .query_a = a->query,
                                        .query_b = b->query,
                                        .clicks_a = a->clicks,
                                        .clicks_b = b->clicks,
                                        .all_a = a->all,
                                        .all_b = b->all,
                                        .reach_a = a->reach,
                                        .reach_b = b->reach,
                                        .searches_a = a->searches,
                                        .searches_b = b->searches };
    buf_clear(&p->record);
    synonym_evidence_write(&p->record, &e);
    return buf_ok(&p->record, "a pair of queries", err) && task_emit(p->task, part_of(p, s), buf_str(&p->record), err);
}

static bool is_candidate(const struct pairing *p, const struct slot *s)
{
    return (s->context_n || p->params.whole_queries) && (p->params.beginnings || !slot_is_beginning(s)) &&
           !slot_is_variant(s, p->params.length_scale) && !synonyms_known_misspelled(&p->known, s->a, s->b);
}

static bool pair_document(struct pairing *p, struct words *words, size_t first, size_t count, struct err *err)
{
    struct slot s;
    for (size_t i = 0; i < count; i++)
        slot_words(p->clicks[first + i].query, &p->known.phrases, &words[i]);
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (slot_of(&words[i], &words[j], p->params.max_words, &s) && is_candidate(p, &s) &&
                !emit_pair(p, &s, &p->clicks[first + i], &p->clicks[first + j], err))
                return false;
    return true;
}

static bool pair_all(struct pairing *p, struct err *err)
{
    struct words *words = mem_alloc(((size_t)p->params.per_document + 1) * sizeof *words);
    bool ok = true;
    if (p->count)
        qsort(p->clicks, p->count, sizeof *p->clicks, by_document);
    for (size_t i = 0, end; ok && i < p->count; i = end) {
        for (end = i; end < p->count && str_eq(p->clicks[end].doc, p->clicks[i].doc);)
            end++;
        size_t count = end - i < p->params.per_document ? end - i : p->params.per_document;
        ok = pair_document(p, words, i, count, err) && task_tick(p->task, 0, err);
    }
    mem_free(words);
    return ok;
}

static bool run(struct task *t, struct err *err)
{
    struct pairing p = { .task = t };
    struct intern texts;
    if (!synonyms_params_read(task_params(t), &p.params, err) || !synonyms_known_read(&p.known, task_blob(t, 0), err))
        return false;
    buf_init(&p.record, EVIDENCE_MAX);
    intern_init(&texts);
    bool ok = read_all(&p, &texts, err) && pair_all(&p, err);
    intern_release(&texts);
    buf_release(&p.record);
    mem_free(p.clicks);
    synonyms_known_release(&p.known);
    return ok;
}

const struct kernel kernel_synonyms_pairs = { SYNONYMS_PAIRS_KERNEL, run };
