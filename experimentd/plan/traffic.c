#include "experimentd/plan/traffic.h"

#include <math.h>

#include "stats/sequential/plan.h"

enum { WEEK = 7 };

/* growth b of u t^b = units with u the units of a usual day. */
struct traffic traffic_of_days(const double *daily, size_t days, double units)
{
    double sum = 0;
    size_t seen = 0, last = 0;
    for (size_t i = 0; i < days; i++) {
        if (!(daily[i] > 0))
            continue;
        sum += daily[i];
        seen++;
        last = i;
    }
    struct traffic t = { (double)(last + 1), units, TRAFFIC_GROWTH_ASSUMED, last == 0 };
    if (last > 0 && units > 0)
        t.growth = fmin(1, fmax(0, log(units / (sum / (double)seen)) / log((double)(last + 1))));
    return t;
}

/* ln U_t = a + b ln t for t from `from` to the end; the curve goes through the last point, for that is what is known best. */
static double slope(const double *first, size_t days, size_t from)
{
    double sum = 0, n = 0, mx = 0, my = 0, sxx = 0, sxy = 0;
    for (size_t t = 1; t <= days; t++) {
        sum += first[t - 1];
        if (t < from || !(sum > 0))
            continue;
        double x = log((double)t), y = log(sum), dx = x - mx;
        n++;
        mx += dx / n;
        my += (y - my) / n;
        sxx += dx * (x - mx);
        sxy += dx * (y - my);
    }
    return sxx > 0 ? sxy / sxx : TRAFFIC_GROWTH_ASSUMED;
}

struct traffic traffic_of_first_exposures(const double *first, size_t days)
{
    struct traffic t = { (double)days, 0, TRAFFIC_GROWTH_ASSUMED, days < 2 };
    for (size_t i = 0; i < days; i++)
        t.units += first[i];
    if (days >= 2)
        t.growth = fmin(1, fmax(0, slope(first, days, days > 2 * WEEK ? WEEK : 1)));
    return t;
}

double traffic_units(const struct traffic *t, double days)
{
    return t->units * pow(days / t->days, t->growth);
}

bool traffic_days(const struct traffic *t, double units, double *out, struct err *err)
{
    const struct plan_traffic p = { t->days, t->units, t->growth };
    if (!(t->growth > 0))
        return err_set(err, ERR_INVALID, "the units are always the same: no more will come");
    return plan_days(&p, units, out, err);
}
