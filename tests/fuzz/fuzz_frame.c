#include "base/hash.h"
#include "trainer/engine/feed.h"
#include "trainer/engine/frame.h"
#include "trainer/jobs/metrics_merge.h"
#include "trainer/kernels/bootstrap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A program with every kind of column. */
static const struct program *program_of(void)
{
    static const char *const texts[] = {
        "{\"key\": \"m\", \"kind\": \"mean\", \"covariate_days\": 7, \"cap\": {\"percentile\": 0.9}, \"numerator\": "
        "{\"of\": \"queries\"}}",
        "{\"key\": \"q\", \"kind\": \"quantile\", \"quantile\": 0.5, \"numerator\": {\"of\": \"queries\", \"that\": "
        "\"revenue\"}}",
        "{\"key\": \"r\", \"kind\": \"ratio\", \"numerator\": {\"of\": \"sessions\"}, \"denominator\": {\"of\": "
        "\"queries\"}}",
    };
    static struct arena arena;
    static struct program program;
    static struct metric_def defs[COUNT_OF(texts)];
    if (program.metrics_count)
        return &program;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!metric_parse(str_of(texts[i]), &arena, &defs[i], NULL))
            __builtin_trap();
    if (!program_make(defs, COUNT_OF(texts), &arena, &program, NULL))
        __builtin_trap();
    return &program;
}

static void merge(struct str text)
{
    struct merged m;
    struct arena arena;
    struct metrics_cap *caps;
    size_t count;
    struct buf part;
    buf_init(&part, text.n + 1);
    buf_add_str(&part, text);
    arena_init(&arena, 4096);
    if (merged_make(&m, program_of(), 2, &part, 1, NULL))
        (void)!merged_caps(&m, program_of(), &arena, &caps, &count, NULL);
    merged_release(&m);
    arena_release(&arena);
    buf_release(&part);
}

static void draw(struct str text)
{
    struct bootstrap_arm arm;
    struct str variant;
    bootstrap_init(&arm, 3);
    while (text.n && bootstrap_read_variant(&text, &variant) && bootstrap_merge(&arm, &text, NULL))
        (void)bootstrap_quantile(&arm, 1, 0.5);
    bootstrap_release(&arm);
}

/* The bytes as DATA frames: a byte each for input, seq and length, then the chunk. Whatever is taken is served once, in order. */
static void feed(struct str text)
{
    struct feed in;
    size_t bytes = 0, served = 0;
    uint32_t count = 0;
    feed_init(&in);
    while (text.n >= 3) {
        const unsigned char *head = (const unsigned char *)text.p;
        size_t n = head[2] < text.n - 3 ? head[2] : text.n - 3;
        AUTO(buf_release) struct buf b;
        struct frame f = { FRAME_DATA, head[0] % 4, head[1] % 8, { text.p + 3, n } }, read;
        size_t size;
        buf_init(&b, 1024);
        frame_write(&b, &f);
        if (frame_read(buf_str(&b), &read, &size) != FRAME_WHOLE || size != b.n || !str_eq(read.payload, f.payload) ||
            read.a != f.a || read.b != f.b || !feed_add(&in, read.a, read.b, read.payload, NULL))
            __builtin_trap();
        bytes += n;
        count++;
        text = (struct str){ text.p + 3 + n, text.n - 3 - n };
    }
    bool whole = feed_end(&in, count, NULL), end;
    for (uint32_t i = 0; whole && i < 4; i++) {
        struct str chunk;
        for (uint32_t seq = 0; feed_read(&in, i, seq, &chunk, &end, NULL) && !end; seq++)
            served += chunk.n;
    }
    if (whole && served != bytes)
        __builtin_trap();
    feed_release(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = { (const char *)data, n };
    struct frame f;
    size_t size;
    struct arena arena;
    struct unit_day u;
    (void)frame_read(text, &f, &size);
    arena_init(&arena, 4096);
    for (struct str rest = text; rest.n && unit_day_read(&rest, program_of(), &u, &arena);) {
    }
    arena_release(&arena);
    merge(text);
    draw(text);
    feed(text);
    return 0;
}
