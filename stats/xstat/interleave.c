/* The method team_draft_sign_test: interleaving of two rankings with given coins, and the tests of its outcomes. */
#include <math.h>
#include <string.h>

#include "stats/interleave/interleave.h"
#include "stats/interleave/preference.h"
#include "stats/special/special.h"
#include "stats/welch.h"
#include "stats/xstat/xstat.h"

/* Coins that the input lists; 1: the first ranking. Running out is an error that the caller asks for afterwards. */
struct given_coins {
    const int64_t *flips;
    size_t n, used;
};

static unsigned toss(void *arg, unsigned n)
{
    struct given_coins *c = arg;
    (void)n; /* two rankings: always 2 */
    size_t at = c->used++;
    return at < c->n && c->flips[at] == 0;
}

struct merge_input {
    struct interleave_rankings rankings;
    const char **texts; /* of documents, by number */
    struct given_coins coins;
    bool has_clicks, balanced;
    size_t length, clicks_n;
    const size_t *clicks;
};

/* Equal texts get equal numbers. */
static void number_docs(struct xstat_in *in, json_t *numbers, const char *key, size_t which, struct merge_input *m)
{
    size_t n;
    const char **texts = xstat_in_texts(in, key, &n);
    int32_t *docs = arena_alloc(in->arena, (n + 1) * sizeof *docs);
    const char **all = arena_alloc(in->arena, (m->rankings.docs_count + n + 1) * sizeof *all);
    if (m->rankings.docs_count)
        memcpy(all, m->texts, m->rankings.docs_count * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        json_t *known = json_object_get(numbers, texts[i]);
        docs[i] = (int32_t)(known ? json_integer_value(known) : (json_int_t)m->rankings.docs_count);
        if (known)
            continue;
        (void)json_object_set_new(numbers, texts[i], json_integer(docs[i]));
        all[m->rankings.docs_count++] = texts[i];
    }
    m->texts = all;
    m->rankings.docs[which] = docs;
    m->rankings.lengths[which] = n;
}

static const size_t *read_clicks(struct xstat_in *in, size_t *out_n, struct err *err)
{
    const int64_t *given = xstat_in_counts(in, "clicks", out_n);
    size_t *clicks = arena_alloc(in->arena, (*out_n + 1) * sizeof *clicks);
    for (size_t i = 0; i < *out_n; i++) {
        if (given[i] < 0)
            return err_set(err, ERR_INVALID, "click %zu is negative", i + 1), NULL;
        clicks[i] = (size_t)given[i];
    }
    return clicks;
}

static bool check_flips(const struct given_coins *c, struct err *err)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->flips[i] != 0 && c->flips[i] != 1)
            return err_set(err, ERR_INVALID, "flip %zu is neither 0 nor 1", i + 1);
    return true;
}

static bool read_merge(struct xstat_in *in, struct merge_input *m, struct err *err)
{
    json_auto_t *numbers = json_object();
    m->rankings.count = 2;
    number_docs(in, numbers, "a", 0, m);
    number_docs(in, numbers, "b", 1, m);
    int64_t k = xstat_in_count(in, "k"), *first = arena_alloc(in->arena, sizeof *first);
    if (m->balanced) {
        *first = xstat_in_count(in, "a_first");
        m->coins = (struct given_coins){ first, 1, 0 };
    } else {
        m->coins.flips = xstat_in_counts(in, "flips", &m->coins.n);
    }
    m->has_clicks = xstat_in_has(in, "clicks");
    if (m->has_clicks && !(m->clicks = read_clicks(in, &m->clicks_n, err)))
        return false;
    if (!xstat_in_end(in, err) || !check_flips(&m->coins, err))
        return false;
    if (k < 1)
        return err_set(err, ERR_INVALID, "k is %lld, the list needs at least one position", (long long)k);
    if (m->rankings.docs_count > INTERLEAVE_DOCS_MAX)
        return err_set(err, ERR_INVALID, "the rankings hold more than %d documents", INTERLEAVE_DOCS_MAX);
    m->length = (uint64_t)k < m->rankings.docs_count ? (size_t)k : m->rankings.docs_count + 1;
    return interleave_check(INTERLEAVE_TEAM_DRAFT, &m->rankings, m->length, err);
}

static void write_list(const struct merge_input *m, const struct interleave_list *l, struct arena *arena, json_t *out)
{
    size_t room = 1;
    for (size_t i = 0; i < l->n; i++)
        room += strlen(m->texts[l->docs[i]]) + 1;
    char *text = arena_zalloc(arena, room), *at = text, *teams = arena_zalloc(arena, l->n + 1);
    for (size_t i = 0; i < l->n; i++) {
        size_t n = strlen(m->texts[l->docs[i]]);
        if (i)
            *at++ = ' ';
        memcpy(at, m->texts[l->docs[i]], n);
        at += n;
        teams[i] = l->owners[i] == 0 ? 'A' : 'B';
    }
    xstat_out_text(out, "list", text);
    if (!m->balanced) {
        xstat_out_text(out, "teams", teams);
        xstat_out_count(out, "flips_used", (int64_t)m->coins.used);
    }
}

