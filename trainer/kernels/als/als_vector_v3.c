#ifdef __x86_64__
#define ALS_KIND als_vector_v3
#define ALS_KIND_NAME "x86-64-v3"
#define ALS_WIDTH 8
#define ALS_TILE 2
#include "trainer/kernels/als/als_vector_loops.h"
#endif
