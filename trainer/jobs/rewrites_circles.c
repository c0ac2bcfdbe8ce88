/* Circles of rules: of each type the best rule of every input is an edge from input to output, so from a text one way leads on. */
#include <stdlib.h>

#include "trainer/jobs/rewrites_table.h"

enum { SHOWN_MAX = 6 };

struct edges {
    struct rewrite_rule *rules;
    bool *decided;
    size_t count;
    size_t *order; /* rules by type and input, the best of an input first */
    char *seen;    /* by place in `order`: 0 not yet, 1 on the way, 2 done */
    bool *gone;    /* by rule */
};

static int compare_str(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

static int compare_input(const struct rewrite_rule *a, enum rewrite_type type, struct str input)
{
    int d = (int)a->type - (int)type;
    return d ? d : compare_str(a->input, input);
}

/* As model/rewrite_pack.c puts them. */
static int by_place(const void *va, const void *vb, void *arg)
{
    const struct rewrite_rule *rules = arg, *a = &rules[*(const size_t *)va], *b = &rules[*(const size_t *)vb];
    int d = compare_input(a, b->type, b->input);
    if (!d)
        d = (int)b->manual - (int)a->manual;
    if (!d)
        d = (a->confidence < b->confidence) - (a->confidence > b->confidence);
    return d ? d : compare_str(a->output, b->output);
}

static bool leads(enum rewrite_type t)
{
    return t == REWRITE_QUERY || t == REWRITE_SPELLING || t == REWRITE_HEAD_TAIL;
}

/* The place of the best rule of an input; count: there is none. */
static size_t find(const struct edges *e, enum rewrite_type type, struct str input)
{
    size_t lo = 0, hi = e->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (compare_input(&e->rules[e->order[mid]], type, input) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < e->count && compare_input(&e->rules[e->order[lo]], type, input) == 0 ? lo : e->count;
}

static size_t next(const struct edges *e, size_t at)
{
    const struct rewrite_rule *r = &e->rules[e->order[at]];
    return find(e, r->type, r->output);
}

/* From `at` on; the place at which a circle closes, or count. */
static size_t walk(struct edges *e, size_t at)
{
    size_t from = at, closes = e->count;
    while (at < e->count && e->seen[at] == 0) {
        e->seen[at] = 1;
        at = next(e, at);
    }
    if (at < e->count && e->seen[at] == 1)
        closes = at;
    for (at = from; at < e->count && e->seen[at] == 1; at = next(e, at))
        e->seen[at] = 2;
    return closes;
}

/* A rule that people decided is stronger than any that they did not. */
static bool is_weaker(const struct edges *e, size_t a, size_t b)
{
    const struct rewrite_rule *x = &e->rules[a], *y = &e->rules[b];
    if (e->decided[a] != e->decided[b])
        return !e->decided[a];
    if (x->confidence < y->confidence || x->confidence > y->confidence)
        return x->confidence < y->confidence;
    return compare_str(x->input, y->input) > 0;
}

static size_t weakest(const struct edges *e, size_t on)
{
    size_t found = e->order[on];
    for (size_t at = next(e, on); at != on; at = next(e, at))
        if (is_weaker(e, e->order[at], found))
            found = e->order[at];
    return found;
}

static struct str tell(const struct edges *e, size_t on, struct arena *arena)
{
    const struct rewrite_rule *first = &e->rules[e->order[on]];
    struct str text = arena_printf(arena, "\"" STR_FMT "\"", STR_ARG(str_cut(first->input, 40)));
    size_t at = on, n = 0;
    do {
        const struct rewrite_rule *r = &e->rules[e->order[at]];
        if (n++ < SHOWN_MAX)
            text = arena_printf(arena, STR_FMT " → \"" STR_FMT "\"", STR_ARG(text), STR_ARG(str_cut(r->output, 40)));
        at = next(e, at);
    } while (at != on);
    return n > SHOWN_MAX ? arena_printf(arena, STR_FMT " → …", STR_ARG(text)) : text;
}

static void sort(struct edges *e)
{
    for (size_t i = 0; i < e->count; i++)
        e->order[i] = i;
    qsort_r(e->order, e->count, sizeof *e->order, by_place, e->rules);
    memset(e->seen, 0, e->count);
}

/* Behind the others goes what is marked; what the next rule of the same input says counts now. How many went. */
static size_t take_away(struct edges *e)
{
    size_t kept = 0, was = e->count;
    for (size_t i = 0; i < was; i++) {
        if (e->gone[i])
            continue;
        struct rewrite_rule r = e->rules[i];
        bool decided = e->decided[i];
        e->rules[i] = e->rules[kept];
        e->decided[i] = e->decided[kept];
        e->gone[i] = e->gone[kept];
        e->rules[kept] = r;
        e->decided[kept] = decided;
        e->gone[kept++] = false;
    }
    e->count = kept;
    return was - kept;
}

/* Of each circle that there is now the weakest rule goes; the first that only people can break is told. */
static size_t break_all(struct edges *e, struct arena *arena, struct str *out_circle)
{
    sort(e);
    memset(e->gone, 0, e->count * sizeof *e->gone);
    for (size_t at = 0; at < e->count; at++) {
        size_t on = e->seen[at] || !leads(e->rules[e->order[at]].type) ? e->count : walk(e, at);
        if (on == e->count)
            continue;
        size_t rule = weakest(e, on);
        e->gone[rule] = !e->decided[rule];
        if (e->decided[rule] && !out_circle->p)
            *out_circle = tell(e, on, arena);
    }
    return take_away(e);
}

void rewrites_break_circles(struct rewrite_rule *rules, bool *decided, size_t *count, struct arena *arena,
                            struct str *out_circle)
{
    struct edges e = { .rules = rules, .decided = decided, .count = *count };
    e.order = mem_alloc((*count + 1) * sizeof *e.order);
    e.seen = mem_alloc(*count + 1);
    e.gone = mem_zalloc((*count + 1) * sizeof *e.gone);
    *out_circle = (struct str){ NULL, 0 };
    while (break_all(&e, arena, out_circle)) {
    }
    *count = e.count;
    mem_free(e.order);
    mem_free(e.seen);
    mem_free(e.gone);
}
