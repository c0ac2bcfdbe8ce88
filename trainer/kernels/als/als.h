/* als.h - what the job "als" and its kernel say to each other.
 *
 * "als.solve@1": rows (or columns) of the matrix and the factors of the other side → those of this side. Params: JSON {"side": "units" or "items",
 * "rank", "solver": "cg" or "cholesky", "cg_steps", "alpha", "lambda"}; text of a split as trainer/jobs/matrix.h has it: its second and third number are
 * the first of this side and how many. Blob 0: factors of the other side (als_solve.h), blob 1: those of this side of before, if there were any. Collects a
 * struct als_result, YᵀY of the rows that it made (double), the rows. */
#pragma once
#include "trainer/kernels/als/als_solve.h"

#define ALS_SOLVE_KERNEL "als.solve@1"

extern const struct kernel kernel_als_solve;

struct arena;
struct als_params {
    struct als_rules rules;
    bool items;
};
bool als_params_read(struct str json, struct als_params *out, struct arena *arena, struct err *err) MUSTCHECK;
bool als_params_write(const struct als_params *p, struct arena *arena, struct str *out, struct err *err) MUSTCHECK;

struct als_result {
    double loss; /* Σ of als_solver_solve */
    double sure; /* Σ c of all pairs that were seen */
    uint64_t cells;
};
