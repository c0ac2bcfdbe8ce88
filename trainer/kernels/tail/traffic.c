#include "trainer/kernels/tail/traffic.h"

#include <math.h>
#include <stdlib.h>

#include "trainer/kernels/record.h"

void traffic_init(struct traffic *t)
{
    *t = (struct traffic){ 0 };
}

void traffic_release(struct traffic *t)
{
    mem_free(t->steps);
    *t = (struct traffic){ 0 };
}

static int by_traffic(const void *a, const void *b)
{
    const struct traffic_step *x = a, *y = b;
    return x->traffic < y->traffic ? -1 : x->traffic > y->traffic;
}

void traffic_sort(struct traffic *t)
{
    size_t n = 0;
    if (t->count)
        qsort(t->steps, t->count, sizeof *t->steps, by_traffic);
    for (size_t i = 0; i < t->count; i++)
        if (n && t->steps[n - 1].traffic == t->steps[i].traffic)
            t->steps[n - 1].queries += t->steps[i].queries;
        else
            t->steps[n++] = t->steps[i];
    t->count = n;
}

/* Before it grows, equal ones are put together: there are few different ones. */
void traffic_add(struct traffic *t, uint64_t traffic, uint64_t queries)
{
    if (t->count == t->room) {
        traffic_sort(t);
        if (2 * t->count >= t->room) {
            t->room = t->room ? 2 * t->room : 1024;
            t->steps = mem_realloc(t->steps, t->room * sizeof *t->steps);
        }
    }
    t->steps[t->count++] = (struct traffic_step){ traffic, queries };
    t->queries += queries;
    t->total += traffic * queries;
}

void traffic_write(const struct traffic *t, struct buf *out)
{
    uint64_t n = t->count;
    record_put(out, &n, sizeof n);
    record_put(out, t->steps, t->count * sizeof *t->steps);
}

bool traffic_read(struct traffic *t, struct str bytes, struct err *err)
{
    uint64_t n;
    struct traffic_step step;
    if (!record_take(&bytes, &n, sizeof n) || bytes.n / sizeof step != n || bytes.n % sizeof step)
        return err_set(err, ERR_INVALID, "a histogram of traffic is damaged");
    while (record_take(&bytes, &step, sizeof step))
        traffic_add(t, step.traffic, step.queries);
    return true;
}

/* ---- head and tail ---- */

/* The mean of the steps below `end`. */
static double mean_below(const struct traffic *t, size_t end)
{
    double queries = 0, total = 0;
    for (size_t i = 0; i < end; i++) {
        queries += (double)t->steps[i].queries;
        total += (double)t->steps[i].queries * (double)t->steps[i].traffic;
    }
    return queries > 0 ? total / queries : 0;
}

/* The first step above a number. */
static size_t step_above(const struct traffic *t, double traffic)
{
    size_t i = 0;
    while (i < t->count && (double)t->steps[i].traffic <= traffic)
        i++;
    return i;
}

static uint64_t wanted_queries(const struct traffic *t, double given)
{
    double n = given <= 1 ? ceil(given * (double)t->queries) : given;
    return n >= (double)t->queries ? t->queries : (uint64_t)n;
}

/* The first step of the head. */
static size_t head_from(const struct traffic *t, double head)
{
    if (head < 0)
        return step_above(t, mean_below(t, t->count));
    uint64_t want = wanted_queries(t, head), have = 0;
    size_t i = t->count;
    while (i > 0 && have < want)
        have += t->steps[--i].queries;
    return i;
}

/* The first step behind the tail, which ends before the head. */
static size_t tail_to(const struct traffic *t, double tail, size_t head)
{
    size_t i = 0;
    if (tail < 0) {
        i = step_above(t, mean_below(t, head));
    } else {
        uint64_t want = wanted_queries(t, tail), have = 0;
        while (i < t->count && have < want)
            have += t->steps[i++].queries;
    }
    return i < head ? i : head;
}

struct traffic_cuts traffic_cut(const struct traffic *t, double head, double tail)
{
    size_t from = head_from(t, head);
    size_t to = tail_to(t, tail, from);
    struct traffic_cuts cuts = { UINT64_MAX, 0 };
    if (from < t->count)
        cuts.head = t->steps[from].traffic;
    if (to > 0)
        cuts.tail = t->steps[to - 1].traffic;
    return cuts;
}

/* ---- figures ---- */

uint64_t traffic_of_first(const struct traffic *t, uint64_t queries)
{
    uint64_t total = 0;
    for (size_t i = t->count; i > 0 && queries > 0; i--) {
        uint64_t n = t->steps[i - 1].queries < queries ? t->steps[i - 1].queries : queries;
        total += n * t->steps[i - 1].traffic;
        queries -= n;
    }
    return total;
}

uint64_t traffic_queries_for(const struct traffic *t, double traffic)
{
    uint64_t queries = 0;
    for (size_t i = t->count; i > 0 && traffic > 0; i--) {
        const struct traffic_step *s = &t->steps[i - 1];
        if (s->traffic == 0)
            return t->queries;
        double need = ceil(traffic / (double)s->traffic);
        uint64_t n = need >= (double)s->queries ? s->queries : (uint64_t)need;
        queries += n;
        traffic -= (double)n * (double)s->traffic;
    }
    return queries;
}

uint64_t traffic_queries_below(const struct traffic *t, uint64_t traffic)
{
    uint64_t queries = 0;
    for (size_t i = 0; i < t->count && t->steps[i].traffic < traffic; i++)
        queries += t->steps[i].queries;
    return queries;
}
