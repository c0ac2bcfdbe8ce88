/* draw.h - the same random numbers in every run: splitmix64, and what tests draw from it. */
#pragma once
#include <math.h>
#include <stdint.h>

struct draw {
    uint64_t state;
};

static inline uint64_t draw_u64(struct draw *d)
{
    uint64_t z = d->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* In (0, 1). */
static inline double draw_uniform(struct draw *d)
{
    return ((double)(draw_u64(d) >> 11) + 0.5) * 0x1p-53;
}

static inline double draw_exponential(struct draw *d)
{
    return -log(draw_uniform(d));
}

static inline double draw_normal(struct draw *d) /* Box and Muller, one of the two */
{
    return sqrt(2 * draw_exponential(d)) * cos(2 * M_PI * draw_uniform(d));
}

/* The number of failures before a success of probability p. */
static inline double draw_geometric(struct draw *d, double p)
{
    return floor(draw_exponential(d) / -log1p(-p));
}
