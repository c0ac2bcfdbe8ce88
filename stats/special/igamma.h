/* igamma.h - the regularised upper incomplete gamma function Q(a, x) as a logarithm: chi-square and Poisson tails that do not
 * underflow. Thread-safe, no state. */
#pragma once

/* ln Q(a, x), a > 0, x >= 0. */
double igamma_log_q(double a, double x);
