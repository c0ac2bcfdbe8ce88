#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "experimentd/ingest/journal/journal_file.h"

enum { RECORDS = 5 };

static char dir[64];

static void setup(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/journal-test-XXXXXX");
    cr_assert(mkdtemp(dir) != NULL);
}

static void teardown(void)
{
    AUTO(mem_free) char *command = mem_printf("rm -rf '%s'", dir);
    (void)!system(command);
}

TestSuite(journal, .init = setup, .fini = teardown);

static size_t add_record(struct buf *b, int i)
{
    char unit[32];
    size_t before = b->n;
    (void)snprintf(unit, sizeof unit, "unit-%d", i);
    struct signal s = {
        .at_us = i, .type = STR("click"), .unit = str_of(unit), .position = i, .value = i % 2 ? NAN : i
    };
    record_write_signal(b, &s);
    return b->n - before;
}

/* Numbers of the records that are found, in the order found. */
static size_t read_all(uint64_t limit, int found[64])
{
    struct journal_reader r;
    enum record_type type;
    struct str payload;
    size_t n = 0;
    journal_reader_init(&r, dir, 0);
    while (n < 64 && journal_reader_next(&r, limit, &type, &payload)) {
        struct signal s;
        cr_assert(record_parse_signal(payload, &s));
        found[n++] = s.position;
    }
    journal_reader_release(&r);
    return n;
}

static char *first_segment(void)
{
    return mem_printf("%s/%016d.seg", dir, 0);
}

Test(journal, a_record_reads_back_and_every_flipped_bit_is_found)
{
    struct buf b;
    struct str payload;
    enum record_type type;
    size_t size;
    buf_init(&b, 1 << 16);
    (void)add_record(&b, 3);
    cr_assert(eq(int, record_read(buf_str(&b), &type, &payload, &size), RECORD_WHOLE));
    cr_assert(eq(sz, size, b.n));
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ (1 << bit % 8));
        enum record_state s = record_read(buf_str(&b), &type, &payload, &size);
        cr_assert(s == RECORD_BAD || (s == RECORD_SHORT && bit < 32), "bit %zu: state %d", bit, s);
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ (1 << bit % 8));
    }
    buf_release(&b);
}

Test(journal, cut_at_any_byte_it_keeps_every_whole_record_and_takes_new_ones)
{
    struct buf b;
    size_t ends[RECORDS + 1] = { 0 };
    buf_init(&b, 1 << 16);
    for (int i = 0; i < RECORDS; i++)
        ends[i + 1] = ends[i] + add_record(&b, i + 1);
    for (size_t cut = 0; cut <= b.n; cut++) {
        struct journal_file f;
        struct err err;
        int found[64];
        size_t whole = 0;
        while (whole < RECORDS && ends[whole + 1] <= cut)
            whole++;
        cr_assert(journal_file_open(&f, dir, 1 << 16, &err), "%s", err.text);
        cr_assert(journal_file_append(&f, buf_str(&b), &err));
        journal_file_close(&f);
        AUTO(mem_free) char *path = first_segment();
        cr_assert(truncate(path, (off_t)(SEGMENT_HEAD_BYTES + cut)) == 0);
        cr_assert(journal_file_open(&f, dir, 1 << 16, &err), "%s", err.text);
        cr_assert(eq(u64, f.end, ends[whole]), "cut at %zu", cut);
        struct buf more;
        buf_init(&more, 1 << 16);
        (void)add_record(&more, 60);
        cr_assert(journal_file_append(&f, buf_str(&more), &err));
        size_t n = read_all(f.end, found);
        cr_assert(eq(sz, n, whole + 1), "cut at %zu", cut);
        cr_assert(eq(int, found[n - 1], 60));
        journal_file_close(&f);
        buf_release(&more);
        cr_assert(unlink(path) == 0);
    }
    buf_release(&b);
}

Test(journal, a_damaged_record_between_whole_ones_is_passed_over)
{
    struct journal_file f;
    struct err err;
    struct buf b;
    int found[64];
    buf_init(&b, 1 << 16);
    size_t first = add_record(&b, 1);
    (void)add_record(&b, 2);
    (void)add_record(&b, 3);
    cr_assert(journal_file_open(&f, dir, 1 << 16, &err));
    cr_assert(journal_file_append(&f, buf_str(&b), &err));
    char byte = 'X';
    cr_assert(eq(int, (int)pwrite(f.fd, &byte, 1, (off_t)(SEGMENT_HEAD_BYTES + first + RECORD_HEAD_BYTES + 30)), 1));
    cr_assert(eq(sz, read_all(f.end, found), 2));
    cr_assert(eq(int, found[0], 1));
    cr_assert(eq(int, found[1], 3));
    journal_file_close(&f);
    cr_assert(journal_file_open(&f, dir, 1 << 16, &err), "also when it is opened again");
    cr_assert(eq(u64, f.end, b.n), "nothing behind the damage is cut");
    journal_file_close(&f);
    buf_release(&b);
}

/* Three records, the length of number `victim` overwritten: what a loader finds before the synced end, and what is there after the
 * journal is opened again. */
