#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trainer/engine/spool.h"

enum { RECORDS = 3000, RECORD_BYTES = 100 }; /* several blocks */

static char path[64];

static void setup(void)
{
    (void)snprintf(path, sizeof path, "/tmp/spool-test-%d", (int)getpid());
}

static void teardown(void)
{
    (void)unlink(path);
}

TestSuite(spool, .init = setup, .fini = teardown);

static void write_records(int count, char fill)
{
    struct spool_writer w;
    struct err err = { 0 };
    char record[RECORD_BYTES];
    cr_assert(spool_writer_open(&w, path, 1, &err), "%s", err.text);
    for (int i = 0; i < count; i++) {
        memset(record, fill + i % 10, sizeof record);
        cr_assert(spool_write(&w, 0, (struct str){ record, sizeof record }, &err), "%s", err.text);
    }
    cr_assert(spool_writer_close(&w, &err), "%s", err.text);
}

/* How many records are read; -1: an error. */
static int read_records(void)
{
    struct spool_reader r;
    struct err err = { 0 };
    struct str block;
    bool end = false, ok = true;
    size_t bytes = 0;
    cr_assert(spool_reader_open(&r, path, 0, 1, &err), "%s", err.text);
    while ((ok = spool_read(&r, &block, &end, &err)) && !end)
        bytes += block.n;
    spool_reader_close(&r);
    return ok ? (int)(bytes / RECORD_BYTES) : -1;
}

Test(spool, what_is_written_is_read)
{
    unsigned char hash[SPOOL_HASH_BYTES];
    for (int count = 0; count <= RECORDS; count += RECORDS / 2) {
        write_records(count, 'a');
        cr_expect(eq(int, read_records(), count));
        cr_expect(spool_whole(path, 1, hash));
    }
}

Test(spool, a_file_that_lacks_its_end_is_none)
{
    unsigned char hash[SPOOL_HASH_BYTES];
    write_records(RECORDS, 'a');
    FILE *f = fopen(path, "re");
    cr_assert(f != NULL);
    (void)fseek(f, 0, SEEK_END);
    long size = ftell(f);
    (void)fclose(f);
    for (long cut = size - 1; cut >= 0; cut -= cut > size - 100 ? 1 : 4999) {
        cr_assert(eq(int, truncate(path, cut), 0));
        cr_expect(eq(int, read_records(), -1), "cut at %ld of %ld", cut, size);
        cr_expect(not(spool_whole(path, 1, hash)), "cut at %ld of %ld", cut, size);
    }
    (void)unlink(path);
    cr_expect(not(spool_whole(path, 1, hash)));
}

Test(spool, the_hash_is_of_the_contents)
{
    unsigned char a[SPOOL_HASH_BYTES], again[SPOOL_HASH_BYTES], b[SPOOL_HASH_BYTES];
    write_records(RECORDS, 'a');
    cr_assert(spool_whole(path, 1, a));
    write_records(RECORDS, 'a');
    cr_assert(spool_whole(path, 1, again));
    write_records(RECORDS, 'b');
    cr_assert(spool_whole(path, 1, b));
    cr_expect(eq(int, memcmp(a, again, sizeof a), 0));
    cr_expect(ne(int, memcmp(a, b, sizeof a), 0));
}

/* ---- parts ---- */

enum { PARTS = 7 };

/* Record i is of part (i·i) mod PARTS, which is not each of them, and says its number. */
static void write_parts(uint32_t count, size_t pad)
{
    struct spool_writer w;
    struct err err = { 0 };
    char *record = mem_zalloc(sizeof count + pad);
    cr_assert(spool_writer_open(&w, path, PARTS, &err), "%s", err.text);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(record, &i, sizeof i);
        cr_assert(spool_write(&w, i * i % PARTS, (struct str){ record, sizeof i + pad }, &err), "%s", err.text);
    }
    cr_assert(spool_writer_close(&w, &err), "%s", err.text);
    mem_free(record);
}

/* How many records the part has, in order; -1: an error. */
static int read_part(uint32_t part, size_t pad)
{
    struct spool_reader r;
    struct err err = { 0 };
    struct str block;
    bool end = false, ok = true;
    int count = 0;
    uint32_t i, last = 0;
    if (!spool_reader_open(&r, path, part, PARTS, &err))
        return -1;
    while ((ok = spool_read(&r, &block, &end, &err)) && !end) {
        cr_assert(eq(sz, block.n % (sizeof i + pad), 0));
        for (; block.n; block = (struct str){ block.p + sizeof i + pad, block.n - sizeof i - pad }, count++) {
            memcpy(&i, block.p, sizeof i);
            cr_assert(i * i % PARTS == part && (count == 0 || i > last), "record %u in part %u", i, part);
            last = i;
        }
    }
    spool_reader_close(&r);
    return ok ? count : -1;
}

static void expect_parts(uint32_t count, size_t pad)
{
    int expected[PARTS] = { 0 };
    for (uint32_t i = 0; i < count; i++)
        expected[i * i % PARTS]++;
    for (uint32_t p = 0; p < PARTS; p++)
        cr_expect(eq(int, read_part(p, pad), expected[p]), "part %u", p);
}

Test(spool, each_part_has_its_records_in_order)
{
    unsigned char hash[SPOOL_HASH_BYTES];
    for (uint32_t count = 0; count <= 20000; count += 10000) {
        write_parts(count, 96);
        expect_parts(count, 96);
        cr_expect(spool_whole(path, PARTS, hash));
        cr_expect(not(spool_whole(path, PARTS + 1, hash)));
    }
}

/* 80 MB, five times what is held in memory. */
Test(spool, parts_that_were_spilled_are_whole)
{
    write_parts(20000, 4092);
    expect_parts(20000, 4092);
}

Test(spool, a_file_of_parts_that_is_cut_or_flipped_is_none)
{
    unsigned char hash[SPOOL_HASH_BYTES];
    write_parts(30, 4);
    FILE *f = fopen(path, "re");
    cr_assert(f != NULL);
    char bytes[2048];
    size_t n = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 1;
        f = fopen(path, "we");
        (void)fwrite(bytes, 1, n, f);
        (void)fclose(f);
        bytes[i] ^= 1;
        bool found = !spool_whole(path, PARTS, hash);
        for (uint32_t p = 0; p < PARTS && !found; p++)
            found = read_part(p, 4) == -1;
        cr_expect(found || i >= n - SPOOL_HASH_BYTES, "byte %zu of %zu", i, n);
    }
    for (size_t cut = n; cut-- > 0;) {
        cr_assert(eq(int, truncate(path, (off_t)cut), 0));
        cr_expect(not(spool_whole(path, PARTS, hash)), "cut at %zu", cut);
        cr_expect(eq(int, read_part(0, 4), -1), "cut at %zu", cut);
    }
}
