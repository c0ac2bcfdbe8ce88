/* Rows of features as people and engines have them: each format, and what is wrong where. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "experimentd/features/rows.h"

static struct arena arena;
static struct feature_rows rows;
static struct err err;

static void open_arena(void)
{
    static const struct str names[] = { { "bm25", 4 }, { "price", 5 }, { "age", 3 } };
    arena_init(&arena, 4096);
    feature_rows_init(&rows, &arena, names, 3);
}

static void close_arena(void)
{
    feature_rows_release(&rows);
    arena_release(&arena);
}

TestSuite(feature_rows, .init = open_arena, .fini = close_arena);

static bool is_read(enum feature_format format, const char *text)
{
    const struct feature_source source = { .format = format, .text = str_of(text) };
    return feature_rows_read(&rows, &source, &err);
}

/* Row i as "query|doc|1,-,3|grade" with "-" for what is missing. */
static char *row(size_t i)
{
    static char text[256];
    const struct feature_row *r = &rows.rows[i];
    int n = snprintf(text, sizeof text, "%.*s|%.*s|", STR_ARG(r->query), STR_ARG(r->doc));
    for (uint32_t k = 0; k < r->count; k++)
        n += isnan(r->values[k]) ? snprintf(text + n, 32, "%s-", k ? "," : "")
                                 : snprintf(text + n, 32, "%s%g", k ? "," : "", (double)r->values[k]);
    if (!isnan(r->grade))
        (void)snprintf(text + n, 32, "|%g", (double)r->grade);
    return text;
}

Test(feature_rows, letor_with_and_without_comments)
{
    cr_assert(is_read(FEATURES_LETOR,
                      "# a comment\n3 qid:1 1:9.8 3:-1e2 # 7555 rambo first blood\r\n\n0 qid:1 2:4 # 1370\trambo\n"
                      "2 qid:9 1:1\n1 qid:9 1:2\n1 qid:10 1:0.5 #docid = GX008-86 inc = 1 prob = 0.08\n"));
    cr_assert(eq(sz, rows.count, 5));
    cr_assert(eq(str, row(0), "10|GX008-86|0.5|1"));
    cr_assert(eq(str, row(1), "9|1|1|2"));
    cr_assert(eq(str, row(2), "9|2|2|1"));
    cr_assert(eq(str, row(3), "rambo|1370|-,4|0"));
    cr_assert(eq(str, row(4), "rambo first blood|7555|9.8,-,-100|3"));
}

Test(feature_rows, letor_says_which_lines_are_wrong)
{
    cr_assert(not(is_read(
        FEATURES_LETOR, "3 qid:1 1:9\nx qid:1 1:2\n1 1:2\n1 qid:1 2:1 1:3\n1 qid:1 4:1\n1 qid:1 1:nan\n1 qid:1 1\n")));
    cr_assert(eq(sz, rows.bad.count, 6));
    const char *const why[] = { "grade", "qid", "ascend", "from 1 to 3", "feature 1: \"nan\"", "\"1\" is no feature" };
    for (size_t i = 0; i < 6; i++) {
        cr_assert(eq(sz, rows.bad.first[i].line, i + 2));
        cr_assert(ne(ptr, strstr(rows.bad.first[i].err.text, why[i]), NULL), "%s", rows.bad.first[i].err.text);
    }
}

Test(feature_rows, a_new_set_has_what_comes)
{
    feature_rows_init(&rows, &arena, NULL, 0);
    cr_assert(is_read(FEATURES_LETOR, "1 qid:1 1:1 5:2\n0 qid:1 2:1\n"));
    cr_assert(eq(u32, rows.features, 5));
    cr_assert(eq(sz, rows.names[4].n, 2));
    cr_assert(eq(int, memcmp(rows.names[4].p, "f5", 2), 0));
}

Test(feature_rows, csv_with_quotes)
{
    cr_assert(
        is_read(FEATURES_CSV,
                "\xEF\xBB\xBFgrade,query,price,doc,bm25\r\n2,\"big, \"\"red\"\"\nsofa\",9.5,d1,\r\n,lamp,-1,d2,3\n"));
    cr_assert(eq(sz, rows.count, 2));
    cr_assert(eq(str, row(0), "big, \"red\"\nsofa|d1|-,9.5,-|2"));
    cr_assert(eq(str, row(1), "lamp|d2|3,-1,-"));
}

