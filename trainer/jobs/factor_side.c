#include "trainer/jobs/factor_side.h"

#include "trainer/kernels/als/als_solve.h"

void factor_side_init(struct factor_side *s, struct run_context *run, uint32_t rank, uint64_t count)
{
    *s = (struct factor_side){ .run = run, .rank = rank, .count = count, .blob = -1 };
}

void factor_side_release(struct factor_side *s)
{
    if (s->run && s->blob >= 0)
        engine_blob_drop(s->run->engine, s->blob);
    mem_free(s->bytes);
    s->blob = -1;
    s->bytes = NULL;
}

char *factor_side_alloc(const struct factor_side *s)
{
    return mem_zalloc(als_factors_bytes(s->rank, (uint32_t)s->count));
}

float *factor_side_rows(const struct factor_side *s, char *bytes)
{
    const size_t stride = als_stride(s->rank);
    return (float *)(void *)(bytes + sizeof(struct als_factors_head)) + stride * stride;
}

bool factor_side_set(struct factor_side *s, char *bytes, const double *gram, struct err *err)
{
    const size_t stride = als_stride(s->rank);
    factor_side_release(s);
    s->bytes = bytes;
    als_factors_write(bytes, s->rank, (uint32_t)s->count, gram, NULL);
    s->norm = 0;
    for (size_t k = 0; k < stride; k++)
        s->norm += gram[k * stride + k];
    s->blob = engine_blob(s->run->engine, (struct str){ bytes, als_factors_bytes(s->rank, (uint32_t)s->count) }, err);
    return s->blob >= 0;
}

double factor_random(uint64_t seed, uint64_t i)
{
    uint64_t v = (seed << 32 ^ i) * UINT64_C(0x9e3779b97f4a7c15); /* then the finaliser of splitmix64 */
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((v ^ (v >> 31)) >> 11) / 9007199254740992.0;
}
