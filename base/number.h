/* number.h - a double as text that reads back as the same double: the fewest of 15 to 17 digits, in the form of printf's %g.
 *
 * The same text as trying "%.15g", "%.16g" and "%.17g" in turn and reading each back; a third of the time, for all three are taken from the
 * 17 digits that are printed once. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_TEXT_MAX = 32 };

/* v is finite. Returns the length; out ends with a 0. */
size_t number_text(double v, char out[NUMBER_TEXT_MAX]);
/* m · 10^exponent as the nearest double (ties to even), what strtod makes of the same digits, without its cost. False: outside the quick range, where
 * strtod is to be asked. */
bool number_of_decimal(uint64_t m, int exponent, double *out);
