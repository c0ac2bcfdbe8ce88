#include "trainer/jobs/recommender.h"

#include "trainer/jobs/popular_lists.h"

enum { METRICS_MAX = 64 << 10 };

const struct engine_split *recommender_rows(struct recommender_job *j)
{
    struct engine_split *splits = arena_alloc(&j->arena, j->m.ranges * sizeof *splits);
    for (uint32_t i = 0; i < j->m.ranges; i++)
        splits[i] = matrix_range(&j->m, i);
    return splits;
}

const struct engine_split *recommender_parts(struct recommender_job *j, uint32_t parts)
{
    struct engine_split *splits = arena_zalloc(&j->arena, parts * sizeof *splits);
    for (uint32_t p = 0; p < parts; p++) {
        struct engine_input *inputs = arena_alloc(&j->arena, j->m.ranges * sizeof *inputs);
        for (uint32_t i = 0; i < j->m.ranges; i++)
            inputs[i] = (struct engine_input){ i, p };
        splits[p].desc = arena_printf(&j->arena, "%u", p);
        splits[p].weight = 1;
        splits[p].inputs = inputs;
        splits[p].inputs_count = j->m.ranges;
    }
    return splits;
}

static void describe(struct recommender_job *j)
{
    const struct matrix *m = &j->m;
    j->t = (struct training){ .model = training_model(j->run),
                              .from = m->from,
                              .until = m->until,
                              .eval_from = m->eval_from,
                              .eval_until = m->eval_until,
                              .days = m->days_count,
                              .rows = m->cells,
                              .units = m->units,
                              .items = m->items };
}

static bool judge_and_publish(struct recommender_job *j, struct err *err)
{
    AUTO(buf_release) struct buf metrics;
    struct gate_outcome gate;
    buf_init(&metrics, METRICS_MAX);
    if (!gate_recommender(j->run, &j->m, j->t.file, &gate, &metrics, err))
        return false;
    j->t.metrics = buf_str(&metrics);
    return training_publish(j->run, &j->t, &gate, err);
}

static bool compute(struct recommender_job *j, recommender_fn train, struct err *err)
{
    if (!training_begin(j->run, "recommender", err) || !matrix_open(&j->m, j->run, &j->arena, err))
        return false;
    describe(j);
    return train(j, err) && popular_lists_add(j, err) && model_file_end(&j->file, j->run, &j->t, err) &&
           judge_and_publish(j, err);
}

static bool compute_alone(struct recommender_job *j, recommender_fn train, struct err *err)
{
    struct gate_outcome gate;
    j->t = (struct training){ .model = training_model(j->run) };
    gate_unevaluated(0, &gate);
    return training_begin(j->run, "recommender", err) && train(j, err) &&
           model_file_end(&j->file, j->run, &j->t, err) && training_publish(j->run, &j->t, &gate, err);
}

static bool run_with(struct run_context *run, bool (*how)(struct recommender_job *, recommender_fn, struct err *),
                     recommender_fn train, struct err *err)
{
    struct recommender_job j = { .run = run, .m = { .run = run, .items_blob = -1 } };
    arena_init(&j.arena, 1 << 16);
    model_file_begin(&j.file, "recommender");
    bool ok = how(&j, train, err);
    matrix_close(&j.m);
    model_file_release(&j.file);
    arena_release(&j.arena);
    return ok;
}

bool recommender_run(struct run_context *run, recommender_fn train, struct err *err)
{
    return run_with(run, compute, train, err);
}

bool recommender_run_alone(struct run_context *run, recommender_fn train, struct err *err)
{
    return run_with(run, compute_alone, train, err);
}
