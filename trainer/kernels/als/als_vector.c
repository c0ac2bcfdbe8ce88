#include "trainer/kernels/als/als_vector.h"

extern const struct als_vector als_vector_any;
#ifdef __x86_64__
extern const struct als_vector als_vector_v3, als_vector_v4;

/* What these levels of x86-64 have and the loops use. */
static bool has_v3(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
static bool has_v4(void)
{
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd");
}
#endif
static bool always(void)
{
    return true;
}

static const struct {
    const struct als_vector *loops;
    bool (*can)(void);
} kinds[] = {
#ifdef __x86_64__
    { &als_vector_v4, has_v4 },
    { &als_vector_v3, has_v3 },
#endif
    { &als_vector_any, always },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const struct als_vector *als_vector_of(size_t kind)
{
    return kind < KINDS && kinds[kind].can() ? kinds[kind].loops : NULL;
}

const struct als_vector *als_vector_best(void)
{
    size_t kind = 0;
    while (!kinds[kind].can())
        kind++;
    return kinds[kind].loops;
}
