/* ranking_score ARTIFACT BODY [ROUNDS]: a request of /v1/rank in process, one thread: reading its text, scoring, and all of it with the answer written.
 * Medians of CPU time over rounds; one line of JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "experimentd/serving/rank_ask.h"

enum { ROUNDS = 200, ROUNDS_MAX = 5000 };

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "ranking_score: %s\n", what);
    exit(1);
}

static struct str read_file(const char *path, struct arena *arena)
{
    struct buf b;
    char piece[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f)
        die(path);
    buf_init(&b, (size_t)1 << 30);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(&b, piece, n);
    (void)fclose(f);
    struct str s = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return s;
}

static int by_value(const void *va, const void *vb)
{
    const double *a = va, *b = vb;
    return (*a > *b) - (*a < *b);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

static const struct ranker *find(void *arg, struct str model, struct str alias)
{
    (void)model;
    (void)alias;
    return *(const struct ranker **)arg;
}

struct times {
    double read[ROUNDS_MAX], score[ROUNDS_MAX], all[ROUNDS_MAX];
};

static void round_of(struct str body, const struct serving_entry *e, struct arena *arena, struct buf *out, double *read,
                     double *score, double *all)
{
    const struct ranker *r = e->served->view, *ranker = r;
    struct rank_ask ask;
    struct rank_docs docs;
    struct err err;
    static float scores[RANK_DOCS_MAX];
    arena_reset(arena);
    buf_clear(out);
    double begin = cpu_us();
    if (!rank_ask_read(body, 0, find, &ranker, arena, &ask, &err) || !rank_docs_read(&ask, r, arena, &docs, &err))
        die(err.text);
    *read = cpu_us() - begin;
    begin = cpu_us();
    ranker_score(r, docs.values, docs.count, scores);
    *score = cpu_us() - begin;
    arena_reset(arena);
    begin = cpu_us();
    if (!rank_ask_read(body, 0, find, &ranker, arena, &ask, &err) || !rank_answer_write(&ask, e, arena, out, &err))
        die(err.text);
    *all = cpu_us() - begin;
}

int main(int argc, char **argv)
{
    static struct times t;
    struct arena arena, work;
    struct artifact a;
    struct ranker r;
    struct buf out;
    struct err err;
    int rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : ROUNDS;
    if (argc < 3 || rounds < 1 || rounds > ROUNDS_MAX)
        die("ranking_score ARTIFACT BODY [ROUNDS, up to 5000]");
    arena_init(&arena, 1 << 20);
    arena_init(&work, 1 << 22);
    buf_init(&out, 8 << 20);
    struct str file = read_file(argv[1], &arena), body = read_file(argv[2], &arena);
    if (!artifact_read(file, &a, &err) || !ranker_open(&a, &arena, &r, &err))
        die(err.text);
    const struct served served = { .view = &r };
    const struct serving_entry e = { .model = STR("m"), .alias = STR("champion"), .version = 1, .served = &served };
    for (int i = 0; i < rounds; i++)
        round_of(body, &e, &work, &out, &t.read[i], &t.score[i], &t.all[i]);
    (void)printf("{\"read_us\":%.1f,\"score_us\":%.1f,\"all_us\":%.1f,\"answer_bytes\":%zu}\n", median(t.read, rounds),
                 median(t.score, rounds), median(t.all, rounds), out.n);
    buf_release(&out);
    arena_release(&work);
    arena_release(&arena);
    return 0;
}