Test(feature_rows, csv_names_columns_and_lines)
{
    cr_assert(not(is_read(FEATURES_CSV, "query,doc,colour\n")));
    cr_assert(eq(str, err.text, "the header: the set has no feature \"colour\""));
    cr_assert(not(is_read(FEATURES_CSV, "query,bm25\n")));
    cr_assert(eq(str, err.text, "the header has no column \"doc\""));
    cr_assert(not(is_read(FEATURES_CSV, "query,doc,bm25\nlamp,d1,1\nlamp,d2\nlamp,d3,cheap\n,d4,1\n")));
    cr_assert(eq(sz, rows.bad.count, 3));
    cr_assert(eq(sz, rows.bad.first[1].line, 4));
    cr_assert(eq(str, rows.bad.first[1].err.text, "feature \"bm25\": \"cheap\" is no number of 32 bits"));
}

Test(feature_rows, json_lines_by_name_and_by_place)
{
    cr_assert(is_read(FEATURES_JSONL,
                      "{\"query\":\"lamp\",\"doc\":\"a\",\"features\":{\"price\":2,\"bm25\":1}}\n"
                      "{\"query\":\"lamp\",\"doc\":\"b\",\"features\":[1,null,3],\"grade\":2,\"weight\":1}\n"
                      "{\"query\":\"lamp\",\"doc\":\"a\",\"features\":{\"age\":7}}\n"));
    cr_assert(eq(sz, rows.count, 2));
    cr_assert(eq(str, row(0), "lamp|a|-,-,7"));
    cr_assert(eq(str, row(1), "lamp|b|1,-,3|2"));
    cr_assert(not(is_read(FEATURES_JSONL, "{\"query\":\"lamp\",\"doc\":\"a\",\"features\":{\"colour\":2}}\n")));
    cr_assert(eq(str, rows.bad.first[0].err.text, "the set has no feature \"colour\""));
}

Test(feature_rows, answers_of_solr)
{
    cr_assert(is_read(FEATURES_SOLR, "{\"responseHeader\":{\"params\":{\"q\":\"lamp\"}},\n\"response\":{\"docs\":[{"
                                     "\"id\":\"a\",\"[features]\":\"bm25=1.5,age=2.0\"},"
                                     "{\"id\":7,\"[features]\":\"price=3E-2\"}]}}"));
    cr_assert(eq(sz, rows.count, 2));
    cr_assert(eq(str, row(0), "lamp|7|-,0.03"));
    cr_assert(eq(str, row(1), "lamp|a|1.5,-,2"));
}

Test(feature_rows, answers_of_elasticsearch)
{
    cr_assert(is_read(FEATURES_ELASTICSEARCH,
                      "{\"query\":\"lamp\",\"hits\":{\"hits\":[{\"_id\":\"a\",\"fields\":{\"_ltrlog\":[{\"main\":[{"
                      "\"name\":\"bm25\",\"value\":2.5},{\"name\":\"age\"}]}]}}]}}\n"
                      "{\"query\":\"sofa\",\"hits\":{\"hits\":[{\"_id\":\"b\",\"fields\":{\"_ltrlog\":[{\"main\":[{"
                      "\"name\":\"price\",\"value\":1}]}]}}]}}\n"));
    cr_assert(eq(sz, rows.count, 2));
    cr_assert(eq(str, row(0), "lamp|a|2.5,-,-"));
    cr_assert(eq(str, row(1), "sofa|b|-,1"));
    cr_assert(
        not(is_read(FEATURES_ELASTICSEARCH, "{\"hits\":{\"hits\":[{\"_id\":\"a\",\"fields\":{\"_ltrlog\":[]}}]}}")));
    cr_assert(eq(str, rows.bad.first[0].err.text, "hit 1: the query is empty"));
}

Test(feature_rows, values_are_written_as_short_as_they_read_back)
{
    const float values[] = { 0, 1, -0.1f, 1e-20f, 16777216, 0.33333334f, 3.4028235e38f };
    const char *const texts[] = { "0", "1", "-0.1", "1e-20", "16777216", "0.33333334", "3.4028235e+38" };
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        AUTO(buf_release) struct buf b;
        buf_init(&b, 100);
        feature_value_write(&b, values[i]);
        cr_expect(eq(str, b.p, (char *)(uintptr_t)texts[i]));
    }
}

static void over(size_t limit_bytes)
{
    (void)limit_bytes;
    abort();
}

/* Each field took 64 KiB: a file of 1 MiB as spreadsheets write it was more memory than the machine has. */
Test(feature_rows, fields_in_quotes_take_what_they_have)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_add_c(&text, "query,doc,bm25\n");
    for (int i = 0; i < 5000; i++)
        buf_addf(&text, "\"lamp \"\"%d\"\"\",\"d%d\",\"1\"\n", i, i);
    mem_limit(16 << 20, over);
    cr_assert(is_read(FEATURES_CSV, buf_str(&text).p), "%s", err.text);
    cr_assert(eq(sz, rows.count, 5000));
    mem_limit(0, NULL);
    buf_release(&text);
}
