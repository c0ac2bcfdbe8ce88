/* factors_params.h - what kernels over factors are told. */
#pragma once
#include "trainer/kernels/factors/factors.h"

struct factors_params {
    uint32_t rank, columns, top; /* columns: of a row, that say what is similar */
};
bool factors_params_read(const struct task *t, struct factors_params *out, struct err *err) MUSTCHECK;
/* The second and third number of a split of the matrix (trainer/jobs/matrix.h). */
bool factors_split_read(const struct task *t, uint32_t *out_first, uint32_t *out_count, struct err *err) MUSTCHECK;
