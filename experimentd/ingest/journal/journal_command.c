#include "experimentd/ingest/journal/journal_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "experimentd/ingest/journal/drain.h"
#include "experimentd/ingest/journal/journal_file.h"

struct segment {
    uint64_t start, signals, exposures, end;
};

static void print_segment(const struct segment *s)
{
    if (s->signals + s->exposures)
        (void)printf("%016" PRIx64 ".seg  positions %" PRIu64 " to %" PRIu64 "  signals %" PRIu64 "  exposures %" PRIu64
                     "\n",
                     s->start, s->start, s->end, s->signals, s->exposures);
}

/* Reads to the end of the last segment. What is damaged the reader logs, with file and offset. */
static uint64_t check(const char *dir)
{
    struct journal_reader r;
    struct segment s = { 0 };
    enum record_type type;
    struct str payload;
    uint64_t records = 0;
    AUTO(mem_free) char *name = mem_strdup(dir);
    const struct journal_file file = { .dir = name };
    s.start = journal_file_first(&file);
    journal_reader_init(&r, dir, s.start);
    while (journal_reader_next(&r, UINT64_MAX, &type, &payload)) {
        if (r.start != s.start) {
            print_segment(&s);
            s = (struct segment){ .start = r.start };
        }
        s.signals += type == RECORD_SIGNAL;
        s.exposures += type == RECORD_EXPOSURE;
        s.end = r.position;
        records++;
    }
    print_segment(&s);
    uint64_t bad = r.bad + (r.failed != 0);
    (void)printf("%" PRIu64 " records up to position %" PRIu64 ", damaged places: %" PRIu64 "\n", records, r.position,
                 bad);
    journal_reader_release(&r);
    return bad;
}

int journal_main(int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "drain") == 0)
        return drain_main(argc - 1, argv + 1);
    if (argc != 2 || strcmp(argv[0], "check") != 0) {
        (void)fprintf(stderr, "usage: experimentd journal check DIR\n"
                              "       experimentd journal drain DIR --database-url URL | --data-dir DATA_DIR\n"
                              "where DIR holds the segments (DATA_DIR/journal)\n");
        return EX_USAGE;
    }
    AUTO(mem_free) char *id = mem_printf("%s/id", argv[1]);
    if (access(id, R_OK) != 0) {
        (void)fprintf(stderr, "experimentd: \"%s\" holds no journal: its file \"id\" cannot be read\n", argv[1]);
        return EX_NOINPUT;
    }
    return check(argv[1]) ? EXIT_FAILURE : EXIT_SUCCESS;
}
