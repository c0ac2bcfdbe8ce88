#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/writer.h"
#include "base/hash.h"

enum { COLUMNS = 4 };
static const struct archive_column columns[COLUMNS] = { { STR("bucket"), ARCHIVE_INT },
                                                        { STR("unit"), ARCHIVE_TEXT },
                                                        { STR("at"), ARCHIVE_TIME },
                                                        { STR("value"), ARCHIVE_REAL } };
static const struct archive_schema schema = { STR("signals"), 20513, columns, COLUMNS };

struct files {
    char dir[64], *a, *b;
};

static struct files make_files(void)
{
    struct files f = { .dir = "/tmp/archive-test-XXXXXX" };
    cr_assert(mkdtemp(f.dir) != NULL);
    f.a = mem_printf("%s/signals/a.arc", f.dir);
    f.b = mem_printf("%s/signals/b.arc", f.dir);
    return f;
}

static void remove_files(struct files *f)
{
    AUTO(mem_free) char *folder = mem_printf("%s/signals", f->dir);
    (void)unlink(f->a);
    (void)unlink(f->b);
    (void)rmdir(folder);
    cr_assert(eq(int, rmdir(f->dir), 0)); /* nothing else was left */
    mem_free(f->a);
    mem_free(f->b);
}

static void row_of(uint32_t i, char text[32], struct archive_value row[COLUMNS])
{
    (void)snprintf(text, 32, "unit-%07u", i / 3);
    row[0] = (struct archive_value){ .i = i / 1000 };
    row[1] = (struct archive_value){ .s = str_of(text) };
    row[2] = (struct archive_value){ .i = INT64_C(20513) * 86400000000 + i * INT64_C(1000) };
    row[3] = i % 4 ? (struct archive_value){ .d = i / 8.0 } : (struct archive_value){ .null = true };
}

static struct archive_summary write_rows(const char *path, uint32_t rows)
{
    struct err err = { 0 };
    struct archive_summary s = { 0 };
    AUTO(archive_writer_free) struct archive_writer *w = archive_writer_open(path, &schema, &err);
    cr_assert(w != NULL, "%s", err.text);
    for (uint32_t i = 0; i < rows; i++) {
        struct archive_value row[COLUMNS];
        char text[32];
        row_of(i, text, row);
        cr_assert(archive_writer_add(w, row, &err), "%s", err.text);
    }
    cr_assert(ne(int, access(path, F_OK), 0)); /* it has its name only when it is whole */
    cr_assert(archive_writer_finish(w, &s, &err), "%s", err.text);
    return s;
}

static void read_rows(const struct archive *a, uint32_t rows)
{
    struct arena arena;
    uint32_t i = 0;
    arena_init(&arena, 1 << 16);
    for (size_t g = 0; g < archive_footer(a)->groups_count; g++) {
        struct archive_value *v[COLUMNS];
        struct err err = { 0 };
        for (size_t c = 0; c < COLUMNS; c++)
            cr_assert(archive_read(a, g, c, &arena, &v[c], &err), "%s", err.text);
        for (uint32_t k = 0; k < archive_footer(a)->groups[g].rows; k++, i++) {
            struct archive_value row[COLUMNS];
            char text[32];
            row_of(i, text, row);
            cr_assert(v[0][k].i == row[0].i && str_eq(v[1][k].s, row[1].s) && v[2][k].i == row[2].i, "row %u", i);
            cr_assert(v[3][k].null == row[3].null && (row[3].null || v[3][k].d == row[3].d), "row %u", i);
        }
        arena_reset(&arena);
    }
    arena_release(&arena);
    cr_assert(eq(u32, i, rows));
}

static void read_all(const char *path, char **out, size_t *out_n)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f != NULL);
    *out = mem_alloc(1 << 24);
    *out_n = fread(*out, 1, 1 << 24, f);
    (void)fclose(f);
}

