/* dimensions.h - pure: what was known of a unit at an exposure, as lines "device=phone\ncountry=de" in the order of names. */
#pragma once
#include "base/mem.h"

/* Of a JSON object; texts, numbers and booleans count, values are cut to SEGMENT_VALUE_MAX bytes; what is no object gives {NULL, 0}. In the
 * arena. */
struct str dimensions_read(struct str json, struct arena *arena);
