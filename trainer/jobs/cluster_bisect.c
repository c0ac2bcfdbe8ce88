#include "trainer/jobs/cluster_bisect.h"

#include <inttypes.h>
#include <stdlib.h>

#include "trainer/kernels/clusters/clusters.h"

struct leaf {
    uint32_t from, to; /* of `order` */
    bool whole;        /* it cannot be split */
};

struct bisecting {
    struct run_context *run;
    struct arena *arena;
    const struct cluster_plan *plan;
    uint32_t count, leaves_count, levels;
    uint32_t *order, *cluster; /* documents, group after group; the group of each */
    struct leaf *leaves;
    uint32_t *chosen, chosen_count; /* that this level splits */
    uint64_t streams;               /* that were used */
    int docs_blob;
};

static uint32_t size_of(const struct leaf *l)
{
    return l->to - l->from;
}

static int largest(const void *a, const void *b, void *arg)
{
    const struct leaf *leaves = arg;
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (size_of(&leaves[x]) != size_of(&leaves[y]))
        return size_of(&leaves[x]) < size_of(&leaves[y]) ? 1 : -1;
    return (x > y) - (x < y);
}

static void choose(struct bisecting *b)
{
    b->chosen_count = 0;
    for (uint32_t i = 0; i < b->leaves_count; i++)
        if (!b->leaves[i].whole && size_of(&b->leaves[i]) > 1)
            b->chosen[b->chosen_count++] = i;
    qsort_r(b->chosen, b->chosen_count, sizeof *b->chosen, largest, b->leaves);
    if (b->chosen_count > b->plan->k_max - b->leaves_count)
        b->chosen_count = b->plan->k_max - b->leaves_count;
}

static const struct engine_split *splits_of(struct bisecting *b)
{
    struct engine_split *splits = arena_zalloc(b->arena, (b->chosen_count + 1) * sizeof *splits);
    for (uint32_t i = 0; i < b->chosen_count; i++) {
        const struct leaf *l = &b->leaves[b->chosen[i]];
        splits[i].desc = arena_printf(b->arena, "%" PRIu64 " %u %u", b->plan->stream + b->streams, l->from, l->to);
        splits[i].weight = size_of(l);
        b->streams += b->plan->starts;
    }
    return splits;
}

/* Those of side 0 stay where they are, those of side 1 become the last leaf; within both the order of before is kept. */
static void split(struct bisecting *b, struct leaf *l, const char *side, uint32_t *scratch)
{
    uint32_t zeros = 0, ones = 0;
    for (uint32_t i = l->from; i < l->to; i++)
        if (side[i - l->from] == 0)
            b->order[l->from + zeros++] = b->order[i];
        else
            scratch[ones++] = b->order[i];
    memcpy(b->order + l->from + zeros, scratch, ones * sizeof *scratch);
    const struct leaf right = { l->from + zeros, l->to, false };
    l->to = l->from + zeros;
    for (uint32_t i = right.from; i < right.to; i++)
        b->cluster[b->order[i]] = b->leaves_count;
    b->leaves[b->leaves_count++] = right;
}

static bool take(struct bisecting *b, const struct engine_result *result, cluster_bisect_fn fn, void *arg,
                 struct err *err)
{
    uint32_t *scratch = mem_alloc((b->count + 1) * sizeof *scratch);
    bool ok = true;
    for (uint32_t i = 0; ok && i < result->count; i++) {
        struct leaf *l = &b->leaves[b->chosen[i]];
        const struct str side = buf_str(&result->parts[i]);
        if (side.n == 0)
            l->whole = true;
        else if (side.n != size_of(l))
            ok = err_set(err, ERR_SYSTEM, "the halves of a group are damaged");
        else {
            split(b, l, side.p, scratch);
            fn(arg, b->leaves_count, b->cluster);
        }
    }
    mem_free(scratch);
    return ok;
}

static bool level(struct bisecting *b, cluster_bisect_fn fn, void *arg, struct err *err)
{
    struct engine_result result;
    int blobs[] = { b->docs_blob,
                    engine_blob(b->run->engine, (struct str){ (const char *)b->order, b->count * sizeof *b->order },
                                err) };
    if (blobs[1] < 0)
        return false;
    const struct engine_pass pass = {
        .name = arena_printf(b->arena, "%s level %u", b->plan->name, ++b->levels).p,
        .kernel = CLUSTERS_BISECT_KERNEL,
        .params = arena_printf(b->arena, "{\"seed\":%" PRIu64 ",\"starts\":%u,\"max_iterations\":%u}", b->plan->seed,
                               b->plan->starts, b->plan->max_iterations),
        .splits = splits_of(b),
        .splits_count = b->chosen_count,
        .input_pass = -1,
        .blobs = blobs,
        .blobs_count = COUNT_OF(blobs),
    };
    bool ran = run_pass(b->run, &pass, &result, err), ok = ran && take(b, &result, fn, arg, err);
    if (ran)
        engine_result_release(&result);
    engine_blob_drop(b->run->engine, blobs[1]);
    return ok;
}

bool cluster_bisect(struct run_context *run, struct arena *arena, const struct kdocs *docs, int docs_blob,
                    const struct cluster_plan *plan, cluster_bisect_fn fn, void *arg, struct err *err)
{
    struct bisecting b = { .run = run,
                           .arena = arena,
                           .plan = plan,
                           .count = docs->count,
                           .leaves_count = 1,
                           .order = arena_alloc(arena, (docs->count + 1) * sizeof *b.order),
                           .cluster = arena_zalloc(arena, (docs->count + 1) * sizeof *b.cluster),
                           .leaves = arena_zalloc(arena, (plan->k_max + 1) * sizeof *b.leaves),
                           .chosen = arena_alloc(arena, (plan->k_max + 1) * sizeof *b.chosen),
                           .docs_blob = docs_blob };
    for (uint32_t i = 0; i < docs->count; i++)
        b.order[i] = i;
    b.leaves[0].to = docs->count;
    fn(arg, 1, b.cluster);
    while (b.leaves_count < plan->k_max) {
        choose(&b);
        if (b.chosen_count == 0)
            break;
        if (!level(&b, fn, arg, err))
            return false;
    }
    return true;
}
