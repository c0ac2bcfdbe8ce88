#include "stats/ranking/paired.h"

#include <math.h>
#include <string.h>

#include "stats/ranking/signed_rank.h"
#include "stats/ranks/sorted.h"
#include "stats/special/special.h"

/* Sums that are equal but for rounding are equal. */
#define SAME 1e-12

/* splitmix64's finisher (G. Steele, D. Lea, C. Flood, OOPSLA 2014) over a counter. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Word j of draw i. */
static uint64_t word(uint64_t seed, uint64_t i, uint64_t j)
{
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    return mix(mix(mix(seed + golden) + i * golden + golden) + j * golden + golden);
}

static double weight_of(const double *weights, size_t i)
{
    return weights ? weights[i] : 1;
}

static bool check(const double *values, const double *weights, size_t n, double alpha, struct err *err)
{
    if (n < 2)
        return err_set(err, ERR_INVALID, "there %s %zu quer%s, at least 2 are needed", n == 1 ? "is" : "are", n,
                       n == 1 ? "y" : "ies");
    if (!(alpha > 0 && alpha < 1))
        return err_set(err, ERR_INVALID, "alpha %g is not between 0 and 1", alpha);
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(values[i]) <= 1e100))
            return err_set(err, ERR_INVALID, "value %zu is %g, not a number up to 1e100", i + 1, values[i]);
        if (!(weight_of(weights, i) >= 1e-50 && weight_of(weights, i) <= 1e50))
            return err_set(err, ERR_INVALID, "weight %zu is %g, not from 1e-50 to 1e50", i + 1, weights[i]);
    }
    return true;
}

/* Σ w_i v_i/Σ w_i. */
static double mean(const double *values, const double *weights, size_t n)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        sum += weight_of(weights, i) * values[i];
        total += weight_of(weights, i);
    }
    return sum / total;
}

/* A weighted mean is a ratio of sums: its variance by the delta method (../ratio.h). */
static double standard_error(const double *values, const double *weights, size_t n, double m)
{
    double squares = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        double r = weight_of(weights, i) * (values[i] - m);
        squares += r * r;
        total += weight_of(weights, i);
    }
    return sqrt((double)n / (double)(n - 1) * squares) / total;
}

bool paired_mean(const double *values, const double *weights, size_t n, double alpha, double *out_mean, double *out_lo,
                 double *out_hi, struct err *err)
{
    if (!check(values, weights, n, alpha, err))
        return false;
    double m = mean(values, weights, n);
    double half = special_t_qinv(alpha / 2, (double)(n - 1)) * standard_error(values, weights, n, m);
    *out_mean = m;
    *out_lo = m - half;
    *out_hi = m + half;
    return true;
}

/* The pieces ± w_i d_i that are not 0; what was observed is their sum with the signs they have. */
struct signs {
    const double *pieces;
    size_t n;
    double observed; /* |Σ|, a little less: what is equal but for rounding counts */
};

static uint64_t count_exact(const struct signs *s, size_t at, double sum)
{
    if (at == s->n)
        return fabs(sum) >= s->observed;
    return count_exact(s, at + 1, sum + s->pieces[at]) + count_exact(s, at + 1, sum - s->pieces[at]);
}

static uint64_t count_drawn(const struct signs *s, const struct paired_rules *rules)
{
    uint64_t count = 0;
    for (uint64_t draw = 0; draw < rules->draws; draw++) {
        double sum = 0;
        uint64_t bits = 0;
        for (size_t i = 0; i < s->n; i++, bits >>= 1) {
            if (i % 64 == 0)
                bits = word(rules->seed, draw, i / 64);
            sum += bits & 1 ? s->pieces[i] : -s->pieces[i];
        }
        count += fabs(sum) >= s->observed;
    }
    return count;
}

