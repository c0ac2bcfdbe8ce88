#include "trainer/jobs/popular_lists.h"

#include <stdlib.h>

#include "trainer/jobs/items_read.h"
#include "trainer/kernels/intern.h"
#include "trainer/kernels/items/best.h"
#include "trainer/kernels/pair_table.h"

enum { TOP_DEFAULT = 100 };
static const char *const columns[] = { "score", "units", "weight" };

struct popular {
    struct recommender_job *j;
    double shrink;
    struct best best;
    struct lists_out out;
    struct intern categories; /* items of a category are numbers of pairs */
    struct in_category {
        uint32_t category, item;
    } * pairs;
    size_t count, room;
};

static double score_of(const struct popular *p, uint32_t item)
{
    double units = p->j->m.item_units[item];
    return p->j->m.item_weights[item] * (units / (units + p->shrink));
}

static void write_list(struct popular *p, struct str key)
{
    const struct matrix *m = &p->j->m;
    best_sort(&p->best);
    lists_key(&p->out, key);
    for (uint32_t i = 0; i < p->best.count; i++) {
        uint32_t item = p->best.entries[i].number;
        const float values[] = { (float)p->best.entries[i].score, (float)m->item_units[item],
                                 (float)m->item_weights[item] };
        lists_add(&p->out, m->item_texts[item], values);
    }
    best_clear(&p->best);
}

/* ---- categories ---- */

static int by_bytes(const void *key, const void *of)
{
    return pair_text_compare(*(const struct str *)key, *(const struct str *)of);
}

static bool add_category(void *arg, struct str doc, struct str category, struct err *err)
{
    struct popular *p = arg;
    const struct matrix *m = &p->j->m;
    const struct str *at = bsearch(&doc, m->item_texts, m->items, sizeof *at, by_bytes);
    (void)err;
    if (!at)
        return true;
    if (p->count == p->room) {
        p->room = p->room ? 2 * p->room : 1024;
        p->pairs = mem_realloc(p->pairs, p->room * sizeof *p->pairs);
    }
    p->pairs[p->count++] = (struct in_category){ intern_add(&p->categories, category), (uint32_t)(at - m->item_texts) };
    return true;
}

static int by_category(const void *a, const void *b)
{
    const struct in_category *x = a, *y = b;
    return x->category != y->category ? (x->category > y->category) - (x->category < y->category)
                                      : (x->item > y->item) - (x->item < y->item);
}

/* Categories get their places by the bytes of their names, so that lists are sorted by key. */
static void number_categories(struct popular *p)
{
    const uint32_t n = p->categories.count;
    struct str *sorted = arena_alloc(&p->j->arena, (n + 1) * sizeof *sorted);
    uint32_t *places = arena_alloc(&p->j->arena, (n + 1) * sizeof *places);
    if (n)
        memcpy(sorted, p->categories.texts, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_bytes);
    for (uint32_t i = 0; i < n; i++) {
        const struct str *at = bsearch(&p->categories.texts[i], sorted, n, sizeof *at, by_bytes);
        places[i] = (uint32_t)(at - sorted);
    }
    for (size_t i = 0; i < p->count; i++)
        p->pairs[i].category = places[p->pairs[i].category];
    if (p->count)
        qsort(p->pairs, p->count, sizeof *p->pairs, by_category);
    for (size_t i = 0; i < p->count; i++) {
        best_add(&p->best, score_of(p, p->pairs[i].item), p->pairs[i].item, 0);
        if (i + 1 == p->count || p->pairs[i + 1].category != p->pairs[i].category)
            write_list(p, sorted[p->pairs[i].category]);
    }
}

static bool read_categories(struct popular *p, struct err *err)
{
    const char *field = p->j->run->param(p->j->run, "category_field");
    struct items_read items;
    bool ok = items_read_open(&items, p->j->run, &p->j->arena, err) &&
              items_read_categories(&items, field ? field : "category", add_category, p, err);
    items_read_close(&items);
    if (ok)
        number_categories(p);
    return ok;
}

bool popular_lists_add(struct recommender_job *j, struct err *err)
{
    struct popular p = { .j = j };
    const struct run_context *run = j->run;
    p.shrink = run->param(run, "popular_shrink") ? run_real(run, "popular_shrink") : 0;
    best_init(&p.best, run->param(run, "popular_top") ? (uint32_t)run_whole(run, "popular_top") : TOP_DEFAULT,
              &j->arena);
    intern_init(&p.categories);
    lists_begin(&p.out, columns, COUNT_OF(columns));
    for (uint32_t i = 0; i < j->m.items; i++)
        best_add(&p.best, score_of(&p, i), i, 0);
    write_list(&p, STR(""));
    bool ok = read_categories(&p, err) && model_file_lists(&j->file, "popular", &p.out, err);
    lists_release(&p.out);
    intern_release(&p.categories);
    mem_free(p.pairs);
    return ok;
}
