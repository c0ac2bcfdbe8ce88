#include "experimentd/ingest/load/query_texts.h"

#include "base/hash.h"

enum { SLOTS = 2 * QUERY_TEXTS_WINDOW };

static void generation_release(struct query_texts_generation *g)
{
    mem_free(g->slots);
    mem_free(g->texts);
    *g = (struct query_texts_generation){ 0 };
}

void query_texts_release(struct query_texts *q)
{
    generation_release(&q->young);
    generation_release(&q->old);
}

static uint64_t key_of(struct str query_id)
{
    uint64_t key = hash64(query_id);
    return key ? key : 1;
}

/* Its slot, or the free one where it would be. */
static struct query_texts_slot *slot_of(const struct query_texts_generation *g, uint64_t key)
{
    size_t at = (size_t)(key >> 20) & (SLOTS - 1);
    while (g->slots[at].key && g->slots[at].key != key)
        at = (at + 1) & (SLOTS - 1);
    return &g->slots[at];
}

static void turn(struct query_texts *q)
{
    generation_release(&q->old);
    q->old = q->young;
    q->young = (struct query_texts_generation){ .slots = mem_zalloc(SLOTS * sizeof *q->young.slots),
                                                .texts = mem_alloc(QUERY_TEXTS_BYTES) };
}

/* The first text of an id stays, so that an id which a client uses for ever costs nothing. */
static void remember(struct query_texts *q, struct str query_id, struct str query)
{
    uint64_t key = key_of(query_id);
    if (!q->young.slots || q->young.used == QUERY_TEXTS_WINDOW || q->young.bytes + query.n > QUERY_TEXTS_BYTES)
        turn(q);
    struct query_texts_slot *s = slot_of(&q->young, key);
    if (s->key)
        return;
    *s = (struct query_texts_slot){ key, (uint32_t)q->young.bytes, (uint32_t)query.n };
    memcpy(q->young.texts + q->young.bytes, query.p, query.n);
    q->young.bytes += query.n;
    q->young.used++;
}

static bool find(const struct query_texts_generation *g, uint64_t key, struct str *out)
{
    if (!g->slots)
        return false;
    const struct query_texts_slot *s = slot_of(g, key);
    if (s->key)
        *out = (struct str){ g->texts + s->at, s->bytes };
    return s->key != 0;
}

void query_texts_apply(struct query_texts *q, struct signal *signals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (signals[i].query_id.n && signals[i].query.n)
            remember(q, signals[i].query_id, signals[i].query);
    for (size_t i = 0; i < count; i++) {
        if (!signals[i].query_id.n || signals[i].query.n)
            continue;
        uint64_t key = key_of(signals[i].query_id);
        if (!find(&q->young, key, &signals[i].query))
            (void)find(&q->old, key, &signals[i].query);
    }
}
