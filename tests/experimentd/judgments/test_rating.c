/* Judgments as files have them: each format as its program writes it, what is wrong where, and that what is written reads back as the same. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "experimentd/judgments/export.h"

static struct arena arena;
static struct ratings r;
static struct err err;

static void open_arena(void)
{
    arena_init(&arena, 4096);
    r.arena = &arena;
}

static void close_arena(void)
{
    ratings_release(&r);
    arena_release(&arena);
}

TestSuite(rating, .init = open_arena, .fini = close_arena);

static bool is_read(enum judgment_format format, const char *text)
{
    ratings_release(&r);
    return ratings_read(format, str_of(text), &r, &err);
}

static void is(size_t i, const char *query, const char *doc, double grade)
{
    cr_assert(i < r.count, "there are only %zu: %s", r.count, err.text);
    cr_assert(str_eq_c(r.items[i].query, query), "query %zu is " STR_FMT, i, STR_ARG(r.items[i].query));
    cr_assert(str_eq_c(r.items[i].doc, doc), "doc %zu is " STR_FMT, i, STR_ARG(r.items[i].doc));
    if (isnan(grade))
        cr_assert(isnan(r.items[i].grade));
    else
        cr_assert(eq(dbl, r.items[i].grade, grade));
}

Test(rating, quepid_has_guarded_texts_quotes_and_rows_without_rating)
{
    cr_assert(
        is_read(JUDGMENTS_QUEPID,
                "query,docid,rating\r\nstar trek,1370,3\n\"war, \"\"games\"\"\",x,0\n -minus, =7,2\nher,9,\nempty,,"),
        "%s", err.text);
    cr_assert(eq(sz, r.count, 5));
    is(0, "star trek", "1370", 3);
    is(1, "war, \"games\"", "x", 0);
    is(2, "-minus", "=7", 2);
    is(3, "her", "9", NAN);
    is(4, "empty", "", NAN);
}

Test(rating, srw_has_ratings_as_texts_or_numbers)
{
    cr_assert(
        is_read(JUDGMENTS_SRW,
                "{\"name\": \"n\", \"judgmentRatings\": [{\"query\": \"t towels\", \"ratings\": [{\"docId\": \"B0\", "
                "\"rating\": \"100.000\"}, {\"docId\": \"B1\", \"rating\": 0.5}]}, {\"query\": \"none\", \"ratings\": "
                "[]}]}"),
        "%s", err.text);
    cr_assert(eq(sz, r.count, 3));
    is(0, "t towels", "B0", 100);
    is(1, "t towels", "B1", 0.5);
    is(2, "none", "", NAN);
    cr_assert(
        not(is_read(JUDGMENTS_SRW,
                    "{\"judgmentRatings\": [{\"query\": \"q\", \"ratings\": [{\"docId\": \"B0\", \"rating\": \"1\"}, "
                    "{\"docId\": \"B1\", \"rating\": \"good\"}]}]}")));
    cr_assert_str_eq(err.text, "judgmentRatings[0].ratings[1]: field \"rating\" is \"good\", not a number");
}

Test(rating, trec_has_topics_or_queries_and_no_negative_relevance)
{
    cr_assert(is_read(JUDGMENTS_TREC, "q1 0 doc 2\nq1\t0\tdoc2\t-2\n"), "%s", err.text);
    is(0, "q1", "doc", 2);
    is(1, "q1", "doc2", 0);
    cr_assert(eq(sz, r.negative, 1));
    cr_assert(is_read(JUDGMENTS_TREC, "7 0 a 1\n7\tdesk lamp of brass\n8\tchair\n8   0  b   3\n"), "%s", err.text);
    cr_assert(eq(sz, r.count, 2));
    is(0, "desk lamp of brass", "a", 1);
    is(1, "chair", "b", 3);
    cr_assert(not(is_read(JUDGMENTS_TREC, "7\tlamp\n7 0 a 1\n9 0 b 1\n7 0 c 1.5\n7 0 d\n")));
    cr_assert(eq(sz, r.bad.count, 3));
    cr_assert(eq(sz, r.bad.first[0].line, 3));
    cr_assert_str_eq(r.bad.first[0].err.text, "no line says what topic \"9\" is");
    cr_assert_str_eq(r.bad.first[1].err.text, "field \"relevance\" is \"1.5\", not a whole number");
    cr_assert(eq(sz, r.bad.first[2].line, 5));
    cr_assert(not(is_read(JUDGMENTS_TREC, "7\tlamp\n7\tchair\n")));
    cr_assert_str_eq(err.text, "1 of the lines are wrong; line 2: topic \"7\" is \"lamp\" in line 1");
}

Test(rating, letor_says_documents_and_queries_in_comments)
{
    cr_assert(is_read(JUDGMENTS_LETOR, "# qid:1: rambo*1\n# qid:2: the 2*3 film*1\n#\n\n4\tqid:1\t # 7555\trambo\n3 "
                                       "qid:1 1:9.8 2:12.3 # 1370 rambo\n"
                                       "0\tqid:2\t# a b\tignored\n"),
              "%s", err.text);
    is(0, "rambo", "7555", 4);
    is(1, "rambo", "1370", 3);
    is(2, "the 2*3 film", "a b", 0);
    cr_assert(is_read(JUDGMENTS_LETOR, "3 qid:1 # 1370 star trek\n"), "%s", err.text);
    is(0, "star trek", "1370", 3);
    cr_assert(not(is_read(JUDGMENTS_LETOR, "3 qid:1 1:2\n3 qid:1 # 7\nx qid:1 # 7 a\n")));
    cr_assert(eq(sz, r.bad.count, 3));
}

Test(rating, rre_has_gains_or_documents_and_groups)
{
    cr_assert(is_read(JUDGMENTS_RRE,
                      "{\"queries\": [{\"placeholders\": {\"$query\": \"lamp\"}, \"relevant_documents\": {\"3\": "
                      "[\"a\", \"b\"]}}, "
                      "{\"placeholders\": {\"$query\": \"chair\"}, \"relevant_documents\": {\"c\": {\"gain\": 2}}}]}"),
              "%s", err.text);
    is(0, "lamp", "a", 3);
    is(1, "lamp", "b", 3);
    is(2, "chair", "c", 2);
    cr_assert(is_read(JUDGMENTS_RRE, "{\"topics\": [{\"query_groups\": [{\"relevant_documents\": {\"1\": [\"a\"]}, "
                                     "\"queries\": [{\"placeholders\": "
                                     "{\"$query\": \"lamp\"}}, {\"placeholders\": {\"$query\": \"lamps\"}}]}]}]}"),
              "%s", err.text);
    is(1, "lamps", "a", 1);
    cr_assert(not(is_read(JUDGMENTS_RRE, "{\"queries\": [{\"placeholders\": {}, \"relevant_documents\": {}}]}")));
    cr_assert_str_eq(err.text, "queries[0]: placeholders has no text \"$query\"");
}

Test(rating, csv_and_json_lines_name_the_line_and_the_field)
{
    cr_assert(not(is_read(
        JUDGMENTS_CSV,
        "rating,query_text,doc_id,confidence\n3,lamp,a,0.5\n,lamp,b,\nmany,lamp,c,\n1,,d,\n1,lamp,,\n1,lamp,e,2\n")));
    const size_t lines[] = { 4, 5, 6, 7 };
    cr_assert(eq(sz, r.bad.count, COUNT_OF(lines)));
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        cr_assert(eq(sz, r.bad.first[i].line, lines[i]), "%s", r.bad.first[i].err.text);
    cr_assert_str_eq(r.bad.first[0].err.text, "field \"grade\" is \"many\", not a number");
    cr_assert(not(is_read(JUDGMENTS_CSV, "query,grade\nlamp,1\n")));
    cr_assert_str_eq(err.text, "line 1: the head has no column \"doc|docid|doc_id|document\"");
    cr_assert(not(is_read(
        JUDGMENTS_JSONL, "{\"query\":\"lamp\",\"doc\":\"a\",\"grade\":1}\n\n{\"query\":\"lamp\",\"dok\":\"a\"}\n{\n")));
    cr_assert(eq(sz, r.bad.count, 2));
    cr_assert(eq(sz, r.bad.first[0].line, 3));
    cr_assert(not(is_read(JUDGMENTS_JSONL, "")));
    cr_assert(not(is_read(JUDGMENTS_QUEPID, "query,docid,rating\n\xff,a,1\n")));
    cr_assert_str_eq(r.bad.first[0].err.text, "field \"query\" is not UTF-8");
}

/* What was read is written in each format, and read again: the same, but for what a format cannot say. */
Test(rating, what_is_written_reads_back_as_the_same)
{
    const struct export_head head = { STR("shop"), STR("of the shop") };
    for (enum judgment_format f = 0; f < JUDGMENTS_FORMAT_COUNT; f++) {
        AUTO(buf_release) struct buf b;
        struct ratings again = { .arena = &arena };
        buf_init(&b, 1 << 16);
        cr_assert(is_read(JUDGMENTS_JSONL,
                          "{\"query\":\"+lamp, "
                          "\\\"brass\\\"\",\"doc\":\"=1\",\"grade\":3,\"confidence\":0.25,\"source\":\"clicks\"}\n"
                          "{\"query\":\"+lamp, \\\"brass\\\"\",\"doc\":\"a\",\"grade\":0,\"judge\":\"anna\"}\n"
                          "{\"query\":\"stra\xc3\x9f"
                          "e\",\"doc\":\"c\",\"grade\":2}\n"));
        if (f == JUDGMENTS_TREC)
            ratings_export_topics(&r, &b);
        cr_assert(ratings_export(f, &head, &r, &b, &err), "%s", err.text);
        cr_assert(ratings_read(f, buf_str(&b), &again, &err), "%s: %s", judgment_format_names[f], err.text);
        cr_assert(eq(sz, again.count, 3), "%s", judgment_format_names[f]);
        for (size_t i = 0; i < 3; i++) {
            cr_assert(str_eq(again.items[i].query, r.items[i].query), "%s", judgment_format_names[f]);
            cr_assert(str_eq(again.items[i].doc, r.items[i].doc), "%s", judgment_format_names[f]);
            cr_assert(eq(dbl, again.items[i].grade, r.items[i].grade));
        }
        bool rich = f == JUDGMENTS_CSV || f == JUDGMENTS_JSONL;
        cr_assert(eq(int, again.items[0].clicks, rich));
        cr_assert(eq(int, str_eq_c(again.items[1].judge, "anna"), rich));
        ratings_release(&again);
    }
}

