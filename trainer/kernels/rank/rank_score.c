#include "trainer/kernels/rank/rank_score.h"

#include <math.h>

void rank_scorer_open(struct rank_scorer *s, const struct ranker *r, const struct str *names, uint32_t features,
                      struct arena *arena)
{
    *s = (struct rank_scorer){ .r = r,
                               .columns = arena_alloc(arena, (r->features + 1) * sizeof *s->columns),
                               .row = arena_alloc(arena, (r->features + 1) * sizeof *s->row) };
    for (uint32_t k = 0; k < r->features; k++)
        s->columns[k] = -1;
    for (uint32_t i = 0; i < features; i++) {
        int k = ranker_feature(r, names[i]);
        if (k >= 0)
            s->columns[k] = (int)i;
    }
}

static float value(const struct rank_scorer *s, uint32_t k, const float *values)
{
    float v = s->columns[k] < 0 ? NAN : values[s->columns[k]];
    return isnan(v) && s->r->has_defaults ? s->r->defaults[k] : v;
}

void rank_scorer_query(struct rank_scorer *s, const struct rank_data *d, uint32_t q, float *out_scores)
{
    const uint32_t first = rank_first(d, q);
    for (uint32_t i = first; i < d->ends[q]; i++) {
        for (uint32_t k = 0; k < s->r->features; k++)
            s->row[k] = value(s, k, d->values + (uint64_t)i * d->features);
        ranker_score(s->r, s->row, 1, out_scores + (i - first));
    }
}

bool rank_range_read(struct str desc, uint32_t count, uint32_t *out_from, uint32_t *out_until, struct err *err)
{
    struct str from;
    return (str_split(&desc, ' ', &from) && parse_u32(from, out_from, NULL) && parse_u32(desc, out_until, NULL) &&
            *out_from <= *out_until && *out_until <= count) ||
           err_set(err, ERR_INVALID, "the split is no range");
}
