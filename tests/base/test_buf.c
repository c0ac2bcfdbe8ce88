#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

Test(buf, grows_to_its_limit_and_no_further)
{
    struct err err;
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 100; i++)
        buf_add_c(&b, "0123456789");
    cr_assert(buf_ok(&b, "body", &err));
    cr_assert(eq(sz, b.n, 1000));
    buf_add_byte(&b, 'x');
    cr_assert(not(buf_ok(&b, "body", &err)));
    cr_assert(eq(int, (int)err.kind, ERR_TOO_LARGE));
    cr_assert(eq(str, err.text, "body is larger than 1000 bytes"));
    buf_clear(&b);
    buf_add(&b, "y", 1);
    cr_assert(eq(str, b.p, "y"));
    buf_release(&b);
}

Test(buf, after_a_failure_nothing_is_added)
{
    struct buf b;
    buf_init(&b, 4);
    buf_add_c(&b, "ab");
    buf_add_c(&b, "cde");
    buf_addf(&b, "%d", 1);
    cr_assert(b.failed);
    cr_assert(eq(str, b.p, "ab"));
    buf_release(&b);
}

Test(buf, an_absurd_size_does_not_wrap_around)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_add_c(&b, "x");
    cr_assert(buf_reserve(&b, SIZE_MAX) == NULL);
    cr_assert(b.failed);
    buf_release(&b);
}

Test(buf, consume_keeps_the_tail)
{
    struct buf b;
    buf_init(&b, 100);
    buf_add_c(&b, "abcdef");
    buf_consume(&b, 4);
    cr_assert(eq(str, b.p, "ef"));
    buf_consume(&b, 2);
    cr_assert(eq(str, b.p, ""));
    buf_release(&b);
}

Test(buf, numbers_in_decimal_and_network_order)
{
    static const unsigned char expected[] = { 1, 2, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8 };
    struct buf b;
    buf_init(&b, 100);
    buf_add_u64(&b, 0);
    buf_add_u64(&b, UINT64_MAX);
    cr_assert(eq(str, b.p, "018446744073709551615"));
    buf_clear(&b);
    buf_add_be16(&b, 0x0102);
    buf_add_be32(&b, 0x01020304);
    buf_add_be64(&b, UINT64_C(0x0102030405060708));
    cr_assert(eq(int, memcmp(b.p, expected, sizeof expected), 0));
    buf_release(&b);
}

Test(buf, json_doubles_read_back_as_the_same_number)
{
    static const double values[] = {
        0.0, -0.0, 0.1, 1.0 / 3, 1e300, 5e-324, 123456789012345680.0, -1.7976931348623157e308
    };
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        buf_clear(&b);
        buf_add_json_double(&b, values[i]);
        double again = strtod(b.p, NULL);
        cr_assert(eq(int, memcmp(&again, &values[i], sizeof again), 0), "%s", b.p);
    }
    buf_clear(&b);
    buf_add_json_double(&b, 0.1);
    buf_add_json_double(&b, (double)NAN);
    cr_assert(eq(str, b.p, "0.1null"));
    buf_release(&b);
}

Test(buf, json_strings_escape_what_must_be)
{
    struct buf b;
    buf_init(&b, 100);
    buf_add_json_str(&b, STR("a\"\\\b\f\n\r\t\x1f/ß"));
    cr_assert(eq(str, b.p, "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u001f/ß\""));
    buf_release(&b);
}