static bool write_credit(const struct merge_input *m, const struct interleave_list *l, struct arena *arena, json_t *out,
                         struct err *err)
{
    static const char *const winners[] = { "tie", "A", "B" };
    uint16_t(*ranks)[2] = arena_alloc(arena, (l->n + 1) * sizeof *ranks);
    double credit[2];
    if (!interleave_check_clicks(m->clicks, m->clicks_n, l->n, err))
        return false;
    for (size_t i = 0; i < l->n; i++)
        for (size_t t = 0; t < 2; t++)
            ranks[i][t] = (uint16_t)interleave_rank(&m->rankings, t, l->docs[i]);
    if (m->balanced)
        interleave_credit_balanced((const uint16_t(*)[2])ranks, m->clicks, m->clicks_n, credit);
    else
        interleave_credit(l->owners, NULL, m->clicks, m->clicks_n, credit, 2);
    xstat_out_double(out, "credit_a", credit[0]);
    xstat_out_double(out, "credit_b", credit[1]);
    xstat_out_text(out, "winner", winners[interleave_winner(credit, 2) + 1]);
    return true;
}

static bool merge(struct xstat_in *in, bool balanced, json_t *out, struct err *err)
{
    struct merge_input m = { .balanced = balanced };
    if (!read_merge(in, &m, err))
        return false;
    struct interleave_list l = { 0, arena_alloc(in->arena, m.length * sizeof *l.docs),
                                 arena_alloc(in->arena, m.length * sizeof *l.owners), NULL };
    const struct interleave_coins coins = { toss, &m.coins };
    interleave_merge(balanced ? INTERLEAVE_BALANCED : INTERLEAVE_TEAM_DRAFT, &m.rankings, m.length, &coins, &l);
    if (m.coins.used > m.coins.n)
        return err_set(err, ERR_INVALID, "the list needs more than the %zu flips that are given", m.coins.n);
    write_list(&m, &l, in->arena, out);
    return !m.has_clicks || write_credit(&m, &l, in->arena, out, err);
}

static bool sign_test(struct xstat_in *in, json_t *out, struct err *err)
{
    struct preference_counts c = { xstat_in_count(in, "wins_a"), xstat_in_count(in, "wins_b"),
                                   xstat_in_count(in, "ties") };
    double alpha = xstat_in_double_or(in, "alpha", 0.05);
    struct preference p;
    if (!xstat_in_end(in, err) || !preference_test(&c, alpha, &p, err))
        return false;
    xstat_out_double(out, "log_p_exact", p.log_p);
    xstat_out_double(out, "p_exact", exp(p.log_p));
    xstat_out_double_if(out, "z", p.has_z, p.z);
    xstat_out_double_if(out, "log_p_normal", p.has_z, p.log_p_normal);
    xstat_out_double_if(out, "delta_ab", p.has_delta, p.delta);
    xstat_out_double_if(out, "delta_se", p.has_se, p.delta_se);
    xstat_out_double_if(out, "delta_lo", p.has_se, p.delta_ci.lo);
    xstat_out_double_if(out, "delta_hi", p.has_se, p.delta_ci.hi);
    xstat_out_double_if(out, "share", p.has_z, p.share);
    xstat_out_double_if(out, "share_lo", p.has_z, p.share_ci.lo);
    xstat_out_double_if(out, "share_hi", p.has_z, p.share_ci.hi);
    return true;
}

static void write_users(const struct preference_users *p, json_t *out)
{
    xstat_out_double(out, "mean", p->mean);
    xstat_out_double(out, "se", p->se);
    xstat_out_double(out, "t", p->t);
    xstat_out_double(out, "log_p", p->log_p);
    xstat_out_double(out, "query_mean", p->query_mean);
    xstat_out_double(out, "query_se_clustered", p->query_se);
}

static bool user_scores(struct xstat_in *in, json_t *out, struct err *err)
{
    size_t *queries, users;
    const double *scores = xstat_in_double_rows(in, "users", &queries, &users);
    struct preference_users p;
    if (!xstat_in_end(in, err) || !preference_users(scores, queries, users, &p, err))
        return false;
    write_users(&p, out);
    return true;
}

/* Moments as results keep them: nobody's scores are known there. */
static bool user_moments(struct xstat_in *in, json_t *out, struct err *err)
{
    int64_t n = xstat_in_count(in, "n");
    double df = n > 1 ? (double)n - 1 : 0, alpha = xstat_in_double_or(in, "alpha", 0.05);
    struct moments means = { n, xstat_in_double(in, "mean"), xstat_in_double(in, "var") * df };
    struct moments2 sums = { .n = n,
                             .mean_x = xstat_in_double(in, "mean_num"),
                             .m2_x = xstat_in_double(in, "var_num") * df };
    sums.mean_y = xstat_in_double(in, "mean_den");
    sums.m2_y = xstat_in_double(in, "var_den") * df;
    sums.cxy = xstat_in_double(in, "cov") * df;
    struct preference_users p;
    if (!xstat_in_end(in, err) || !welch_check_alpha(alpha, err) || !preference_moments(&means, &sums, &p, err))
        return false;
    double half = special_t_qinv(alpha / 2, df) * p.se;
    write_users(&p, out);
    xstat_out_double(out, "ci_lo", p.mean - half);
    xstat_out_double(out, "ci_hi", p.mean + half);
    return true;
}

bool xstat_team_draft_sign_test(struct xstat_in *in, json_t *out, struct err *err)
{
    const char *kind = xstat_in_text(in, "kind");
    if (strcmp(kind, "team_draft") == 0 || strcmp(kind, "balanced") == 0)
        return merge(in, strcmp(kind, "balanced") == 0, out, err);
    if (strcmp(kind, "sign_test") == 0)
        return sign_test(in, out, err);
    if (strcmp(kind, "user_scores") == 0)
        return user_scores(in, out, err);
    if (strcmp(kind, "user_moments") == 0)
        return user_moments(in, out, err);
    if (in->err.kind == ERR_NONE)
        return err_set(err, ERR_INVALID,
                       "field \"kind\" is none of team_draft, balanced, sign_test, user_scores, "
                       "user_moments");
    *err = in->err;
    return false;
}
