/* The kernels that workers know. */
#include "trainer/engine/task.h"
#include "trainer/kernels/metrics.h"

const struct kernel *const kernels[] = { &kernel_metrics_day, &kernel_metrics_units, NULL };
