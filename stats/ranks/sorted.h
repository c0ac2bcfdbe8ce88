/* sorted.h - arrays of numbers in ascending order, which the caller owns: sorting, and the quantile between two values. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Refuses numbers that are not finite, naming the place; sorts in place. */
bool sorted_make(double *values, size_t n, struct err *err) MUSTCHECK;
/* Type 7 of R. J. Hyndman, Y. Fan (American Statistician 50, 1996), as R and NumPy have it: linear between the values around
 * (n - 1) level. n >= 1. */
double sorted_quantile(const double *sorted, size_t n, double level);
