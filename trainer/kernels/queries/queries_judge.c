/* "queries.judge@1": queries of a later window → how well the lists of a candidate and of a champion foretold them. */
#include "model/artifact.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/queries/queries.h"

/* The lists of an artifact by side; `there` says which it has. */
struct judged_lists {
    bool any;
    struct lists lists[QUERY_JUDGE_SIDES];
    bool there[QUERY_JUDGE_SIDES];
};

static bool read_artifact(struct str bytes, const struct str names[QUERY_JUDGE_SIDES], struct arena *arena,
                          struct judged_lists *out, struct err *err)
{
    struct artifact a;
    *out = (struct judged_lists){ .any = true };
    if (!artifact_read(bytes, &a, err))
        return false;
    for (int s = 0; s < QUERY_JUDGE_SIDES; s++) {
        struct str section = names[s].n ? artifact_section(&a, arena_cstr(arena, names[s])) : (struct str){ NULL, 0 };
        out->there[s] = section.p;
        if (section.p && !lists_read(section, &out->lists[s], err))
            return false;
    }
    return true;
}

static const struct lists *lists_of(const struct judged_lists *j, int side)
{
    return j->there[side] ? &j->lists[side] : NULL;
}

struct judging {
    struct task *task;
    struct str names[QUERY_JUDGE_SIDES];
    struct judged_lists candidate, champion;
    struct query_judged judged;
    struct arena arena; /* of a block */
};

static bool judge_block(struct judging *j, struct str block, struct err *err)
{
    uint64_t rows = 0;
    arena_reset(&j->arena);
    for (; block.n; rows++) {
        struct query_record q;
        if (!query_record_read(&block, &j->arena, &q, NULL))
            return err_set(err, ERR_SYSTEM, "a record of a query is damaged");
        for (int s = 0; s < QUERY_JUDGE_SIDES; s++)
            if (j->names[s].n)
                query_judge_add(&j->judged, (enum query_judge_side)s, lists_of(&j->candidate, s),
                                lists_of(&j->champion, s), j->champion.any, &q);
    }
    return task_tick(j->task, rows, err);
}

static bool judge_all(struct judging *j, struct err *err)
{
    struct str block;
    for (bool end = false;;) {
        if (!task_next(j->task, 0, &block, &end, err))
            return false;
        if (end)
            return task_collect(j->task, (struct str){ (const char *)&j->judged, sizeof j->judged }, err);
        if (!judge_block(j, block, err))
            return false;
    }
}

static bool run(struct task *t, struct err *err)
{
    struct queries_judge_params p;
    struct judging j = { .task = t };
    if (!queries_judge_params_read(task_params(t), &p, task_arena(t), err))
        return false;
    j.names[QUERY_JUDGE_NEXT] = p.queries;
    j.names[QUERY_JUDGE_ITEMS] = p.items;
    if (!read_artifact(task_blob(t, 0), j.names, task_arena(t), &j.candidate, err) ||
        (p.champion && !read_artifact(task_blob(t, 1), j.names, task_arena(t), &j.champion, err)))
        return false;
    arena_init(&j.arena, 1 << 20);
    bool ok = judge_all(&j, err);
    arena_release(&j.arena);
    return ok;
}

const struct kernel kernel_queries_judge = { QUERIES_JUDGE_KERNEL, run };
