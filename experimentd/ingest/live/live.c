#include "experimentd/ingest/live/live.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"

enum which_ring { TAKEN, REFUSED, RINGS };
static_assert(LIVE_WATCHES_MAX <= 32, "a bit for every watch");
static_assert(LIVE_RING >= 2 * LIVE_PER_SECOND, "a watch that looks several times a second misses nothing of it");

struct record {
    uint64_t sequence;
    uint32_t watches; /* a bit for each that has yet to see it */
    struct live_traits traits;
    struct str json;
    char bytes[];
};

struct ring {
    struct record *records[LIVE_RING];
    uint64_t head; /* records ever; the newest is head - 1 */
};

/* How many more of a ring's kind in this second. */
struct window {
    int64_t until_us;
    unsigned left[RINGS];
};

struct slot {
    bool open;
    uint64_t opening; /* which of them: the generation that it made */
    struct live_filter filter;
};

struct recorder {
    pthread_mutex_t lock;
    struct ring rings[RINGS]; /* under the lock */
    /* of its worker alone */
    struct window window, watch_windows[LIVE_WATCHES_MAX];
    uint64_t generation;
    bool watched;
    struct slot slots[LIVE_WATCHES_MAX]; /* a copy of live's */
    struct buf json;
    _Atomic uint64_t skipped[LIVE_WATCHES_MAX]; /* counter.h */
};

struct live {
    pthread_mutex_t lock;
    struct slot slots[LIVE_WATCHES_MAX]; /* under the lock */
    _Atomic uint64_t generation;         /* of slots */
    _Atomic uint64_t sequence;           /* the last that was given */
    unsigned workers;
    struct recorder recorders[];
};

struct live_watch {
    struct live *live;
    struct live_filter filter;
    unsigned slot;
    bool began;
    uint64_t after, told; /* told: left out, as counted up to the last look */
    struct window window;
};

static enum which_ring ring_of(enum live_kind kind)
{
    return kind == LIVE_REJECT ? REFUSED : TAKEN;
}

/* Wall time: a clock that was set back begins a new window. */
static void window_renew(struct window *w, int64_t now_us)
{
    if (now_us < w->until_us && now_us >= w->until_us - US_PER_SECOND)
        return;
    w->until_us = now_us + US_PER_SECOND;
    w->left[TAKEN] = w->left[REFUSED] = LIVE_PER_SECOND;
}

/* ---- life ---- */

struct live *live_new(unsigned workers, int64_t now_us)
{
    struct live *l = mem_zalloc(sizeof *l + workers * sizeof(struct recorder));
    (void)pthread_mutex_init(&l->lock, NULL);
    l->workers = workers;
    l->sequence = (uint64_t)now_us;
    for (unsigned i = 0; i < workers; i++) {
        (void)pthread_mutex_init(&l->recorders[i].lock, NULL);
        buf_init(&l->recorders[i].json, LIVE_RECORD_BYTES);
    }
    return l;
}

static void recorder_release(struct recorder *r)
{
    for (int k = 0; k < RINGS; k++)
        for (size_t i = 0; i < LIVE_RING; i++)
            mem_free(r->rings[k].records[i]);
    buf_release(&r->json);
    (void)pthread_mutex_destroy(&r->lock);
}

void live_free(struct live *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < l->workers; i++)
        recorder_release(&l->recorders[i]);
    (void)pthread_mutex_destroy(&l->lock);
    mem_free(l);
}

/* ---- recording ---- */

/* Whoever opened or closed a watch has raised the generation. */
static void follow_watches(struct live *l, struct recorder *r)
{
    if (atomic_load_explicit(&l->generation, memory_order_acquire) == r->generation)
        return;
    (void)pthread_mutex_lock(&l->lock);
    for (int i = 0; i < LIVE_WATCHES_MAX; i++)
        if (l->slots[i].opening != r->slots[i].opening)
            r->watch_windows[i] = (struct window){ 0 }; /* what the last one had of this second is not the new one's */
    memcpy(r->slots, l->slots, sizeof r->slots);
    r->generation = atomic_load_explicit(&l->generation, memory_order_relaxed);
    (void)pthread_mutex_unlock(&l->lock);
    r->watched = false;
    for (int i = 0; i < LIVE_WATCHES_MAX; i++)
        r->watched |= r->slots[i].open;
}

bool live_wants(struct live *l, unsigned worker, enum live_kind kind, int64_t now_us)
{
    struct recorder *r = &l->recorders[worker];
    follow_watches(l, r);
    window_renew(&r->window, now_us);
    return r->watched || r->window.left[ring_of(kind)];
}

