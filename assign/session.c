/* Binding a unit to a payload, and its hashes. */
#include "assign/session.h"

#include <assert.h>

#include "assign/arena.h"
#include "assign/hash.h"
#include "assign/limits.h"
#include "assign/text.h"
#include "assign/value.h"

enum { MANY_SEEDS = 4 };

void assign_lay_out(struct assign_payload *p)
{
    struct assign_layout *at = &p->session;
    static_assert(sizeof(struct assign_session) % _Alignof(struct assign_hashed) == 0, "what follows is aligned");
    at->found = sizeof(struct assign_session);
    at->hashed = at->found + p->paths.n * sizeof(void *);
    at->buckets = at->hashed + p->attributes_count * sizeof(struct assign_hashed);
    at->memo = at->buckets + p->seeds_count * sizeof(int16_t);
    at->bytes = at->memo + p->conditions;
}

struct assign_session *assign_bind(const struct assign_payload *p, const struct assign_unit *unit,
                                   struct assign_arena *arena)
{
    const struct assign_layout *at = &p->session;
    char *room = assign_alloc(arena, at->bytes);
    if (!room)
        return NULL;
    struct assign_session *s = memset(room, 0, at->bytes);
    s->p = p;
    s->unit = unit;
    s->scratch.arena = arena;
    s->scratch.budget = ASSIGN_BUDGET;
    s->scratch.paths = s->subject.paths = p->paths.p;
    s->subject.object = &unit->attributes;
    s->subject.found = (const struct assign_value **)(void *)(room + at->found);
    s->hashed = (struct assign_hashed *)(void *)(room + at->hashed);
    s->buckets = (int16_t *)(void *)(room + at->buckets);
    s->subject.memo = (uint8_t *)room + at->memo;
    s->docs = unit->sticky;
    s->docs_count = unit->sticky_count;
    return s;
}

const struct assign_hashed *assign_hash_value(struct assign_session *s, int attribute)
{
    struct assign_hashed *h = &s->hashed[attribute];
    struct assign_text name = s->p->attributes[attribute];
    const struct assign_value *v = assign_member(&s->unit->attributes, name.p, name.n);
    h->known = true;
    h->value = assign_truthy(v) ? v : NULL;
    if (v && v->type == ASSIGN_STRING) {
        h->text = v->text;
    } else if (h->value && !assign_to_text(v, s->scratch.arena, &h->text)) {
        s->scratch.failed = true;
        h->value = NULL;
    }
    return h->value ? h : NULL;
}

static int16_t hash_of(const struct assign_seed *seed, struct assign_text value)
{
    if (seed->version == 2)
        return (int16_t)(assign_fnv_decimal(ASSIGN_FNV_BASIS, assign_fnv(seed->state, value.p, value.n)) %
                         ASSIGN_SCALE_V2);
    uint32_t h = assign_fnv(assign_fnv(ASSIGN_FNV_BASIS, value.p, value.n), seed->seed.p, seed->seed.n);
    return (int16_t)(h % ASSIGN_SCALE_V1);
}

bool assign_bucket(struct assign_session *s, int seed, double *out)
{
    if (seed < 0)
        return false;
    const struct assign_seed *d = &s->p->seeds[seed];
    if (!s->buckets[seed]) {
        const struct assign_hashed *h = assign_hashed(s, d->attribute);
        if (!h)
            return false;
        s->buckets[seed] = (int16_t)(hash_of(d, h->text) + 1);
    }
    *out = (s->buckets[seed] - 1) / (double)(d->version == 2 ? ASSIGN_SCALE_V2 : ASSIGN_SCALE_V1);
    return true;
}

/* A few are hashed when they are asked for. */
static bool hash_attribute(struct assign_session *s, uint32_t attribute)
{
    const struct assign_payload *p = s->p;
    uint32_t from = p->first[attribute], count = p->first[attribute + 1] - from;
    const struct assign_hashed *h = count >= MANY_SEEDS ? assign_hashed(s, (int)attribute) : NULL;
    if (!h)
        return !s->scratch.failed;
    uint16_t *units = assign_alloc_array(s->scratch.arena, h->text.n + 1, sizeof *units),
             *out = assign_alloc_array(s->scratch.arena, count, sizeof *out);
    if (!units || !out)
        return false;
    assign_hash_many(p->states + from, count, units, assign_text_units(h->text, units), out);
    for (uint32_t i = 0; i < count; i++)
        s->buckets[p->states_of[from + i]] = (int16_t)(out[i] + 1);
    return true;
}

bool assign_hash_all(struct assign_session *s)
{
    for (uint32_t a = 0; a < s->p->attributes_count; a++)
        if (!hash_attribute(s, a))
            return false;
    return true;
}

bool assign_filtered_out(struct assign_session *s, const struct assign_filter *filters, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        double n;
        if (!assign_bucket(s, filters[i].seed, &n) || assign_choose(n, filters[i].ranges, filters[i].count) < 0)
            return true;
    }
    return false;
}
