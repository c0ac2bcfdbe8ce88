#include "trainer/kernels/clicks/boosts.h"

#include <assert.h>
#include <math.h>

#include "trainer/kernels/record.h"

#define OVERDISPERSION_MIN 1e-6 /* a belief of a million signals; and of one in a million */

const char *const boost_expressions[] = { [BOOST_LOG] = "log", [BOOST_SQRT] = "sqrt", [BOOST_LINEAR] = "linear", NULL };
static_assert(COUNT_OF(boost_expressions) == BOOST_EXPRESSION_COUNT + 1, "a name for every expression");

/* ---- records ---- */

void boost_query_write(struct buf *b, const struct boost_query *q)
{
    size_t head = b->n;
    uint32_t bytes = 0;
    record_put(b, &bytes, sizeof bytes);
    record_put_text(b, q->filters);
    record_put_text(b, q->query);
    record_put(b, &q->signals, sizeof q->signals);
    record_put(b, &q->count, sizeof q->count);
    for (uint32_t i = 0; i < q->count; i++) {
        record_put_text(b, q->docs[i].doc);
        record_put(b, &q->docs[i].weight, sizeof q->docs[i].weight);
        record_put(b, &q->docs[i].signals, sizeof q->docs[i].signals);
    }
    bytes = (uint32_t)(b->n - head - sizeof bytes);
    if (!b->failed)
        memcpy(b->p + head, &bytes, sizeof bytes);
}

static bool take_docs(struct str *in, struct arena *arena, struct boost_query *out)
{
    if (out->count > in->n)
        return false;
    struct boost_doc *docs = arena_alloc(arena, (out->count + 1) * sizeof *docs);
    for (uint32_t i = 0; i < out->count; i++)
        if (!record_take_text(in, &docs[i].doc) || !record_take(in, &docs[i].weight, sizeof docs[i].weight) ||
            !record_take(in, &docs[i].signals, sizeof docs[i].signals))
            return false;
    out->docs = docs;
    return true;
}

bool boost_query_read(struct str *in, struct arena *arena, struct boost_query *out)
{
    uint32_t bytes;
    if (!record_take(in, &bytes, sizeof bytes) || in->n < bytes)
        return false;
    struct str rest = { in->p, bytes };
    *in = (struct str){ in->p + bytes, in->n - bytes };
    return record_take_text(&rest, &out->filters) && record_take_text(&rest, &out->query) &&
           record_take(&rest, &out->signals, sizeof out->signals) &&
           record_take(&rest, &out->count, sizeof out->count) && take_docs(&rest, arena, out) && rest.n == 0;
}

/* ---- classic ---- */

double boost_weight(enum boost_expression expression, double weight)
{
    return expression == BOOST_LOG ? log1p(weight) : expression == BOOST_SQRT ? sqrt(weight) : weight;
}

double boost_scaled(double value, double best, double low, double high)
{
    return best > 0 ? low + (high - low) * (value / best) : low;
}

/* ---- calibrated ---- */

static void count_docs(struct boost_prior *p, const struct boost_query *q)
{
    for (uint32_t i = 0; i < q->count; i++) {
        uint32_t known = p->docs.count, n = intern_add(&p->docs, q->docs[i].doc);
        if (n >= p->room) {
            p->room = p->room ? 2 * p->room : 1024;
            p->signals = mem_realloc(p->signals, p->room * sizeof *p->signals);
        }
        p->signals[n] = q->docs[i].signals + (n < known ? p->signals[n] : 0);
        p->all += q->docs[i].signals;
    }
}

static double share_of(const struct boost_prior *p, struct str doc)
{
    uint32_t n = intern_find(&p->docs, doc);
    return n < p->docs.count ? (double)p->signals[n] / (double)p->all : 0;
}

/* Σ (k − nπ)² over all documents: of those that were not chosen, k = 0. */
static double spread_of(const struct boost_prior *p, const struct boost_query *q, double squares)
{
    double n = (double)q->signals, sum = n * n * squares;
    for (uint32_t i = 0; i < q->count; i++) {
        double k = (double)q->docs[i].signals;
        sum += k * (k - 2 * n * share_of(p, q->docs[i].doc));
    }
    return sum;
}

void boost_prior_fit(struct boost_prior *p, const struct boost_query *queries, size_t count)
{
    double squares = 0, above = 0, below = 0;
    *p = (struct boost_prior){ .strength = 1 };
    intern_init(&p->docs);
    for (size_t i = 0; i < count; i++)
        count_docs(p, &queries[i]);
    for (uint32_t i = 0; i < p->docs.count; i++)
        squares += (double)p->signals[i] / (double)p->all * ((double)p->signals[i] / (double)p->all);
    for (size_t i = 0; i < count; i++) {
        double n = (double)queries[i].signals;
        above += n > 1 ? (spread_of(p, &queries[i], squares) - n * (1 - squares)) / n : 0;
        below += n > 1 ? (n - 1) * (1 - squares) : 0;
    }
    if (!(below > 0))
        return;
    double rho = fmin(1 - OVERDISPERSION_MIN, fmax(OVERDISPERSION_MIN, above / below));
    p->strength = (1 - rho) / rho;
}

void boost_prior_release(struct boost_prior *p)
{
    intern_release(&p->docs);
    mem_free(p->signals);
}

double boost_share(const struct boost_prior *p, const struct boost_query *q, const struct boost_doc *doc)
{
    return ((double)doc->signals + p->strength * share_of(p, doc->doc)) / ((double)q->signals + p->strength);
}
