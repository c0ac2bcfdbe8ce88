#include "trainer/jobs/cluster_train.h"

#include <inttypes.h>

#include "trainer/jobs/cluster_bisect.h"
#include "trainer/kernels/clusters/clusters.h"

#define BYTES_MAX ((size_t)8 << 30)
enum { STARTS_ROOM = 64 /* streams of a k */, RANGE_DOCUMENTS = 256 };

/* One k and one start. */
struct lane {
    uint32_t k, iterations, max_iterations;
    bool done;
    size_t from, bytes; /* of its centres in the blob */
    struct kcentres centres;
    uint32_t *cluster, *sizes;
    double *lengths;
    struct knear *near;
};

struct trainer {
    struct run_context *run;
    struct arena *arena;
    const struct kdocs *docs;
    const struct cluster_plan *plan;
    struct lane *lanes;
    uint32_t lanes_count;
    int docs_blob, centres_blob;
};

/* ---- lanes ---- */

static void lane_release(struct lane *l)
{
    kcentres_release(&l->centres);
    mem_free(l->cluster);
    mem_free(l->sizes);
    mem_free(l->lengths);
    mem_free(l->near);
}

static struct lane *lane_add(struct trainer *t, uint32_t k, uint32_t max_iterations)
{
    struct lane *l = &t->lanes[t->lanes_count++];
    *l = (struct lane){ .k = k, .max_iterations = max_iterations };
    kcentres_alloc(&l->centres, k, t->docs->dims);
    l->cluster = mem_alloc((t->docs->count + 1) * sizeof *l->cluster);
    l->near = mem_alloc((t->docs->count + 1) * sizeof *l->near);
    l->sizes = mem_zalloc((k + 1) * sizeof *l->sizes);
    l->lengths = mem_zalloc((k + 1) * sizeof *l->lengths);
    memset(l->cluster, 0xff, t->docs->count * sizeof *l->cluster);
    return l;
}

static void seed_lane(struct trainer *t, uint32_t k, uint32_t start)
{
    const struct kset all = { t->docs, NULL, t->docs->count };
    uint32_t *places = mem_alloc((k + 1) * sizeof *places);
    const uint64_t stream = t->plan->stream + (uint64_t)k * STARTS_ROOM + start;
    const uint32_t found = kmeans_seed(&all, k, t->plan->seed, stream, t->plan->farthest, places);
    struct lane *l = lane_add(t, found, t->plan->max_iterations);
    kmeans_centres_at(&all, places, &l->centres);
    mem_free(places);
}

/* ---- an iteration ---- */

/* The centres of all that go on, behind each other: a worker checks a blob once, and many small ones cost more than they hold. */
static bool put_blob(struct trainer *t, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, BYTES_MAX);
    for (uint32_t i = 0; i < t->lanes_count; i++) {
        struct lane *l = &t->lanes[i];
        if (l->done)
            continue;
        l->from = b.n;
        kcentres_write(&b, &l->centres);
        l->bytes = b.n - l->from;
    }
    if (t->centres_blob >= 0)
        engine_blob_drop(t->run->engine, t->centres_blob);
    t->centres_blob = buf_ok(&b, "the centres", err) ? engine_blob(t->run->engine, buf_str(&b), err) : -1;
    return t->centres_blob >= 0;
}

/* Few documents are not worth many splits. */
static uint32_t ranges_of(const struct trainer *t)
{
    const uint32_t worth = t->docs->count / RANGE_DOCUMENTS + 1;
    return worth < t->plan->ranges ? worth : t->plan->ranges;
}

static uint32_t range_at(const struct trainer *t, uint32_t i)
{
    return (uint32_t)((uint64_t)t->docs->count * i / ranges_of(t));
}

/* Of every lane that goes on, each range of documents. */
static struct engine_split *splits_of(struct trainer *t, uint32_t *out_count)
{
    const uint32_t ranges = ranges_of(t);
    struct engine_split *splits = mem_zalloc(((size_t)t->lanes_count * ranges + 1) * sizeof *splits);
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->lanes_count; i++) {
        if (t->lanes[i].done)
            continue;
        for (uint32_t r = 0; r < ranges; r++, n++) {
            splits[n].desc = arena_printf(t->arena, "%zu %zu %u %u", t->lanes[i].from, t->lanes[i].bytes,
                                          range_at(t, r), range_at(t, r + 1));
            splits[n].weight = (uint64_t)t->lanes[i].k * (range_at(t, r + 1) - range_at(t, r) + 1);
        }
    }
    *out_count = n;
    return splits;
}

