/* Query sets as files have them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "experimentd/judgments/query_file.h"

static struct arena arena;
static struct query_rows q;
static struct err err;

static void open_arena(void)
{
    arena_init(&arena, 4096);
    q.arena = &arena;
}

static void close_arena(void)
{
    query_rows_release(&q);
    arena_release(&arena);
}

TestSuite(query_file, .init = open_arena, .fini = close_arena);

static bool is_read(enum query_file_format format, const char *text)
{
    query_rows_release(&q);
    return query_file_read(format, str_of(text), &q, &err);
}

Test(query_file, lines_have_a_weight_behind_a_tab)
{
    cr_assert(is_read(QUERY_FILE_TEXT, "\xEF\xBB\xBF"
                                       "desk lamp\r\n\n  chair 2\t7.5\n"),
              "%s", err.text);
    cr_assert(eq(sz, q.count, 2));
    cr_assert(str_eq_c(q.items[0].query, "desk lamp"));
    cr_assert(eq(dbl, q.items[0].weight, 1));
    cr_assert(str_eq_c(q.items[1].query, "chair 2"));
    cr_assert(eq(dbl, q.items[1].weight, 7.5));
    cr_assert(not(is_read(QUERY_FILE_TEXT, "a\tx\nb\n\t3\nc\t-1\n")));
    cr_assert(eq(sz, q.bad.count, 2));
    cr_assert_str_eq(err.text, "2 of the lines are wrong; line 1: field \"weight\" is \"x\", not a number");
    cr_assert(not(is_read(QUERY_FILE_TEXT, "\n\n")));
    cr_assert_str_eq(err.text, "there is no query in it");
}

Test(query_file, the_workbench_keeps_what_stands_beside_a_text)
{
    cr_assert(is_read(QUERY_FILE_SRW, "{\"name\":\"n\",\"sampling\":\"manual\",\"querySetQueries\":[{\"queryText\":"
                                      "\"lamp\"},{\"queryText\":\"chair\","
                                      "\"referenceAnswer\":\"four legs\"}]}"),
              "%s", err.text);
    cr_assert(eq(sz, q.count, 2));
    cr_assert(str_eq_c(q.items[1].params, "{\"referenceAnswer\":\"four legs\"}"));
    cr_assert(
        is_read(QUERY_FILE_JSONL,
                "{\"queryText\":\"lamp\"}\n{\"query\":\"chair\",\"weight\":2,\"params\":{\"c\":\"home\"}}\n\"sofa\"\n"),
        "%s", err.text);
    cr_assert(eq(sz, q.count, 3));
    cr_assert(str_eq_c(q.items[2].query, "sofa"));
    cr_assert(not(is_read(QUERY_FILE_SRW, "{\"querySetQueries\":[{\"queryText\":\"lamp\"},{\"query\":\"x\"}]}")));
    cr_assert_str_eq(err.text, "querySetQueries[1]: field \"queryText\" is no text");
}

Test(query_file, what_is_written_reads_back_as_the_same)
{
    for (enum query_file_format f = 0; f < QUERY_FILE_FORMAT_COUNT; f++) {
        AUTO(buf_release) struct buf b;
        struct query_rows again = { .arena = &arena };
        buf_init(&b, 1 << 16);
        cr_assert(
            is_read(QUERY_FILE_JSONL,
                    "{\"query\":\"a, \\\"b\\\"\",\"weight\":0.1}\n{\"query\":\"c\",\"params\":{\"x\":{\"y\":[1]}}}\n"));
        cr_assert(query_file_export(f, STR("n"), STR("d"), STR("manual"), &q, &b, &err), "%s", err.text);
        cr_assert(query_file_read(f, buf_str(&b), &again, &err), "%s: %s", query_file_format_names[f], err.text);
        cr_assert(eq(sz, again.count, 2));
        for (size_t i = 0; i < 2; i++) {
            cr_assert(str_eq(again.items[i].query, q.items[i].query), "%s", query_file_format_names[f]);
            cr_assert(eq(dbl, again.items[i].weight, f == QUERY_FILE_SRW ? 1 : q.items[i].weight));
        }
        bool keeps = f == QUERY_FILE_JSONL || f == QUERY_FILE_SRW;
        cr_assert(eq(int, str_eq_c(again.items[1].params, "{\"x\":{\"y\":[1]}}"), keeps));
        query_rows_release(&again);
    }
}
