#include "trainer/kernels/spelling/phrase.h"

#include <math.h>

#include "stats/exact.h"

static double cell(double observed, double row, double column, double all)
{
    return observed > 0 ? observed * log(observed * all / (row * column)) : 0;
}

/* G²: twice the sum over the cells of observed · ln(observed / expected). */
static double likelihood_ratio(double first, double second, double both, double all)
{
    double neither = all - first - second + both;
    neither = neither > 0 ? neither : 0; /* side by side is less than in one search */
    return 2 * (cell(both, first, second, all) + cell(first - both, first, all - second, all) +
                cell(second - both, all - first, second, all) + cell(neither, all - first, all - second, all));
}

struct phrase_test phrase_test(const struct phrase_counts *c)
{
    double first = (double)c->first, second = (double)c->second, both = (double)c->both, all = (double)c->all;
    struct phrase_test t = { .lift = 0 };
    if (!c->first || !c->second || !c->both || c->both > c->first || c->both > c->second || c->first > c->all ||
        c->second > c->all)
        return t;
    t.lift = both * all / (first * second);
    t.likelihood = likelihood_ratio(first, second, both, all) / both;
    t.log_p = exact_log_together((int64_t)c->both, (int64_t)c->first, (int64_t)c->second, (int64_t)c->all);
    t.strength = c->both < c->all ? log(t.lift) / -log(both / all) : 1;
    return t;
}

struct phrase_test phrase_weaker(struct phrase_test a, struct phrase_test b)
{
    struct phrase_test weaker = a;
    weaker.lift = fmin(a.lift, b.lift);
    weaker.likelihood = fmin(a.likelihood, b.likelihood);
    weaker.log_p = fmax(a.log_p, b.log_p);
    weaker.strength = fmin(a.strength, b.strength);
    return weaker;
}
