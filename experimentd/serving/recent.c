#include "experimentd/serving/recent.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/hash.h"

enum { LOCKS = 64, SLOT_HEAD = 24, DATA_BYTES = RECENT_UNIT_BYTES - SLOT_HEAD };

/* Documents lie in `data` one behind the other, newest first: head and text. */
struct slot {
    uint64_t hash; /* 0: free */
    int64_t seen_us;
    uint32_t docs, bytes;
    char data[DATA_BYTES];
};
static_assert(sizeof(struct slot) == RECENT_UNIT_BYTES, "a unit has its place");

struct doc_head {
    int64_t at_us;
    float weight;
    uint32_t n;
};

struct recent {
    struct slot *slots;
    size_t sets, mapped_bytes; /* sets: a power of two, or 0 */
    struct {
        _Alignas(64) pthread_mutex_t mutex;
        uint64_t units;
    } locks[LOCKS];
};

struct recent *recent_new(size_t limit_bytes)
{
    struct recent *r = mem_zalloc(sizeof *r);
    size_t sets = limit_bytes / (RECENT_WAYS * sizeof(struct slot));
    for (size_t power = 1; power <= sets; power *= 2)
        r->sets = power;
    r->mapped_bytes = r->sets * RECENT_WAYS * sizeof(struct slot);
    if (r->mapped_bytes) {
        void *p = mmap(NULL, r->mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                       0);
        r->sets = p == MAP_FAILED ? 0 : r->sets;
        r->slots = p == MAP_FAILED ? NULL : p;
    }
    for (int i = 0; i < LOCKS; i++)
        (void)pthread_mutex_init(&r->locks[i].mutex, NULL);
    return r;
}

void recent_free(struct recent *r)
{
    if (!r)
        return;
    if (r->slots)
        (void)munmap(r->slots, r->mapped_bytes);
    for (int i = 0; i < LOCKS; i++)
        (void)pthread_mutex_destroy(&r->locks[i].mutex);
    mem_free(r);
}

