#include "experimentd/evaluate/evaluation_parts.h"
#include "experimentd/evaluate/sticky.h"
#include "experimentd/worker.h"

/* Attributes that one unit has documents under; of a configuration with more, the rest has none. */
enum { ATTRIBUTES_MAX = 16, CHANGES_FIRST = 8 };

struct reading;

/* What is known of one unit; evaluation.stickies. */
struct pending_sticky {
    struct reading *reading;
    struct sticky_doc *docs; /* part of the request's */
    size_t docs_count;
    size_t changes_from; /* its changes in the request's list, which are the last while it is evaluated */
};

/* All units of a request. */
struct reading {
    struct evaluation **list;
    size_t n;
    evaluations_fn ready;
    void *arg;
    struct arena *arena;
    struct sticky *sticky;
    struct sticky_doc *docs;
    size_t docs_count;
    struct sticky_change *changes;
    size_t changes_count, changes_room;
};

static struct str str_from(struct assign_text t)
{
    return (struct str){ t.p, t.n };
}

static struct assign_text text_from(struct str s)
{
    return (struct assign_text){ s.p, s.n };
}

/* ---- documents of a unit ---- */

/* An attribute's value as it is hashed, and as SDKs name its document; empty: it has none. */
static struct str value_text(const struct assign_value *v, struct arena *arena)
{
    if (!v || !assign_truthy(v))
        return (struct str){ NULL, 0 };
    if (v->type == ASSIGN_STRING)
        return str_from(v->text);
    if (v->type == ASSIGN_BOOL)
        return STR("true");
    if (v->type != ASSIGN_NUMBER)
        return (struct str){ NULL, 0 };
    char *text = arena_alloc(arena, ASSIGN_NUMBER_TEXT_MAX);
    return (struct str){ text, assign_number_text(v->number, text) };
}

static void name_docs(struct reading *r, struct evaluation *e)
{
    const struct assign_payload *p = evaluation_payload(e);
    struct pending_sticky *mine = arena_zalloc(r->arena, sizeof *mine);
    *mine = (struct pending_sticky){ .reading = r, .docs = &r->docs[r->docs_count] };
    e->stickies = mine;
    for (size_t i = 0; i < assign_sticky_attribute_count(p) && i < ATTRIBUTES_MAX; i++) {
        struct str attribute = str_from(assign_sticky_attribute(p, i));
        struct str value = value_text(assign_member(&e->unit.attributes, attribute.p, attribute.n), r->arena);
        if (value.n == 0)
            continue;
        /* The snapshot that the name lies in may be gone when the document has been read. */
        mine->docs[mine->docs_count++] = (struct sticky_doc){ .attribute = arena_str(r->arena, attribute),
                                                              .value = value };
    }
    r->docs_count += mine->docs_count;
}

/* Hands the unit what stands. */
static void give_docs(struct evaluation *e)
{
    const struct pending_sticky *mine = e->stickies;
    struct arena *arena = mine->reading->arena;
    struct assign_sticky *out = arena_alloc(arena, (mine->docs_count + 1) * sizeof *out);
    for (size_t i = 0; i < mine->docs_count; i++) {
        const struct sticky_doc *d = &mine->docs[i];
        struct assign_member *members = arena_alloc(arena, (d->n + 1) * sizeof *members);
        for (size_t k = 0; k < d->n; k++)
            members[k] = (struct assign_member){ text_from(d->items[k].experiment),
                                                 { .type = ASSIGN_STRING, .text = text_from(d->items[k].variant) } };
        out[i] = (struct assign_sticky){ text_from(d->attribute),
                                         text_from(d->value),
                                         { .type = ASSIGN_OBJECT, .count = (uint32_t)d->n, .members = members } };
    }
    e->unit.sticky = out;
    e->unit.sticky_count = mine->docs_count;
    e->unit.sticky_on = true;
}

static struct sticky_doc *doc_of(const struct pending_sticky *mine, struct str attribute, struct str value)
{
    for (size_t i = 0; i < mine->docs_count; i++)
        if (str_eq(mine->docs[i].attribute, attribute) && str_eq(mine->docs[i].value, value))
            return &mine->docs[i];
    return NULL;
}

static struct sticky_item *item_of(const struct sticky_doc *d, struct str experiment)
{
    for (size_t i = 0; i < d->n; i++)
        if (str_eq(d->items[i].experiment, experiment))
            return &d->items[i];
    return NULL;
}

/* ---- what is new ---- */

static void add_change(struct reading *r, const struct sticky_change *x)
{
    if (r->changes_count == r->changes_room) {
        struct sticky_change *old = r->changes;
        r->changes_room = r->changes_room ? 2 * r->changes_room : CHANGES_FIRST;
        r->changes = arena_alloc(r->arena, r->changes_room * sizeof *r->changes);
        if (r->changes_count)
            memcpy(r->changes, old, r->changes_count * sizeof *old);
    }
    r->changes[r->changes_count++] = *x;
}

