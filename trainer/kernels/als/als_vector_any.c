#define ALS_KIND als_vector_any
#define ALS_KIND_NAME "any"
#define ALS_WIDTH 4
#define ALS_TILE 2
#include "trainer/kernels/als/als_vector_loops.h"
