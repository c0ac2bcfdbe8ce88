#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

Test(err, set_fills_kind_and_text_and_is_false)
{
    struct err e;
    bool ok = err_set(&e, ERR_BUSY, "queue of %d is full", 3);
    cr_assert(not(ok));
    cr_assert(eq(int, (int)e.kind, ERR_BUSY));
    cr_assert(eq(str, e.text, "queue of 3 is full"));
    ok = err_set(NULL, ERR_BUSY, "nobody asks");
    cr_assert(not(ok));
}

Test(err, errno_and_prefix_are_added)
{
    struct err e;
    errno = ENOENT;
    err_set_errno(&e, "cannot open \"%s\"", "x");
    err_prefix(&e, "line %d: ", 12);
    cr_assert(eq(int, (int)e.kind, ERR_SYSTEM));
    cr_assert(eq(str, e.text, "line 12: cannot open \"x\": No such file or directory"));
}

Test(err, a_long_text_is_cut_not_overrun)
{
    struct err e;
    char big[1000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    err_set(&e, ERR_INVALID, "%s", big);
    cr_assert(eq(sz, strlen(e.text), sizeof e.text - 1));
    err_prefix(&e, "%s", big);
    errno = ENOENT;
    err_set_errno(&e, "%s", big);
    cr_assert(eq(sz, strlen(e.text), sizeof e.text - 1));
}

/* Half a character would make the answer that carries the text no UTF-8. */
Test(err, a_long_text_is_cut_between_characters)
{
    static const char *const characters[] = { "x", "é", "用", "🦄" };
    for (size_t c = 0; c < 4; c++) {
        for (size_t lead = 0; lead < 4; lead++) {
            struct err e;
            char big[1000] = "abc", *at = big + lead;
            size_t n = strlen(characters[c]), fitting = (sizeof e.text - 1 - lead) / n;
            for (size_t i = 0; i < 200; i++)
                memcpy(at + i * n, characters[c], n + 1);
            err_set(&e, ERR_INVALID, "%s", big);
            cr_assert(eq(sz, strlen(e.text), c == 0 ? 200 + lead : lead + fitting * n), "%s behind %zu", characters[c],
                      lead);
        }
    }
}

Test(err, every_kind_has_a_name)
{
    for (int kind = 0; kind < ERR_COUNT; kind++)
        cr_assert(err_kind_name((enum err_kind)kind) != NULL);
}
