/* Publishing (base/rcu.h) and looking up. Readers hold a snapshot only inside a callback. */
#include "experimentd/config/snapshot.h"

#include <sodium.h>
#include <stddef.h>

#include "experimentd/config/keys.h"
#include "experimentd/config/snapshot_parts.h"

static struct rcu rcu;
static uint64_t published; /* control thread only */

static struct snapshot_whole *whole_of(struct rcu_object *o)
{
    return (struct snapshot_whole *)(void *)((char *)o - offsetof(struct snapshot_whole, rcu));
}

static void free_object(struct rcu_object *o)
{
    snapshot_free(&whole_of(o)->s);
}

void snapshot_init(unsigned count)
{
    rcu_init(&rcu, count, free_object);
}

const struct snapshot *snapshot_get(void)
{
    struct rcu_object *o = rcu_get(&rcu);
    return o ? &whole_of(o)->s : NULL;
}

void snapshot_quiescent(unsigned slot)
{
    rcu_quiescent(&rcu, slot);
}

void snapshot_leave(unsigned slot)
{
    rcu_leave(&rcu, slot);
}

void snapshot_collect(void)
{
    rcu_collect(&rcu);
}

void snapshot_publish(struct snapshot *next)
{
    struct snapshot_whole *w = (struct snapshot_whole *)(void *)next;
    w->serial = ++published;
    rcu_publish(&rcu, &w->rcu);
}

void snapshot_shutdown(void)
{
    rcu_shutdown(&rcu);
}

void snapshot_free(struct snapshot *s)
{
    struct snapshot_whole *w = (struct snapshot_whole *)(void *)s;
    if (!w)
        return;
    for (int view = 0; view < VIEW_COUNT; view++)
        assign_payload_free(w->views[view].payload);
    arena_release(&w->arena);
    mem_free(w);
}

/* ---- looking up ---- */

static int order(struct str a, struct str b)
{
    int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

const struct snapshot_experiment *snapshot_experiment(const struct snapshot *s, struct str key)
{
    size_t lo = 0, hi = s ? s->experiments_count : 0;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int d = order(s->experiments[mid].key, key);
        if (d == 0)
            return &s->experiments[mid];
        if (d < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const struct snapshot_object *snapshot_object(const struct snapshot *s, enum object_kind kind, struct str key)
{
    size_t lo = 0, hi = s ? s->objects[kind].n : 0;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int d = order(s->objects[kind].p[mid].key, key);
        if (d == 0)
            return &s->objects[kind].p[mid];
        if (d < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const struct snapshot_metric *snapshot_metric(const struct snapshot *s, struct str key)
{
    for (size_t i = 0; i < s->metrics_count; i++)
        if (str_eq(s->metrics[i].key, key))
            return &s->metrics[i];
    return NULL;
}

static const struct snapshot_key *find_key(const struct snapshot_whole *w, struct str key)
{
    unsigned char hash[KEY_HASH_BYTES];
    size_t at;
    (void)crypto_generichash(hash, sizeof hash, (const unsigned char *)key.p, key.n, NULL, 0);
    memcpy(&at, hash, sizeof at);
    for (;; at++) {
        const struct snapshot_key *k = &w->keys[at & (w->keys_room - 1)];
        if (k->scope == SCOPE_NONE)
            return NULL;
        if (memcmp(k->hash, hash, sizeof hash) == 0) /* of digests: how long it takes tells nothing of the key */
            return k;
    }
}

/* Hashing the key was 4 % of an answer (perf), and clients send the same one each time: each thread remembers the last that it found.
 * The serial number says in which snapshot, so a revoked key is forgotten with it; an address may come again. */
static _Thread_local struct {
    uint64_t serial;
    const struct snapshot_key *key;
    size_t n;
    char text[KEY_TEXT_MAX];
} last_found;

static bool is_last_found(const struct snapshot_whole *w, struct str key)
{
    return w->serial && last_found.serial == w->serial && last_found.n == key.n &&
           sodium_memcmp(last_found.text, key.p, key.n) == 0;
}

static void remember(const struct snapshot_whole *w, struct str key, const struct snapshot_key *k)
{
    if (key.n > sizeof last_found.text)
        return;
    last_found.serial = w->serial;
    last_found.key = k;
    last_found.n = key.n;
    memcpy(last_found.text, key.p, key.n);
}

static const struct snapshot_key *key_of(const struct snapshot *s, struct str key)
{
    const struct snapshot_whole *w = (const struct snapshot_whole *)(const void *)s;
    bool again = is_last_found(w, key);
    const struct snapshot_key *k = again ? last_found.key : find_key(w, key);
    if (k && !again)
        remember(w, key, k);
    return k;
}

enum key_scope snapshot_key_scope(const struct snapshot *s, struct str key, struct str *out_label)
{
    const struct snapshot_key *k = key_of(s, key);
    if (!k)
        return SCOPE_NONE;
    *out_label = k->label;
    return k->scope;
}

const struct signal_schema *snapshot_key_schema(const struct snapshot *s, struct str key)
{
    const struct snapshot_key *k = key_of(s, key);
    return k ? k->schema : NULL;
}
