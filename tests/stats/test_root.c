#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/special/root.h"

static double cubic(const void *arg, double x)
{
    return x * x * x - *(const double *)arg;
}

Test(root, is_found_from_either_side)
{
    const double cube = 3;
    cr_assert(epsilon_eq(dbl, root_find(cubic, &cube, 0, 10), cbrt(3), 1e-15));
    cr_assert(epsilon_eq(dbl, root_find(cubic, &cube, 10, 0), cbrt(3), 1e-15));
    cr_assert(epsilon_eq(dbl, root_find(cubic, &cube, -1e6, 1e6), cbrt(3), 1e-15));
    cr_assert(eq(dbl, root_find(cubic, &(const double){ 8 }, 2, 5), 2));
    cr_assert(eq(dbl, root_find(cubic, &(const double){ 8 }, -5, 2), 2));
}
