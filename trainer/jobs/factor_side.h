/* factor_side.h - the factors of all units, or of all items, between two passes: a blob for kernels (kernels/als/als_solve.h) that the job keeps, too. */
#pragma once
#include "trainer/jobs/job.h"

struct factor_side {
    struct run_context *run;
    uint32_t rank; /* of a row */
    uint64_t count;
    char *bytes; /* the blob's; NULL: not yet */
    int blob;    /* -1: not yet */
    double norm; /* Σ of squares of all numbers, of which a Gram matrix was given */
};

void factor_side_init(struct factor_side *s, struct run_context *run, uint32_t rank, uint64_t count);
void factor_side_release(struct factor_side *s);
/* Room for the rows, all zeros, and where they lie in it. */
char *factor_side_alloc(const struct factor_side *s);
float *factor_side_rows(const struct factor_side *s, char *bytes);
/* `bytes` takes the place of what was there, and is the side's in any case. gram: stride × stride. */
bool factor_side_set(struct factor_side *s, char *bytes, const double *gram, struct err *err) MUSTCHECK;
/* Number i of a seed's stream: from 0 to less than 1. */
double factor_random(uint64_t seed, uint64_t i);
