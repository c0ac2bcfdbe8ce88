#include "trainer/kernels/click_models/click_chain.h"

#include <math.h>

struct walk {
    const struct click_chain *c;
    double b[CLICK_POSITIONS + 1],
        on[CLICK_POSITIONS]; /* on: P(goes on and clicks nothing | looks at r and clicks nothing from there on) */
};

static void go_back(struct walk *w, const struct click_list *l)
{
    const double c = w->c->goes_on;
    w->b[l->n] = 1;
    for (uint32_t r = l->n; r-- > 0;) {
        double stays = 1 - c + c * w->b[r + 1];
        w->on[r] = c * w->b[r + 1] / stays;
        w->b[r] = (1 - w->c->alpha[l->docs[r]]) * stays;
    }
}

/* Searches whose last click was at place r - 1: how many of them are expected to have looked at r. */
static double enter(const struct walk *w, const struct click_list *l, uint32_t r, struct click_reach *reach,
                    struct click_tails *out, double *p)
{
    double count = l->last[r], b = w->b[r];
    *p = 1;
    if (r == 0) {
        out->log_t += count * log(b);
        return count;
    }
    uint32_t doc = l->docs[r - 1];
    double c1 = w->c->after ? w->c->after[doc] : w->c->after_at[r - 1], t = 1 - c1 + c1 * b, x = 1 / t, y = b * x;
    out->log_t += count * log(t);
    *p = c1 * y;
    if (reach) {
        struct click_reach *to = &reach[doc];
        to->t += count * x;
        to->bt += count * y;
        to->tt += count * x * x;
        to->btt += count * x * y;
        to->bbtt += count * y * y;
    }
    return count * *p;
}

static void go_down(const struct walk *w, const struct click_list *l, struct click_reach *reach,
                    struct click_tails *out)
{
    double m = 0, m2 = 0;
    for (uint32_t r = 0; r < l->n; r++) {
        if (l->last[r]) {
            double p, more = enter(w, l, r, reach, out, &p);
            m += more;
            m2 += more * p;
        }
        if (reach) {
            reach[l->docs[r]].looked += m;
            reach[l->docs[r]].looked2 += m2;
        }
        if (r + 1 == l->n)
            break;
        out->open += m;
        m *= w->on[r];
        m2 *= w->on[r] * w->on[r];
        out->passed += m;
    }
}

void click_chain_follow(const struct click_query *q, bool held, const struct click_chain *c, struct click_reach *reach,
                        struct click_tails *out)
{
    struct walk w = { .c = c };
    struct click_lists lists = held ? q->held : q->train;
    struct click_list l;
    while (click_lists_next(&lists, held, &l)) {
        go_back(&w, &l);
        go_down(&w, &l, reach, out);
    }
}
