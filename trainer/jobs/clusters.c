/* The job "clusters": documents into groups by their texts.
 *
 *   vectors (doc_vectors.h) → what is very short or long is set apart → outliers: groups of a first k-means that few documents are in → groups of the rest
 *   (cluster_train.h) → centres of all of these → every document to the nearest → labels, lists (cluster_file.h) → gate (cluster_judge.h) → version
 *
 * Documents that the version is judged by are left out of all but the last assignment. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/clusters.h"
#include "trainer/jobs/cluster_file.h"
#include "trainer/jobs/cluster_judge.h"
#include "trainer/jobs/cluster_train.h"
#include "trainer/jobs/cluster_words.h"
#include "trainer/kernels/clusters/clusters.h"

#define BYTES_MAX ((size_t)8 << 30)
enum { METRICS_MAX = 64 << 10 };
/* Streams of what is drawn: those of outliers lie far behind. */
#define OUTLIER_STREAM (UINT64_C(1) << 32)

/* What becomes of a document: a number below `extras` is a centre. */
enum extra { SHORT, LONG, ALONE, EXTRAS };
static const char *const extra_names[EXTRAS] = { "short_doc", "long_doc", "outlier_alone" };

struct clusters_job {
    struct run_context *run;
    struct arena arena;
    struct doc_vectors v;
    struct model_file file;
    struct training t;
    struct buf term_entries, picked;
    struct kdocs terms, docs; /* over terms; what is compared: the same, or sums of vectors */
    const float *rows;
    uint8_t *apart;             /* of documents: 1 + enum extra; 0: it is clustered */
    uint32_t *members, *groups; /* documents that are trained on; of each its centre */
    uint32_t count;             /* of them */
    uint32_t centres, outliers; /* groups with a centre; of these, of outliers: the last ones */
    struct kcentres middles;
    struct cluster_whole whole;
};

/* ---- vectors ---- */

static void docs_of(const struct clusters_job *c, struct kdocs *out)
{
    const struct doc_vectors *v = &c->v;
    uint64_t *ends = arena_alloc(v->arena, ((size_t)v->documents + 1) * sizeof *ends);
    memcpy(ends, v->ends, v->documents * sizeof *ends);
    *out = (struct kdocs){ v->documents, v->dims ? v->dims : v->terms, ends, doc_vectors_entries(v) };
}

static bool make_vectors(struct clusters_job *c, struct err *err)
{
    struct doc_vectors *v = &c->v;
    uint32_t dims = 0;
    if (!doc_vectors_words(v, err) || !cluster_words_load(v, &c->rows, &dims, err) ||
        !doc_vectors_make(v, NULL, 0, err))
        return false;
    buf_add_str(&c->term_entries, buf_str(&v->entries));
    docs_of(c, &c->terms);
    c->terms.entries = (const void *)buf_str(&c->term_entries).p;
    if (!buf_ok(&c->term_entries, "the terms of documents", err) ||
        (c->rows && !doc_vectors_make(v, c->rows, dims, err)))
        return false;
    docs_of(c, &c->docs);
    return true;
}

/* ---- extreme lengths ---- */

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* A number of words, or that of a share of the documents. */
static double length_at(const struct doc_vectors *v, double limit, bool share)
{
    if (!share)
        return limit;
    uint32_t *sorted = mem_alloc((v->documents + 1) * sizeof *sorted);
    memcpy(sorted, v->lengths, v->documents * sizeof *sorted);
    qsort(sorted, v->documents, sizeof *sorted, by_number);
    const double place = ceil(limit * v->documents);
    const uint32_t at = place < 1 ? 0 : (uint32_t)place - 1;
    const double out = sorted[at < v->documents ? at : v->documents - 1];
    mem_free(sorted);
    return out;
}

