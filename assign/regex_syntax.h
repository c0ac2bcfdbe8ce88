/* regex_syntax.h - inside of libassign: JavaScript's syntax of regular expressions (ECMA-262, annex B, without flags), as PCRE2 spells it. */
#pragma once
#include "assign/assign.h"

/* The pattern in PCRE2's syntax, for PCRE2_ALT_BSUX. False: JavaScript does not take it, or the arena gave no more. */
bool assign_regex_translate(struct assign_text pattern, struct assign_arena *arena, struct assign_text *out);
