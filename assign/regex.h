/* regex.h - inside of libassign: JavaScript's regular expressions by PCRE2, bounded in time and memory. */
#pragma once
#include "assign/assign.h"

struct assign_regex;
struct assign_scratch;

/* NULL: it is no regular expression (it never matches), or the arena gave no more. */
const struct assign_regex *assign_regex_compile(struct assign_text pattern, bool fold_case, struct assign_arena *arena);
/* Search, not full match. Beyond the limits of limits.h: false. */
bool assign_regex_match(const struct assign_regex *regex, struct assign_text text, struct assign_scratch *s);
