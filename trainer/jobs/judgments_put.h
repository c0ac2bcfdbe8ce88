/* judgments_put.h - a job's judgment set or query set into the database, with the end of its run: the set is the old one or the new one, never a part. */
#pragma once
#include "base/buf.h"
#include "trainer/jobs/job.h"

struct set_put {
    struct str props, rows; /* as judgment_set_put() and query_set_put() take them (migration 0026) */
    const char *name;
    /* of the answer */
    int64_t version;
};
/* First of all: refuses what would be refused at the end: a name that is none, a set that people brought. */
bool judgments_put_begin(struct run_context *run, const char *name, struct err *err) MUSTCHECK;
bool query_set_put_begin(struct run_context *run, const char *name, struct err *err) MUSTCHECK;
/* Between run_publish_begin and run_publish_end. */
bool judgments_put(struct run_context *run, struct set_put *s, struct err *err) MUSTCHECK;
bool query_set_put(struct run_context *run, struct set_put *s, struct err *err) MUSTCHECK;
