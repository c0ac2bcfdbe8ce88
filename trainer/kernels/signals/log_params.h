/* log_params.h - what the kernels that read a day of searches are told: JSON {"archive": its folder or null, "clicks": ["click"], "gap_us": 1800000000}. */
#pragma once
#include "base/json.h"
#include "base/mem.h"

enum { LOG_TYPES_MAX = 16 };
struct log_params {
    struct str archive; /* {NULL, 0}: none is known */
    struct str clicks[LOG_TYPES_MAX];
    uint32_t clicks_count;
    int64_t gap_us; /* between sessions; 0: they are not told apart, and it is not written */
};
bool log_params_read(struct str json, struct log_params *out, struct arena *arena, struct err *err) MUSTCHECK;
/* Without the archive: all that a day's records depend on. */
bool log_params_write(const struct log_params *p, bool with_archive, struct arena *arena, struct str *out,
                      struct err *err) MUSTCHECK;

/* The names of types in a list of 1 to max; how many there are. */
uint32_t log_types_read(struct json_reader *r, const char *key, uint32_t max, struct str *out, struct arena *arena);
