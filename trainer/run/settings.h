/* settings.h - what `trainer run` and its sisters can be told: flags, EXPERIMENTD_… variables, configuration file. */
#pragma once
#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/settings.h"
#include "trainer/spark/submit.h"

struct pgcluster;

enum { RUN_PARAMS_MAX = 64 };

struct run_settings {
    char *data_dir, *database_url, *pg_user, *pg_bin_dir, *engine, *spool_dir, *log_level, *archive_dir, *retention,
        *search_secrets, *search_ca, *run;
    uint32_t workers, max_attempts, archive_after_days, memory_mb, epoch;
    int64_t stall_us, deadline_us, timeout_us, lost_after_us, patience_us;
    struct spark_settings spark;
    const char *params[RUN_PARAMS_MAX]; /* "k=v", of --param; borrowed from argv */
    size_t params_count;
};

extern const struct setting run_settings_table[];
extern const size_t run_settings_count;

/* Reads argv; *out_rest (room for argc) gets what are no settings. */
bool run_settings_load(struct run_settings *s, int argc, char **argv, const char **out_rest, size_t *out_rest_count,
                       struct err *err) MUSTCHECK;
void run_settings_release(struct run_settings *s);
/* The URL of the database, the caller's to free; *out_cluster: the private one was started, the caller's to stop. */
char *run_settings_connect(const struct run_settings *s, struct pgcluster **out_cluster, struct err *err);
