#include "stats/ranking/metric.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const ranking_measure_names[] = {
    "ndcg",      "ndcg_burges",        "ndcg_burges_uncut", "dcg",    "dcg_burges", "map",        "mrr",     "err",
    "precision", "precision_returned", "r_precision",       "recall", "rbp",        "rbp_graded", "success", "judged",
    NULL
};
static_assert(sizeof ranking_measure_names / sizeof *ranking_measure_names == RANKING_MEASURES + 1, "one name each");

const char *const ranking_unjudged_names[] = { "refused", "zero", "skip", NULL };
static_assert(sizeof ranking_unjudged_names / sizeof *ranking_unjudged_names == RANKING_UNJUDGED_COUNT + 1,
              "one name each");

/* As others write them, lower case. */
static const struct alias {
    const char *name;
    enum ranking_measure measure;
} aliases[] = {
    { "ndcg_cut", RANKING_NDCG },     { "ap", RANKING_MAP },
    { "map_cut", RANKING_MAP },       { "rr", RANKING_MRR },
    { "recip_rank", RANKING_MRR },    { "p", RANKING_PRECISION },
    { "set_p", RANKING_PRECISION },   { "r", RANKING_RECALL },
    { "set_recall", RANKING_RECALL }, { "rprec", RANKING_R_PRECISION },
    { "hit_rate", RANKING_SUCCESS },  { "coverage", RANKING_JUDGED },
};
enum { ALIASES = sizeof aliases / sizeof *aliases };

/* The text of a name, taken apart. */
struct parts {
    char base[RANKING_METRIC_NAME_MAX];
    const char *options, *cut; /* behind '(' and '@'; NULL when absent */
    size_t options_n;
};

static bool find_measure(const char *base, enum ranking_measure *out)
{
    for (int i = 0; i < RANKING_MEASURES; i++)
        if (strcmp(base, ranking_measure_names[i]) == 0) {
            *out = (enum ranking_measure)i;
            return true;
        }
    for (size_t i = 0; i < ALIASES; i++)
        if (strcmp(base, aliases[i].name) == 0) {
            *out = aliases[i].measure;
            return true;
        }
    return false;
}

static bool unknown(const char *name, struct err *err)
{
    char known[160] = "";
    size_t n = 0;
    for (int i = 0; i < RANKING_MEASURES; i++) {
        int more = snprintf(known + n, sizeof known - n, "%s%s", i ? " " : "", ranking_measure_names[i]);
        assert(more > 0 && (size_t)more < sizeof known - n);
        n += (size_t)more;
    }
    return err_set(err, ERR_INVALID, "there is no metric \"%.40s\"; there are %s", name, known);
}

/* "base(options)@cut" */
static bool take_apart(const char *name, struct parts *p, struct err *err)
{
    size_t n = strcspn(name, "(@");
    const char *rest = name + n;
    *p = (struct parts){ 0 };
    if (strlen(name) >= RANKING_METRIC_NAME_MAX)
        return err_set(err, ERR_INVALID, "the name of a metric is longer than %d bytes", RANKING_METRIC_NAME_MAX - 1);
    for (size_t i = 0; i < n; i++)
        p->base[i] = (char)tolower((unsigned char)name[i]);
    if (*rest == '(') {
        p->options = rest + 1;
        p->options_n = strcspn(rest, ")") - 1;
        if (rest[p->options_n + 1] != ')')
            return err_set(err, ERR_INVALID, "metric \"%s\": the parenthesis is not closed", name);
        rest += p->options_n + 2;
    }
    if (*rest == '@')
        p->cut = rest + 1;
    else if (*rest)
        return err_set(err, ERR_INVALID, "metric \"%s\": \"%s\" is no rank; one is written @10", name, rest);
    return true;
}

static bool all_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == 0;
}

/* trec_eval writes the rank behind the name: ndcg_cut_10. */
static void split_trec_cut(const char *name, struct parts *p)
{
    char *last = strrchr(p->base, '_');
    if (p->cut || p->options || !last || !all_digits(last + 1))
        return;
    p->cut = name + (last + 1 - p->base);
    *last = 0;
}

static bool parse_cut(const char *name, const char *cut, size_t *out, struct err *err)
{
    if (!all_digits(cut) || strlen(cut) > 7 || strtoul(cut, NULL, 10) < 1 || strtoul(cut, NULL, 10) > RANKING_K_MAX)
        return err_set(err, ERR_INVALID, "metric \"%s\": \"%s\" is no rank from 1 to %d", name, cut, RANKING_K_MAX);
    *out = (size_t)strtoul(cut, NULL, 10);
    return true;
}

