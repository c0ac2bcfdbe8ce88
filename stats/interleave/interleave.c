#include "stats/interleave/interleave.h"

#include <assert.h>
#include <string.h>

#include "stats/interleave/optimized.h"

const char *const interleave_method_names[] = {
    [INTERLEAVE_TEAM_DRAFT] = "team_draft",
    [INTERLEAVE_BALANCED] = "balanced",
    [INTERLEAVE_OPTIMIZED] = "optimized",
    [INTERLEAVE_MULTILEAVE] = "multileave",
};
static_assert(sizeof interleave_method_names / sizeof *interleave_method_names == INTERLEAVE_METHOD_COUNT,
              "a name for every method");

enum interleave_method interleave_method_of(const char *name, size_t n)
{
    unsigned m = 0;
    while (m < INTERLEAVE_METHOD_COUNT &&
           (strlen(interleave_method_names[m]) != n || memcmp(interleave_method_names[m], name, n) != 0))
        m++;
    return (enum interleave_method)m;
}

/* ---- checks ---- */

static bool check_ranking(const struct interleave_rankings *r, size_t which, struct err *err)
{
    bool seen[INTERLEAVE_DOCS_MAX] = { false };
    if (r->lengths[which] > INTERLEAVE_RANKING_MAX)
        return err_set(err, ERR_INVALID, "ranking %zu has more than %d documents", which + 1, INTERLEAVE_RANKING_MAX);
    for (size_t i = 0; i < r->lengths[which]; i++) {
        int32_t doc = r->docs[which][i];
        assert(doc >= 0 && (size_t)doc < r->docs_count);
        if (seen[doc])
            return err_set(err, ERR_INVALID, "ranking %zu holds the document at position %zu twice", which + 1, i + 1);
        seen[doc] = true;
    }
    return true;
}

bool interleave_check(enum interleave_method method, const struct interleave_rankings *r, size_t length,
                      struct err *err)
{
    size_t most = method == INTERLEAVE_MULTILEAVE ? INTERLEAVE_RANKINGS_MAX : 2;
    assert(r->docs_count <= INTERLEAVE_DOCS_MAX);
    if (r->count < 2 || r->count > most)
        return err_set(err, ERR_INVALID, "%s merges %s rankings, not %zu", interleave_method_names[method],
                       most == 2 ? "two" : "2 to 10", r->count);
    if (length == 0)
        return err_set(err, ERR_INVALID, "the length of the list is 0");
    for (size_t i = 0; i < r->count; i++)
        if (!check_ranking(r, i, err))
            return false;
    return true;
}

/* ---- merging ---- */

static void append(struct interleave_list *out, int32_t doc, int owner)
{
    if (out->credit)
        out->credit[out->n] = 1;
    out->docs[out->n] = doc;
    out->owners[out->n++] = (int8_t)owner;
}

struct draft {
    const struct interleave_rankings *r;
    const struct interleave_coins *coins;
    size_t next[INTERLEAVE_RANKINGS_MAX], picks[INTERLEAVE_RANKINGS_MAX];
    bool out[INTERLEAVE_RANKINGS_MAX]; /* was asked and had nothing left */
    bool taken[INTERLEAVE_DOCS_MAX];
};

/* The team's best document that nobody has, or -1. */
static int32_t best_left(struct draft *d, size_t team)
{
    while (d->next[team] < d->r->lengths[team]) {
        int32_t doc = d->r->docs[team][d->next[team]];
        if (!d->taken[doc])
            return doc;
        d->next[team]++;
    }
    return -1;
}

static bool any_left(struct draft *d)
{
    for (size_t t = 0; t < d->r->count; t++)
        if (best_left(d, t) >= 0)
            return true;
    return false;
}

/* Some team has a document left. A team is found used up only when it is its turn: the coin that chose it is spent. */
static size_t team_to_pick(struct draft *d)
{
    for (;;) {
        size_t level[INTERLEAVE_RANKINGS_MAX], n = 0, fewest = SIZE_MAX;
        for (size_t t = 0; t < d->r->count; t++) {
            if (d->out[t] || d->picks[t] > fewest)
                continue;
            n = d->picks[t] < fewest ? 0 : n;
            fewest = d->picks[t];
            level[n++] = t;
        }
        assert(n > 0);
        size_t team = level[n > 1 ? d->coins->toss(d->coins->arg, (unsigned)n) : 0];
        if (best_left(d, team) >= 0)
            return team;
        d->out[team] = true;
    }
}