double recent_weight(struct str type)
{
    static const struct {
        const char *type;
        double weight;
    } rows[] = { { "click", 1 }, { "cart", 10 }, { "purchase", 25 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_eq_c(type, rows[i].type))
            return rows[i].weight;
    return 0;
}

/* ---- sets and slots; the caller holds the set's lock ---- */

static uint64_t key_of(struct str unit)
{
    uint64_t hash = hash64(unit);
    return hash ? hash : 1;
}

static size_t set_of(const struct recent *r, uint64_t hash)
{
    return (size_t)(hash >> 12) & (r->sets - 1);
}

static struct slot *slot_at(const struct recent *r, uint64_t hash)
{
    struct slot *set = r->slots + set_of(r, hash) * RECENT_WAYS;
    for (int i = 0; i < RECENT_WAYS; i++)
        if (set[i].hash == hash)
            return &set[i];
    return NULL;
}

/* The slot of a unit that is not there: a free one, or that of the unit seen longest ago. */
static struct slot *slot_for(struct recent *r, uint64_t hash)
{
    size_t number = set_of(r, hash);
    struct slot *set = r->slots + number * RECENT_WAYS, *oldest = set;
    for (int i = 0; i < RECENT_WAYS && oldest->hash; i++)
        if (!set[i].hash || set[i].seen_us < oldest->seen_us)
            oldest = &set[i];
    r->locks[number % LOCKS].units += !oldest->hash;
    oldest->hash = hash;
    oldest->docs = oldest->bytes = 0;
    oldest->seen_us = 0;
    return oldest;
}

static struct doc_head head_at(const struct slot *s, size_t at)
{
    struct doc_head h;
    memcpy(&h, s->data + at, sizeof h);
    return h;
}

/* Takes the document out, so that it can be put in front; *weight becomes the greater one. */
static void take_out(struct slot *s, struct str doc, float *weight)
{
    for (size_t at = 0; at < s->bytes;) {
        struct doc_head h = head_at(s, at);
        size_t size = sizeof h + h.n;
        if (h.n == doc.n && memcmp(s->data + at + sizeof h, doc.p, doc.n) == 0) {
            memmove(s->data + at, s->data + at + size, s->bytes - at - size);
            s->bytes -= (uint32_t)size;
            s->docs--;
            *weight = h.weight > *weight ? h.weight : *weight;
            return;
        }
        at += size;
    }
}

/* Drops the oldest until a document of this size has room in front. */
static void make_room(struct slot *s, size_t size)
{
    size_t at = 0;
    uint32_t kept = 0;
    while (at < s->bytes && kept + 1 < RECENT_DOCS) {
        struct doc_head h = head_at(s, at);
        if (at + sizeof h + h.n + size > DATA_BYTES)
            break;
        at += sizeof h + h.n;
        kept++;
    }
    s->bytes = (uint32_t)at;
    s->docs = kept;
}

static void put_in_front(struct slot *s, struct str doc, float weight, int64_t at_us)
{
    struct doc_head h = { .at_us = at_us, .weight = weight, .n = (uint32_t)doc.n };
    take_out(s, doc, &h.weight);
    make_room(s, sizeof h + doc.n);
    memmove(s->data + sizeof h + doc.n, s->data, s->bytes);
    memcpy(s->data, &h, sizeof h);
    memcpy(s->data + sizeof h, doc.p, doc.n);
    s->bytes += (uint32_t)(sizeof h + doc.n);
    s->docs++;
    s->seen_us = at_us > s->seen_us ? at_us : s->seen_us;
}

/* ---- what others call ---- */

static pthread_mutex_t *lock(struct recent *r, uint64_t hash)
{
    pthread_mutex_t *m = &r->locks[set_of(r, hash) % LOCKS].mutex;
    (void)pthread_mutex_lock(m);
    return m;
}

void recent_note(struct recent *r, struct str unit, struct str doc, double weight, int64_t at_us)
{
    uint64_t hash = key_of(unit);
    if (!r->sets || !doc.n || sizeof(struct doc_head) + doc.n > DATA_BYTES)
        return;
    pthread_mutex_t *m = lock(r, hash);
    struct slot *s = slot_at(r, hash);
    put_in_front(s ? s : slot_for(r, hash), doc, (float)weight, at_us);
    (void)pthread_mutex_unlock(m);
}

static size_t copy_docs(const struct slot *s, int64_t since_us, struct arena *arena, struct recommend_event *out)
{
    size_t n = 0;
    for (size_t at = 0; at < s->bytes;) {
        struct doc_head h = head_at(s, at);
        if (h.at_us >= since_us)
            out[n++] = (struct recommend_event){ arena_str(arena, (struct str){ s->data + at + sizeof h, h.n }),
                                                 (double)h.weight };
        at += sizeof h + h.n;
    }
    return n;
}

size_t recent_get(struct recent *r, struct str unit, int64_t now_us, struct arena *arena, struct recommend_event **out)
{
    uint64_t hash = key_of(unit);
    size_t n = 0;
    if (!r->sets)
        return 0;
    pthread_mutex_t *m = lock(r, hash);
    const struct slot *s = slot_at(r, hash);
    if (s && s->docs) {
        *out = arena_alloc(arena, s->docs * sizeof **out);
        n = copy_docs(s, now_us - RECENT_AGE_HOURS * 3600 * US_PER_SECOND, arena, *out);
    }
    (void)pthread_mutex_unlock(m);
    return n;
}

void recent_forget(struct recent *r, uint64_t unit_hash)
{
    uint64_t hash = unit_hash ? unit_hash : 1;
    if (!r->sets)
        return;
    pthread_mutex_t *m = lock(r, hash);
    struct slot *s = slot_at(r, hash);
    if (s) {
        memset(s, 0, sizeof *s);
        r->locks[set_of(r, hash) % LOCKS].units--;
    }
    (void)pthread_mutex_unlock(m);
}

void recent_stats(struct recent *r, uint64_t *out_units, uint64_t *out_room)
{
    *out_units = 0;
    *out_room = r->sets * RECENT_WAYS;
    for (int i = 0; i < LOCKS; i++) {
        (void)pthread_mutex_lock(&r->locks[i].mutex);
        *out_units += r->locks[i].units;
        (void)pthread_mutex_unlock(&r->locks[i].mutex);
    }
}
