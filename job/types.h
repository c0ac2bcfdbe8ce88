/* types.h - the types of jobs that there are, and what each can be told: one table for daemon, trainer and page.
 *
 * The daemon refuses a job whose params do not fit (params.h) and shows the JSON Schema of a type (schema.h); the trainer, whose table of
 * programs (trainer/jobs/jobs.c) has the same names, reads them. To add a parameter: one row. To add a type: its parameters and one row. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum job_param_type {
    JOB_TEXT,    /* not empty, at most `max` bytes (0: JOB_TEXT_MAX) */
    JOB_WHOLE,   /* from min to max */
    JOB_REAL,    /* from min to max; `open`: the bounds themselves are refused */
    JOB_BOOLEAN, /* */
    JOB_DAY,     /* "2026-11-27", UTC */
    JOB_CHOICE,  /* one of `choices` */
    JOB_JSON,    /* an object or a list; its job says what is wrong inside */
    JOB_PARAM_TYPE_COUNT
};

enum { JOB_TEXT_MAX = 1000, JOB_PARAMS_MAX = 64 };

struct job_param {
    const char *name;
    enum job_param_type type;
    const char *fallback; /* the default, as text; NULL: none, and `help` says what happens without */
    double min, max;
    const char *const *choices; /* ends with NULL */
    bool required, open, power_of_two;
    const char *unit; /* of a number: days, minutes; of a text: what it is: key, rules. NULL: nothing to say */
    const char *help; /* one line */
};

struct job_type {
    const char *name, *summary;
    const struct job_param *params;
    size_t params_count;
    bool incremental; /* reads what is new; full=true reads everything and makes the same rows */
    bool by_hand;     /* prints an answer for the person who asks and publishes nothing: no job of the daemon */
};

extern const struct job_type job_types[];
extern const size_t job_types_count;

const struct job_type *job_type_find(struct str name); /* NULL: there is none */
const struct job_param *job_param_find(const struct job_type *type, struct str name);
