#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "experimentd/ingest/journal/journal.h"
#include "experimentd/ingest/journal/journal_file.h"
#include "experimentd/ingest/load/ahead.h"

enum { RECORDS = 25000, SEGMENT = 1 << 20 };

static char dir[64];
static struct journal *journal;
static struct ahead *ahead;

static void write_records(void)
{
    struct journal_file f;
    struct err err;
    struct buf b;
    buf_init(&b, 1 << 20);
    cr_assert(journal_file_open(&f, dir, SEGMENT, &err), "%s", err.text);
    for (int i = 0; i < RECORDS; i++) {
        char unit[32], dims[40];
        (void)snprintf(unit, sizeof unit, "unit-%d", i);
        (void)snprintf(dims, sizeof dims, "{\"n\":\"%d\"}", i);
        struct signal s = { .at_us = i, .type = STR("click"), .unit = str_of(unit), .position = i };
        struct exposure e = {
            .at_us = i, .experiment = STR("e"), .variant = STR("b"), .unit = str_of(unit), .dims = str_of(dims)
        };
        if (i % 10 == 9)
            record_write_exposure(&b, &e);
        else
            record_write_signal(&b, &s);
        if (i % 100 == 99) {
            cr_assert(journal_file_append(&f, buf_str(&b), &err), "%s", err.text);
            buf_clear(&b);
        }
    }
    journal_file_close(&f);
    buf_release(&b);
}

static void setup(void)
{
    struct err err;
    (void)snprintf(dir, sizeof dir, "/tmp/ahead-test-XXXXXX");
    cr_assert(mkdtemp(dir) != NULL);
    write_records();
    journal = journal_open(&(struct journal_options){ dir, 1 << 30, SEGMENT }, &err);
    ahead = journal ? ahead_start(journal, &err) : NULL;
    cr_assert(ahead != NULL, "%s", err.text);
}

static void teardown(void)
{
    AUTO(mem_free) char *command = mem_printf("rm -rf '%s'", dir);
    ahead_stop(ahead);
    journal_close(journal);
    (void)!system(command);
}

TestSuite(ahead, .init = setup, .fini = teardown);

/* The batch holds records first, first + 1, …; returns the number behind its last. */
static int check(const struct batch *b, int first)
{
    size_t s = 0, e = 0;
    int i = first;
    for (; (size_t)(i - first) < batch_rows(b); i++) {
        char unit[32], dims[40];
        (void)snprintf(unit, sizeof unit, "unit-%d", i);
        (void)snprintf(dims, sizeof dims, "{\"n\":\"%d\"}", i);
        if (i % 10 == 9)
            cr_assert(str_eq(b->rows.exposures[e].dims, str_of(dims)), "record %d", i);
        struct str found = i % 10 == 9 ? b->rows.exposures[e++].unit : b->rows.signals[s++].unit;
        cr_assert(str_eq(found, str_of(unit)), "record %d is " STR_FMT, i, STR_ARG(found));
    }
    return i;
}

Test(ahead, batches_follow_each_other_and_hold_every_record)
{
    uint64_t position = 0, limit = journal_wait_synced(journal, 0, 0);
    int next = 0;
    while (position < limit) {
        struct batch *b = ahead_take(ahead, position, limit, ROWS_MAX);
        cr_assert(eq(u64, b->from, position));
        cr_assert(gt(u64, b->to, position));
        next = check(b, next);
        position = b->to;
    }
    cr_assert(eq(int, next, RECORDS));
}

Test(ahead, after_a_failure_the_same_rows_come_again_fewer_at_a_time)
{
    uint64_t limit = journal_wait_synced(journal, 0, 0);
    struct batch *b = ahead_take(ahead, 0, limit, 7000);
    uint64_t second = b->to;
    cr_assert(eq(int, check(b, 0), 7000));
    b = ahead_take(ahead, second, limit, 7000);
    b->rows.signals_count = b->rows.exposures_count = 0; /* as the loader leaves out repeats */
    b = ahead_take(ahead, second, limit, 7000);          /* what was read ahead is behind these */
    cr_assert(eq(int, check(b, 7000), 14000));
    for (size_t rows = 3500; rows > 0; rows /= 8) {
        b = ahead_take(ahead, second, limit, rows);
        cr_assert(eq(sz, batch_rows(b), rows));
        (void)check(b, 7000);
    }
    cr_assert(gt(int, check(ahead_take(ahead, b->to, limit, ROWS_MAX), 7006), 7006));
}

Test(ahead, nothing_synced_is_an_empty_batch)
{
    uint64_t limit = journal_wait_synced(journal, 0, 0);
    struct batch *b = ahead_take(ahead, limit, limit, ROWS_MAX);
    cr_assert(eq(u64, b->to, limit));
    cr_assert(eq(sz, batch_rows(b), 0));
}
