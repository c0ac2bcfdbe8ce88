#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "experimentd/searches/run_file.h"

static const char *read_file(enum run_file_format format, const char *text, struct arena *arena)
{
    struct run_file f;
    struct err err;
    bool ok = run_file_read(format, str_of(text), arena, &f, &err);
    const char *out = arena_cstr(arena, ok ? buf_str(&f.lists) : str_of(err.text));
    buf_release(&f.lists);
    return out;
}

static void expect(enum run_file_format format, const char *text, const char *expected)
{
    struct arena arena;
    arena_init(&arena, 4096);
    const char *got = read_file(format, text, &arena);
    cr_assert(eq(int, strcmp(got, expected), 0), "%s", got);
    arena_release(&arena);
}

/* Ties as trec_eval resolves them, whatever the ranks say. */
Test(run_file, trec_runs)
{
    expect(
        RUN_FILE_TREC,
        "q1 Q0 c 4 5.0 t\nq1 Q0 a 1 4 t\nq2\tQ0\ty\t1\t1.0\tt\nq1 Q0 u 2 4.0 t\r\n\nq1 Q0 b 3 3 t\nq2 Q0 x 2 1.0 t\n",
        "[[\"q1\",[\"c\",\"u\",\"a\",\"b\"]],[\"q2\",[\"y\",\"x\"]]]");
    expect(RUN_FILE_TREC, "1\tdesk lamp\n1 Q0 a 1 2 t\n2 Q0 b 1 2 t\n", "[[\"2\",[\"b\"]],[\"desk lamp\",[\"a\"]]]");
    expect(RUN_FILE_TREC, "q1 Q0 a 1 2\n",
           "1 of the lines are wrong; line 1: has 5 fields, not 6: query, Q0, document, rank, score, name of the run");
    expect(RUN_FILE_TREC, "q1 Q0 a 1 nan t\n", "1 of the lines are wrong; line 1: score \"nan\" is no number");
    expect(RUN_FILE_TREC, "q1 Q0 a 1 2 t\nq1 Q0 a 2 1 t\n",
           "1 of the lines are wrong; line 2: document \"a\" stands twice in the list of \"q1\"");
    expect(RUN_FILE_TREC, "\n", "the file has no ranking");
}

Test(run_file, csv)
{
    expect(RUN_FILE_CSV, "\xEF\xBB\xBFquery,doc,rank\n\"desk, \"\"lamp\"\"\",b,2\n\"desk, \"\"lamp\"\"\",a,1\n",
           "[[\"desk, \\\"lamp\\\"\",[\"a\",\"b\"]]]");
    expect(RUN_FILE_CSV, "docid,extra,score,query\na,x,1,q\nb,x,2,q\n", "[[\"q\",[\"b\",\"a\"]]]");
    expect(RUN_FILE_CSV, "query,doc\nq,a\n", "the header does not name query, doc, and score or rank");
    expect(RUN_FILE_CSV, "query,doc,score\nq,a,x\n", "1 of the lines are wrong; line 2: score \"x\" is no number");
    expect(RUN_FILE_CSV, "query,doc,score\n\"q,a,1\n",
           "1 of the lines are wrong; line 2: has a quote that is not closed before the next comma");
    expect(RUN_FILE_CSV, "query,doc,score\n,a,1\n",
           "1 of the lines are wrong; line 2: the query has 0 bytes, not 1 to 1024");
}

Test(run_file, json_lines)
{
    expect(RUN_FILE_JSONL, "{\"query\":\"q\",\"docs\":[\"z\",\"a\"]}\n", "[[\"q\",[\"z\",\"a\"]]]");
    expect(RUN_FILE_JSONL, "{\"query\":\"q\",\"docs\":[1]}\n",
           "1 of the lines are wrong; line 1: document 1 is no text");
    expect(RUN_FILE_JSONL, "{\"query\":\"q\"}\n", "1 of the lines are wrong; line 1: line: field \"docs\" is missing");
}

static void over(size_t limit_bytes)
{
    (void)limit_bytes;
    abort();
}

/* Each field took as much as was left of its line. */
Test(run_file, fields_in_quotes_take_what_they_have)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_add_c(&text, "query,doc,score\n\"q\",\"a\",1");
    for (int i = 0; i < 20000; i++)
        buf_add_c(&text, ",\"\"\"\"");
    mem_limit(16 << 20, over);
    expect(RUN_FILE_CSV, buf_str(&text).p, "[[\"q\",[\"a\"]]]");
    mem_limit(0, NULL);
    buf_release(&text);
}
