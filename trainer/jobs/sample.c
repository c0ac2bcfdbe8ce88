#include "trainer/jobs/sample.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "trainer/kernels/pair_table.h"

/* From 0 to 1, 1 excluded. */
static double unit(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

static uint64_t mix(uint64_t seed, uint64_t with)
{
    const uint64_t both[2] = { seed, with };
    return hash64((struct str){ (const char *)both, sizeof both });
}

/* ---- orders ---- */

struct drawn {
    struct sample_query *q;
    uint64_t key; /* by which a stratum is shuffled */
};

static int by_searches(const void *a, const void *b)
{
    const struct sample_query *x = a, *y = b;
    if (x->searches != y->searches)
        return x->searches > y->searches ? -1 : 1;
    return pair_text_compare(x->text, y->text);
}

static int drawn_first(const void *a, const void *b)
{
    const struct sample_query *x = a, *y = b;
    if ((x->weight > 0) != (y->weight > 0))
        return x->weight > 0 ? -1 : 1;
    return by_searches(a, b);
}

static int by_key(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return pair_text_compare(x->q->text, y->q->text);
}

/* ---- strata: queries come the most searched first ---- */

static uint64_t all_searches(const struct sample_query *q, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += q[i].searches;
    return sum;
}

/* A query belongs to the stratum in which its first search lies. */
static void cut_strata(struct sample_query *q, size_t count, const struct sample_rules *rules,
                       struct sample_stratum strata[SAMPLE_STRATA])
{
    double all = (double)all_searches(q, count);
    uint64_t before = 0;
    bool one = rules->sampling != SAMPLE_STRATIFIED;
    for (size_t i = 0; i < count; i++) {
        double share = all > 0 ? (double)before / all : 0;
        q[i].stratum = one || share < rules->head ? 0 : share < rules->head + rules->torso ? 1 : 2;
        before += q[i].searches;
        strata[q[i].stratum].queries++;
        strata[q[i].stratum].searches += q[i].searches;
    }
}

static void share_size(const struct sample_rules *rules, struct sample_stratum s[SAMPLE_STRATA])
{
    bool one = rules->sampling != SAMPLE_STRATIFIED;
    size_t head = one ? rules->size : (size_t)round(rules->head_size * (double)rules->size);
    size_t torso = one ? 0 : (size_t)round(rules->torso_size * (double)rules->size), left;
    head = head < rules->size ? head : rules->size;
    torso = torso < rules->size - head ? torso : rules->size - head;
    const size_t wanted[SAMPLE_STRATA] = { head, torso, rules->size - head - torso };
    left = rules->size;
    for (size_t i = 0; i < SAMPLE_STRATA; i++) {
        s[i].drawn = wanted[i] < s[i].queries ? wanted[i] : s[i].queries;
        left -= s[i].drawn;
    }
    for (size_t i = 0; i < SAMPLE_STRATA; i++) {
        size_t more = s[i].queries - s[i].drawn < left ? s[i].queries - s[i].drawn : left;
        s[i].drawn += more;
        left -= more;
    }
}

/* ---- draws ---- */

static void draw_stratum(struct sample_query *q, size_t count, uint8_t stratum, const struct sample_rules *rules,
                         const struct sample_stratum *s)
{
    struct drawn *all = mem_alloc((s->queries + 1) * sizeof *all);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (q[i].stratum == stratum)
            all[n++] = (struct drawn){ &q[i], mix(rules->seed, hash64(q[i].text)) };
    if (n)
        qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0; i < s->drawn; i++)
        all[i].q->weight = (double)all[i].q->searches * (double)s->queries / (double)s->drawn;
    mem_free(all);
}

static void draw_in_proportion(struct sample_query *q, size_t count, const struct sample_rules *rules)
{
    uint64_t sum = 0, *ends = mem_alloc((count + 1) * sizeof *ends);
    for (size_t i = 0; i < count; i++)
        ends[i] = sum += q[i].searches;
    for (size_t d = 0; sum && d < rules->size; d++) {
        uint64_t at = (uint64_t)(unit(mix(rules->seed, d)) * (double)sum);
        size_t low = 0, high = count - 1;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (ends[mid] <= at)
                low = mid + 1;
            else
                high = mid;
        }
        q[low].weight++;
    }
    mem_free(ends);
}

size_t sample_queries(struct sample_query *q, size_t count, const struct sample_rules *rules,
                      struct sample_stratum strata[SAMPLE_STRATA])
{
    size_t drawn = 0;
    memset(strata, 0, SAMPLE_STRATA * sizeof *strata);
    if (count == 0)
        return 0;
    if (rules->sampling == SAMPLE_PPTSS)
        draw_in_proportion(q, count, rules); /* by text */
    qsort(q, count, sizeof *q, by_searches);
    cut_strata(q, count, rules, strata);
    share_size(rules, strata);
    for (uint8_t s = 0; s < SAMPLE_STRATA && rules->sampling >= SAMPLE_RANDOM; s++)
        draw_stratum(q, count, s, rules, &strata[s]);
    for (size_t i = 0; i < count; i++) {
        if (rules->sampling == SAMPLE_TOPN)
            q[i].weight = i < rules->size ? (double)q[i].searches : 0;
        drawn += q[i].weight > 0;
        if (rules->equal_weights && q[i].weight > 0)
            q[i].weight = 1;
    }
    qsort(q, count, sizeof *q, drawn_first);
    if (rules->sampling == SAMPLE_PPTSS)
        strata[0].drawn = drawn;
    return drawn;
}
