/* The method msprt_and_confidence_sequence: what may be looked at any time. Which of its kinds an input is, its fields say. */
#include <math.h>
#include <string.h>

#include "stats/sequential/confseq.h"
#include "stats/sequential/mixture.h"
#include "stats/xstat/xstat.h"

static void write_sequence(const struct confseq *c, enum confseq_side side, json_t *out)
{
    xstat_out_double(out, "halfwidth", c->half_width);
    if (side == CONFSEQ_TWO) {
        xstat_out_double(out, "ci_lo", c->lo);
        xstat_out_double(out, "ci_hi", c->hi);
    } else {
        xstat_out_double(out, "bound", side == CONFSEQ_GREATER ? c->lo : c->hi);
    }
    xstat_out_double(out, "log_p", c->log_p);
    xstat_out_double(out, "p", c->p);
}

static bool msprt(struct xstat_in *in, json_t *out, struct err *err)
{
    double effect = xstat_in_double(in, "effect"), se = xstat_in_double(in, "se"), tau = xstat_in_double(in, "tau");
    double theta0 = xstat_in_double_or(in, "theta0", 0), alpha = xstat_in_double(in, "alpha");
    struct confseq c;
    if (!xstat_in_end(in, err) || !confseq_msprt(effect, se, tau, theta0, alpha, &c, err))
        return false;
    xstat_out_double(out, "log_lambda", c.log_e);
    write_sequence(&c, CONFSEQ_TWO, out);
    return true;
}

static bool msprt_sequence(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t n, n_ses;
    const double *effects = xstat_in_doubles(in, "effects", &n), *ses = xstat_in_doubles(in, "ses", &n_ses);
    double tau = xstat_in_double(in, "tau"), alpha = xstat_in_double(in, "alpha");
    if (!xstat_in_end(in, err))
        return false;
    if (n != n_ses)
        return err_set(err, ERR_INVALID, "%zu effects for %zu standard errors", n, n_ses);
    double *rows = arena_alloc(in->arena, (4 * n + 1) * sizeof *rows);
    struct confseq_run run = { 0 };
    for (size_t i = 0; i < n; i++) {
        struct confseq c;
        if (!confseq_msprt(effects[i], ses[i], tau, 0, alpha, &c, err))
            return false;
        confseq_run_add(&run, &c);
        rows[i] = c.log_e;
        rows[n + i] = exp(run.log_p);
        rows[2 * n + i] = run.lo;
        rows[3 * n + i] = run.hi;
    }
    xstat_out_doubles(out, "log_lambda", rows, n);
    xstat_out_doubles(out, "p", rows + n, n);
    xstat_out_doubles(out, "lo", rows + 2 * n, n);
    xstat_out_doubles(out, "hi", rows + 3 * n, n);
    return true;
}

static enum confseq_side read_side(struct xstat_in *in)
{
    static const char *const names[] = {
        [CONFSEQ_TWO] = "two", [CONFSEQ_GREATER] = "greater", [CONFSEQ_LESS] = "less"
    };
    const char *text = xstat_in_text(in, "sides");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(text, names[i]) == 0)
            return (enum confseq_side)i;
    if (in->err.kind == ERR_NONE)
        (void)err_set(&in->err, ERR_INVALID, "field \"sides\" is not two, greater or less");
    return CONFSEQ_TWO;
}

static bool asymptotic(struct xstat_in *in, json_t *out, struct err *err)
{
    double effect = xstat_in_double(in, "effect"), se = xstat_in_double(in, "se"), n = xstat_in_double(in, "n");
    double alpha = xstat_in_double(in, "alpha");
    enum confseq_side side = read_side(in);
    bool tuned = xstat_in_has(in, "n_star");
    double n_star = xstat_in_double_or(in, "n_star", 0), rho = tuned ? 0 : xstat_in_double(in, "rho"), exact = 0;
    struct confseq c;
    if (!xstat_in_end(in, err) || (tuned && (!confseq_rho(n_star, alpha, side, &rho, err) ||
                                             !confseq_rho_exact(n_star, alpha, side, &exact, err))))
        return false;
    if (!confseq_asymptotic(effect, se, n, rho, alpha, side, &c, err))
        return false;
    if (tuned) {
        xstat_out_double(out, "rho_approx", rho);
        xstat_out_double(out, "rho_exact", exact);
    }
    write_sequence(&c, side, out);
    if (side == CONFSEQ_TWO)
        xstat_out_double(out, "log_e", c.log_e);
    return true;
}

