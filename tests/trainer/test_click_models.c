/* Click models beside enumeration: likelihoods of chains by going through all that users could have looked at, EM that never falls, what is expected of lists,
 * and bytes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "trainer/kernels/click_models/click_chain.h"
#include "trainer/kernels/click_models/click_em.h"
#include "trainer/kernels/click_models/click_score.h"

enum { N = 5, DOCS = 7, PATTERNS = 40 };

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

struct world {
    struct arena arena;
    struct str docs[DOCS];
    uint32_t numbers[PATTERNS][N];
    struct serp_pattern patterns[PATTERNS];
    struct serp_query serp;
    struct click_query q;
    struct click_globals g;
};

/* Patterns are not in order here and may come twice, which says nothing but that lists are more. */
static void make_world(struct world *w, uint64_t seed)
{
    static const char *const names[DOCS] = { "a", "b", "c", "d", "e", "f", "g" };
    arena_init(&w->arena, 1 << 16);
    w->serp = (struct serp_query){
        .text = STR("lamp"), .docs = w->docs, .docs_count = DOCS, .patterns = w->patterns, .patterns_count = PATTERNS
    };
    for (int d = 0; d < DOCS; d++)
        w->docs[d] = str_of(names[d]);
    for (int i = 0; i < PATTERNS; i++) {
        uint32_t n = 1 + (uint32_t)next(&seed) % N, first = (uint32_t)next(&seed) % DOCS;
        for (uint32_t r = 0; r < n; r++)
            w->numbers[i][r] = (first + r * 2) % DOCS;
        w->patterns[i] = (struct serp_pattern){ .docs = w->numbers[i],
                                                .clicked = next(&seed) & next(&seed) & ((UINT64_C(1) << n) - 1),
                                                .count = next(&seed) % 5,
                                                .held = next(&seed) % 3,
                                                .n = n };
        w->serp.sessions += w->patterns[i].count;
        w->serp.held += w->patterns[i].held;
    }
    cr_assert(click_query_make(&w->serp, &w->arena, &w->q, NULL));
    click_globals_init(&w->g, N, 2);
    w->g.mean = 0.3;
    w->g.ctr = 0.2;
    w->g.sweeps = 2;
    for (uint32_t r = 0; r < N; r++) {
        w->g.ctr_at[r] = 0.4 / (r + 1);
        w->g.dcm[r] = 0.7 - 0.1 * r;
        w->g.pbm[r] = 1 / (1 + 0.5 * r);
    }
    w->g.dbn = 0.8;
    w->g.ccm[0] = 0.9;
    w->g.ccm[1] = 0.7;
    w->g.ccm[2] = 0.3;
    for (uint32_t s = 1; s < CLICK_SLOTS; s++)
        w->g.ubm[s] = 0.3 + 0.01 * (s % 50);
}

/* P(clicks of the pattern): over all places r at which the user could have stopped. */
static double enumerate(const struct serp_pattern *p, enum click_model m, const struct click_globals *g,
                        const struct click_params *params)
{
    double sum = 0, went = 1;
    for (uint32_t end = 0; end < p->n; end++) { /* positions 0 … end are looked at, and none further */
        double clicks = 1, stops = 1;
        for (uint32_t r = 0; r < p->n; r++) {
            bool clicked = p->clicked >> r & 1;
            double a = params[p->docs[r]].alpha;
            clicks *= r > end ? !clicked : clicked ? a : 1 - a;
        }
        const struct click_params *d = &params[p->docs[end]];
        double on = !(p->clicked >> end & 1) ? click_on(m, g) : m == CLICK_DCM ? g->dcm[end] : click_after(m, g, d);
        if (end + 1 < p->n)
            stops = 1 - on;
        sum += went * clicks * stops;
        went *= on;
    }
    return sum;
}

