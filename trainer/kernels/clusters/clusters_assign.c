/* "clusters.assign@1": see clusters.h. */
#include "trainer/kernels/clusters/clusters.h"
#include "trainer/kernels/clusters/kmeans.h"

enum { TICK_DOCUMENTS = 1024 };

static bool read_split(struct task *t, struct kdocs *docs, struct kcentres *c, uint32_t *from, uint32_t *to,
                       struct err *err)
{
    struct str rest = task_desc(t), begin, bytes, first, all = task_blob(t, 1);
    uint64_t at, n;
    if (!str_split(&rest, ' ', &begin) || !str_split(&rest, ' ', &bytes) || !str_split(&rest, ' ', &first) ||
        !parse_u64(begin, &at, NULL) || !parse_u64(bytes, &n, NULL) || !parse_u32(first, from, NULL) ||
        !parse_u32(rest, to, NULL) || at > all.n || n > all.n - at)
        return err_set(err, ERR_INVALID, "the split is not four numbers");
    return kdocs_read(task_blob(t, 0), docs, err) && kcentres_read((struct str){ all.p + at, (size_t)n }, c, err) &&
           ((*to <= docs->count && *from <= *to && c->dims == docs->dims) ||
            err_set(err, ERR_INVALID, "the split names no documents of the centres"));
}

static bool run(struct task *t, struct err *err)
{
    struct kdocs docs;
    struct kcentres c;
    uint32_t from = 0, to = 0;
    if (!read_split(t, &docs, &c, &from, &to, err))
        return false;
    struct knear *near = arena_alloc(task_arena(t), ((size_t)(to - from) + 1) * sizeof *near);
    float *scratch = arena_alloc(task_arena(t), c.room * sizeof *scratch);
    for (uint32_t d = from; d < to; d++) {
        kmeans_near(&docs, d, &c, scratch, &near[d - from]);
        if ((d - from) % TICK_DOCUMENTS == 0 && !task_tick(t, d - from ? TICK_DOCUMENTS : 0, err))
            return false;
    }
    return task_collect(t, (struct str){ (const char *)near, (to - from) * sizeof *near }, err);
}

const struct kernel kernel_clusters_assign = { CLUSTERS_ASSIGN_KERNEL, run };
