#include "stats/offpolicy/replay_units.h"

#include <assert.h>
#include <math.h>

const char *const replay_kind_names[] = { "ips", "snips", "clipped", "dm", "dr", "sndr", "switch_dr", "dr_os" };
static_assert(sizeof replay_kind_names / sizeof *replay_kind_names == REPLAY_KIND_COUNT, "one name each");

void replay_sums_add(struct replay_sums *to, const struct replay_log *log, size_t i, const struct replay_tuning *t)
{
    const double w = log->target[i] / log->pscore[i], r = log->reward[i];
    to->rows += 1;
    to->reward += r;
    to->weight += w;
    to->weighted += w * r;
    to->clipped += t->clip > 0 ? fmin(w, t->clip) * r : 0;
    if (!log->model)
        return;
    const double rest = r - log->model[i];
    to->direct += log->model_target[i];
    to->rest += w * rest;
    to->switched += w <= t->switch_at ? w * rest : 0;
    to->shrunk += w > 0 && t->shrink > 0 ? t->shrink / (w + t->shrink / w) * rest : 0;
}

void replay_sums_merge(struct replay_sums *to, const struct replay_sums *other, double times)
{
    to->rows += times * other->rows;
    to->reward += times * other->reward;
    to->weight += times * other->weight;
    to->weighted += times * other->weighted;
    to->clipped += times * other->clipped;
    to->direct += times * other->direct;
    to->rest += times * other->rest;
    to->switched += times * other->switched;
    to->shrunk += times * other->shrunk;
}

/* A kind is one sum over rows or weights, or, SNDR, two. */
struct parts {
    double over_rows, over_weight;
    bool has_rows, has_weight;
};

static struct parts parts_of(enum replay_kind kind, const struct replay_sums *s)
{
    switch (kind) {
    case REPLAY_IPS:
        return (struct parts){ s->weighted, 0, true, false };
    case REPLAY_SNIPS:
        return (struct parts){ 0, s->weighted, false, true };
    case REPLAY_CLIPPED:
        return (struct parts){ s->clipped, 0, true, false };
    case REPLAY_DM:
        return (struct parts){ s->direct, 0, true, false };
    case REPLAY_DR:
        return (struct parts){ s->direct + s->rest, 0, true, false };
    case REPLAY_SNDR:
        return (struct parts){ s->direct, s->rest, true, true };
    case REPLAY_SWITCH_DR:
        return (struct parts){ s->direct + s->switched, 0, true, false };
    default:
        return (struct parts){ s->direct + s->shrunk, 0, true, false };
    }
}

double replay_units_value(enum replay_kind kind, const struct replay_sums *all, bool less)
{
    const struct parts p = parts_of(kind, all);
    const double value = (p.has_rows ? p.over_rows / all->rows : 0) + (p.has_weight ? p.over_weight / all->weight : 0);
    return value - (less ? all->reward / all->rows : 0);
}

static double deviation(enum replay_kind kind, const struct replay_sums *unit, const struct replay_sums *all, bool less)
{
    const struct parts a = parts_of(kind, all), u = parts_of(kind, unit);
    double e = 0;
    if (a.has_rows)
        e += (u.over_rows - a.over_rows / all->rows * unit->rows) / all->rows;
    if (a.has_weight)
        e += (u.over_weight - a.over_weight / all->weight * unit->weight) / all->weight;
    if (less)
        e -= (unit->reward - all->reward / all->rows * unit->rows) / all->rows;
    return e;
}

static double se_of(double squares, size_t units)
{
    return units > 1 ? sqrt(squares * (double)units / (double)(units - 1)) : 0;
}

double replay_units_se(enum replay_kind kind, const struct replay_sums *units, size_t count,
                       const struct replay_sums *all, bool less)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        const double e = deviation(kind, &units[i], all, less);
        squares += e * e;
    }
    return se_of(squares, count);
}

double replay_units_weight_se(const struct replay_sums *units, size_t count, const struct replay_sums *all)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        const double e = (units[i].weight - all->weight / all->rows * units[i].rows) / all->rows;
        squares += e * e;
    }
    return se_of(squares, count);
}

double replay_units_reward_se(const struct replay_sums *units, size_t count, const struct replay_sums *all)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        const double e = (units[i].reward - all->reward / all->rows * units[i].rows) / all->rows;
        squares += e * e;
    }
    return se_of(squares, count);
}