/* The watches that get it, as bits; those that would, but have had their share, count it. */
static uint32_t watches_for(struct recorder *r, const struct live_traits *t, int64_t now_us)
{
    uint32_t bits = 0;
    for (unsigned i = 0; r->watched && i < LIVE_WATCHES_MAX; i++) {
        struct window *w = &r->watch_windows[i];
        if (!r->slots[i].open || !live_filter_picks(&r->slots[i].filter, t))
            continue;
        window_renew(w, now_us);
        if (w->left[ring_of(t->kind)]) {
            w->left[ring_of(t->kind)]--;
            bits |= 1u << i;
        } else {
            counter_add(&r->skipped[i], 1);
        }
    }
    return bits;
}

static struct str put(char **at, struct str s)
{
    struct str kept = { *at, s.n };
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return kept;
}

static struct record *record_new(uint64_t sequence, uint32_t watches, const struct live_traits *t, struct str json)
{
    struct record *rec = mem_alloc(sizeof *rec + t->type.n + t->unit.n + t->text.n + json.n);
    char *at = rec->bytes;
    rec->sequence = sequence;
    rec->watches = watches;
    rec->traits = *t;
    rec->traits.type = put(&at, t->type);
    rec->traits.unit = put(&at, t->unit);
    rec->traits.text = put(&at, t->text);
    rec->json = put(&at, json);
    return rec;
}

/* A record that leaves before all have seen it was left out for those. */
static void ring_add(struct recorder *r, struct record *rec)
{
    struct ring *ring = &r->rings[ring_of(rec->traits.kind)];
    (void)pthread_mutex_lock(&r->lock);
    struct record **place = &ring->records[ring->head++ % LIVE_RING], *old = *place;
    *place = rec;
    (void)pthread_mutex_unlock(&r->lock);
    for (unsigned i = 0; old && i < LIVE_WATCHES_MAX; i++)
        if (old->watches & 1u << i)
            counter_add(&r->skipped[i], 1);
    mem_free(old);
}

void live_note(struct live *l, unsigned worker, const struct live_item *item)
{
    struct recorder *r = &l->recorders[worker];
    struct live_traits t;
    if (!live_wants(l, worker, item->kind, item->received_us))
        return;
    live_traits_of(item, &t);
    uint32_t watches = watches_for(r, &t, item->received_us);
    unsigned *left = &r->window.left[ring_of(item->kind)];
    if (!watches && !*left)
        return;
    if (*left)
        --*left;
    uint64_t sequence = atomic_fetch_add_explicit(&l->sequence, 1, memory_order_relaxed) + 1;
    buf_clear(&r->json);
    live_item_write(item, sequence, &r->json);
    if (!r->json.failed)
        ring_add(r, record_new(sequence, watches, &t, buf_str(&r->json)));
}

/* ---- looking ---- */

struct look {
    const struct live_filter *filter; /* NULL: what waits for the watch */
    uint32_t bit;                     /* of the watch: what it has seen is marked; 0: none */
    uint64_t after;
    struct arena *arena;
    struct live_batch *out;
    size_t room;
};

static void look_add(struct look *k, const struct record *rec)
{
    struct live_batch *out = k->out;
    if (out->count == k->room) {
        k->room = k->room ? 2 * k->room : 64;
        struct live_entry *next = arena_alloc(k->arena, k->room * sizeof *next);
        if (out->count)
            memcpy(next, out->entries, out->count * sizeof *next);
        out->entries = next;
    }
    out->entries[out->count++] = (struct live_entry){ rec->sequence, rec->traits.kind, arena_str(k->arena, rec->json) };
}

/* Newest first. */
static void look_at_ring(struct look *k, const struct ring *ring, size_t max)
{
    uint64_t held = ring->head < LIVE_RING ? ring->head : LIVE_RING;
    size_t found = 0;
    for (uint64_t i = 1; i <= held && found < max; i++) {
        struct record *rec = ring->records[(ring->head - i) % LIVE_RING];
        bool wanted = k->filter ? live_filter_picks(k->filter, &rec->traits) : (rec->watches & k->bit) != 0;
        rec->watches &= ~k->bit;
        if (!wanted || rec->sequence <= k->after)
            continue;
        look_add(k, rec);
        found++;
    }
}

static int by_sequence(const void *a, const void *b)
{
    uint64_t x = ((const struct live_entry *)a)->sequence, y = ((const struct live_entry *)b)->sequence;
    return (x > y) - (x < y);
}