static void set_apart(struct clusters_job *c)
{
    const struct doc_vectors *v = &c->v;
    const double short_len = run_real(c->run, "short_len"), long_len = run_real(c->run, "long_len"),
                 holdout = run_real(c->run, "holdout");
    const double least = length_at(v, short_len, short_len < 1),
                 most = long_len > 0 ? length_at(v, long_len, long_len <= 1) : HUGE_VAL;
    uint32_t counts[EXTRAS] = { 0 };
    c->apart = arena_zalloc(&c->arena, (size_t)v->documents + 1);
    c->members = arena_alloc(&c->arena, ((size_t)v->documents + 1) * sizeof *c->members);
    c->groups = arena_alloc(&c->arena, ((size_t)v->documents + 1) * sizeof *c->groups);
    for (uint32_t d = 0; d < v->documents; d++) {
        const bool empty = doc_vectors_begin(v, d) == v->ends[d];
        if (v->lengths[d] < least)
            c->apart[d] = 1 + SHORT;
        else if (v->lengths[d] > most)
            c->apart[d] = 1 + LONG;
        else if (empty)
            c->apart[d] = 1 + ALONE;
        else if (!clusters_held_out(v->texts[d], holdout))
            c->members[c->count++] = d;
        if (c->apart[d])
            counts[c->apart[d] - 1]++;
    }
    run_say(c->run, "%u documents are short, %u long, %u have no term that counts; %u are trained on", counts[SHORT],
            counts[LONG], counts[ALONE], c->count);
}

/* ---- groups ---- */

static struct cluster_plan plan_of(const struct clusters_job *c)
{
    const struct run_context *run = c->run;
    struct cluster_plan p = { .name = "k-means",
                              .bisecting = strcmp(run->param(run, "method"), "bisecting") == 0,
                              .k_min = (uint32_t)run_whole(run, "k_min"),
                              .k_max = (uint32_t)run_whole(run, "k_max"),
                              .k_step = (uint32_t)run_whole(run, "k_step"),
                              .starts = (uint32_t)run_whole(run, "starts"),
                              .max_iterations = (uint32_t)run_whole(run, "max_iterations"),
                              .ranges = (uint32_t)run_whole(run, "ranges"),
                              .k_discount = run_real(run, "k_discount"),
                              .seed = (uint64_t)run_whole(run, "seed") };
    if (run->param(run, "k"))
        p.k_min = p.k_max = (uint32_t)run_whole(run, "k");
    return p;
}

static bool train(struct clusters_job *c, const uint32_t *members, uint32_t count, const struct cluster_plan *plan,
                  struct cluster_result *out, struct err *err)
{
    struct kdocs docs;
    buf_clear(&c->picked);
    kdocs_pick(&c->docs, members, count, &c->arena, &c->picked, &docs);
    return buf_ok(&c->picked, "the vectors of documents", err) &&
           cluster_train(c->run, &c->arena, &docs, plan, out, err);
}

/* Groups of a first k-means that fewer documents are in than the threshold. */
static bool find_outliers(struct clusters_job *c, struct cluster_result *out, struct err *err)
{
    const uint32_t k = (uint32_t)run_whole(c->run, "outlier_k");
    const bool only = run_flag(c->run, "outliers_only");
    struct cluster_plan plan = plan_of(c);
    *out = (struct cluster_result){ .k = 0 };
    if (only && (k == 0 || c->count < k))
        return k == 0 ? err_set(err, ERR_INVALID, "parameter \"outlier_k\" is 0, which finds no outliers")
                      : run_too_little(c->run, err, "%u documents, parameter \"outlier_k\" asks for %u groups",
                                       c->count, k);
    if (k == 0 || c->count < 2 * k)
        return true;
    plan.name = "outliers";
    plan.bisecting = false;
    plan.farthest = true;
    plan.k_min = plan.k_max = k;
    plan.stream = OUTLIER_STREAM;
    return train(c, c->members, c->count, &plan, out, err);
}

static int largest(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b; /* size, number */
    if (x[0] != y[0])
        return x[0] < y[0] ? 1 : -1;
    return (x[1] > y[1]) - (x[1] < y[1]);
}