/* The option that a measure takes without a name: rbp(0.8), err(4). */
static const char *first_option(enum ranking_measure m)
{
    return m == RANKING_RBP || m == RANKING_RBP_GRADED ? "p" : m == RANKING_ERR ? "max" : "rel";
}

static bool set_option(const char *name, const char *key, double v, struct ranking_metric *m, struct err *err)
{
    bool rbp = m->measure == RANKING_RBP || m->measure == RANKING_RBP_GRADED;
    if (strcmp(key, "p") == 0 && rbp) {
        if (!(v > 0 && v < 1))
            return err_set(err, ERR_INVALID, "metric \"%s\": p is %g, not between 0 and 1", name, v);
        m->p = v;
        return true;
    }
    bool max = strcmp(key, "max") == 0 && (m->measure == RANKING_ERR || m->measure == RANKING_RBP_GRADED);
    bool graded = m->measure <= RANKING_DCG_BURGES || m->measure == RANKING_ERR || m->measure == RANKING_RBP_GRADED ||
                  m->measure == RANKING_JUDGED;
    if (!max && (strcmp(key, "rel") != 0 || graded))
        return err_set(err, ERR_INVALID, "metric \"%s\" has no option \"%s\"", name, key);
    if (!(v > 0 && v <= RANKING_GRADE_MAX))
        return err_set(err, ERR_INVALID, "metric \"%s\": %s is %g, not above 0 and up to %g", name, key, v,
                       RANKING_GRADE_MAX);
    *(max ? &m->max_grade : &m->relevant_at) = v;
    return true;
}

/* One "key=value", or a value alone. */
static bool parse_option(const char *name, char *text, struct ranking_metric *m, struct err *err)
{
    char *equals = strchr(text, '='), *end;
    const char *key = equals ? text : first_option(m->measure), *value = equals ? equals + 1 : text;
    if (equals)
        *equals = 0;
    double v = strtod(value, &end);
    if (!strchr("0123456789.", *value) || *end || end == value || !isfinite(v))
        return err_set(err, ERR_INVALID, "metric \"%s\": \"%s\" is no number", name, value);
    return set_option(name, key, v, m, err);
}

static bool parse_options(const char *name, const struct parts *p, struct ranking_metric *m, struct err *err)
{
    char text[RANKING_METRIC_NAME_MAX];
    memcpy(text, p->options, p->options_n);
    text[p->options_n] = 0;
    for (char *at = text, *next; at; at = next) {
        next = strchr(at, ',');
        if (next)
            *next++ = 0;
        at += strspn(at, " ");
        if (!parse_option(name, at, m, err))
            return false;
    }
    return true;
}

bool ranking_metric_parse(const char *name, struct ranking_metric *out, struct err *err)
{
    struct parts p;
    struct ranking_metric m = { .p = RANKING_RBP_P };
    if (!take_apart(name, &p, err))
        return false;
    split_trec_cut(name, &p);
    if (!find_measure(p.base, &m.measure))
        return unknown(name, err);
    if (p.cut && m.measure == RANKING_R_PRECISION)
        return err_set(err, ERR_INVALID, "metric \"%s\": r_precision has a rank of its own", name);
    if (p.cut && !parse_cut(name, p.cut, &m.k, err))
        return false;
    if (p.options && !parse_options(name, &p, &m, err))
        return false;
    *out = m;
    return true;
}

/* Appends "(key=v" or ",key=v". */
static size_t add_option(char *out, size_t n, bool first, const char *key, double v)
{
    int more = snprintf(out + n, RANKING_METRIC_NAME_MAX - n, "%c%s=%.6g", first ? '(' : ',', key, v);
    return n + (size_t)more;
}

void ranking_metric_name(const struct ranking_metric *m, char *out)
{
    size_t n = (size_t)snprintf(out, RANKING_METRIC_NAME_MAX, "%s", ranking_measure_names[m->measure]), bare = n;
    if ((m->measure == RANKING_RBP || m->measure == RANKING_RBP_GRADED) &&
        (m->p < RANKING_RBP_P || m->p > RANKING_RBP_P))
        n = add_option(out, n, n == bare, "p", m->p);
    if (m->max_grade > 0)
        n = add_option(out, n, n == bare, "max", m->max_grade);
    if (m->relevant_at > 0)
        n = add_option(out, n, n == bare, "rel", m->relevant_at);
    if (n > bare)
        out[n++] = ')';
    out[n] = 0;
    if (m->k)
        (void)snprintf(out + n, RANKING_METRIC_NAME_MAX - n, "@%zu", m->k);
}

bool ranking_metric_unbounded(const struct ranking_metric *m)
{
    return m->measure == RANKING_DCG || m->measure == RANKING_DCG_BURGES;
}
