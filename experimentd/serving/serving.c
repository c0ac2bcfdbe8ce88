#include "experimentd/serving/serving.h"

#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"

enum { ARENA_BYTES = 16 << 10, SHOWN_MAX = 100, KNOWN_MAX = 180 };
/* A run that published so long after a deletion may have read its data before. */
static const int64_t RUN_MAX_US = INT64_C(24) * 3600 * US_PER_SECOND;

static struct rcu rcu;

static struct serving *serving_of(struct rcu_object *o)
{
    return (struct serving *)(void *)((char *)o - offsetof(struct serving, rcu));
}

void served_hold(struct served *s)
{
    s->refs++;
}

void served_drop(struct served *s)
{
    if (--s->refs)
        return;
    artifact_unmap(&s->artifact);
    arena_release(&s->arena);
    mem_free(s);
}

static void free_object(struct rcu_object *o)
{
    struct serving *s = serving_of(o);
    for (size_t i = 0; i < s->entries_count; i++)
        if (s->entries[i].served)
            served_drop((struct served *)(uintptr_t)s->entries[i].served);
    arena_release(&s->arena);
    mem_free(s);
}

void serving_discard(struct serving *s)
{
    free_object(&s->rcu);
}

struct serving *serving_new(void)
{
    struct serving *s = mem_zalloc(sizeof *s);
    arena_init(&s->arena, ARENA_BYTES);
    return s;
}

void serving_init(unsigned slots)
{
    rcu_init(&rcu, slots, free_object);
}

const struct serving *serving_get(void)
{
    struct rcu_object *o = rcu_get(&rcu);
    return o ? serving_of(o) : NULL;
}

void serving_quiescent(unsigned slot)
{
    rcu_quiescent(&rcu, slot);
}

void serving_leave(unsigned slot)
{
    rcu_leave(&rcu, slot);
}

void serving_publish(struct serving *next)
{
    rcu_publish(&rcu, &next->rcu);
}

void serving_collect(void)
{
    rcu_collect(&rcu);
}

void serving_shutdown(void)
{
    rcu_shutdown(&rcu);
}

/* ---- finding ---- */

const struct serving_entry *serving_entry_of(const struct serving *s, struct str model, struct str alias)
{
    for (size_t i = 0; s && i < s->entries_count; i++)
        if (str_eq(s->entries[i].model, model) && str_eq(s->entries[i].alias, alias))
            return &s->entries[i];
    return NULL;
}

static const struct serving_entry *first_of(const struct serving *s, enum serving_view view, struct str alias)
{
    for (size_t i = 0; s && i < s->entries_count; i++)
        if (s->entries[i].view == view && str_eq(s->entries[i].alias, alias))
            return &s->entries[i];
    return NULL;
}

/* "a@champion, a@challenger, b@champion" */
static void known_names(const struct serving *s, enum serving_view view, struct buf *out)
{
    for (size_t i = 0; s && i < s->entries_count; i++) {
        const struct serving_entry *e = &s->entries[i];
        if (e->view != view)
            continue;
        if (out->n + e->model.n + e->alias.n > KNOWN_MAX) {
            buf_add_c(out, ", …");
            return;
        }
        buf_addf(out, "%s" STR_FMT "@" STR_FMT, out->n ? ", " : "", STR_ARG(e->model), STR_ARG(e->alias));
    }
}

static void not_known(const struct serving *s, enum serving_view view, struct str model, struct str alias,
                      struct err *err)
{
    AUTO(buf_release) struct buf known;
    buf_init(&known, 2 * KNOWN_MAX);
    known_names(s, view, &known);
    struct str text = known.n ? buf_str(&known) : STR("none");
    if (model.n)
        err_set(err, ERR_NOT_FOUND, "model \"" STR_FMT "@" STR_FMT "\" is not known; known are: " STR_FMT,
                STR_ARG(str_cut(model, 64)), STR_ARG(str_cut(alias, 32)), STR_ARG(text));
    else
        err_set(err, ERR_NOT_FOUND, "no %s has the alias \"" STR_FMT "\"; known are: " STR_FMT,
                serving_view_names[view], STR_ARG(str_cut(alias, 64)), STR_ARG(text));
}

const struct serving_entry *serving_find(const struct serving *s, enum serving_view view, struct str model,
                                         struct str alias, struct err *err)
{
    const struct serving_entry *e = model.n ? serving_entry_of(s, model, alias) : first_of(s, view, alias);
    if (!e) {
        not_known(s, view, model, alias, err);
        return NULL;
    }
    if (e->view != view) {
        err_set(err, ERR_INVALID, "model \"" STR_FMT "\" is of kind \"" STR_FMT "\": it is no %s", STR_ARG(e->model),
                STR_ARG(e->kind), serving_view_names[view]);
        return NULL;
    }
    if (!e->served) {
        err_set(err, ERR_BUSY, "model \"" STR_FMT "\" is not there yet: " STR_FMT, STR_ARG(e->model),
                STR_ARG(str_cut(e->error, SHOWN_MAX)));
        return NULL;
    }
    return e;
}

bool serving_forgets(const struct serving *s, const struct serving_entry *e, struct str unit)
{
    size_t lo = 0, hi = s->erased_count;
    uint64_t hash = hi ? hash64(unit) : 0;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->erased[mid].hash == hash)
            return e->made_us < s->erased[mid].at_us + RUN_MAX_US;
        if (s->erased[mid].hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}