Test(file, rows_come_back_and_the_summary_is_the_files)
{
    static const uint32_t rows[] = { 0, 1, ARCHIVE_GROUP_ROWS, ARCHIVE_GROUP_ROWS * 2 + 5 };
    struct files f = make_files();
    for (int i = 0; i < 4; i++) {
        struct err err = { 0 };
        struct archive_summary s = write_rows(f.a, rows[i]);
        char *bytes;
        size_t n;
        read_all(f.a, &bytes, &n);
        cr_assert(eq(u64, s.rows, rows[i]));
        cr_assert(eq(u64, s.bytes, n));
        cr_assert(eq(u32, s.crc, hash_crc32c(0, bytes, n)));
        AUTO(archive_close) struct archive *a = archive_open(f.a, &err);
        cr_assert(a != NULL, "%s", err.text);
        read_rows(a, rows[i]);
        cr_assert(eq(i32, archive_footer(a)->schema.day, 20513));
        cr_assert(str_eq(archive_footer(a)->schema.table, STR("signals")));
        cr_assert(eq(int, archive_column_named(a, "at"), 2));
        cr_assert(eq(int, archive_column_named(a, "mark"), -1));
        mem_free(bytes);
        (void)unlink(f.a);
    }
    remove_files(&f);
}

Test(file, what_is_not_finished_leaves_nothing)
{
    struct files f = make_files();
    struct err err;
    struct archive_writer *w = archive_writer_open(f.a, &schema, &err);
    struct archive_value row[COLUMNS];
    char text[32];
    row_of(1, text, row);
    cr_assert(archive_writer_add(w, row, &err));
    archive_writer_free(w);
    remove_files(&f);
}

Test(file, groups_are_taken_over_as_they_are)
{
    struct files f = make_files();
    struct err err = { 0 };
    struct archive_summary s;
    uint32_t rows = ARCHIVE_GROUP_ROWS + 100;
    (void)write_rows(f.a, rows);
    AUTO(archive_close) struct archive *a = archive_open(f.a, &err);
    AUTO(archive_writer_free) struct archive_writer *w = archive_writer_open(f.b, &schema, &err);
    cr_assert(archive_writer_add_group(w, a, 0, &err));
    for (uint32_t i = ARCHIVE_GROUP_ROWS; i < rows; i++) {
        struct archive_value row[COLUMNS];
        char text[32];
        row_of(i, text, row);
        cr_assert(archive_writer_add(w, row, &err));
    }
    cr_assert(archive_writer_finish(w, &s, &err));
    AUTO(archive_close) struct archive *b = archive_open(f.b, &err);
    cr_assert(b != NULL, "%s", err.text);
    read_rows(b, rows);
    remove_files(&f);
}

Test(file, every_flipped_byte_is_found_and_named)
{
    struct files f = make_files();
    char *bytes;
    size_t n, named = 0;
    (void)write_rows(f.a, 100);
    read_all(f.a, &bytes, &n);
    for (size_t i = 0; i < n; i++) {
        struct err err = { 0 };
        bytes[i] = (char)(bytes[i] ^ 0x10);
        AUTO(archive_close) struct archive *a = archive_open_bytes("x.arc", (struct str){ bytes, n }, &err);
        bool found = !a || !archive_check(a, &err);
        cr_assert(found, "byte %zu", i);
        cr_assert(strncmp(err.text, "archive \"x.arc\": ", 17) == 0, "%s", err.text);
        named += strstr(err.text, "column \"value\", block 0: it does not have its checksum") != NULL;
        bytes[i] = (char)(bytes[i] ^ 0x10);
    }
    cr_assert(gt(sz, named, 100)); /* the bytes of that block */
    for (size_t cut = 0; cut < n; cut++) {
        struct err err = { 0 };
        cr_assert(archive_open_bytes("x.arc", (struct str){ bytes, cut }, &err) == NULL, "%zu bytes", cut);
    }
    mem_free(bytes);
    remove_files(&f);
}

Test(file, what_is_no_file_is_an_error)
{
    struct err err = { 0 };
    cr_assert(archive_open("/tmp/there/is/none", &err) == NULL);
    cr_assert(eq(str, err.text, "cannot open archive \"/tmp/there/is/none\": No such file or directory"));
    cr_assert(archive_open("/dev/null", &err) == NULL);
}
