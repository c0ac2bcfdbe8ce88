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
    cr_assert(spool_writer_open(&w, path, &err), "%s", err.text);
    for (int i = 0; i < count; i++) {
        memset(record, fill + i % 10, sizeof record);
        cr_assert(spool_write(&w, (struct str){ record, sizeof record }, &err), "%s", err.text);
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
    cr_assert(spool_reader_open(&r, path, &err), "%s", err.text);
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
        cr_expect(spool_whole(path, hash));
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
        cr_expect(not(spool_whole(path, hash)), "cut at %ld of %ld", cut, size);
    }
    (void)unlink(path);
    cr_expect(not(spool_whole(path, hash)));
}

Test(spool, the_hash_is_of_the_contents)
{
    unsigned char a[SPOOL_HASH_BYTES], again[SPOOL_HASH_BYTES], b[SPOOL_HASH_BYTES];
    write_records(RECORDS, 'a');
    cr_assert(spool_whole(path, a));
    write_records(RECORDS, 'a');
    cr_assert(spool_whole(path, again));
    write_records(RECORDS, 'b');
    cr_assert(spool_whole(path, b));
    cr_expect(eq(int, memcmp(a, again, sizeof a), 0));
    cr_expect(ne(int, memcmp(a, b, sizeof a), 0));
}