/* Numbers of groups by size: number → place. */
static uint32_t *places_of(struct clusters_job *c, const uint32_t *sizes, uint32_t k)
{
    uint64_t(*order)[2] = arena_alloc(&c->arena, ((size_t)k + 1) * sizeof *order);
    uint32_t *places = arena_alloc(&c->arena, ((size_t)k + 1) * sizeof *places);
    for (uint32_t i = 0; i < k; i++) {
        order[i][0] = sizes[i];
        order[i][1] = i;
    }
    qsort(order, k, sizeof *order, largest);
    for (uint32_t i = 0; i < k; i++)
        places[order[i][1]] = i;
    return places;
}

static bool is_small(const struct clusters_job *c, const struct cluster_result *r, uint32_t group)
{
    return (double)r->sizes[group] < run_real(c->run, "outlier_threshold") * c->count;
}

static bool group_rest(struct clusters_job *c, const struct cluster_result *first, struct err *err)
{
    struct cluster_plan plan = plan_of(c);
    struct cluster_result r;
    uint32_t *rest = arena_alloc(&c->arena, ((size_t)c->count + 1) * sizeof *rest), n = 0;
    for (uint32_t i = 0; i < c->count; i++)
        if (!first->k || !is_small(c, first, first->cluster[i]))
            rest[n++] = i;
    if (plan.k_min < plan.k_max && plan.k_max > n / 2)
        plan.k_max = n / 2 > plan.k_min ? n / 2 : plan.k_min;
    if (n < plan.k_min)
        return run_too_little(c->run, err, "%u documents are left to cluster, parameter \"%s\" asks for %u groups", n,
                              c->run->param(c->run, "k") ? "k" : "k_min", plan.k_min);
    uint32_t *members = arena_alloc(&c->arena, ((size_t)n + 1) * sizeof *members);
    for (uint32_t i = 0; i < n; i++)
        members[i] = c->members[rest[i]];
    if (!train(c, members, n, &plan, &r, err))
        return false;
    for (uint32_t i = 0; i < r.tries_count && plan.k_min < plan.k_max; i++)
        run_say(c->run, "%u clusters: cohesion %.4f, left out %.4f, silhouette %.4f, score %.4f%s", r.tries[i].k,
                r.tries[i].cohesion, r.tries[i].left_out, r.tries[i].silhouette, r.tries[i].score,
                i == r.chosen ? " (chosen)" : "");
    const uint32_t *places = places_of(c, r.sizes, r.k);
    for (uint32_t i = 0; i < n; i++)
        c->groups[rest[i]] = places[r.cluster[i]];
    c->centres = r.k;
    return true;
}

/* With outliers_only the groups of the first k-means are all that there are. */
static void keep_first(struct clusters_job *c, const struct cluster_result *first)
{
    uint32_t *sizes = arena_alloc(&c->arena, ((size_t)first->k + 1) * sizeof *sizes);
    for (uint32_t g = 0; g < first->k; g++) {
        sizes[g] = is_small(c, first, g) ? 0 : first->sizes[g];
        c->centres += !is_small(c, first, g);
    }
    const uint32_t *places = places_of(c, sizes, first->k);
    for (uint32_t i = 0; i < c->count; i++)
        c->groups[i] = places[first->cluster[i]];
}

static void add_outliers(struct clusters_job *c, const struct cluster_result *first)
{
    uint32_t *numbers = arena_alloc(&c->arena, ((size_t)first->k + 1) * sizeof *numbers);
    for (uint32_t g = 0; g < first->k; g++)
        numbers[g] = first->sizes[g] && is_small(c, first, g) ? c->centres + c->outliers++ : UINT32_MAX;
    for (uint32_t i = 0; first->k && i < c->count; i++)
        if (numbers[first->cluster[i]] != UINT32_MAX)
            c->groups[i] = numbers[first->cluster[i]];
    c->centres += c->outliers;
}

