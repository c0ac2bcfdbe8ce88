/* "clusters.bisect@1": see clusters.h. */
#include "base/json.h"
#include "trainer/kernels/clusters/clusters.h"
#include "trainer/kernels/clusters/kmeans.h"

struct cutting {
    struct task *task;
    struct err *err;
};

static bool read_params(struct task *t, struct kmeans_rules *out, struct err *err)
{
    struct json_reader r;
    int64_t seed = 0, starts = 1, iterations = 1;
    json_auto_t *root = json_parse(task_params(t), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "seed", JSON_REQUIRED, &seed);
    (void)json_get_i64(&r, "starts", JSON_REQUIRED, &starts);
    (void)json_get_i64(&r, "max_iterations", JSON_REQUIRED, &iterations);
    *out = (struct kmeans_rules){
        .k = 2, .starts = (uint32_t)starts, .max_iterations = (uint32_t)iterations, .seed = (uint64_t)seed
    };
    return json_reader_close(&r, err);
}

static bool read_split(struct task *t, struct kdocs *docs, struct kset *out, uint64_t *stream, struct err *err)
{
    struct str rest = task_desc(t), word, first, blob = task_blob(t, 1);
    uint32_t from, to;
    if (!str_split(&rest, ' ', &word) || !str_split(&rest, ' ', &first) || !parse_u64(word, stream, NULL) ||
        !parse_u32(first, &from, NULL) || !parse_u32(rest, &to, NULL) || to > blob.n / sizeof(uint32_t) || from > to)
        return err_set(err, ERR_INVALID, "the split names no documents");
    *out = (struct kset){ docs, (const uint32_t *)(const void *)blob.p + from, to - from };
    return kdocs_read(task_blob(t, 0), docs, err);
}

static bool go_on(void *arg)
{
    struct cutting *c = arg;
    return task_tick(c->task, 0, c->err);
}

static bool run(struct task *t, struct err *err)
{
    struct kdocs docs;
    struct kset set;
    struct kmeans_rules rules;
    struct cutting c = { t, err };
    uint32_t k = 0;
    uint64_t stream = 0;
    if (!read_params(t, &rules, err) || !read_split(t, &docs, &set, &stream, err))
        return false;
    rules.stream = stream;
    uint32_t *cluster = arena_alloc(task_arena(t), ((size_t)set.count + 1) * sizeof *cluster);
    uint8_t *side = arena_alloc(task_arena(t), (size_t)set.count + 1);
    if (!kmeans_run(&set, &rules, go_on, &c, cluster, &k))
        return false;
    for (uint32_t i = 0; k == 2 && i < set.count; i++)
        side[i] = (uint8_t)cluster[i];
    return task_tick(t, set.count, err) &&
           (k < 2 || task_collect(t, (struct str){ (const char *)side, set.count }, err));
}

const struct kernel kernel_clusters_bisect = { CLUSTERS_BISECT_KERNEL, run };