static void damage_length(uint32_t length, int victim, size_t want, size_t want_reopened)
{
    struct journal_file f;
    struct err err;
    struct buf b;
    int found[64];
    size_t at[4] = { 0 };
    buf_init(&b, 1 << 16);
    for (int i = 0; i < 3; i++)
        at[i + 1] = at[i] + add_record(&b, i);
    cr_assert(journal_file_open(&f, dir, 1 << 16, &err));
    cr_assert(journal_file_append(&f, buf_str(&b), &err));
    cr_assert(eq(int, (int)pwrite(f.fd, &length, sizeof length, (off_t)(SEGMENT_HEAD_BYTES + at[victim])), 4));
    cr_assert(eq(sz, read_all(f.end, found), want), "length %u of record %d", length, victim);
    for (size_t i = 0; i < want; i++)
        cr_assert(eq(int, found[i], (int)i + ((int)i >= victim)));
    journal_file_close(&f);
    cr_assert(journal_file_open(&f, dir, 1 << 16, &err));
    cr_assert(eq(sz, read_all(f.end, found), want_reopened), "length %u of record %d, opened again", length, victim);
    journal_file_close(&f);
    buf_release(&b);
    teardown();
    setup();
}

Test(journal, a_damaged_length_does_not_stop_the_reading)
{
    const uint32_t lengths[] = { 0, 1, 200, 60000, 0x7f000000 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        damage_length(lengths[i], 0, 2, 2);
        damage_length(lengths[i], 1, 2, 2);
        damage_length(lengths[i], 2, 2, 2);
    }
}

Test(journal, records_synced_behind_a_damaged_end_are_read)
{
    struct journal_file f;
    struct journal_reader r;
    struct err err;
    struct buf b;
    enum record_type type;
    struct str payload;
    uint32_t length = 60000;
    buf_init(&b, 1 << 16);
    size_t size = add_record(&b, 1);
    cr_assert(journal_file_open(&f, dir, 1 << 16, &err));
    cr_assert(journal_file_append(&f, buf_str(&b), &err));
    cr_assert(eq(int, (int)pwrite(f.fd, &length, sizeof length, SEGMENT_HEAD_BYTES), 4));
    journal_reader_init(&r, dir, 0);
    cr_assert(not(journal_reader_next(&r, f.end, &type, &payload)));
    cr_assert(eq(u64, r.position, size), "synced, so it is damage and no torn end");
    cr_assert(eq(u64, r.bad, 1));
    cr_assert(journal_file_append(&f, buf_str(&b), &err));
    cr_assert(journal_reader_next(&r, f.end, &type, &payload), "the same reader goes on");
    cr_assert(eq(u64, r.position, f.end));
    journal_reader_release(&r);
    journal_file_close(&f);
    buf_release(&b);
}

static size_t segments(void)
{
    DIR *d = opendir(dir);
    size_t n = 0;
    for (struct dirent *e; (e = readdir(d));)
        n += strstr(e->d_name, ".seg") != NULL;
    (void)closedir(d);
    return n;
}

Test(journal, segments_follow_each_other_and_are_forgotten_when_loaded)
{
    struct journal_file f;
    struct err err;
    int found[64];
    uint64_t middle = 0;
    cr_assert(journal_file_open(&f, dir, 300, &err));
    for (int i = 0; i < 20; i++) {
        struct buf b;
        buf_init(&b, 1 << 16);
        (void)add_record(&b, i);
        cr_assert(journal_file_append(&f, buf_str(&b), &err));
        middle = i == 9 ? f.end : middle;
        buf_release(&b);
    }
    size_t before = segments();
    cr_assert(before > 5);
    cr_assert(eq(sz, read_all(f.end, found), 20));
    for (int i = 0; i < 20; i++)
        cr_assert(eq(int, found[i], i));
    journal_file_forget(&f, middle);
    cr_assert(segments() < before);
    cr_assert(journal_file_first(&f) <= middle);
    journal_file_forget(&f, f.end);
    cr_assert(eq(sz, segments(), 1), "the one that is written stays");
    journal_file_close(&f);
}

Test(journal, its_name_survives)
{
    struct journal_file f;
    struct err err;
    unsigned char id[16];
    cr_assert(journal_file_open(&f, dir, 1 << 12, &err));
    memcpy(id, f.id, sizeof id);
    journal_file_close(&f);
    cr_assert(journal_file_open(&f, dir, 1 << 12, &err));
    cr_assert(eq(int, memcmp(id, f.id, sizeof id), 0));
    journal_file_close(&f);
}

Test(journal, only_one_at_a_time_has_it)
{
    struct journal_file first, second;
    struct err err;
    cr_assert(journal_file_open(&first, dir, 1 << 12, &err));
    cr_assert(not(journal_file_open(&second, dir, 1 << 12, &err)));
    AUTO(mem_free) char *reason = mem_printf("journal \"%s\" is in use by process %d", dir, (int)getpid());
    cr_assert(eq(int, (int)err.kind, ERR_CONFLICT));
    cr_assert(eq(str, err.text, reason));
    journal_file_close(&second);
    journal_file_close(&first);
    cr_assert(journal_file_open(&second, dir, 1 << 12, &err));
    journal_file_close(&second);
}
