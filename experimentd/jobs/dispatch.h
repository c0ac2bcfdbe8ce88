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

/* "metrics=1,clicks=2": borrowed. ERR_INVALID. */
bool dispatch_limits_parse(const char *text, unsigned at_once, struct dispatch_limits *out, struct err *err) MUSTCHECK;

struct dispatch_run {
    struct str id, job, type;
    bool runs;  /* a coordinator has it, or was started for it */
    bool ready; /* it waits, and its time has come */
    bool start; /* out */
};

/* `runs` in the order in which they were queued. At most one run of a job at a time; within the limits the oldest first. */
void dispatch_choose(struct dispatch_run *runs, size_t count, const struct dispatch_limits *limits);
