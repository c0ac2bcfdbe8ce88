/* ranking_train TRAIN JUDGED NAME=VALUE…: a ranker learned from a LETOR file by the trainer's own functions, and its scores of another one.
 *
 * One line for each row of JUDGED, in its order: the score. On standard error what it took: CPU and wall seconds of training alone, without reading. Names are those of the
 * job's parameters: objective, gain, trees, depth, leaves, learning_rate, min_child_weight, l2, subsample, colsample, truncation, k, threads, iterations, seed;
 * at=50,100 prints the scores of so many of the trees, one after the other;
 * folds=N prints instead mean nDCG@k after each tree over N parts, each judged by what the others taught. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "experimentd/features/rows.h"
#include "trainer/kernels/rank/linear.h"
#include "trainer/kernels/rank/rank_score.h"
#include "trainer/kernels/rank/trees.h"

enum { FILE_MAX = 1 << 30 };

struct options {
    struct rank_params p;
    uint32_t folds;
    const char *at; /* counts of trees, with commas: the scores of each; NULL: of all trees */
};

static void die(const char *what)
{
    (void)fprintf(stderr, "ranking_train: %s\n", what);
    exit(1);
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- reading ---- */

static struct str read_file(const char *path)
{
    struct buf b;
    size_t n;
    FILE *f = fopen(path, "re");
    if (!f)
        die(path);
    buf_init(&b, FILE_MAX);
    char *to;
    while ((to = buf_reserve(&b, 1 << 16)) && (n = fread(to, 1, 1 << 16, f)) > 0)
        b.n += n;
    (void)fclose(f);
    return buf_str(&b);
}

static int by_line(const void *a, const void *b)
{
    const struct feature_row *x = a, *y = b;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Queries in the order of the file, whose rows of a query stand together. */
static struct rank_data make(struct feature_rows *r, uint32_t features, struct arena *arena)
{
    qsort(r->rows, r->count, sizeof *r->rows, by_line);
    uint32_t *ends = arena_zalloc(arena, (r->count + 1) * sizeof *ends);
    uint64_t *hashes = arena_zalloc(arena, (r->count + 1) * sizeof *hashes);
    float *weights = arena_zalloc(arena, (r->count + 1) * sizeof *weights),
          *labels = arena_zalloc(arena, (r->count + 1) * sizeof *labels),
          *values = arena_zalloc(arena, (r->count * features + 1) * sizeof *values);
    struct rank_data d = { .features = features, .rows = r->count };
    for (size_t i = 0; i < r->count; i++) {
        const struct feature_row *row = &r->rows[i];
        if (i == 0 || !str_eq(row->query, r->rows[i - 1].query)) {
            weights[d.queries] = 1;
            hashes[d.queries++] = hash64(row->query);
        }
        ends[d.queries - 1] = (uint32_t)i + 1;
        labels[i] = row->grade;
        for (uint32_t k = 0; k < features; k++)
            values[i * features + k] = k < row->count ? row->values[k] : NAN;
    }
    d.ends = ends;
    d.hashes = hashes;
    d.weights = weights;
    d.labels = labels;
    d.values = values;
    return d;
}

/* LETOR leaves out what is 0. */
static void zeros(struct rank_data *d)
{
    float *v = (float *)(uintptr_t)d->values;
    for (uint64_t i = 0; i < d->rows * d->features; i++)
        v[i] = isnan(v[i]) ? 0 : v[i];
}

static void read_rows(const char *path, struct arena *arena, struct feature_rows *out)
{
    const struct feature_source source = { .format = FEATURES_LETOR, .text = read_file(path) };
    struct err err;
    feature_rows_init(out, arena, NULL, 0);
    if (!feature_rows_read(out, &source, &err))
        die(err.text);
}

/* ---- options ---- */

static void set(struct options *o, const char *name, const char *value)
{
    struct rank_params *p = &o->p;
    const struct {
        const char *name;
        uint32_t *whole;
        double *real;
    } known[] = { { "trees", &p->trees, NULL },
                  { "depth", &p->depth, NULL },
                  { "leaves", &p->leaves, NULL },
                  { "threads", &p->threads, NULL },
                  { "iterations", &p->iterations, NULL },
                  { "truncation", &p->lambda.truncation, NULL },
                  { "k", &p->lambda.k, NULL },
                  { "folds", &o->folds, NULL },
                  { "learning_rate", NULL, &p->learning_rate },
                  { "min_child_weight", NULL, &p->min_child_weight },
                  { "l2", NULL, &p->l2 },
                  { "subsample", NULL, &p->subsample },
                  { "colsample", NULL, &p->colsample } };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(name, known[i].name) == 0) {
            if (known[i].whole)
                *known[i].whole = (uint32_t)strtoul(value, NULL, 10);
            else
                *known[i].real = strtod(value, NULL);
            return;
        }
    for (int k = 0; strcmp(name, "objective") == 0 && k < RANK_OBJECTIVE_COUNT; k++)
        if (strcmp(value, rank_objective_names[k]) == 0) {
            p->objective = (enum rank_objective)k;
            return;
        }
    for (int k = 0; strcmp(name, "gain") == 0 && k < RANK_GAIN_COUNT; k++)
        if (strcmp(value, rank_gain_names[k]) == 0) {
            p->lambda.gain = (enum rank_gain)k;
            return;
        }
    if (strcmp(name, "at") == 0) {
        o->at = value;
        return;
    }
    if (strcmp(name, "seed") != 0)
        die(name);
    p->seed = strtoull(value, NULL, 10);
}

static void read_options(int argc, char **argv, struct options *o)
{
    o->p = (struct rank_params){ .lambda = { RANK_EXPONENTIAL, 30, 10 },
                                 .trees = 100,
                                 .depth = 6,
                                 .threads = 1,
                                 .iterations = 300,
                                 .learning_rate = 0.1,
                                 .min_child_weight = 1,
                                 .subsample = 1,
                                 .colsample = 1,
                                 .l2 = 1,
                                 .seed = 1 };
    for (int i = 3; i < argc; i++) {
        char *at = strchr(argv[i], '=');
        if (!at)
            die(argv[i]);
        *at = 0;
        set(o, argv[i], at + 1);
    }
}

static void name_features(struct rank_params *p, uint32_t features, struct arena *arena)
{
    p->features = features;
    p->names = arena_alloc(arena, features * sizeof *p->names);
    p->monotone = arena_zalloc(arena, features);
    for (uint32_t i = 0; i < features; i++)
        p->names[i] = arena_printf(arena, "f%u", i + 1);
}

/* ---- training ---- */

static void score_trees(const struct ranker_forest *f, const struct rank_data *judged, const struct rank_params *p,
                        struct arena *arena, float *out)
{
    struct buf section;
    struct ranker r;
    struct rank_scorer s;
    struct err err;
    buf_init(&section, FILE_MAX);
    if (!ranker_forest_write(f, &section, &err) || !ranker_read(buf_str(&section), arena, &r, &err))
        die(err.text);
    rank_scorer_open(&s, &r, p->names, p->features, arena);
    for (uint32_t q = 0; q < judged->queries; q++)
        rank_scorer_query(&s, judged, q, out + rank_first(judged, q));
}

static void print(const float *scores, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        (void)printf("%.9g\n", (double)scores[i]);
}

/* Of the first trees, as often as `at` has counts. */
static void print_trees(struct ranker_forest *f, const char *at, const struct rank_data *judged,
                        const struct rank_params *p, struct arena *arena, float *scores)
{
    struct str rest = str_of(at), one;
    const uint32_t all = f->trees_count;
    while (at && str_split(&rest, ',', &one)) {
        if (!parse_u32(one, &f->trees_count, NULL) || f->trees_count < 1 || f->trees_count > all)
            die("at: no count of trees");
        score_trees(f, judged, p, arena, scores);
        print(scores, judged->rows);
    }
    if (!at) {
        score_trees(f, judged, p, arena, scores);
        print(scores, judged->rows);
    }
}

static void train(const struct rank_data *d, const struct rank_data *judged, const struct options *o,
                  struct arena *arena)
{
    const struct rank_params *p = &o->p;
    float *out = arena_alloc(arena, (judged->rows + 1) * sizeof *out);
    const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    struct ranker_forest forest;
    struct linear linear;
    struct trees_watch watch = { .tick = NULL };
    struct err err;
    bool trees = p->objective == RANK_LAMBDAMART;
    if (!(trees ? trees_train(d, p, &watch, arena, &forest, &err)
                : linear_train(d, p, NULL, NULL, arena, &linear, &err)))
        die(err.text);
    (void)fprintf(stderr, "{\"cpu\": %.4f, \"wall\": %.4f, \"rows\": %llu, \"features\": %u}\n",
                  seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, seconds(CLOCK_MONOTONIC) - wall, (unsigned long long)d->rows,
                  d->features);
    if (trees) {
        print_trees(&forest, o->at, judged, p, arena, out);
        return;
    }
    linear_score(&linear, judged, out);
    print(out, judged->rows);
}

/* Mean nDCG@k over all queries, after each tree. */
static void cross_validate(const struct rank_data *d, const struct options *o, struct arena *arena)
{
    const uint32_t rounds = o->p.objective == RANK_LAMBDAMART ? o->p.trees : 1;
    double *sums = arena_zalloc(arena, rounds * sizeof *sums), *curve = arena_zalloc(arena, rounds * sizeof *curve);
    struct err err;
    for (uint32_t i = 0; i < o->folds; i++) {
        struct rank_data learned, held;
        struct ranker_forest forest;
        struct linear linear;
        rank_data_part(d, (struct rank_part){ i, o->folds }, false, arena, &learned);
        rank_data_part(d, (struct rank_part){ i, o->folds }, true, arena, &held);
        struct trees_watch watch = { .judge = &held, .curve = curve };
        if (rounds > 1 && !trees_train(&learned, &o->p, &watch, arena, &forest, &err))
            die(err.text);
        if (rounds == 1) {
            if (!linear_train(&learned, &o->p, NULL, NULL, arena, &linear, &err))
                die(err.text);
            float *scores = arena_alloc(arena, (held.rows + 1) * sizeof *scores);
            linear_score(&linear, &held, scores);
            struct lambda *judge = lambda_new(&held, &o->p.lambda);
            curve[0] = lambda_ndcg(judge, scores);
            lambda_free(judge);
        }
        for (uint32_t t = 0; t < rounds; t++)
            sums[t] += curve[t] * held.queries / d->queries;
    }
    for (uint32_t t = 0; t < rounds; t++)
        (void)printf("%.17g\n", sums[t]);
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct feature_rows learned, judged;
    struct options o = { .folds = 0 };
    if (argc < 3)
        die("TRAIN JUDGED NAME=VALUE…");
    arena_init(&arena, 1 << 20);
    read_options(argc, argv, &o);
    read_rows(argv[1], &arena, &learned);
    read_rows(argv[2], &arena, &judged);
    const uint32_t features = learned.features > judged.features ? learned.features : judged.features;
    name_features(&o.p, features, &arena);
    struct rank_data d = make(&learned, features, &arena), j = make(&judged, features, &arena);
    zeros(&d);
    zeros(&j);
    if (o.folds)
        cross_validate(&d, &o, &arena);
    else
        train(&d, &j, &o, &arena);
    feature_rows_release(&learned);
    feature_rows_release(&judged);
    arena_release(&arena);
    return 0;
}
