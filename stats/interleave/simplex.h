/* simplex.h - a small dense linear program in two stages, for optimized.c.
 *
 * Over p >= 0 with Σ p = 1: first the least Σ_k |Σ_j a[k][j] p_j|, then, among what reaches that, the largest Σ_j gain_j p_j. G. B. Dantzig's
 * method on a tableau, with R. G. Bland's rule (Mathematics of Operations Research 2, 1977) once it has not come to an end soon, which
 * cannot cycle. The same input gives the same bits. */
#pragma once
#include <stddef.h>

enum { SIMPLEX_ROWS_MAX = 10, SIMPLEX_COLUMNS_MAX = 1024 };

/* `a` has `rows` rows of SIMPLEX_COLUMNS_MAX numbers, of which the first `columns` (at least 1) count. Returns what the first stage left. */
double simplex_solve(double (*a)[SIMPLEX_COLUMNS_MAX], size_t rows, const double *gain, size_t columns, double *out_p);
