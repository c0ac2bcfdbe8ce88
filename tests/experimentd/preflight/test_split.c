#include <math.h>

#include "tests/experimentd/preflight/config.h"

TestSuite(preflight_split, .init = config_begin, .fini = config_end);

static struct preflight_split split_of(const struct snapshot_experiment *e)
{
    struct preflight_split split;
    struct snapshot_experiment placed = *e;
    placed.status = EXPERIMENT_RUNNING;
    preflight_split(&placed, &snapshot, &arena, &split);
    cr_assert(split.why_not == NULL, "%s", split.why_not);
    return split;
}

/* Within five standard deviations of a share of PREFLIGHT_UNITS. */
static bool near(int64_t units, double share)
{
    return fabs((double)units - share * PREFLIGHT_UNITS) < 5 * sqrt(share * (1 - share) * PREFLIGHT_UNITS) + 1;
}

Test(preflight_split, follows_the_weights)
{
    struct preflight_split s = split_of(config_add(
        EXPERIMENT_DRAFT, "{\"key\":\"x\",\"variants\":[{\"key\":\"a\",\"weight\":0.2},{\"key\":\"b\",\"weight\":0.5},{"
                          "\"key\":\"c\",\"weight\":0.3}]," METRICS "}"));
    cr_assert(eq(i64, s.reached, PREFLIGHT_UNITS));
    cr_assert(near(s.counts[0], 0.2) && near(s.counts[1], 0.5) && near(s.counts[2], 0.3));
    cr_assert(eq(i64, s.counts[0] + s.counts[1] + s.counts[2], s.reached));
    cr_assert(s.has_srm && s.srm.p > 1e-3);
    cr_assert(epsilon_eq(dbl, s.expected[1], 50000, 1e-6));
    cr_assert(not(s.ignores_conditions));
}

Test(preflight_split, reaches_the_coverage_of_the_first_step)
{
    struct preflight_split s = split_of(config_add(EXPERIMENT_DRAFT, "{\"key\":\"x\",\"coverage\":0.3," AB "}"));
    cr_assert(near(s.reached, 0.3));
    s = split_of(config_add(EXPERIMENT_DRAFT,
                            "{\"key\":\"y\",\"ramp\":{\"steps\":[{\"coverage\":0.05,\"hold_hours\":1},{\"coverage\":1}"
                            "]},\"hash_version\":1," AB "}"));
    cr_assert(near(s.reached, 0.05));
}

Test(preflight_split, is_the_same_each_time)
{
    struct snapshot_experiment *e = config_add(EXPERIMENT_DRAFT, "{\"key\":\"x\"," AB "}");
    cr_assert(eq(i64, split_of(e).counts[0], split_of(e).counts[0]));
    int64_t one = split_of(e).counts[0];
    e->seed = STR("another");
    cr_assert(ne(i64, split_of(e).counts[0], one));
}

Test(preflight_split, takes_targeting_as_met_and_says_so)
{
    struct preflight_split s = split_of(
        config_add(EXPERIMENT_DRAFT, "{\"key\":\"x\",\"targeting\":{\"country\":\"de\"}," AB "}"));
    cr_assert(eq(i64, s.reached, PREFLIGHT_UNITS));
    cr_assert(s.ignores_conditions);
}

Test(preflight_split, keeps_to_its_part_of_the_layer)
{
    struct slot_range part = { 2000, 4500 };
    config_add_layer("ranking", "of the layer");
    struct snapshot_experiment *e = config_add(EXPERIMENT_DRAFT,
                                               "{\"key\":\"x\",\"layer\":\"ranking\",\"layer_share\":0.25," AB "}");
    e->slots = (struct slot_ranges){ &part, 1 };
    struct preflight_split s = split_of(e);
    cr_assert(near(s.reached, 0.25));
    cr_assert(s.srm.p > 1e-3);
}

/* The slots of the layer and the variants are then cut out of one number. */
Test(preflight_split, finds_a_layer_with_the_seed_of_the_experiment)
{
    struct slot_range part = { 0, 5000 };
    struct err err;
    config_add_layer("ranking", "x");
    struct snapshot_experiment *e = config_add(EXPERIMENT_DRAFT,
                                               "{\"key\":\"x\",\"layer\":\"ranking\",\"layer_share\":0.5," AB "}");
    cr_assert(not(preflight_may_start(e, &snapshot, &arena, &err)));
    cr_assert(eq(int, err.kind, ERR_CONFLICT));
    cr_assert(
        str_starts(str_of(err.text), STR("field \"seed\": the simulated split does not fit the weights (\"a\" ")));
    e->slots = (struct slot_ranges){ &part, 1 };
    struct preflight_split s = split_of(e);
    cr_assert(eq(i64, s.counts[1], 0));
    cr_assert(s.srm.p < PREFLIGHT_SRM_P);
    e->seed = STR("y");
    cr_assert(preflight_may_start(e, &snapshot, &arena, &err), "%s", err.text);
}

Test(preflight_split, holdouts_and_prerequisites_are_evaluated)
{
    config_add(EXPERIMENT_RUNNING, "{\"key\":\"base\"," AB "}");
    config_add(EXPERIMENT_RUNNING, "{\"key\":\"hold\",\"kind\":\"holdout\",\"holdout\":{\"share\":0.2}," METRICS "}");
    struct snapshot_experiment *e = config_add(
        EXPERIMENT_DRAFT, "{\"key\":\"x\",\"prerequisites\":[{\"experiment\":\"base\",\"variants\":[\"b\"]}]," AB "}");
    struct preflight_split s = split_of(e);
    cr_assert(near(s.reached, 0.8 * 0.5)); /* base itself is held out, too: without it nobody meets the prerequisite */
    cr_assert(s.srm.p > 1e-3);
    e->ignore_holdouts = true;
    cr_assert(near(split_of(e).reached, 0.4));
    e->prerequisites_count = 0;
    cr_assert(eq(i64, split_of(e).reached, PREFLIGHT_UNITS));
}

/* A launch layer's experiment gets what the others on its parameter leave. */
Test(preflight_split, others_on_the_parameter_go_first)
{
    config_add_layer("launch", "launch");
    layers[0].launch = true;
    struct slot_range all = { 0, SNAPSHOT_SLOTS };
    struct snapshot_experiment *e = config_add(
        EXPERIMENT_DRAFT, "{\"key\":\"launched\",\"parameter\":\"k1\",\"layer\":\"launch\"," AB "}");
    e->slots = (struct slot_ranges){ &all, 1 };
    config_add(EXPERIMENT_RUNNING, "{\"key\":\"tuned\",\"parameter\":\"k1\",\"coverage\":0.25," AB "}");
    cr_assert(near(split_of(e).reached, 0.75));
}

Test(preflight_split, interleaving_splits_nothing)
{
    struct preflight_split s = split_of(
        config_add(EXPERIMENT_DRAFT, "{\"key\":\"x\",\"kind\":\"interleave\",\"coverage\":0.5," AB "}"));
    cr_assert(near(s.reached, 0.5));
    cr_assert(eq(ptr, s.counts, NULL));
    cr_assert(not(s.has_srm));
}
