/* mem.h - memory: allocation that aborts when there is none, scoped ownership, and the arena.
 *
 * Three lifetimes (house style, section 4): a request's memory is its arena, a function's is AUTO, an object's is its owner. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define AUTO(fn) __attribute__((cleanup(fn##_p)))
#define DEFINE_AUTO(T, fn)          \
    static inline void fn##_p(T *p) \
    {                               \
        fn(*p);                     \
    }
#define TAKE(v)                    \
    (__extension__({               \
        __typeof__(v) take_ = (v); \
        (v) = NULL;                \
        take_;                     \
    }))
#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* All abort the process when memory is out; mem_free accepts NULL. */
void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull));
void *mem_zalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *mem_realloc(void *p, size_t n) __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *mem_printf(const char *fmt, ...) PRINTF(1, 2) __attribute__((malloc, returns_nonnull));
char *mem_vprintf(const char *fmt, va_list ap) PRINTF(1, 0) __attribute__((malloc, returns_nonnull));
void mem_free(void *p);
/* Makes libevent and jansson abort in the same place. Call once, first in main. */
void mem_init(void);

DEFINE_AUTO(char *, mem_free)

/* From now on counts what mem_alloc and arenas hold, up to a limit; what would pass it goes to `over`, which must not return, as does memory that
 * the system refuses. What was there before does not count. Limit 0: stops. For programs of one thread. */
void mem_limit(size_t limit_bytes, void (*over)(size_t limit_bytes));
size_t mem_peak(void); /* the most that was held since mem_limit */

/* Arena: memory that ends all at once. Blocks grow by doubling from `first_bytes`; a reset keeps the first block. Not thread
 * safe. An allocation is aligned to 16 bytes. Allocations never fail (see mem_alloc); callers bound what they ask for. */
struct arena_block;
struct arena {
    struct arena_block *first, *last;
    char *at, *end;
    size_t first_bytes;
};
void arena_init(struct arena *a, size_t first_bytes);
void arena_release(struct arena *a);
void arena_reset(struct arena *a);
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, returns_nonnull));
/* arena_alloc for a library that asks for memory by a function; `arena` is a struct arena. */
char *arena_more(void *arena, size_t n);
void *arena_zalloc(struct arena *a, size_t n) __attribute__((malloc, returns_nonnull));
/* Copies; the result's byte after the end is 0. */
struct str arena_str(struct arena *a, struct str s);
char *arena_cstr(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
