/* pgproc.h - processes of PostgreSQL's own programs: as which user they run, how they are started, watched and ended.
 *
 * PostgreSQL refuses to run as root, so what root starts runs as another user. Only for pgcluster.c; main thread only, because a
 * child's death signal is tied to the thread that made it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Whom the programs run as. `change` is false when that is ourselves. */
struct pgproc_user {
    bool change;
    uid_t uid;
    gid_t gid;
    const char *name;
};

/* Root: the user `name`; anybody else: themselves. */
bool pgproc_find_user(const char *name, struct pgproc_user *out, struct err *err) MUSTCHECK;
/* ERR_SYSTEM names the first directory on the way to `path` (absolute) that the user may not enter. */
bool pgproc_check_search(const struct pgproc_user *user, const char *path, struct err *err) MUSTCHECK;
/* Starts argv[0] (a path) with no terminal, its output appended to log_path, all signals at their defaults. With `die_with_us` it
 * gets SIGINT when this process ends, however it ends. */
bool pgproc_start(const struct pgproc_user *user, const char *const *argv, const char *log_path, bool die_with_us,
                  pid_t *out_pid, struct err *err) MUSTCHECK;
/* Waits until the process (a child or not) is gone; a child is reaped. False when it still lives after the time. */
bool pgproc_wait(pid_t pid, int64_t timeout_us);
/* Whether a child has ended by itself; then it is reaped. */
bool pgproc_ended(pid_t child);
/* Runs a program to its end: ERR_SYSTEM with the last line of the log when it fails. */
bool pgproc_run(const struct pgproc_user *user, const char *const *argv, const char *log_path,
                struct err *err) MUSTCHECK;
/* The last line of a file, without its line end; "" when there is none. */
void pgproc_last_line(const char *path, char *out, size_t room);
