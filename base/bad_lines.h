/* bad_lines.h - which lines of a file are wrong: the first ones with why, and how many in all. */
#pragma once
#include <stddef.h>

#include "base/err.h"

enum { BAD_LINES_MAX = 20 /* that are told of */ };

struct bad_line {
    size_t line; /* from 1 */
    struct err err;
};
struct bad_lines {
    struct bad_line first[BAD_LINES_MAX];
    size_t count; /* of all */
};
void bad_lines_add(struct bad_lines *b, size_t line, const struct err *err);
/* True when there is none; else *err says how many, and what is wrong with the first. `what`: "lines". */
bool bad_lines_none(const struct bad_lines *b, const char *what, struct err *err) MUSTCHECK;
