#include "experimentd/config/layers.h"

#include <math.h>

#include "base/buf.h"

enum { NAMES_MAX = 160 };

static void mark(bool taken[SNAPSHOT_SLOTS], const struct slot_ranges *r)
{
    for (size_t i = 0; i < r->n; i++)
        for (int k = r->p[i].lo; k < r->p[i].hi && k < SNAPSHOT_SLOTS; k++)
            taken[k] = true;
}

static void add_name(struct buf *names, struct str key)
{
    if (names->n)
        buf_add_c(names, ", ");
    buf_add_str(names, key);
}

/* Everybody in the layer but self. */
static void mark_others(const struct snapshot *s, struct str layer, struct str self, bool taken[SNAPSHOT_SLOTS],
                        struct buf *names)
{
    for (size_t i = 0; i < s->experiments_count; i++) {
        const struct snapshot_experiment *e = &s->experiments[i];
        if (e->status != EXPERIMENT_RUNNING || !str_eq(e->layer, layer) || str_eq(e->key, self))
            continue;
        mark(taken, &e->slots);
        add_name(names, e->key);
    }
    for (size_t i = 0; i < s->objects[OBJECT_DOMAIN].n; i++) {
        const struct snapshot_object *d = &s->objects[OBJECT_DOMAIN].p[i];
        if (!str_eq(d->layer, layer) || str_eq(d->key, self))
            continue;
        mark(taken, &d->slots);
        add_name(names, d->key);
    }
}

static int count(const bool slots[SNAPSHOT_SLOTS], bool wanted)
{
    int n = 0;
    for (int i = 0; i < SNAPSHOT_SLOTS; i++)
        n += slots[i] == wanted;
    return n;
}

static void to_ranges(const bool mine[SNAPSHOT_SLOTS], struct arena *arena, struct slot_ranges *out)
{
    size_t n = 0;
    for (int i = 0; i < SNAPSHOT_SLOTS; i++)
        n += mine[i] && (i == 0 || !mine[i - 1]);
    out->p = arena_zalloc(arena, n * sizeof *out->p);
    out->n = 0;
    for (int i = 0; i < SNAPSHOT_SLOTS; i++) {
        if (mine[i] && (i == 0 || !mine[i - 1]))
            out->p[out->n++].lo = i;
        if (mine[i])
            out->p[out->n - 1].hi = i + 1;
    }
}

static bool no_room(struct str layer, int wanted, int there, const struct buf *names, struct err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "layer \"" STR_FMT
                   "\" has %.4g of its traffic free, %.4g is asked for; the rest belongs to " STR_FMT,
                   STR_ARG(layer), (double)there / SNAPSHOT_SLOTS, (double)wanted / SNAPSHOT_SLOTS,
                   STR_ARG(str_cut(names->n ? buf_str(names) : STR("nobody"), NAMES_MAX)));
}

bool layers_allocate(const struct snapshot *s, struct str layer, struct str self, double share,
                     const struct slot_ranges *have, struct arena *arena, struct slot_ranges *out, struct err *err)
{
    bool *taken = arena_zalloc(arena, SNAPSHOT_SLOTS), *mine = arena_zalloc(arena, SNAPSHOT_SLOTS);
    int wanted = (int)lround(share * SNAPSHOT_SLOTS);
    struct buf names;
    buf_init(&names, 4096);
    mark_others(s, layer, self, taken, &names);
    mark(mine, have);
    int got = count(mine, true), there = count(taken, false);
    bool ok = wanted <= there || no_room(layer, wanted, there, &names, err);
    buf_release(&names);
    for (int i = 0; ok && i < SNAPSHOT_SLOTS && got < wanted; i++) {
        if (taken[i] || mine[i])
            continue;
        mine[i] = true;
        got++;
    }
    for (int i = SNAPSHOT_SLOTS - 1; ok && i >= 0 && got > wanted; i--) {
        got -= mine[i];
        mine[i] = false;
    }
    if (ok)
        to_ranges(mine, arena, out);
    return ok;
}

size_t layers_above(const struct snapshot *s, struct str layer, struct layer_step out[LAYERS_DEPTH_MAX])
{
    const struct slot_ranges *slots = NULL;
    size_t n = 0;
    while (layer.n && n < LAYERS_DEPTH_MAX) {
        const struct snapshot_object *l = snapshot_object(s, OBJECT_LAYER, layer);
        if (!l)
            break;
        out[n++] = (struct layer_step){ l, slots };
        const struct snapshot_object *d = l->domain.n ? snapshot_object(s, OBJECT_DOMAIN, l->domain) : NULL;
        layer = d ? d->layer : (struct str){ NULL, 0 };
        slots = d ? &d->slots : NULL;
    }
    return n;
}

static bool disjoint(const struct slot_ranges *a, const struct slot_ranges *b)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++)
            if (a->p[i].lo < b->p[k].hi && b->p[k].lo < a->p[i].hi)
                return false;
    return true;
}

bool layers_exclusive(const struct snapshot *s, const struct snapshot_experiment *a,
                      const struct snapshot_experiment *b)
{
    struct layer_step up_a[LAYERS_DEPTH_MAX], up_b[LAYERS_DEPTH_MAX];
    size_t n_a = layers_above(s, a->layer, up_a), n_b = layers_above(s, b->layer, up_b);
    for (size_t i = 0; i < n_a; i++)
        for (size_t k = 0; k < n_b; k++)
            if (up_a[i].layer == up_b[k].layer &&
                disjoint(up_a[i].slots ? up_a[i].slots : &a->slots, up_b[k].slots ? up_b[k].slots : &b->slots))
                return true;
    return false;
}

bool layers_is_launch(const struct snapshot *s, const struct snapshot_experiment *e)
{
    const struct snapshot_object *l = e->layer.n ? snapshot_object(s, OBJECT_LAYER, e->layer) : NULL;
    return l && l->launch;
}