static bool find_groups(struct clusters_job *c, struct err *err)
{
    struct cluster_result first;
    if (!find_outliers(c, &first, err))
        return false;
    if (run_flag(c->run, "outliers_only"))
        keep_first(c, &first);
    else if (!group_rest(c, &first, err))
        return false;
    add_outliers(c, &first);
    run_say(c->run, "%u clusters, %u groups of outliers", c->centres - c->outliers, c->outliers);
    return true;
}

/* ---- every document ---- */

static void name_groups(struct clusters_job *c, struct cluster_groups *g)
{
    struct str *names = arena_alloc(&c->arena, ((size_t)c->centres + EXTRAS) * sizeof *names);
    bool *hidden = arena_zalloc(&c->arena, (size_t)c->centres + EXTRAS);
    const uint32_t clusters = c->centres - c->outliers;
    for (uint32_t i = 0; i < clusters; i++) {
        names[i] = arena_printf(&c->arena, "%u", i);
        hidden[i] = run_flag(c->run, "outliers_only");
    }
    for (uint32_t i = 0; i < c->outliers; i++)
        names[clusters + i] = arena_printf(&c->arena, "outlier_group%u", i);
    for (int i = 0; i < EXTRAS; i++)
        names[c->centres + (uint32_t)i] = str_of(extra_names[i]);
    *g = (struct cluster_groups){
        .count = c->centres + EXTRAS, .centres = c->centres, .outliers = c->outliers, .names = names, .hidden = hidden
    };
}

/* What has nothing in common with any centre is alone. */
static void place_all(struct clusters_job *c, const struct knear *near, struct cluster_groups *g)
{
    uint32_t *sizes = arena_zalloc(&c->arena, ((size_t)g->count + 1) * sizeof *sizes), most = 0, outliers = 0;
    g->members = arena_alloc(&c->arena, ((size_t)c->v.documents + 1) * sizeof *g->members);
    g->members_count = c->v.documents;
    for (uint32_t d = 0; d < c->v.documents; d++) {
        uint32_t group = c->apart[d] ? c->centres + c->apart[d] - 1 : near[d].centre;
        if (!c->apart[d] && near[d].cosine <= 0)
            group = c->centres + ALONE;
        const float far = 1 - near[d].cosine;
        g->members[d] = (struct cluster_member){ group, d, group >= c->centres || far > 1 ? 1 : far < 0 ? 0 : far };
        sizes[group]++;
    }
    const uint32_t clusters = c->centres - c->outliers;
    for (uint32_t i = 0; i < clusters; i++)
        most = sizes[i] > most ? sizes[i] : most;
    for (uint32_t i = clusters; i < c->centres; i++)
        outliers += sizes[i];
    outliers += sizes[c->centres + ALONE];
    c->whole = (struct cluster_whole){ (double)most / c->v.documents, (double)outliers / c->v.documents, clusters };
}

/* Clusters by how many documents they have in the end, those that nothing was trained on with them. */
static void rank_clusters(struct clusters_job *c, struct knear *near)
{
    const uint32_t clusters = c->centres - c->outliers;
    uint32_t *sizes = arena_zalloc(&c->arena, ((size_t)c->centres + 1) * sizeof *sizes);
    for (uint32_t d = 0; d < c->v.documents; d++)
        sizes[near[d].centre] += !c->apart[d] && near[d].cosine > 0;
    const uint32_t *places = places_of(c, sizes, clusters);
    for (uint32_t i = 0; i < c->count; i++)
        if (c->groups[i] < clusters)
            c->groups[i] = places[c->groups[i]];
    for (uint32_t d = 0; d < c->v.documents; d++)
        if (near[d].centre < clusters)
            near[d].centre = places[near[d].centre];
}

