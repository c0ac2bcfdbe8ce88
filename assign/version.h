/* version.h - inside of libassign: version numbers as texts that compare in their order. */
#pragma once
#include "assign/assign.h"

/* Numbers by their text; what is no text, or empty, counts as "0". False: the arena gave no more. */
bool assign_version_padded(const struct assign_value *v, struct assign_arena *a, struct assign_text *out);
