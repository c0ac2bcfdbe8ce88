/* click_filters.h - pure: the filters under which somebody searched, as one text: of a list its texts in the order of their bytes, " $ " between
 * them; a text as it is; numbers and true or false as JSON has them. */
#pragma once
#include "base/buf.h"

enum { CLICK_FILTERS_TEXT_MAX = 64 << 10 };

/* params: the JSON of a signal. {NULL, 0}: the field is not there, or null. The text lives in `scratch` (of CLICK_FILTERS_TEXT_MAX). */
struct str click_filters_of(struct str params, struct str field, struct buf *scratch);
