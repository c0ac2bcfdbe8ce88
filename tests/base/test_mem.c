#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

Test(mem, strings_are_copied_and_built)
{
    AUTO(mem_free) char *a = mem_strndup("abcdef", 3);
    AUTO(mem_free) char *b = mem_printf("%s-%d", a, 7);
    cr_assert(eq(str, b, "abc-7"));
    char *taken = TAKE(a);
    cr_assert(a == NULL);
    mem_free(taken);
}

/* Each piece is filled with its own byte; at the end each must still hold it, whatever the sizes were. */
Test(arena, pieces_are_aligned_and_never_overlap)
{
    enum { PIECES = 500 };
    struct arena a;
    unsigned char *pieces[PIECES];
    size_t sizes[PIECES];
    arena_init(&a, 64);
    for (size_t i = 0; i < PIECES; i++) {
        sizes[i] = i * i % 777 + (i % 50 == 0 ? 100000 : 0);
        pieces[i] = arena_alloc(&a, sizes[i]);
        cr_assert(eq(sz, (uintptr_t)pieces[i] % 16, 0));
        memset(pieces[i], (int)(i & 255), sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            cr_assert(eq(u8, pieces[i][j], (uint8_t)i));
    arena_release(&a);
}

Test(arena, reset_gives_the_first_block_again)
{
    struct arena a;
    arena_init(&a, 256);
    void *first = arena_alloc(&a, 16);
    (void)arena_alloc(&a, 5000);
    arena_reset(&a);
    cr_assert(arena_alloc(&a, 16) == first);
    arena_release(&a);
    arena_reset(&a);
    cr_assert(eq(u8, *(uint8_t *)arena_zalloc(&a, 300), 0));
    arena_release(&a);
}

Test(arena, strings_end_with_a_zero)
{
    struct arena a;
    arena_init(&a, 32);
    struct str s = arena_str(&a, (struct str){ "abcdef", 3 });
    cr_assert(eq(str, (char *)(uintptr_t)s.p, "abc"));
    cr_assert(eq(str, arena_cstr(&a, (struct str){ NULL, 0 }), ""));
    s = arena_printf(&a, "%0*d", 1000, 7);
    cr_assert(eq(sz, s.n, 1000));
    arena_release(&a);
}

/* ---- the limit ---- */

enum { LIMIT = 1 << 20, OVER = 3 };

static void over(size_t limit_bytes)
{
    _exit(limit_bytes == LIMIT ? OVER : 1);
}

static void *block;

Test(mem, what_is_freed_does_not_count)
{
    mem_limit(LIMIT, over);
    for (int i = 0; i < 100; i++) {
        block = mem_alloc(LIMIT / 2);
        block = mem_realloc(block, LIMIT / 4 * 3);
        mem_free(block);
    }
    cr_expect(mem_peak() >= LIMIT / 4 * 3 && mem_peak() < LIMIT);
    mem_limit(0, NULL);
    block = mem_alloc((size_t)4 * LIMIT);
    mem_free(block);
    cr_expect(eq(sz, mem_peak(), 0));
}

Test(mem, what_would_pass_the_limit_is_handed_over, .exit_code = OVER)
{
    mem_limit(LIMIT, over);
    block = mem_alloc(LIMIT / 2);
    block = mem_alloc(LIMIT / 2 + 1);
}

Test(mem, arenas_count, .exit_code = OVER)
{
    static struct arena a;
    mem_limit(LIMIT, over);
    arena_init(&a, 1 << 12);
    for (int i = 0; i < LIMIT / 1024; i++)
        (void)arena_alloc(&a, 1024);
}