Test(click_models, chains_are_what_enumeration_finds)
{
    static const enum click_model chains[] = { CLICK_DCM, CLICK_SDBN, CLICK_DBN, CLICK_CCM };
    struct world w;
    make_world(&w, 3);
    struct click_params p[DOCS];
    double room[2 * DOCS];
    for (size_t i = 0; i < COUNT_OF(chains); i++) {
        double want = 0;
        uint64_t shown = 0, told;
        for (uint32_t d = 0; d < DOCS; d++) {
            w.q.of[d].dbn = w.q.of[d].ccm = 0.2 + 0.1 * d;
            w.q.of[d].satisfied = 0.9 - 0.1 * d;
        }
        click_params_of(&w.q, chains[i], &w.g, p);
        for (int k = 0; k < PATTERNS; k++) {
            shown += w.patterns[k].held * w.patterns[k].n;
            want += w.patterns[k].held ? (double)w.patterns[k].held * log(enumerate(&w.patterns[k], chains[i], &w.g, p))
                                       : 0;
        }
        double got = click_loglikelihood(&w.q, chains[i], &w.g, p, room, &told);
        cr_assert(epsilon_eq(dbl, got, want, 1e-9), "%s", click_model_name(chains[i]));
        cr_assert(eq(u64, told, shown));
    }
    arena_release(&w.arena);
}

/* P(C_r) by adding up the probabilities of all patterns of clicks. */
Test(click_models, what_is_expected_is_the_sum_over_all_clicks)
{
    static const enum click_model all[] = { CLICK_DCM, CLICK_SDBN, CLICK_DBN, CLICK_CCM, CLICK_UBM, CLICK_PBM };
    struct world w;
    make_world(&w, 5);
    const uint32_t docs[N] = { 0, 3, 1, 4, 2 };
    struct click_params p[DOCS];
    double clicked[N], looked[N];
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        double want[N] = { 0 }, total = 0;
        for (uint32_t d = 0; d < DOCS; d++)
            p[d] = (struct click_params){ 0.15 + 0.1 * d, 0.8 - 0.1 * d };
        for (uint64_t mask = 0; mask < 1U << N; mask++) {
            const struct serp_pattern one = { .docs = docs, .clicked = mask, .n = N };
            double x = 1;
            if (all[i] == CLICK_UBM || all[i] == CLICK_PBM)
                for (uint32_t r = 0, before = 0; r < N; r++) {
                    double c = click_probability(all[i], &w.g, p[docs[r]].alpha,
                                                 all[i] == CLICK_UBM ? click_slot(r, before) : r);
                    x *= mask >> r & 1 ? c : 1 - c;
                    before = mask >> r & 1 ? r + 1 : before;
                }
            else
                x = enumerate(&one, all[i], &w.g, p);
            total += x;
            for (uint32_t r = 0; r < N; r++)
                want[r] += mask >> r & 1 ? x : 0;
        }
        click_expect(all[i], &w.g, p, docs, N, clicked, looked);
        cr_assert(epsilon_eq(dbl, total, 1, 1e-12), "%s", click_model_name(all[i]));
        for (uint32_t r = 0; r < N; r++) {
            cr_assert(epsilon_eq(dbl, clicked[r], want[r], 1e-12), "%s at %u", click_model_name(all[i]), r);
            cr_assert(epsilon_eq(dbl, looked[r] * p[docs[r]].alpha, clicked[r], 1e-12));
        }
    }
    arena_release(&w.arena);
}

