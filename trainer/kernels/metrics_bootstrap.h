/* metrics_bootstrap.h - what the job "bootstrap" and its kernel say to each other.
 *
 * params of "metrics.bootstrap@1": JSON {"of": the params of "metrics.units" as text, of one experiment; "metric": place in their list;
 * "replicates": N; "seed": N; "pooled": whether what is asked for are the units' values of all variants together, of which a cap at a percentile
 * is made; "caps": null, or one for each replicate and the data}. desc: as of "metrics.units". Its result: of each variant (pooled: one,
 * without a name) what bootstrap_write makes. */
#pragma once
#include "trainer/kernels/metrics.h"

extern const struct kernel kernel_metrics_bootstrap;