void interleave_draft(const struct interleave_rankings *r, size_t length, const struct interleave_coins *coins,
                      struct interleave_list *out)
{
    struct draft d = { .r = r, .coins = coins };
    out->n = 0;
    while (out->n < length && any_left(&d)) {
        size_t team = team_to_pick(&d);
        int32_t doc = best_left(&d, team);
        d.taken[doc] = true;
        d.picks[team]++;
        append(out, doc, (int)team);
    }
}

void interleave_balanced(const struct interleave_rankings *r, size_t length, size_t first, struct interleave_list *out)
{
    bool taken[INTERLEAVE_DOCS_MAX] = { false };
    size_t read[2] = { 0, 0 };
    out->n = 0;
    while (out->n < length && (read[0] < r->lengths[0] || read[1] < r->lengths[1])) {
        size_t turn = read[0] == read[1] ? first : read[0] > read[1];
        turn = read[turn] < r->lengths[turn] ? turn : 1 - turn;
        int32_t doc = r->docs[turn][read[turn]++];
        if (!taken[doc])
            append(out, doc, (int)turn);
        taken[doc] = true;
    }
}

void interleave_merge(enum interleave_method method, const struct interleave_rankings *r, size_t length,
                      const struct interleave_coins *coins, struct interleave_list *out)
{
    switch (method) {
    case INTERLEAVE_BALANCED:
        interleave_balanced(r, length, coins->toss(coins->arg, 2), out);
        break;
    case INTERLEAVE_OPTIMIZED:
        interleave_optimized(r, length, INTERLEAVE_CREDIT_INVERSE, coins, out);
        break;
    case INTERLEAVE_TEAM_DRAFT:
    case INTERLEAVE_MULTILEAVE:
    case INTERLEAVE_METHOD_COUNT:
        interleave_draft(r, length, coins, out);
        break;
    }
}

size_t interleave_rank(const struct interleave_rankings *r, size_t ranking, int32_t doc)
{
    for (size_t i = 0; i < r->lengths[ranking]; i++)
        if (r->docs[ranking][i] == doc)
            return i + 1;
    return 0;
}

/* ---- credit ---- */

bool interleave_check_clicks(const size_t *clicks, size_t clicks_n, size_t n, struct err *err)
{
    for (size_t i = 0; i < clicks_n; i++)
        if (clicks[i] >= n)
            return err_set(err, ERR_INVALID, "click %zu is on position %zu of a list of %zu", i + 1, clicks[i], n);
    return true;
}

void interleave_credit(const int8_t *owners, const double *credit, const size_t *clicks, size_t clicks_n,
                       double *out_credit, size_t teams)
{
    for (size_t t = 0; t < teams; t++)
        out_credit[t] = 0;
    for (size_t i = 0; i < clicks_n; i++)
        if (owners[clicks[i]] != INTERLEAVE_NEUTRAL)
            out_credit[owners[clicks[i]]] += credit ? credit[clicks[i]] : 1;
}

void interleave_credit_balanced(const uint16_t (*ranks)[2], const size_t *clicks, size_t clicks_n, double out_credit[2])
{
    size_t lowest = 0;
    out_credit[0] = out_credit[1] = 0;
    for (size_t i = 0; i < clicks_n; i++)
        lowest = clicks[i] > lowest ? clicks[i] : lowest;
    for (size_t i = 0; i < clicks_n; i++) {
        unsigned a = ranks[lowest][0], b = ranks[lowest][1], k = b == 0 || (a && a < b) ? a : b;
        for (size_t t = 0; t < 2; t++)
            out_credit[t] += ranks[clicks[i]][t] && ranks[clicks[i]][t] <= k;
    }
}

int interleave_winner(const double *credit, size_t teams)
{
    size_t best = 0;
    bool tie = false;
    for (size_t t = 1; t < teams; t++) {
        tie = credit[t] == credit[best] || (tie && credit[t] < credit[best]);
        best = credit[t] > credit[best] ? t : best;
    }
    return tie ? INTERLEAVE_NEUTRAL : (int)best;
}