static bool place(struct clusters_job *c, struct cluster_groups *g, struct err *err)
{
    const struct kset trained = { &c->docs, c->members, c->count };
    double *lengths = arena_alloc(&c->arena, ((size_t)c->centres + 1) * sizeof *lengths);
    uint32_t *sizes = arena_alloc(&c->arena, ((size_t)c->centres + 1) * sizeof *sizes);
    struct knear *near = mem_alloc(((size_t)c->v.documents + 1) * sizeof *near);
    kcentres_alloc(&c->middles, c->centres, c->docs.dims);
    kmeans_centres(&trained, c->groups, &c->middles, lengths, sizes);
    bool ok = cluster_assign(c->run, &c->arena, &c->docs, &c->middles, (uint32_t)run_whole(c->run, "ranges"), "place",
                             near, err);
    name_groups(c, g);
    if (ok) {
        rank_clusters(c, near);
        kmeans_centres(&trained, c->groups, &c->middles, lengths, sizes);
        place_all(c, near, g);
    }
    mem_free(near);
    return ok;
}

/* ---- the job ---- */

static void describe(struct clusters_job *c)
{
    const int32_t day = clock_day(c->v.items.changed_us);
    c->t = (struct training){ .model = training_model(c->run),
                              .from = INT32_MIN,
                              .until = day,
                              .eval_from = day + 1,
                              .eval_until = day,
                              .seed = (uint64_t)run_whole(c->run, "seed"),
                              .rows = c->v.documents,
                              .units = c->count,
                              .items = c->centres };
}

static bool publish(struct clusters_job *c, struct err *err)
{
    AUTO(buf_release) struct buf metrics;
    struct gate_outcome gate;
    buf_init(&metrics, METRICS_MAX);
    describe(c);
    if (!model_file_end(&c->file, c->run, &c->t, err) ||
        !cluster_judge(&c->v, c->t.file, &c->whole, &gate, &metrics, err))
        return false;
    c->t.metrics = buf_str(&metrics);
    return training_publish(c->run, &c->t, &gate, err);
}

static bool check_params(const struct run_context *run, struct err *err)
{
    const int64_t min = run_whole(run, "k_min"), max = run_whole(run, "k_max"), step = run_whole(run, "k_step");
    if (!run->param(run, "k") && min > max)
        return err_set(err, ERR_INVALID, "parameter \"k_min\" is %" PRId64 ", more than \"k_max\", %" PRId64, min, max);
    if (!run->param(run, "k") && (max - min) / step >= CLUSTER_TRIES_MAX)
        return err_set(err, ERR_INVALID, "parameter \"k_step\" is %" PRId64 ": more than %d numbers would be tried",
                       step, CLUSTER_TRIES_MAX);
    if (run->param(run, "vectors") && run_whole(run, "ngrams") > 1)
        return err_set(err, ERR_INVALID, "parameter \"ngrams\" is above 1: \"vectors\" are of single words");
    return true;
}

static bool compute(struct clusters_job *c, struct err *err)
{
    struct cluster_groups groups;
    if (!check_params(c->run, err) || !training_begin(c->run, CLUSTERS_KIND, err) ||
        !doc_vectors_open(&c->v, c->run, &c->arena, err) || !make_vectors(c, err))
        return false;
    set_apart(c);
    return find_groups(c, err) && place(c, &groups, err) &&
           cluster_file_add(&c->file, &c->v, &c->terms, &groups, &c->middles, c->rows, err) && publish(c, err);
}

static bool run_clusters(struct run_context *run, struct err *err)
{
    struct clusters_job *c = mem_zalloc(sizeof *c);
    c->run = run;
    arena_init(&c->arena, 1 << 16);
    buf_init(&c->term_entries, BYTES_MAX);
    buf_init(&c->picked, BYTES_MAX);
    c->v.terms_pass = -1;
    model_file_begin(&c->file, CLUSTERS_KIND);
    bool ok = compute(c, err);
    kcentres_release(&c->middles);
    doc_vectors_close(&c->v);
    buf_release(&c->term_entries);
    buf_release(&c->picked);
    model_file_release(&c->file);
    arena_release(&c->arena);
    mem_free(c);
    return ok;
}

const struct job job_clusters = { "clusters", run_clusters };