Test(rating, quepid_and_srw_are_written_byte_for_byte_as_their_programs_do)
{
    AUTO(buf_release) struct buf b;
    const struct export_head head = { STR("n"), STR("d") };
    buf_init(&b, 4096);
    cr_assert(is_read(JUDGMENTS_QUEPID, "query,docid,rating\n -minus,a,1\nher,9,\nnone,,\n"));
    cr_assert(ratings_export(JUDGMENTS_QUEPID, &head, &r, &b, &err));
    cr_assert(eq(str, b.p, "query,docid,rating\n -minus,a,1\nher,9,\nnone,,"));
    buf_clear(&b);
    cr_assert(ratings_export(JUDGMENTS_SRW, &head, &r, &b, &err));
    cr_assert(eq(str, b.p,
                 "{\"name\":\"n\",\"description\":\"d\",\"type\":\"IMPORT_JUDGMENT\",\"judgmentRatings\":[{\"query\":"
                 "\"-minus\",\"ratings\":"
                 "[{\"docId\":\"a\",\"rating\":\"1.000\"}]},{\"query\":\"her\",\"ratings\":[]},{\"query\":\"none\","
                 "\"ratings\":[]}]}"));
    cr_assert(is_read(JUDGMENTS_CSV, "query,doc,grade\nlamp,a,0.5\n"));
    cr_assert(not(ratings_export(JUDGMENTS_TREC, &head, &r, &b, &err)));
    cr_assert_str_eq(err.text, "query \"lamp\", document \"a\": the grade is 0.5, and qrels have whole numbers only");
}
