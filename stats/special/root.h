/* root.h - where a continuous function crosses zero, between two points on different sides of it. Thread-safe, no state. */
#pragma once

/* f(arg, x) of the function whose root is sought. */
typedef double (*root_fn)(const void *arg, double x);

/* f(from) and f(to) have different signs, or one of them is 0; from may be above to. Ends when a step is rounding. */
double root_find(root_fn f, const void *arg, double from, double to);