static bool take(struct trainer *t, const struct engine_result *result, struct err *err)
{
    uint32_t part = 0;
    for (uint32_t i = 0; i < t->lanes_count; i++) {
        if (t->lanes[i].done)
            continue;
        for (uint32_t r = 0; r < ranges_of(t); r++, part++) {
            const struct str got = buf_str(&result->parts[part]);
            const uint32_t from = range_at(t, r), count = range_at(t, r + 1) - from;
            if (got.n != count * sizeof(struct knear))
                return err_set(err, ERR_SYSTEM, "the nearest centres of range %u are damaged", r);
            if (count)
                memcpy(t->lanes[i].near + from, got.p, got.n);
        }
    }
    return true;
}

static bool assign(struct trainer *t, uint32_t iteration, struct err *err)
{
    struct engine_result result;
    uint32_t count = 0;
    if (!put_blob(t, err))
        return false;
    const int blobs[] = { t->docs_blob, t->centres_blob };
    struct engine_split *splits = splits_of(t, &count);
    const struct engine_pass pass = { .name = arena_printf(t->arena, "%s %u", t->plan->name, iteration).p,
                                      .kernel = CLUSTERS_ASSIGN_KERNEL,
                                      .splits = splits,
                                      .splits_count = count,
                                      .input_pass = -1,
                                      .blobs = blobs,
                                      .blobs_count = COUNT_OF(blobs) };
    bool ran = run_pass(t->run, &pass, &result, err), ok = ran && take(t, &result, err);
    if (ran)
        engine_result_release(&result);
    mem_free(splits);
    return ok;
}

static void settle(struct trainer *t, struct lane *l)
{
    const struct kset all = { t->docs, NULL, t->docs->count };
    if (l->iterations++ < l->max_iterations &&
        kmeans_step(&all, l->near, l->cluster, &l->centres, l->lengths, l->sizes) > 0)
        return;
    l->done = true;
    for (uint32_t i = 0; i < t->docs->count; i++)
        l->cluster[i] = l->near[i].centre;
    kmeans_centres(&all, l->cluster, &l->centres, l->lengths, l->sizes);
    kcentres_release(&l->centres);
}

static bool run_lanes(struct trainer *t, struct err *err)
{
    for (uint32_t iteration = 1;; iteration++) {
        uint32_t going = 0;
        for (uint32_t i = 0; i < t->lanes_count; i++)
            going += !t->lanes[i].done;
        if (going == 0)
            return true;
        if (!assign(t, iteration, err))
            return false;
        for (uint32_t i = 0; i < t->lanes_count; i++)
            if (!t->lanes[i].done)
                settle(t, &t->lanes[i]);
    }
}

/* ---- which k ---- */

static bool is_tried(const struct cluster_plan *p, uint32_t k)
{
    return k >= p->k_min && k <= p->k_max && (k - p->k_min) % p->k_step == 0;
}

static void on_groups(void *arg, uint32_t k, const uint32_t *cluster)
{
    struct trainer *t = arg;
    const struct kset all = { t->docs, NULL, t->docs->count };
    if (!is_tried(t->plan, k))
        return;
    struct lane *l = lane_add(t, k, 0);
    kmeans_centres(&all, cluster, &l->centres, l->lengths, l->sizes);
}

static bool begin_lanes(struct trainer *t, struct err *err)
{
    const struct cluster_plan *p = t->plan;
    const uint32_t ks = (p->k_max - p->k_min) / p->k_step + 1;
    t->lanes = arena_zalloc(t->arena, ((size_t)ks * p->starts + 1) * sizeof *t->lanes);
    if (p->bisecting)
        return cluster_bisect(t->run, t->arena, t->docs, t->docs_blob, p, on_groups, t, err);
    for (uint32_t k = p->k_min; k <= p->k_max; k += p->k_step)
        for (uint32_t s = 0; s < p->starts; s++)
            seed_lane(t, k, s);
    return true;
}

static struct cluster_try judge(const struct trainer *t, const struct lane *l)
{
    const struct kset all = { t->docs, NULL, t->docs->count };
    struct cluster_try r = { .k = l->k, .cohesion = kmeans_cohesion(l->near, t->docs->count) / t->docs->count };
    r.left_out = kmeans_left_out(&all, l->near, l->lengths, l->sizes);
    r.silhouette = kmeans_silhouette(&all, l->near, l->lengths, l->sizes);
    r.score = r.left_out * (1 - t->plan->k_discount * l->k / t->docs->count);
    return r;
}

/* Of each k the start of the greatest cohesion; of these the one of the greatest score, of equal ones the smaller k. */
static const struct lane *choose(const struct trainer *t, struct cluster_result *out)
{
    const struct lane *best[CLUSTER_TRIES_MAX] = { NULL };
    out->tries_count = out->chosen = 0;
    for (uint32_t i = 0; i < t->lanes_count; i++) {
        const struct cluster_try now = judge(t, &t->lanes[i]);
        uint32_t at = 0;
        while (at < out->tries_count && out->tries[at].k != now.k)
            at++;
        if (at == CLUSTER_TRIES_MAX || (at < out->tries_count && now.cohesion <= out->tries[at].cohesion))
            continue;
        out->tries_count += at == out->tries_count;
        out->tries[at] = now;
        best[at] = &t->lanes[i];
    }
    for (uint32_t i = 1; i < out->tries_count; i++)
        if (out->tries[i].score > out->tries[out->chosen].score)
            out->chosen = i;
    return best[out->chosen];
}

