/* day_split.h - the splits of passes over days: "DAY LO HI", a day since 1970 and buckets LO … HI inclusive. */
#pragma once
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct day_split {
    int32_t day;
    unsigned lo, hi;
};
/* The part of the split's data set, of so many, that what is of this unit goes to: ranges of buckets, as wide as each other. */
uint32_t day_split_part(const struct day_split *s, struct str unit, uint32_t parts);
bool day_split_read(struct str desc, struct day_split *out, struct err *err) MUSTCHECK;