Test(click_models, em_never_falls_and_comes_to_rest)
{
    enum { STEPS = 400 };
    struct world w;
    make_world(&w, 7);
    double last[CLICK_MODEL_COUNT] = { 0 }, first[CLICK_MODEL_COUNT] = { 0 };
    w.g.active = 1U << CLICK_PBM | 1U << CLICK_UBM | 1U << CLICK_DBN | 1U << CLICK_CCM;
    for (int i = 0; i < STEPS; i++) {
        struct click_counts counts = { .dbn = { 0 } };
        AUTO(click_work_free) struct click_work *work = click_work_new(&w.g);
        w.g.sweeps = 1 + (uint32_t)i % 3;
        click_em_step(&w.q, &w.g, work, &counts);
        click_globals_step(&w.g, &counts);
        for (int m = CLICK_PBM; m < CLICK_MODEL_COUNT; m++) {
            double rose = counts.objective[m] - last[m];
            cr_assert(i == 0 || rose > -1e-9, "%s fell by %g in step %d", click_model_name((enum click_model)m), -rose,
                      i);
            cr_assert(i + 1 < STEPS || rose < 1e-4, "%s still rises by %g", click_model_name((enum click_model)m),
                      rose);
            first[m] = i ? first[m] : counts.objective[m];
            last[m] = counts.objective[m];
        }
    }
    for (int m = CLICK_PBM; m < CLICK_MODEL_COUNT; m++)
        cr_assert(gt(dbl, last[m], first[m] + 1));
    arena_release(&w.arena);
}

/* Whether who clicked last was satisfied, few lists tell: of dbn's σ little is learned of a document that stands low. */
Test(click_models, intervals_are_narrower_the_more_was_seen)
{
    struct world w;
    make_world(&w, 9);
    struct click_relevance few[DOCS], many[DOCS];
    static const enum click_model all[] = { CLICK_DCTR, CLICK_COEC, CLICK_CM,  CLICK_DCM, CLICK_SDBN,
                                            CLICK_PBM,  CLICK_UBM,  CLICK_DBN, CLICK_CCM };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct click_query more;
        click_relevance_of(&w.q, all[i], &w.g, few);
        for (int k = 0; k < PATTERNS; k++)
            w.patterns[k].count *= 100;
        cr_assert(click_query_make(&w.serp, &w.arena, &more, NULL));
        click_relevance_of(&more, all[i], &w.g, many);
        for (int k = 0; k < PATTERNS; k++)
            w.patterns[k].count /= 100;
        for (uint32_t d = 0; d < DOCS; d++) {
            cr_assert(few[d].low >= 0 && few[d].low <= few[d].relevance && few[d].relevance <= few[d].high &&
                          few[d].high <= 1,
                      "%s", click_model_name(all[i]));
            if (w.q.of[d].train.clicks)
                cr_assert(many[d].high - many[d].low < (all[i] == CLICK_DBN ? 1 : 0.6) * (few[d].high - few[d].low),
                          "%s of %u: %g to %g, %g to %g", click_model_name(all[i]), d, few[d].low, few[d].high,
                          many[d].low, many[d].high);
        }
    }
    arena_release(&w.arena);
}

static bool gather(void *arg, struct str record, struct err *err)
{
    (void)err;
    buf_add_str(arg, record);
    return true;
}

Test(click_models, bytes_and_back)
{
    struct world w;
    struct buf all, again, scratch, gathered;
    struct click_query q;
    bool whole;
    make_world(&w, 11);
    buf_init(&all, 1 << 20);
    buf_init(&again, 1 << 20);
    buf_init(&scratch, 1 << 20);
    buf_init(&gathered, 1 << 20);
    cr_assert(click_query_write(&w.q, &scratch, gather, &all, NULL));
    struct str rest = buf_str(&all);
    cr_assert(click_query_take(&gathered, &rest, &w.arena, &whole, &q));
    cr_assert(whole);
    cr_assert(eq(sz, rest.n, 0));
    cr_assert(click_query_write(&q, &scratch, gather, &again, NULL));
    cr_assert(str_eq(buf_str(&all), buf_str(&again)));
    for (size_t n = 0; n < all.n; n++) {
        struct str cut = { all.p, n };
        cr_assert(not(click_query_take(&gathered, &cut, &w.arena, &whole, &q)));
    }
    buf_release(&all);
    buf_release(&again);
    buf_release(&scratch);
    buf_release(&gathered);
    arena_release(&w.arena);
}
