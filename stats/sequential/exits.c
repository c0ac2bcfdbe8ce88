#include "stats/sequential/exits.h"

#include <math.h>

enum { NODES = 8, STEPS = 16 };
/* Normal tails beyond so many standard deviations are nothing even beside other tails. */
#define FAR 13.0
#define SQRT_2PI 2.50662827463100050242

/* The 8-point Gauss-Legendre rule: node, weight. Over one standard deviation of a normal density it is wrong by less than 1e-15. */
static const double rule[NODES][2] = {
    { -0.96028985649753623168, 0.10122853629037625915 }, { -0.79666647741362673959, 0.22238103445337447054 },
    { -0.52553240991632898582, 0.31370664587788728734 }, { -0.18343464249564980494, 0.36268378337836198297 },
    { 0.18343464249564980494, 0.36268378337836198297 },  { 0.52553240991632898582, 0.31370664587788728734 },
    { 0.79666647741362673959, 0.22238103445337447054 },  { 0.96028985649753623168, 0.10122853629037625915 },
};

void exits_begin(struct exits *e, double drift)
{
    e->t = 0;
    e->drift = drift;
    e->even = drift == 0;
    e->n = 1;
    e->s[0] = 0;
    e->mass[0] = 1;
}

static double normal_above(double z)
{
    return 0.5 * erfc(z / M_SQRT2);
}

double exits_above(const struct exits *e, double t, double score)
{
    double step = t - e->t, sd = sqrt(step), target = score - e->drift * step, sum = 0;
    for (size_t i = 0; i < e->n; i++)
        sum += e->mass[i] * normal_above((target - e->s[i]) / sd);
    return sum;
}

double exits_below(const struct exits *e, double t, double score)
{
    double step = t - e->t, sd = sqrt(step), target = score - e->drift * step, sum = 0;
    for (size_t i = 0; i < e->n; i++)
        sum += e->mass[i] * normal_above((e->s[i] - target) / sd);
    return sum;
}

/* Σ mass exp(-z²/2) over the nodes of one place in their panels, which are equally far apart: w standard deviations, downwards from z. Each is the one before
 * times q, and q shrinks by exp(-w²); begun anew before rounding counts. */
static double density_of_place(const double *mass, size_t panels, double z, double w)
{
    double sum = 0, shrink = exp(-w * w), first = fmax(0, ceil((z - FAR) / w));
    for (size_t j = first < (double)panels ? (size_t)first : panels; j < panels;) {
        double at = z - (double)j * w, g = exp(-at * at / 2), q = exp(at * w - w * w / 2);
        if (at < -FAR)
            break;
        for (size_t end = j + STEPS < panels ? j + STEPS : panels; j < end; j++, g *= q, q *= shrink)
            sum += mass[j * NODES] * g;
    }
    return sum;
}

static double density(const struct exits *e, double step, double score)
{
    double sd = sqrt(step), target = score - e->drift * step, sum = 0;
    if (e->n == 1) {
        double z = (target - e->s[0]) / sd;
        sum = e->mass[0] * exp(-z * z / 2);
    }
    for (size_t k = 0; e->n > 1 && k < NODES; k++)
        sum += density_of_place(e->mass + k, e->n / NODES, (target - e->s[k]) / sd, e->width / sd);
    return sum / (sd * SQRT_2PI);
}

bool exits_go_on(struct exits *e, double t, double lo, double hi, double t_next, struct err *err)
{
    double step = t - e->t, widest = sqrt(fmin(step, t_next - t)), s[EXITS_NODES_MAX], mass[EXITS_NODES_MAX];
    lo = fmax(lo, e->drift * t - FAR * sqrt(t));
    hi = fmin(hi, e->drift * t + FAR * sqrt(t));
    double panels = ceil(fmax(0, hi - lo) / widest), half = (hi - lo) / panels / 2;
    if (!(panels * NODES <= EXITS_NODES_MAX))
        return err_set(err, ERR_INVALID, "looks at %.9g, %.9g and %.9g of the information are too close to each other",
                       e->t, t, t_next);
    size_t n = 0;
    for (size_t panel = 0; panel < (size_t)panels; panel++)
        for (size_t node = 0; node < NODES; node++, n++) {
            s[n] = lo + half * ((double)(2 * panel + 1) + rule[node][0]);
            mass[n] = half * rule[node][1];
        }
    e->even = e->even && lo == -hi;
    for (size_t i = 0; i < n; i++)
        mass[i] = e->even && i >= n / 2 ? mass[n - 1 - i] : mass[i] * density(e, step, s[i]);
    for (size_t i = 0; i < n; i++) {
        e->s[i] = s[i];
        e->mass[i] = mass[i];
    }
    e->n = n;
    e->width = 2 * half;
    e->t = t;
    return true;
}

bool exits_check_looks(const double *t, size_t looks, struct err *err)
{
    if (looks < 1 || looks > EXITS_LOOKS_MAX)
        return err_set(err, ERR_INVALID, "there are %zu looks in t, must be 1 to %d", looks, EXITS_LOOKS_MAX);
    for (size_t i = 0; i < looks; i++) {
        if (!(t[i] > 0 && t[i] <= 1))
            return err_set(err, ERR_INVALID, "t of look %zu is %g, not a share of the information above 0 and up to 1",
                           i + 1, t[i]);
        if (i && t[i] <= t[i - 1])
            return err_set(err, ERR_INVALID, "t of look %zu is %g, not above that of the look before", i + 1, t[i]);
    }
    return true;
}

bool exits_check(const struct exits_design *d, struct err *err)
{
    if (d->sides != 1 && d->sides != 2)
        return err_set(err, ERR_INVALID, "a test has 1 or 2 sides, not %d", d->sides);
    if (!exits_check_looks(d->t, d->looks, err))
        return false;
    for (size_t i = 0; i < d->looks; i++)
        if (!(d->z[i] > (d->sides == 2 ? 0 : -FAR)))
            return err_set(err, ERR_INVALID, "z of look %zu is %g, no bound", i + 1, d->z[i]);
    return true;
}

bool exits_by_look(const struct exits_design *d, double drift, double *out_up, double *out_down, struct err *err)
{
    struct exits e;
    exits_begin(&e, drift);
    if (!isfinite(drift))
        return err_set(err, ERR_INVALID, "the drift is not a finite number");
    for (size_t k = 0; k < d->looks; k++) {
        double t = d->t[k], hi = d->z[k] * sqrt(t), lo = d->sides == 2 ? -hi : -INFINITY;
        out_up[k] = exits_above(&e, t, hi);
        out_down[k] = d->sides == 2 ? exits_below(&e, t, lo) : 0;
        if (k + 1 < d->looks && !exits_go_on(&e, t, lo, hi, d->t[k + 1], err))
            return false;
    }
    return true;
}
