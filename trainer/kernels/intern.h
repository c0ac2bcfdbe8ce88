/* intern.h - pure: different texts, each under a number of the caller's, → numbers 0, 1, 2 … in the order in which they first came; and an
 * order of them that does not depend on that. Texts are copied. */
#pragma once
#include "base/mem.h"

struct intern {
    struct arena arena;
    struct str *texts; /* by number */
    uint32_t *under;   /* which each is under */
    uint64_t *hashes;  /* the same in every process */
    uint32_t *slots;   /* number + 1; 0: free */
    uint32_t count, room, slots_count;
};

void intern_init(struct intern *t);
void intern_release(struct intern *t);
uint32_t intern_add_under(struct intern *t, uint32_t under, struct str s);
static inline uint32_t intern_add(struct intern *t, struct str s)
{
    return intern_add_under(t, 0, s);
}
/* Of at most so many bytes of it; INTERN_NONE: it is blank. */
#define INTERN_NONE UINT32_MAX
uint32_t intern_cut(struct intern *t, struct str s, size_t max);
/* The number of a text under 0; INTERN_NONE: it was not added. */
uint32_t intern_find(const struct intern *t, struct str s);
/* The place of each number in an order that depends on the texts alone (of their hashes, then of their bytes), when all are under the same. The
 * caller frees it. */
uint32_t *intern_ranks(const struct intern *t);
/* The same, and the number of the text at each place. */
struct intern_order {
    uint32_t *place, *number;
};
struct intern_order intern_order_of(const struct intern *t);
void intern_order_release(struct intern_order *o);
static inline uint32_t intern_place(const struct intern_order *o, uint32_t number)
{
    return number == INTERN_NONE ? INTERN_NONE : o->place[number];
}
