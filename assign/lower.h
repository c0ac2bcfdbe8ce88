/* lower.h - inside of libassign: which code points toLowerCase() changes. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Every `step`th code point from `first` to `last` moves `by`. In order. */
struct assign_lower_row {
    uint32_t first, last;
    int32_t by;
    uint32_t step;
};
extern const struct assign_lower_row assign_lower_rows[];
extern const size_t assign_lower_count;
