/* A byte that says which format, and a file in it: what is taken is written, and reads back as the same. */
#include <assert.h>
#include <math.h>

#include "experimentd/judgments/export.h"
#include "experimentd/judgments/query_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { OUT_MAX = 64 << 20 };

static void is_rows(struct buf *rows, struct err *err)
{
    assert(buf_ok(rows, "rows", err));
    assert(rows->p[0] == '[' && rows->p[rows->n - 1] == ']');
}

/* As JSON lines: the format that says all of it. */
static void judgments(enum judgment_format format, struct str text, struct arena *arena)
{
    struct ratings r = { .arena = arena }, again = { .arena = arena };
    struct buf b;
    struct err err;
    buf_init(&b, OUT_MAX);
    if (ratings_read(format, text, &r, &err)) {
        const struct export_head head = { STR("name"), STR("") };
        ratings_write_rows(&r, &b);
        is_rows(&b, &err);
        buf_clear(&b);
        assert(ratings_export(JUDGMENTS_JSONL, &head, &r, &b, &err));
        assert(ratings_read(JUDGMENTS_JSONL, buf_str(&b), &again, &err));
        assert(again.count == r.count);
        for (size_t i = 0; i < r.count; i++) {
            assert(str_eq(r.items[i].query, again.items[i].query) && str_eq(r.items[i].doc, again.items[i].doc));
            assert(isnan(r.items[i].grade) == isnan(again.items[i].grade));
        }
        for (enum judgment_format f = 0; f < JUDGMENTS_FORMAT_COUNT; f++) {
            buf_clear(&b);
            (void)!ratings_export(f, &head, &r, &b, &err);
        }
    }
    ratings_release(&r);
    ratings_release(&again);
    buf_release(&b);
}

static void query_files(enum query_file_format format, struct str text, struct arena *arena)
{
    struct query_rows q = { .arena = arena }, again = { .arena = arena };
    struct buf b;
    struct err err;
    buf_init(&b, OUT_MAX);
    if (query_file_read(format, text, &q, &err)) {
        query_rows_write(&q, &b);
        is_rows(&b, &err);
        buf_clear(&b);
        assert(query_file_export(QUERY_FILE_JSONL, STR("name"), STR(""), STR("manual"), &q, &b, &err));
        assert(query_file_read(QUERY_FILE_JSONL, buf_str(&b), &again, &err));
        assert(again.count == q.count);
        for (size_t i = 0; i < q.count; i++)
            assert(str_eq(q.items[i].query, again.items[i].query) && str_eq(q.items[i].params, again.items[i].params));
    }
    query_rows_release(&q);
    query_rows_release(&again);
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena arena;
    if (n == 0)
        return 0;
    unsigned format = data[0] % (JUDGMENTS_FORMAT_COUNT + QUERY_FILE_FORMAT_COUNT);
    struct str text = { (const char *)data + 1, n - 1 };
    arena_init(&arena, 4096);
    if (format < JUDGMENTS_FORMAT_COUNT)
        judgments((enum judgment_format)format, text, &arena);
    else
        query_files((enum query_file_format)(format - JUDGMENTS_FORMAT_COUNT), text, &arena);
    arena_release(&arena);
    return 0;
}
