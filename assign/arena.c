/* Memory is taken from the front of the current piece; a piece that is too small for a request is left behind. */
#include "assign/arena.h"

#include <stdlib.h>
#include <string.h>

#include "assign/limits.h"

enum { ALIGN = 16 };

struct assign_piece {
    struct assign_piece *next;
    char pad[ALIGN - sizeof(struct assign_piece *)]; /* what follows is aligned */
};

void *assign_alloc(struct assign_arena *a, size_t n)
{
    if (n > SIZE_MAX / 2)
        return NULL;
    size_t rounded = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    size_t skip = (size_t)(-(uintptr_t)a->at & (ALIGN - 1));
    if (!a->at || (size_t)(a->end - a->at) < skip + rounded) {
        size_t bytes = rounded > ASSIGN_ARENA_PIECE ? rounded : ASSIGN_ARENA_PIECE;
        char *piece = a->more ? a->more(a->owner, bytes) : NULL;
        if (!piece)
            return NULL;
        a->at = piece;
        a->end = piece + bytes;
        skip = 0;
    }
    char *p = a->at + skip;
    a->at = p + rounded;
    return p;
}

void *assign_alloc_zeroed(struct assign_arena *a, size_t n)
{
    void *p = assign_alloc(a, n);
    return p ? memset(p, 0, n) : NULL;
}

void *assign_alloc_array(struct assign_arena *a, size_t count, size_t size)
{
    return count > SIZE_MAX / 2 / size ? NULL : assign_alloc(a, count * size);
}

static char *heap_more(void *owner, size_t bytes)
{
    struct assign_heap *h = owner;
    struct assign_piece *p = malloc(sizeof *p + bytes);
    if (!p)
        return NULL;
    p->next = h->pieces;
    h->pieces = p;
    return (char *)(p + 1);
}

void assign_heap_init(struct assign_heap *h)
{
    *h = (struct assign_heap){ .arena = { .more = heap_more, .owner = h } };
}

void assign_heap_release(struct assign_heap *h)
{
    for (struct assign_piece *p = h->pieces, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    h->pieces = NULL;
}
