#include "base/mem.h"

#include <event2/event.h>
#include <jansson.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    size_t limit, held, peak; /* limit 0: nothing is counted */
    void (*over)(size_t limit);
} counted;

static void hand_over(void)
{
    size_t limit = counted.limit;
    counted.limit = 0; /* whoever is told may need memory to tell it */
    counted.over(limit);
}

static void count(void *p)
{
    counted.held += malloc_usable_size(p);
    if (counted.held > counted.peak)
        counted.peak = counted.held;
    if (counted.held > counted.limit)
        hand_over();
}

static void forget(void *p)
{
    if (!counted.limit || !p) /* a program that has threads sets none: nothing may be written */
        return;
    size_t n = malloc_usable_size(p);
    counted.held -= n < counted.held ? n : counted.held;
}

static void *check(void *p, size_t n)
{
    if (!p && n > 0) {
        if (counted.limit)
            hand_over();
        (void)fprintf(stderr, "out of memory: %zu bytes\n", n);
        abort();
    }
    if (counted.limit)
        count(p);
    return p;
}

void mem_limit(size_t limit_bytes, void (*over)(size_t limit_bytes))
{
    counted.limit = limit_bytes;
    counted.over = over;
    counted.held = counted.peak = 0;
}

size_t mem_peak(void)
{
    return counted.peak;
}

void *mem_alloc(size_t n)
{
    return check(malloc(n ? n : 1), n ? n : 1);
}

void *mem_zalloc(size_t n)
{
    return check(calloc(1, n ? n : 1), n ? n : 1);
}

void *mem_realloc(void *p, size_t n)
{
    forget(p);
    return check(realloc(p, n ? n : 1), n ? n : 1);
}

char *mem_strndup(const char *s, size_t n)
{
    char *p = mem_alloc(n + 1);
    memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

char *mem_vprintf(const char *fmt, va_list ap)
{
    char *p = NULL;
    int n = vasprintf(&p, fmt, ap);
    return check(n < 0 ? NULL : p, 1);
}

char *mem_printf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *p = mem_vprintf(fmt, ap);
    va_end(ap);
    return p;
}

void mem_free(void *p)
{
    forget(p);
    free(p);
}

void mem_init(void)
{
    json_set_alloc_funcs(mem_alloc, mem_free);
    event_set_mem_functions(mem_alloc, mem_realloc, mem_free);
}

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(16) char data[];
};

void arena_init(struct arena *a, size_t first_bytes)
{
    *a = (struct arena){ .first_bytes = first_bytes };
}

static void free_blocks(struct arena_block *b)
{
    while (b) {
        struct arena_block *next = b->next;
        mem_free(b);
        b = next;
    }
}

void arena_release(struct arena *a)
{
    free_blocks(a->first);
    arena_init(a, a->first_bytes);
}

void arena_reset(struct arena *a)
{
    if (!a->first)
        return;
    free_blocks(a->first->next);
    a->first->next = NULL;
    a->last = a->first;
    a->at = a->first->data;
    a->end = a->at + a->first->size;
}

static void *grow(struct arena *a, size_t n)
{
    size_t size = a->last ? a->last->size * 2 : a->first_bytes;
    if (size > (1u << 20))
        size = 1u << 20;
    if (size < n)
        size = n;
    struct arena_block *b = mem_alloc(sizeof *b + size);
    b->next = NULL;
    b->size = size;
    if (a->last)
        a->last->next = b;
    else
        a->first = b;
    a->last = b;
    a->at = b->data + n;
    a->end = b->data + size;
    return b->data;
}

void *arena_alloc(struct arena *a, size_t n)
{
    n = (n + 15) & ~(size_t)15;
    if (n == 0)
        n = 16;
    if (!a->at || (size_t)(a->end - a->at) < n)
        return grow(a, n);
    void *p = a->at;
    a->at += n;
    return p;
}

char *arena_more(void *arena, size_t n)
{
    return arena_alloc(arena, n);
}

void *arena_zalloc(struct arena *a, size_t n)
{
    return memset(arena_alloc(a, n), 0, n);
}

char *arena_cstr(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

struct str arena_str(struct arena *a, struct str s)
{
    return (struct str){ arena_cstr(a, s), s.n };
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    va_list ap2;
    va_copy(ap2, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0;
    char *p = arena_alloc(a, (size_t)n + 1);
    (void)vsnprintf(p, (size_t)n + 1, fmt, ap2);
    va_end(ap2);
    return (struct str){ p, (size_t)n };
}