static bool mixture(struct xstat_in *in, json_t *out, struct err *err)
{
    double v = xstat_in_double(in, "v"), s = xstat_in_double(in, "s"), alpha = xstat_in_double(in, "alpha");
    double v_opt = xstat_in_double(in, "v_opt"), alpha_opt = xstat_in_double(in, "alpha_opt");
    bool one_sided = xstat_in_bool_or(in, "one_sided", false), beta = xstat_in_has(in, "g");
    double g = beta ? xstat_in_double(in, "g") : 1, h = beta ? xstat_in_double(in, "h") : 1;
    struct mixture_beta b;
    if (!xstat_in_end(in, err) || !mixture_check(v, alpha, v_opt, alpha_opt, one_sided, err) ||
        !mixture_beta(v_opt, alpha_opt, g, h, one_sided, &b, err))
        return false;
    if (!isfinite(s) || (beta && (s < -v / h || s > v / g)))
        return err_set(err, ERR_INVALID, "s is %g, no sum that time v allows", s);
    struct mixture_normal m = mixture_normal(v_opt, alpha_opt, one_sided);
    xstat_out_double(out, beta ? "r" : "rho", beta ? b.r : m.rho);
    xstat_out_double(out, "log_mixture", beta ? mixture_beta_log(&b, s, v) : mixture_normal_log(&m, s, v));
    xstat_out_double(out, "bound", beta ? mixture_beta_bound(&b, v, alpha) : mixture_normal_bound(&m, v, alpha));
    return true;
}

static bool bernoulli(struct xstat_in *in, json_t *out, struct err *err)
{
    int64_t x = xstat_in_count(in, "successes"), n = xstat_in_count(in, "trials");
    double alpha = xstat_in_double(in, "alpha"), t_opt = xstat_in_double(in, "t_opt");
    double alpha_opt = xstat_in_double_or(in, "alpha_opt", alpha);
    struct interval ci;
    if (!xstat_in_end(in, err) || !mixture_bernoulli(x, n, alpha, t_opt, alpha_opt, &ci, err))
        return false;
    xstat_out_double(out, "p_hat", (double)x / (double)n);
    xstat_out_double(out, "lo", ci.lo);
    xstat_out_double(out, "hi", ci.hi);
    return true;
}

static bool stitched(struct xstat_in *in, json_t *out, struct err *err)
{
    struct mixture_stitch m = { xstat_in_double(in, "v_min"), xstat_in_double(in, "c"), xstat_in_double(in, "s"),
                                xstat_in_double(in, "eta") };
    double v = xstat_in_double(in, "v"), alpha = xstat_in_double(in, "alpha"), bound;
    if (!xstat_in_end(in, err) || !mixture_stitched(&m, v, alpha, &bound, err))
        return false;
    xstat_out_double(out, "bound", bound);
    return true;
}

static bool anytime_t(struct xstat_in *in, json_t *out, struct err *err)
{
    double t = xstat_in_double(in, "t"), df = xstat_in_double(in, "df"), n = xstat_in_double(in, "n");
    double g = xstat_in_double(in, "g"), alpha = xstat_in_double(in, "alpha");
    struct mixture_t m;
    if (!xstat_in_end(in, err) || !mixture_t(t, df, n, g, alpha, &m, err))
        return false;
    xstat_out_double(out, "log_e", m.log_e);
    xstat_out_double(out, "log_p", m.log_p);
    xstat_out_double(out, "t_radius", m.radius);
    return true;
}

bool xstat_msprt_and_confidence_sequence(struct xstat_in *in, json_t *out, struct err *err)
{
    /* The first of these fields that an input has says what it is. */
    static const struct {
        const char *field;
        bool (*run)(struct xstat_in *in, json_t *out, struct err *err);
    } kinds[] = {
        { "effects", msprt_sequence }, { "tau", msprt },     { "sides", asymptotic }, { "successes", bernoulli },
        { "v_min", stitched },         { "v_opt", mixture }, { "df", anytime_t },
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (xstat_in_has(in, kinds[i].field))
            return kinds[i].run(in, out, err);
    return err_set(err, ERR_INVALID,
                   "none of the fields tau, sides, successes, v_min, v_opt and df is there to say what is asked");
}