/* d: n differences; pieces: room for n. */
static void randomisation(const double *d, const double *weights, size_t n, const struct paired_rules *rules,
                          double *pieces, struct paired *out)
{
    struct signs s = { pieces, 0, 0 };
    double sum = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        double piece = weight_of(weights, i) * d[i];
        if (fabs(piece) <= 0)
            continue;
        pieces[s.n++] = piece;
        sum += piece;
        size += fabs(piece);
    }
    s.observed = fabs(sum) - SAME * size;
    out->exact = s.n <= PAIRED_EXACT_MAX;
    if (out->exact)
        out->log_p_randomisation = log((double)count_exact(&s, 0, 0)) - (double)s.n * M_LN2;
    else
        out->log_p_randomisation = log((double)(count_drawn(&s, rules) + 1) / (double)(rules->draws + 1));
}

/* The high half of word × n: a number below n, its bias below 2^-32 for n up to 2^32. */
static size_t below(uint64_t random, size_t n)
{
    return (size_t)(((unsigned __int128)random * n) >> 64);
}

static bool bootstrap(const double *d, const double *weights, size_t n, const struct paired_rules *rules, double *means,
                      struct paired *out, struct err *err)
{
    for (uint64_t draw = 0; draw < rules->draws; draw++) {
        double sum = 0, total = 0;
        for (size_t i = 0; i < n; i++) {
            size_t at = below(word(~rules->seed, draw, i), n);
            sum += weight_of(weights, at) * d[at];
            total += weight_of(weights, at);
        }
        means[draw] = sum / total;
    }
    if (!sorted_make(means, rules->draws, err))
        return false;
    out->bootstrap_lo = sorted_quantile(means, rules->draws, rules->alpha / 2);
    out->bootstrap_hi = sorted_quantile(means, rules->draws, 1 - rules->alpha / 2);
    return true;
}

static void t_test(const double *d, const double *weights, size_t n, double alpha, struct paired *out)
{
    out->difference = mean(d, weights, n);
    out->se = standard_error(d, weights, n, out->difference);
    out->df = (double)(n - 1);
    double half = special_t_qinv(alpha / 2, out->df) * out->se;
    out->ci_lo = out->difference - half;
    out->ci_hi = out->difference + half;
    out->varies = out->se > SAME * fabs(out->difference);
    if (!out->varies)
        return;
    out->t = out->difference / out->se;
    out->log_p_t = fmin(0, M_LN2 + special_log_t_q(fabs(out->t), out->df));
}

static void sign_test(const double *d, size_t n, struct paired *out)
{
    for (size_t i = 0; i < n; i++)
        *(d[i] > 0 ? &out->wins : d[i] < 0 ? &out->losses : &out->ties) += 1;
    size_t more = out->wins > out->losses ? out->wins : out->losses, all = out->wins + out->losses;
    if (all)
        out->log_p_sign = fmin(0, M_LN2 + special_log_binomial_upper((int64_t)more, (int64_t)all, 0.5));
}

size_t paired_room(size_t n, const struct paired_rules *rules)
{
    return 2 * n + (size_t)rules->draws;
}

bool paired_compare(const double *a, const double *b, const double *weights, size_t n, const struct paired_rules *rules,
                    double *scratch, struct paired *out, struct err *err)
{
    if (rules->draws < 1 || rules->draws > PAIRED_DRAWS_MAX)
        return err_set(err, ERR_INVALID, "draws is not from 1 to %d", PAIRED_DRAWS_MAX);
    if (!check(a, weights, n, rules->alpha, err) || !check(b, weights, n, rules->alpha, err))
        return false;
    double *d = scratch, *other = scratch + n;
    struct paired p = { .n = n, .mean_a = mean(a, weights, n), .mean_b = mean(b, weights, n) };
    for (size_t i = 0; i < n; i++)
        d[i] = b[i] - a[i];
    t_test(d, weights, n, rules->alpha, &p);
    sign_test(d, n, &p);
    randomisation(d, weights, n, rules, other, &p);
    if (!bootstrap(d, weights, n, rules, scratch + 2 * n, &p, err))
        return false;
    struct signed_rank ranks;
    signed_rank_test(d, n, &ranks);
    p.ranks_plus = ranks.plus;
    p.ranks_minus = ranks.minus;
    p.log_p_wilcoxon = ranks.log_p;
    *out = p;
    return true;
}