/* Keeps the newest max of each ring's kind; returns how many went. */
static size_t keep_newest(struct live_batch *b, const size_t max[RINGS])
{
    size_t kept[RINGS] = { 0 }, to = b->count, gone = 0;
    for (size_t i = b->count; i-- > 0;) {
        size_t *k = &kept[ring_of(b->entries[i].kind)];
        if (*k == max[ring_of(b->entries[i].kind)]) {
            gone++;
            continue;
        }
        ++*k;
        b->entries[--to] = b->entries[i];
    }
    b->entries += to;
    b->count -= to;
    return gone;
}

static void look_everywhere(struct live *l, struct look *k, size_t max)
{
    *k->out = (struct live_batch){ 0 };
    for (unsigned i = 0; i < l->workers; i++) {
        struct recorder *r = &l->recorders[i];
        (void)pthread_mutex_lock(&r->lock);
        for (int which = 0; which < RINGS; which++)
            look_at_ring(k, &r->rings[which], max);
        (void)pthread_mutex_unlock(&r->lock);
    }
    if (k->out->count)
        qsort(k->out->entries, k->out->count, sizeof *k->out->entries, by_sequence);
}

static void look_back(struct live *l, struct look *k)
{
    static const size_t max[RINGS] = { LIVE_LAST_MAX, LIVE_LAST_MAX };
    look_everywhere(l, k, LIVE_LAST_MAX);
    if (k->out->count)
        (void)keep_newest(k->out, max);
}

void live_last(struct live *l, const struct live_filter *f, struct arena *arena, struct live_batch *out)
{
    struct look k = { .filter = f, .arena = arena, .out = out };
    look_back(l, &k);
}

/* ---- watches ---- */

static uint64_t skipped_of(const struct live *l, unsigned slot)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < l->workers; i++)
        sum += counter_get(&l->recorders[i].skipped[slot]);
    return sum;
}

struct live_watch *live_watch_open(struct live *l, const struct live_filter *f, uint64_t after, struct err *err)
{
    unsigned slot = 0;
    (void)pthread_mutex_lock(&l->lock);
    while (slot < LIVE_WATCHES_MAX && l->slots[slot].open)
        slot++;
    if (slot < LIVE_WATCHES_MAX) {
        uint64_t opening = atomic_fetch_add_explicit(&l->generation, 1, memory_order_release) + 1;
        l->slots[slot] = (struct slot){ true, opening, *f };
    }
    (void)pthread_mutex_unlock(&l->lock);
    if (slot == LIVE_WATCHES_MAX) {
        err_set(err, ERR_BUSY, "%d live views are open already", LIVE_WATCHES_MAX);
        return NULL;
    }
    struct live_watch *w = mem_zalloc(sizeof *w);
    *w = (struct live_watch){ .live = l, .filter = *f, .slot = slot, .after = after, .told = skipped_of(l, slot) };
    return w;
}

static void look_since(struct live_watch *w, int64_t now_us, struct look *k)
{
    struct live_batch *out = k->out;
    look_everywhere(w->live, k, LIVE_RING);
    window_renew(&w->window, now_us);
    const size_t max[RINGS] = { w->window.left[TAKEN], w->window.left[REFUSED] };
    size_t gone = out->count ? keep_newest(out, max) : 0;
    for (size_t i = 0; i < out->count; i++)
        w->window.left[ring_of(out->entries[i].kind)]--;
    uint64_t skipped = skipped_of(w->live, w->slot);
    out->skipped = skipped - w->told + gone;
    w->told = skipped;
}

void live_watch_next(struct live_watch *w, int64_t now_us, struct arena *arena, struct live_batch *out)
{
    struct look k = { .bit = 1u << w->slot, .arena = arena, .out = out };
    if (w->began) {
        look_since(w, now_us, &k);
        return;
    }
    k.filter = &w->filter;
    k.after = w->after;
    look_back(w->live, &k);
    w->began = true;
}

/* The bit is the next one's. */
static void forget(struct recorder *r, uint32_t bit)
{
    (void)pthread_mutex_lock(&r->lock);
    for (int which = 0; which < RINGS; which++)
        for (size_t i = 0; i < LIVE_RING; i++)
            if (r->rings[which].records[i])
                r->rings[which].records[i]->watches &= ~bit;
    (void)pthread_mutex_unlock(&r->lock);
}

void live_watch_close(struct live_watch *w)
{
    if (!w)
        return;
    struct live *l = w->live;
    for (unsigned i = 0; i < l->workers; i++)
        forget(&l->recorders[i], 1u << w->slot);
    (void)pthread_mutex_lock(&l->lock);
    l->slots[w->slot].open = false;
    atomic_fetch_add_explicit(&l->generation, 1, memory_order_release);
    (void)pthread_mutex_unlock(&l->lock);
    mem_free(w);
}
