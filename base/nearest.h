/* nearest.h - the known name that somebody probably meant, for messages about unknown ones. */
#pragma once
#include <stddef.h>

#include "base/str.h"

/* The name nearest to `given` when at most a third of its letters (and at most 3) are wrong, missing, too many or swapped with a
 * neighbour; else NULL. NULL entries are passed over. */
const char *nearest_name(struct str given, const char *const *names, size_t count);
