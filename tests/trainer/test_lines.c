#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "trainer/run/lines.h"

static json_t *peek(struct lines *l, bool *any)
{
    struct buf b;
    struct err err = { 0 };
    buf_init(&b, LINES_BATCH_BYTES);
    *any = lines_peek(l, &b);
    cr_assert(eq(int, b.failed, 0));
    json_t *root = json_parse(buf_str(&b), &err);
    cr_assert(root != NULL, "%s", err.text);
    buf_release(&b);
    return root;
}

static const char *text_at(const json_t *batch, size_t i, const char *key)
{
    return json_string_value(json_object_get(json_array_get(batch, i), key));
}

static int64_t seq_at(const json_t *batch, size_t i)
{
    return json_integer_value(json_object_get(json_array_get(batch, i), "seq"));
}

Test(run_lines, come_in_order_until_they_are_taken)
{
    bool any;
    struct lines *l = lines_new(0);
    lines_add(l, "run", STR("one"), 1000000);
    lines_add(l, "worker 3", STR("two \"quoted\""), 2000000);
    for (int i = 0; i < 2; i++) {
        json_t *batch = peek(l, &any);
        cr_assert(any && json_array_size(batch) == 2);
        cr_assert(seq_at(batch, 0) == 1 && seq_at(batch, 1) == 2);
        cr_assert_str_eq(text_at(batch, 0, "line"), "one");
        cr_assert_str_eq(text_at(batch, 1, "line"), "two \"quoted\"");
        cr_assert_str_eq(text_at(batch, 1, "source"), "worker 3");
        cr_assert_str_eq(text_at(batch, 0, "at"), "1970-01-01T00:00:01Z");
        json_decref(batch);
    }
    lines_taken(l);
    json_decref(peek(l, &any));
    cr_assert(eq(int, any, 0));
    cr_assert(eq(i64, lines_said(l), 2));
    lines_free(l);
}

Test(run_lines, beyond_the_limit_are_counted_and_not_kept)
{
    bool any = true;
    size_t kept = 0;
    int64_t last = 0;
    struct lines *l = lines_new(0);
    for (int i = 0; i < LINES_MAX + 50; i++)
        lines_add(l, "run", STR("x"), 1);
    while (any) {
        json_t *batch = peek(l, &any);
        size_t n = json_array_size(batch);
        cr_assert(n <= LINES_BATCH);
        kept += n;
        last = n ? seq_at(batch, n - 1) : last;
        lines_taken(l);
        json_decref(batch);
    }
    cr_assert(kept == LINES_MAX && last == LINES_MAX);
    cr_assert(eq(i64, lines_said(l), LINES_MAX + 50));
    lines_free(l);
}

Test(run_lines, of_a_run_that_is_taken_over_go_on_behind_the_earlier_ones)
{
    bool any;
    struct lines *l = lines_new(LINES_MAX - 1);
    lines_add(l, "run", STR("the last that is kept"), 1);
    lines_add(l, "run", STR("one too many"), 1);
    json_t *batch = peek(l, &any);
    cr_assert(json_array_size(batch) == 1 && seq_at(batch, 0) == LINES_MAX);
    cr_assert(eq(i64, lines_said(l), LINES_MAX + 1));
    json_decref(batch);
    lines_free(l);
}

Test(run_lines, hold_only_what_postgresql_takes)
{
    bool any;
    char many[LINE_BYTES * 2];
    struct lines *l = lines_new(0);
    memset(many, 'x', sizeof many);
    lines_add(l, "run", (struct str){ "a\0b\x1b[1m\tc", 9 }, 1);
    lines_add(l, "run", STR("bytes \xff\xfe"), 1);
    lines_add(l, "run", STR("Zürich"), 1);
    lines_add(l, "run", (struct str){ many, sizeof many }, 1);
    json_t *batch = peek(l, &any);
    cr_assert_str_eq(text_at(batch, 0, "line"), "a?b?[1m\tc");
    cr_assert_str_eq(text_at(batch, 1, "line"), "bytes ??");
    cr_assert_str_eq(text_at(batch, 2, "line"), "Zürich");
    cr_assert(strlen(text_at(batch, 3, "line")) == LINE_BYTES);
    json_decref(batch);
    lines_free(l);
}

/* The worst batch: every byte of it is escaped. */
Test(run_lines, a_batch_has_room_for_its_lines)
{
    bool any;
    char quotes[LINE_BYTES];
    struct lines *l = lines_new(0);
    memset(quotes, '"', sizeof quotes);
    for (int i = 0; i < LINES_BATCH + 1; i++)
        lines_add(l, "worker 12345", (struct str){ quotes, sizeof quotes }, 1);
    json_t *batch = peek(l, &any);
    cr_assert(json_array_size(batch) == LINES_BATCH);
    json_decref(batch);
    lines_free(l);
}