static bool noted(const struct pending_sticky *mine, const struct sticky_doc *d, struct str experiment)
{
    const struct reading *r = mine->reading;
    for (size_t i = mine->changes_from; i < r->changes_count; i++)
        if (str_eq(r->changes[i].attribute, d->attribute) && str_eq(r->changes[i].value, d->value) &&
            str_eq(r->changes[i].item.experiment, experiment))
            return true;
    return false;
}

/* A whole document comes each time; what differs from what was read is new. */
static void on_sticky(void *arg, const struct assign_sticky *doc)
{
    const struct pending_sticky *mine = ((struct evaluation *)arg)->stickies;
    const struct sticky_doc *d = doc_of(mine, str_from(doc->attribute), str_from(doc->value));
    struct arena *arena = mine->reading->arena;
    for (uint32_t i = 0; d && i < doc->assignments.count; i++) {
        const struct assign_member *m = &doc->assignments.members[i];
        struct str experiment = str_from(m->key), variant = str_from(m->value.text);
        const struct sticky_item *was = item_of(d, experiment);
        if (m->value.type != ASSIGN_STRING || (was && str_eq(was->variant, variant)) || noted(mine, d, experiment))
            continue;
        const struct sticky_change x = { d->attribute,
                                         d->value,
                                         was ? was->variant : (struct str){ NULL, 0 },
                                         { arena_str(arena, experiment), arena_str(arena, variant) } };
        add_change(mine->reading, &x);
    }
}

static void find_changes(struct evaluation *e)
{
    const size_t *features;
    struct assign_result ignored;
    e->stickies->changes_from = e->stickies->reading->changes_count;
    give_docs(e);
    e->unit.on_sticky = on_sticky;
    evaluation_bind(e);
    size_t n = evaluation_sticky_features(e, &features);
    for (size_t i = 0; e->session && i < n; i++)
        if (!assign_eval(e->session, features[i], &ignored, NULL))
            return; /* memory's limit: the evaluation proper will say so */
}

/* ---- the way ---- */

static void finish(struct reading *r)
{
    for (size_t i = 0; i < r->n; i++) {
        r->list[i]->unit.on_sticky = NULL; /* what else may turn up is not asked for, and decided by the hash */
        evaluation_bind(r->list[i]);
    }
    r->ready(r->list, r->n, r->arg);
}

static void take_over(const struct pending_sticky *mine, const struct sticky_change *x)
{
    struct sticky_doc *d = doc_of(mine, x->attribute, x->value);
    struct sticky_item *known = item_of(d, x->item.experiment);
    if (known) {
        known->variant = x->item.variant;
        return;
    }
    struct sticky_item *items = arena_alloc(mine->reading->arena, (d->n + 1) * sizeof *items);
    if (d->n)
        memcpy(items, d->items, d->n * sizeof *items);
    items[d->n++] = x->item;
    d->items = items;
}

static void sticky_written(void *arg, bool stored)
{
    struct reading *r = arg;
    for (size_t i = 0; stored && i < r->n; i++) {
        const struct pending_sticky *mine = r->list[i]->stickies;
        size_t end = i + 1 < r->n ? r->list[i + 1]->stickies->changes_from : r->changes_count;
        for (size_t k = mine->changes_from; k < end; k++)
            take_over(mine, &r->changes[k]);
        give_docs(r->list[i]);
    }
    finish(r);
}

static void sticky_known(void *arg, bool stored)
{
    struct reading *r = arg;
    for (size_t i = 0; i < r->n; i++)
        find_changes(r->list[i]);
    if (stored && r->changes_count)
        sticky_write(r->sticky, r->changes, r->changes_count, r->arena, sticky_written, r);
    else
        finish(r);
}

bool evaluation_sticky_begin(struct evaluation **list, size_t n, evaluations_fn ready, void *arg)
{
    const size_t *features;
    size_t wanted = 0;
    for (size_t i = 0; i < n; i++)
        wanted += evaluation_sticky_features(list[i], &features);
    if (!wanted)
        return false;
    struct arena *arena = &list[0]->req->arena;
    struct reading *r = arena_zalloc(arena, sizeof *r);
    *r = (struct reading){ .n = n, .ready = ready, .arg = arg, .arena = arena, .sticky = list[0]->worker->sticky };
    r->list = arena_alloc(arena, n * sizeof(void *)); /* the caller's may be on its stack */
    memcpy(r->list, list, n * sizeof(void *));
    r->docs = arena_alloc(arena, (n * ATTRIBUTES_MAX + 1) * sizeof *r->docs);
    for (size_t i = 0; i < n; i++)
        name_docs(r, list[i]);
    sticky_read(r->sticky, r->docs, r->docs_count, arena, sticky_known, r);
    return true;
}
