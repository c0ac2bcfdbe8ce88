#include "assign/text.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

enum { LONGEST = 40 };

/* Exactly as long as it is, so that ASan sees a read before or behind it. */
static char *exact(size_t n, char fill)
{
    char *p = malloc(n ? n : 1);
    memset(p, fill, n);
    return p;
}

Test(text, one_other_byte_makes_texts_differ)
{
    for (size_t n = 0; n <= LONGEST; n++) {
        char *a = exact(n, 'x'), *b = exact(n, 'x');
        cr_assert(assign_same_bytes(a, b, n), "%zu", n);
        for (size_t i = 0; i < n; i++) {
            b[i] = 'y';
            cr_assert(not(assign_same_bytes(a, b, n)), "byte %zu of %zu", i, n);
            b[i] = 'x';
        }
        free(a);
        free(b);
    }
}

Test(text, the_tag_tells_short_texts_apart)
{
    for (size_t n = 0; n <= LONGEST; n++) {
        char *a = exact(n, 'x'), *b = exact(n, 'x');
        struct assign_text s = { a, n }, t = { b, n };
        cr_assert(eq(u64, assign_text_tag(s), assign_text_tag(t)));
        for (size_t i = 0; i < n; i++) {
            b[i] = '\0';
            bool same = assign_text_tag(s) == assign_text_tag(t), behind = i >= ASSIGN_TAG_EXACT_MAX;
            cr_assert(same == behind, "byte %zu of %zu", i, n);
            b[i] = 'x';
        }
        if (n && n <= ASSIGN_TAG_EXACT_MAX + 1) { /* also one that is longer by a zero byte */
            b[n - 1] = '\0';
            cr_assert(ne(u64, assign_text_tag(t), assign_text_tag((struct assign_text){ b, n - 1 })), "%zu", n);
        }
        free(a);
        free(b);
    }
}

static bool met(const char *condition, const char *attributes)
{
    static char room[1 << 16];
    struct assign_arena arena = { .at = room, .end = room + sizeof room };
    struct assign_value c, a;
    struct assign_error e;
    cr_assert(assign_json_read(condition, strlen(condition), &arena, &c, &e), "%s", e.text);
    cr_assert(assign_json_read(attributes, strlen(attributes), &arena, &a, &e), "%s", e.text);
    return assign_condition(&c, &a, NULL, &arena);
}

Test(text, a_list_tells_texts_with_the_same_first_eight_bytes_apart)
{
    static const char list[] = "{\"a\":{\"$in\":[\"customer-1\",\"customer-2\",\"customer\",\"c\",\"\"]}}";
    cr_expect(met(list, "{\"a\":\"customer-1\"}"));
    cr_expect(met(list, "{\"a\":\"customer-2\"}"));
    cr_expect(met(list, "{\"a\":\"customer\"}"));
    cr_expect(met(list, "{\"a\":\"\"}"));
    cr_expect(not(met(list, "{\"a\":\"customer-3\"}")));
    cr_expect(not(met(list, "{\"a\":\"customer-11\"}")));
    cr_expect(not(met(list, "{\"a\":\"custome\"}")));
    cr_expect(not(met(list, "{\"a\":\"c\\u0000\"}")));
    cr_expect(not(met(list, "{\"a\":0}")));
}
