#include "trainer/jobs/query_passes.h"

#include <inttypes.h>

#include "trainer/jobs/rewrites_put.h"

struct engine_split *query_splits_by_part(struct arena *arena, uint32_t count, uint32_t parts)
{
    struct engine_split *splits = arena_zalloc(arena, (size_t)parts * sizeof *splits);
    struct engine_input *inputs = arena_alloc(arena, (size_t)parts * count * sizeof *inputs);
    for (uint32_t part = 0; part < parts; part++) {
        for (uint32_t i = 0; i < count; i++)
            inputs[part * count + i] = (struct engine_input){ i, part };
        splits[part] = (struct engine_split){
            .desc = arena_printf(arena, "%u", part), .weight = 1, .inputs = &inputs[part * count], .inputs_count = count
        };
    }
    return splits;
}

struct engine_split *query_splits_each(struct arena *arena, uint32_t count)
{
    struct engine_split *splits = arena_zalloc(arena, count * sizeof *splits);
    struct engine_input *inputs = arena_alloc(arena, count * sizeof *inputs);
    for (uint32_t i = 0; i < count; i++) {
        inputs[i] = (struct engine_input){ i, 0 };
        splits[i] = (struct engine_split){
            .desc = arena_printf(arena, "%u", i), .weight = 1, .inputs = &inputs[i], .inputs_count = 1
        };
    }
    return splits;
}

bool query_log_is_enough(const struct query_log *q, struct err *err)
{
    uint64_t least = (uint64_t)run_whole(q->run, "min_signals");
    if (q->searches + q->clicks >= least)
        return true;
    return run_too_little(q->run, err,
                          "%" PRIu64 " searches and %" PRIu64 " clicks in these days, and parameter "
                          "\"min_signals\" asks for %" PRIu64 " of both together",
                          q->searches, q->clicks, least);
}

bool query_log_begin(struct query_log *q, struct run_context *run, struct arena *arena, struct err *err)
{
    struct query_window training, evaluation;
    query_log_window(run, &training, &evaluation);
    return query_log_open(q, run, arena, "training", training, err) && query_log_is_enough(q, err);
}

struct str query_rewrites_said(struct arena *arena, const struct rewrites_counts *c)
{
    return arena_printf(arena,
                        "%" PRIu64 " rewritings (%" PRIu64 " new, %" PRIu64 " with other figures, %" PRIu64
                        " as they were, %" PRIu64 " decided by people), %" PRIu64 " no longer found",
                        c->found, c->added, c->updated, c->unchanged, c->decided, c->removed);
}

struct str query_rewrites_json(struct arena *arena, const struct rewrites_counts *c)
{
    return arena_printf(arena,
                        "{\"found\":%" PRIu64 ",\"added\":%" PRIu64 ",\"updated\":%" PRIu64 ",\"unchanged\":%" PRIu64
                        ",\"decided\":%" PRIu64 ",\"removed\":%" PRIu64 "}",
                        c->found, c->added, c->updated, c->unchanged, c->decided, c->removed);
}
