#include "stats/offpolicy/replay.h"

#include <math.h>

#include "stats/moments.h"

static bool check_row(const struct replay_log *log, size_t i, struct err *err)
{
    if (!isfinite(log->reward[i]))
        return err_set(err, ERR_INVALID, "reward %zu is not a finite number", i + 1);
    if (!(log->pscore[i] > 0 && log->pscore[i] <= 1))
        return err_set(err, ERR_INVALID, "pscore %zu is %g, not above 0 and up to 1", i + 1, log->pscore[i]);
    if (!(log->target[i] >= 0 && log->target[i] <= 1))
        return err_set(err, ERR_INVALID, "target probability %zu is %g, no probability", i + 1, log->target[i]);
    if (log->model && (!isfinite(log->model[i]) || !isfinite(log->model_target[i])))
        return err_set(err, ERR_INVALID, "the model of row %zu is not a finite number", i + 1);
    return true;
}

static bool check(const struct replay_log *log, const struct replay_tuning *t, struct err *err)
{
    if (log->n == 0)
        return err_set(err, ERR_INVALID, "there are no rows to replay");
    if (!(t->clip >= 0 && t->switch_at >= 0 && t->shrink >= 0) || !isfinite(t->clip + t->switch_at + t->shrink))
        return err_set(err, ERR_INVALID, "clip, switch and shrink are %g, %g and %g, not numbers above 0", t->clip,
                       t->switch_at, t->shrink);
    for (size_t i = 0; i < log->n; i++)
        if (!check_row(log, i, err))
            return false;
    return true;
}

static double weight(const struct replay_log *log, size_t i)
{
    return log->target[i] / log->pscore[i];
}

/* Weights relative to the largest, so that no square overflows. */
static void add_weights(const struct replay_log *log, struct replay *out)
{
    struct moments w = { 0 };
    double sum = 0, squares = 0;
    for (size_t i = 0; i < log->n; i++) {
        moments_add(&w, weight(log, i));
        out->max_weight = fmax(out->max_weight, weight(log, i));
    }
    for (size_t i = 0; i < log->n && out->max_weight > 0; i++) {
        double u = weight(log, i) / out->max_weight;
        sum += u;
        squares += u * u;
    }
    out->mean_weight = w.mean;
    out->has_snips = out->max_weight > 0;
    out->has_se = log->n > 1;
    out->ess = out->has_snips ? sum / squares * sum : 0;
}

static double se_of(const struct moments *m)
{
    return m->n > 1 ? sqrt(moments_variance(m) / (double)m->n) : 0;
}

/* IPS: mean of w r. SNIPS: Σ w r/Σ w, se √Σ (w (r - snips))²/Σ w, from the deviations themselves: sums of squares would cancel. */
static void weigh_rewards(const struct replay_log *log, const struct replay_tuning *t, struct replay *out)
{
    struct moments ips = { 0 }, clipped = { 0 };
    double sum = 0, squares = 0;
    for (size_t i = 0; i < log->n; i++) {
        double w = weight(log, i), r = log->reward[i];
        moments_add(&ips, w * r);
        moments_add(&clipped, fmin(w, t->clip) * r);
        if (w > 0) {
            sum += w;
            out->snips += w / sum * (r - out->snips);
        }
    }
    for (size_t i = 0; i < log->n && sum > 0; i++) {
        double deviation = weight(log, i) / sum * (log->reward[i] - out->snips);
        squares += deviation * deviation;
    }
    out->ips = ips.mean;
    out->ips_se = se_of(&ips);
    out->snips_se = sqrt(squares);
    out->clipped = t->clip > 0 ? clipped.mean : 0;
}

/* With m = Σ π(a) q(a): DR is the mean of m + w (r - q), SNDR of m, plus Σ w (r - q)/Σ w; the others have their own w. */
static void add_model(const struct replay_log *log, const struct replay_tuning *t, struct replay *out)
{
    struct moments dm = { 0 }, dr = { 0 }, switched = { 0 }, shrunk = { 0 };
    double sum = 0, residual = 0;
    for (size_t i = 0; i < log->n; i++) {
        double w = weight(log, i), rest = log->reward[i] - log->model[i], m = log->model_target[i];
        moments_add(&dm, m);
        moments_add(&dr, m + w * rest);
        moments_add(&switched, m + (w <= t->switch_at ? w : 0) * rest);
        moments_add(&shrunk, m + (w > 0 && t->shrink > 0 ? t->shrink / (w + t->shrink / w) : 0) * rest);
        if (w > 0) {
            sum += w;
            residual += w / sum * (rest - residual);
        }
    }
    out->dm = dm.mean;
    out->dr = dr.mean;
    out->dr_se = se_of(&dr);
    out->sndr = dm.mean + residual;
    out->switch_dr = t->switch_at > 0 ? switched.mean : 0;
    out->dr_os = t->shrink > 0 ? shrunk.mean : 0;
}

bool replay_estimate(const struct replay_log *log, const struct replay_tuning *tuning, struct replay *out,
                     struct err *err)
{
    if (!check(log, tuning, err))
        return false;
    struct replay r = { 0 };
    add_weights(log, &r);
    weigh_rewards(log, tuning, &r);
    if (log->model)
        add_model(log, tuning, &r);
    if (!isfinite(r.ips_se) || !isfinite(r.snips_se) || !isfinite(r.dr_se) || !isfinite(r.mean_weight))
        return err_set(err, ERR_INVALID, "weights or rewards are too large for a number: the largest weight is %g",
                       r.max_weight);
    *out = r;
    return true;
}
