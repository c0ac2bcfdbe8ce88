/* dispatch.h - which runs may start now. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum { DISPATCH_TYPES_MAX = 32 };

struct dispatch_limits {
    unsigned at_once; /* runs of all jobs */
    struct {
        struct str type;
        unsigned at_once;
    } types[DISPATCH_TYPES_MAX];
    size_t types_count;
};

/* "metrics=2,clicks=3": borrowed. Of a type that is not named one runs at a time: two that publish into the same tables would only wait for each
 * other, or fail. ERR_INVALID. */
bool dispatch_limits_parse(const char *text, unsigned at_once, struct dispatch_limits *out, struct err *err) MUSTCHECK;

struct dispatch_run {
    struct str id, job, type;
    bool runs;  /* a coordinator has it, or was started for it */
    bool ready; /* it waits, and its time has come */
    bool start; /* out */
};

/* `runs` in the order in which they were queued. At most one run of a job at a time; within the limits the oldest first. */
void dispatch_choose(struct dispatch_run *runs, size_t count, const struct dispatch_limits *limits);
