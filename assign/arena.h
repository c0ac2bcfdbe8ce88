/* arena.h - inside of libassign: memory from a caller's arena, and an arena of the library's own. */
#pragma once
#include "assign/assign.h"

/* n bytes aligned to 16, or NULL: the arena gave no more. */
void *assign_alloc(struct assign_arena *a, size_t n);
void *assign_alloc_zeroed(struct assign_arena *a, size_t n);
/* Room for `count` things of `size`. */
void *assign_alloc_array(struct assign_arena *a, size_t count, size_t size);

/* An arena over malloc, for payloads. */
struct assign_heap {
    struct assign_arena arena;
    struct assign_piece *pieces;
};
void assign_heap_init(struct assign_heap *h); /* must not move from here on */
void assign_heap_release(struct assign_heap *h);