static void copy_out(const struct trainer *t, const struct lane *l, struct cluster_result *out)
{
    out->k = l->k;
    out->cluster = arena_alloc(t->arena, (t->docs->count + 1) * sizeof *out->cluster);
    out->sizes = arena_alloc(t->arena, (l->k + 1) * sizeof *out->sizes);
    memcpy(out->cluster, l->cluster, t->docs->count * sizeof *out->cluster);
    memcpy(out->sizes, l->sizes, l->k * sizeof *out->sizes);
}

static void drop_blobs(struct trainer *t)
{
    if (t->centres_blob >= 0)
        engine_blob_drop(t->run->engine, t->centres_blob);
    if (t->docs_blob >= 0)
        engine_blob_drop(t->run->engine, t->docs_blob);
}

static int blob_of(struct run_context *run, const struct kdocs *docs, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, BYTES_MAX);
    kdocs_write(&b, docs);
    return buf_ok(&b, "the vectors of documents", err) ? engine_blob(run->engine, buf_str(&b), err) : -1;
}

static bool train(struct run_context *run, struct arena *arena, const struct kdocs *docs,
                  const struct cluster_plan *plan, struct cluster_result *out, struct err *err)
{
    struct trainer t = {
        .run = run, .arena = arena, .docs = docs, .plan = plan, .docs_blob = blob_of(run, docs, err), .centres_blob = -1
    };
    bool ok = t.docs_blob >= 0 && begin_lanes(&t, err) && run_lanes(&t, err);
    if (ok && t.lanes_count == 0)
        ok = err_set(err, ERR_INVALID,
                     "documents cannot be split into so many groups: parameter \"k\" or \"k_min\" is too large");
    if (ok)
        copy_out(&t, choose(&t, out), out);
    for (uint32_t i = 0; i < t.lanes_count; i++)
        lane_release(&t.lanes[i]);
    drop_blobs(&t);
    return ok;
}

/* ---- a sample ---- */

static void pick_sample(const struct kdocs *d, struct arena *arena, struct buf *entries, struct kdocs *out)
{
    uint32_t *numbers = arena_alloc(arena, CLUSTER_SAMPLE * sizeof *numbers);
    for (uint32_t i = 0; i < CLUSTER_SAMPLE; i++)
        numbers[i] = (uint32_t)((uint64_t)i * d->count / CLUSTER_SAMPLE);
    kdocs_pick(d, numbers, CLUSTER_SAMPLE, arena, entries, out);
}

static bool train_by_sample(struct run_context *run, struct arena *arena, const struct kdocs *docs,
                            const struct cluster_plan *plan, struct cluster_result *out, struct err *err)
{
    AUTO(buf_release) struct buf entries;
    struct cluster_result tried;
    struct kdocs sample;
    struct cluster_plan of_sample = *plan, of_all = *plan;
    buf_init(&entries, BYTES_MAX);
    pick_sample(docs, arena, &entries, &sample);
    of_sample.name = arena_printf(arena, "%s of a sample", plan->name).p;
    if (!buf_ok(&entries, "the sample of documents", err) || !train(run, arena, &sample, &of_sample, &tried, err))
        return false;
    of_all.k_min = of_all.k_max = tried.k;
    if (!train(run, arena, docs, &of_all, out, err))
        return false;
    memcpy(out->tries, tried.tries, sizeof tried.tries);
    out->tries_count = tried.tries_count;
    out->chosen = tried.chosen;
    return true;
}

bool cluster_train(struct run_context *run, struct arena *arena, const struct kdocs *docs,
                   const struct cluster_plan *plan, struct cluster_result *out, struct err *err)
{
    const bool sampled = docs->count > CLUSTER_SAMPLE && plan->k_min < plan->k_max;
    return sampled ? train_by_sample(run, arena, docs, plan, out, err) : train(run, arena, docs, plan, out, err);
}

bool cluster_assign(struct run_context *run, struct arena *arena, const struct kdocs *docs, const struct kcentres *c,
                    uint32_t ranges, const char *name, struct knear *out, struct err *err)
{
    const struct cluster_plan plan = { .name = name, .ranges = ranges };
    struct lane lane = { .k = c->k, .centres = *c, .near = out };
    struct trainer t = { .run = run,
                         .arena = arena,
                         .docs = docs,
                         .plan = &plan,
                         .lanes = &lane,
                         .lanes_count = 1,
                         .docs_blob = blob_of(run, docs, err),
                         .centres_blob = -1 };
    bool ok = t.docs_blob >= 0 && assign(&t, 1, err);
    drop_blobs(&t);
    return ok;
}
