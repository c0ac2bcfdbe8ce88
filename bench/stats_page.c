/* stats_page FILE: our side of stats.py, pure statistics. FILE has a line for each arm of a comparison's table, arms of one metric and day together,
 * the control first:
 *     kind n mean_x m2_x mean_y m2_y cxy mean_z m2_z cxz          (y: denominator of a ratio; z: the covariate of x)
 * Commands on stdin, an answer each on stdout:
 *     answers METHOD             a line a comparison: difference, ends of its interval, p
 *     METHOD SECONDS             computes the whole page again and again: "nanoseconds pages allocations", of CPU
 * METHOD is fixed, sequential or cuped. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gsl/gsl_errno.h>

#include "stats/adjust/cuped.h"
#include "stats/compare.h"

enum { CELLS_MAX = 1 << 16, ARMS = 5 };
#define PLANNED_UNITS 100000.0
#define LEVEL 0.95

struct cell {
    struct arm arm;
    struct cross cross; /* x and its covariate */
};

static struct cell cells[CELLS_MAX];
static size_t cells_count;
static unsigned long allocations;
static double sink; /* so that no answer is computed for nothing */

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    allocations++;
    return __real_malloc(n);
}

static bool read_cells(const char *path)
{
    FILE *f = fopen(path, "r");
    char kind[16];
    double n, z[3];
    for (struct cell *c = cells; f && cells_count < CELLS_MAX; c++, cells_count++) {
        struct moments2 *m = &c->arm.m;
        if (fscanf(f, "%15s %lf %lf %lf %lf %lf %lf %lf %lf %lf", kind, &n, &m->mean_x, &m->m2_x, &m->mean_y, &m->m2_y,
                   &m->cxy, &z[0], &z[1], &z[2]) != 10)
            break;
        m->n = (int64_t)n;
        c->arm.kind = kind[0] == 'p' ? METRIC_PROPORTION : kind[0] == 'm' ? METRIC_MEAN : METRIC_RATIO;
        c->cross = cross_none(2);
        c->cross.n = m->n;
        c->cross.mean[0] = m->mean_x;
        c->cross.mean[1] = z[0];
        c->cross.m2[0][0] = m->m2_x;
        c->cross.m2[1][1] = z[1];
        c->cross.m2[0][1] = c->cross.m2[1][0] = z[2];
    }
    if (f)
        (void)fclose(f);
    return cells_count >= ARMS && cells_count % ARMS == 0;
}

struct answer {
    double difference, lo, hi, p;
};

static void refuse(const struct err *err)
{
    (void)fprintf(stderr, "stats_page: %s\n", err->text);
    exit(70);
}

static struct answer compared(const struct cell *c, const struct cell *t, double planned)
{
    struct comparison r;
    struct err err;
    if (!stats_compare(&c->arm, &t->arm, &(struct compare_plan){ LEVEL, planned }, &r, &err))
        refuse(&err);
    return (struct answer){ r.difference, r.ci_lo, r.ci_hi, r.p };
}

static struct answer adjusted(const struct cell *c, const struct cell *t)
{
    struct cuped a;
    struct welch w;
    struct err err;
    if (!cuped_adjust(&c->cross, &t->cross, CUPED_WITHIN, &a, &err) || !cuped_test(&a, 1 - LEVEL, &w, &err))
        refuse(&err);
    struct lift_set lift = cuped_lift(&a, w.critical);
    sink += lift.lo;
    return (struct answer){ w.difference, w.ci_lo, w.ci_hi, exp(w.log_p) };
}

static struct answer answer_of(char method, const struct cell *c, const struct cell *t)
{
    return method == 'c' ? adjusted(c, t) : compared(c, t, method == 's' ? PLANNED_UNITS : 0);
}

/* What a page shows: the value of each arm with its interval, and each arm against the control. */
static void page(char method)
{
    struct arm_value v;
    struct err err;
    for (size_t i = 0; i < cells_count; i++) {
        if (!stats_arm_value(&cells[i].arm, LEVEL, &v, &err))
            refuse(&err);
        sink += v.value;
        if (i % ARMS)
            sink += answer_of(method, &cells[i - i % ARMS], &cells[i]).p;
    }
}

static double cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void measure(char method, double seconds)
{
    double started = cpu_ns(), spent = 0;
    unsigned long pages = 0, before = allocations;
    for (; spent < seconds * 1e9; spent = cpu_ns() - started, pages++)
        page(method);
    (void)printf("%.0f %lu %lu\n", spent, pages, allocations - before);
}

int main(int argc, char **argv)
{
    char line[64], word[16];
    double seconds;
    (void)gsl_set_error_handler_off();
    if (argc != 2 || !read_cells(argv[1])) {
        (void)fputs("stats_page FILE: the file cannot be read\n", stderr);
        return 64;
    }
    for (; fgets(line, sizeof line, stdin); (void)fflush(stdout)) {
        if (sscanf(line, "answers %15s", word) == 1) {
            for (size_t i = 0; i < cells_count; i++) {
                struct answer a = i % ARMS ? answer_of(word[0], &cells[i - i % ARMS], &cells[i]) : (struct answer){ 0 };
                if (i % ARMS)
                    (void)printf("%.17g %.17g %.17g %.17g\n", a.difference, a.lo, a.hi, a.p);
            }
        } else if (sscanf(line, "%15s %lf", word, &seconds) == 2) {
            measure(word[0], seconds);
        }
    }
    return sink == 0.125;
}
