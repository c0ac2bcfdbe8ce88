/* ranking_clicks FILE MODEL ITERATIONS: seconds of CPU of EM iterations of one click model over the searches of a file that ranking_clicks.py wrote, on one core, by
 * the code of the job "click-models". Prints JSON.
 *
 * The file: u32 searches, u32 positions, u32 queries, u32 documents of each query; then of each search, sorted by query, documents and clicks: u32 query,
 * u32 clicked (bits), u16 × positions documents. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "trainer/kernels/click_models/click_em.h"

struct file {
    uint32_t searches, positions, queries, docs;
    uint32_t *query, *clicked;
    uint16_t *shown;
};

static double cpu(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "ranking_clicks: %s\n", what);
    exit(1);
}

static void take(FILE *f, void *out, size_t bytes)
{
    need(fread(out, 1, bytes, f) == bytes, "the file is cut off");
}

static struct file read_file(const char *path)
{
    struct file in;
    uint32_t head[4];
    FILE *f = fopen(path, "rb");
    need(f != NULL, "cannot open the file");
    take(f, head, sizeof head);
    in = (struct file){ head[0], head[1], head[2], head[3], NULL, NULL, NULL };
    need(in.positions <= SERP_DOCS_MAX, "too many positions");
    in.query = mem_alloc((in.searches + (size_t)1) * sizeof *in.query);
    in.clicked = mem_alloc((in.searches + (size_t)1) * sizeof *in.clicked);
    in.shown = mem_alloc((in.searches + (size_t)1) * in.positions * sizeof *in.shown);
    take(f, in.query, in.searches * sizeof *in.query);
    take(f, in.clicked, in.searches * sizeof *in.clicked);
    take(f, in.shown, (size_t)in.searches * in.positions * sizeof *in.shown);
    (void)fclose(f);
    return in;
}

/* The searches [from, end) of one query as patterns with counts, as the merge of the log leaves them. */
static struct serp_query patterns_of(const struct file *in, uint32_t from, uint32_t end, struct arena *arena)
{
    struct serp_pattern *patterns = arena_alloc(arena, (end - from) * sizeof *patterns);
    struct str *docs = arena_alloc(arena, in->docs * sizeof *docs);
    struct serp_query q = { .text = STR("q"), .docs = docs, .patterns = patterns, .docs_count = in->docs };
    size_t bytes = in->positions * sizeof *in->shown;
    for (uint32_t d = 0; d < in->docs; d++)
        docs[d] = STR("d");
    for (uint32_t i = from; i < end; i++, q.sessions++) {
        const uint16_t *shown = in->shown + (size_t)i * in->positions;
        if (i > from && in->clicked[i] == in->clicked[i - 1] && memcmp(shown, shown - in->positions, bytes) == 0) {
            patterns[q.patterns_count - 1].count++;
            continue;
        }
        uint32_t *numbers = arena_alloc(arena, in->positions * sizeof *numbers);
        for (uint32_t r = 0; r < in->positions; r++)
            numbers[r] = shown[r];
        patterns[q.patterns_count++] = (struct serp_pattern){ numbers, NULL, in->clicked[i], 1, 0, in->positions, 0 };
    }
    return q;
}

struct counted {
    struct click_query *queries;
    uint32_t count;
    uint64_t patterns, places, slots, lists;
};

static struct counted count_all(const struct file *in, struct arena *arena)
{
    struct counted c = { .queries = mem_alloc((in->queries + (size_t)1) * sizeof *c.queries) };
    for (uint32_t i = 0, end; i < in->searches; i = end) {
        struct err err;
        for (end = i + 1; end < in->searches && in->query[end] == in->query[i];)
            end++;
        struct serp_query q = patterns_of(in, i, end, arena);
        need(click_query_make(&q, arena, &c.queries[c.count], &err), "a query has too many searches");
        struct click_lists lists = c.queries[c.count].train;
        for (struct click_list l; click_lists_next(&lists, false, &l);)
            c.lists++;
        c.patterns += q.patterns_count;
        c.places += c.queries[c.count].places.count;
        c.slots += c.queries[c.count++].slots.count;
    }
    return c;
}

int main(int argc, char **argv)
{
    uint32_t iterations = 0;
    struct err err;
    need(argc == 4 && parse_u32(str_of(argv[3]), &iterations, &err) && iterations > 0,
         "usage: ranking_clicks FILE MODEL ITERATIONS");
    enum click_model m = click_model_named(str_of(argv[2]));
    need(m < CLICK_MODEL_COUNT && click_model_is_em(m), "the model is none of pbm, ubm, dbn, ccm");
    struct file in = read_file(argv[1]);
    struct arena arena;
    struct click_globals g;
    struct click_counts counts;
    arena_init(&arena, 1 << 20);
    double begun = cpu();
    struct counted c = count_all(&in, &arena);
    double counted = cpu();
    click_globals_init(&g, in.positions, 2);
    g.mean = 0.5;
    g.sweeps = 1;
    g.active = 1U << m;
    for (uint32_t k = 0; k < iterations; k++) {
        AUTO(click_work_free) struct click_work *work = click_work_new(&g);
        memset(&counts, 0, sizeof counts);
        for (uint32_t i = 0; i < c.count; i++)
            click_em_step(&c.queries[i], &g, work, &counts);
        click_globals_step(&g, &counts);
    }
    double done = cpu();
    (void)printf(
        "{\"counting\": %.6f, \"iteration\": %.6f, \"loglikelihood\": %.12g, \"patterns\": %llu, \"places\": %llu, "
        "\"slots\": %llu, \"lists\": %llu}\n",
        counted - begun, (done - counted) / iterations, counts.loglikelihood[m], (unsigned long long)c.patterns,
        (unsigned long long)c.places, (unsigned long long)c.slots, (unsigned long long)c.lists);
    mem_free(c.queries);
    mem_free(in.query);
    mem_free(in.clicked);
    mem_free(in.shown);
    arena_release(&arena);
    return 0;
}
