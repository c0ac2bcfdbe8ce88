#ifdef __x86_64__
#define ALS_KIND als_vector_v4
#define ALS_KIND_NAME "x86-64-v4"
#define ALS_WIDTH 16
#define ALS_TILE 4
#include "trainer/kernels/als/als_vector_loops.h"
#endif
