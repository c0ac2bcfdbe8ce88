#include "stats/moments.h"

void moments_add(struct moments *m, double x)
{
    double d = x - m->mean;
    m->n++;
    m->mean += d / (double)m->n;
    m->m2 += d * (x - m->mean);
}

void moments_merge(struct moments *into, const struct moments *other)
{
    if (other->n == 0)
        return;
    if (into->n == 0) {
        *into = *other;
        return;
    }
    double a = (double)into->n, b = (double)other->n, n = a + b, d = other->mean - into->mean;
    into->mean += d * (b / n);
    into->m2 += other->m2 + d * d * (a * (b / n));
    into->n += other->n;
}

double moments_variance(const struct moments *m)
{
    return m->n < 2 ? 0 : m->m2 / (double)(m->n - 1);
}

void moments2_add(struct moments2 *m, double x, double y)
{
    double dx = x - m->mean_x, dy = y - m->mean_y;
    m->n++;
    m->mean_x += dx / (double)m->n;
    m->mean_y += dy / (double)m->n;
    m->m2_x += dx * (x - m->mean_x);
    m->m2_y += dy * (y - m->mean_y);
    m->cxy += dx * (y - m->mean_y);
}

void moments2_merge(struct moments2 *into, const struct moments2 *other)
{
    if (other->n == 0)
        return;
    if (into->n == 0) {
        *into = *other;
        return;
    }
    double a = (double)into->n, b = (double)other->n, n = a + b, w = a * (b / n);
    double dx = other->mean_x - into->mean_x, dy = other->mean_y - into->mean_y;
    into->mean_x += dx * (b / n);
    into->mean_y += dy * (b / n);
    into->m2_x += other->m2_x + dx * dx * w;
    into->m2_y += other->m2_y + dy * dy * w;
    into->cxy += other->cxy + dx * dy * w;
    into->n += other->n;
}

struct moments2 moments2_tree(struct moments2 *parts, size_t count)
{
    if (count == 0)
        return (struct moments2){ 0 };
    for (size_t step = 1; step < count; step *= 2)
        for (size_t i = 0; i + step < count; i += 2 * step)
            moments2_merge(&parts[i], &parts[i + step]);
    return parts[0];
}
