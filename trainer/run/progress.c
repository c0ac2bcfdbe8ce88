#include "trainer/run/progress.h"

#include <stdio.h>

enum { BAR = 30 };
static const double least_seconds = 0.001; /* of a pass: all of it was there already */
static const double most = 0.999, too_early = 0.03;

void progress_init(struct progress *p)
{
    *p = (struct progress){ .before_count = 0 };
}

void progress_know(struct progress *p, struct str name, double seconds)
{
    if (p->before_count == PROGRESS_PASSES_MAX)
        return;
    struct progress_pass *pass = &p->before[p->before_count++];
    (void)snprintf(pass->name, sizeof pass->name, STR_FMT, STR_ARG(name));
    pass->seconds = seconds > least_seconds ? seconds : least_seconds;
    p->total += pass->seconds;
}

void progress_restart(struct progress *p)
{
    p->next = 0;
    p->base = p->weight = 0;
}

static double seconds_before(const struct progress *p, size_t pass)
{
    double sum = 0;
    for (size_t i = 0; i < pass; i++)
        sum += p->before[i].seconds;
    return sum;
}

/* The pass among those of the last run that have not come yet; those it jumps over do not come this time. */
static bool find(const struct progress *p, const char *pass, size_t *out)
{
    for (size_t i = p->next; i < p->before_count; i++) {
        if (strcmp(p->before[i].name, pass) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

void progress_begin(struct progress *p, const char *pass)
{
    size_t i;
    (void)snprintf(p->pass, sizeof p->pass, "%s", pass);
    if (find(p, pass, &i)) {
        double from = seconds_before(p, i) / p->total, to = seconds_before(p, i + 1) / p->total;
        p->base = from;
        p->weight = to - from;
        p->next = i + 1;
    } else {
        p->base = p->base + p->weight;
        p->weight = (1 - p->base) / 2;
    }
}

double progress_at(struct progress *p, uint32_t done, uint32_t total)
{
    double now = p->base + p->weight * (total ? (double)done / total : 1);
    if (now > p->share)
        p->share = now;
    if (p->share > most)
        p->share = most;
    return p->share;
}

double progress_left(const struct progress *p, double elapsed_seconds)
{
    if (p->before_count == 0 || p->share < too_early)
        return -1;
    return elapsed_seconds * (1 - p->share) / p->share;
}

/* ---- the line ---- */

static void rate_text(double per_second, char out[24])
{
    if (per_second >= 1e6)
        (void)snprintf(out, 24, "%.1f M rows/s", per_second / 1e6);
    else if (per_second >= 1e4)
        (void)snprintf(out, 24, "%.0f k rows/s", per_second / 1e3);
    else
        (void)snprintf(out, 24, "%.0f rows/s", per_second);
}

static void left_text(double seconds, char out[32])
{
    *out = '\0';
    if (seconds >= 5940)
        (void)snprintf(out, 32, ", %.1f h left", seconds / 3600);
    else if (seconds >= 100)
        (void)snprintf(out, 32, ", %.0f min left", seconds / 60);
    else if (seconds >= 0)
        (void)snprintf(out, 32, ", %.0f s left", seconds);
}

void progress_text(const struct progress *p, const struct progress_line *line, char out[PROGRESS_LINE_MAX])
{
    char bar[BAR + 1], rate[24], left[32];
    for (int i = 0; i < BAR; i++)
        bar[i] = i < (int)(p->share * BAR) ? '#' : '.';
    bar[BAR] = '\0';
    rate_text(line->pass_seconds > 0 ? (double)line->rows / line->pass_seconds : 0, rate);
    left_text(progress_left(p, line->seconds), left);
    (void)snprintf(out, PROGRESS_LINE_MAX,
                   "%-16s [%s] %3.0f %%  %u of %u splits  %llu rows  %s  %u workers  %u retries  %.1f s%s", p->pass,
                   bar, p->share * 100, line->done, line->total, (unsigned long long)line->rows, rate, line->workers,
                   line->retries, line->seconds, left);
}
