#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/pg.h"
#include "base/pgcluster.h"
#include "base/pgproc.h"

static char base_dir[] = "/tmp/expd-cluster.XXXXXX";
static char dir[256];
static struct pgcluster_options options = { .data_dir = dir, .pg_user = "postgres", .shared_buffers_mb = 16 };

static void make_dir(void)
{
    cr_assert(mkdtemp(base_dir) && chmod(base_dir, 0755) == 0);
    (void)snprintf(dir, sizeof dir, "%s/data", base_dir);
}

static void remove_dir(void)
{
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf %s", base_dir);
    (void)!system(command);
}

TestSuite(pgcluster, .init = make_dir, .fini = remove_dir);

static struct pgcluster *start(void)
{
    struct err err;
    struct pgcluster *c = pgcluster_start(&options, &err);
    cr_assert(c != NULL, "%s", err.text);
    return c;
}

static void refuse(enum err_kind kind, const char *part)
{
    struct err err;
    struct pgcluster *c = pgcluster_start(&options, &err);
    cr_assert(c == NULL);
    cr_assert(eq(int, (int)err.kind, (int)kind));
    cr_assert(strstr(err.text, part) != NULL, "%s", err.text);
}

static struct pg *open_it(const struct pgcluster *c)
{
    struct err err;
    struct pg *pg = pg_open(pgcluster_url(c), "test", NULL, 0, &err);
    cr_assert(pg != NULL, "%s", err.text);
    return pg;
}

static int64_t number(const struct pgcluster *c, const char *sql)
{
    struct err err;
    const struct pg_stmt stmt = { "number", 0, sql };
    AUTO(pg_close) struct pg *pg = open_it(c);
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &stmt, NULL, &err);
    cr_assert(r != NULL, "%s", err.text);
    return PQntuples(r) ? pg_get_i64(r, 0, 0) : 0;
}

static void make_table(const struct pgcluster *c)
{
    struct err err;
    AUTO(pg_close) struct pg *pg = open_it(c);
    cr_assert(pg_exec(pg, "create table kept (n int)", &err), "%s", err.text);
}

Test(pgcluster, is_made_once_and_keeps_its_data)
{
    struct pgcluster *c = start();
    pid_t pid = pgcluster_pid(c);
    make_table(c);
    cr_assert(eq(i64, number(c, "select count(*) from kept"), 0));
    cr_assert(eq(i64, number(c, "select usesuper::int from pg_user where usename = current_user"), 0));
    pgcluster_stop(c);
    cr_assert(ne(int, kill(pid, 0), 0));
    c = start();
    cr_assert(eq(i64, number(c, "select count(*) from kept"), 0));
    pgcluster_stop(c);
    pgcluster_stop(NULL);
}

Test(pgcluster, is_private)
{
    struct stat st;
    char path[300];
    struct pgcluster *c = start();
    (void)snprintf(path, sizeof path, "%s/run", dir);
    cr_assert(eq(int, stat(path, &st), 0));
    cr_assert(eq(int, (int)(st.st_mode & 07777), 0700));
    cr_assert(
        eq(i64, number(c, "select count(*) from pg_settings where name = 'listen_addresses' and setting <> ''"), 0));
    cr_assert(
        eq(i64, number(c, "select count(*) from pg_settings where name = 'data_checksums' and setting = 'on'"), 1));
    pgcluster_stop(c);
}

Test(pgcluster, takes_odd_paths)
{
    (void)snprintf(dir, sizeof dir, "%s/a b'c\"d=e\\f", base_dir);
    struct pgcluster *c = start();
    cr_assert(eq(i64, number(c, "select 1"), 1));
    pgcluster_stop(c);
}

Test(pgcluster, refuses_a_path_that_libpq_would_take_for_two)
{
    (void)snprintf(dir, sizeof dir, "%s/a,b", base_dir);
    refuse(ERR_INVALID, "has a comma");
}

Test(pgcluster, refuses_a_path_too_long_for_a_socket)
{
    size_t n = strlen(dir);
    memset(dir + n, 'x', 100);
    dir[n + 100] = '\0';
    refuse(ERR_INVALID, "too long for a Unix socket");
}

Test(pgcluster, names_the_directory_that_its_user_may_not_enter)
{
    if (geteuid() != 0)
        cr_skip_test("only root runs PostgreSQL as somebody else");
    char expected[300];
    cr_assert(eq(int, chmod(base_dir, 0700), 0));
    (void)snprintf(expected, sizeof expected, "may not enter directory \"%s\";", base_dir);
    refuse(ERR_SYSTEM, expected);
}

Test(pgcluster, starts_over_what_a_killed_initdb_left)
{
    char command[1024];
    (void)snprintf(command, sizeof command,
                   "mkdir -p %s/pg.new/base %s/pg.new/global && echo 15 > %s/pg.new/PG_VERSION", dir, dir, dir);
    cr_assert(eq(int, system(command), 0));
    struct pgcluster *c = start();
    cr_assert(eq(i64, number(c, "select 1"), 1));
    pgcluster_stop(c);
}

Test(pgcluster, has_one_owner_and_lets_others_connect)
{
    struct pgcluster *c = start(), *mine = NULL;
    char expected[64];
    struct err err;
    (void)snprintf(expected, sizeof expected, "in use by process %d", (int)getpid());
    refuse(ERR_CONFLICT, expected);
    AUTO(mem_free) char *url = pgcluster_connect(&options, NULL, &mine, &err);
    cr_assert(url != NULL, "%s", err.text);
    cr_assert(mine == NULL);
    cr_assert(eq(str, url, (char *)(uintptr_t)pgcluster_url(c)));
    pgcluster_stop(c);
    AUTO(mem_free) char *again = pgcluster_connect(&options, NULL, &mine, &err);
    cr_assert(again && mine);
    pgcluster_stop(mine);
    AUTO(mem_free) char *other = pgcluster_connect(&options, "host=db", &mine, &err);
    cr_assert(eq(str, other, "host=db"));
    cr_assert(mine == NULL);
}

/* What the doomed process tells: its postmaster, and then every row that was committed. */
struct report {
    pid_t postmaster;
    int committed;
};

static void insert_for_ever(int out)
{
    struct pgcluster *c = start();
    struct report report = { .postmaster = pgcluster_pid(c) };
    struct pg *pg = open_it(c);
    if (!pg_exec(pg, "create table if not exists kept (n int)", NULL))
        _exit(1);
    for (;;) {
        if (!pg_exec(pg, "insert into kept values (1)", NULL))
            _exit(1);
        report.committed++;
        (void)!write(out, &report, sizeof report);
    }
}

/* Runs a process that owns the cluster and commits rows, kills it after `rows`; returns what it had reported when it died. */
static struct report kill_owner_after(int rows)
{
    int ends[2];
    struct report report = { 0 }, next;
    cr_assert(eq(int, pipe(ends), 0));
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        insert_for_ever(ends[1]);
    }
    close(ends[1]);
    while (report.committed < rows && read(ends[0], &next, sizeof next) == (ssize_t)sizeof next)
        report = next;
    cr_assert(eq(int, report.committed, rows));
    cr_assert(eq(int, kill(child, SIGKILL), 0));
    cr_assert(eq(int, waitpid(child, NULL, 0), child));
    while (read(ends[0], &next, sizeof next) == (ssize_t)sizeof next)
        report = next;
    close(ends[0]);
    return report;
}

Test(pgcluster, kill_9_of_its_owner_ends_it_and_loses_nothing)
{
    int64_t committed = 0;
    for (int round = 1; round <= 3; round++) {
        struct report report = kill_owner_after(20 * round);
        committed += report.committed;
        if (round < 3)
            continue; /* the next owner starts at once, over what may still be shutting down */
        cr_assert(pgproc_wait(report.postmaster, 60 * US_PER_SECOND));
    }
    struct pgcluster *c = start();
    int64_t rows = number(c, "select count(*) from kept");
    /* The last commit of a round may have been cut off from its report. */
    cr_assert(rows >= committed && rows <= committed + 3, "%d rows, %d told", (int)rows, (int)committed);
    pgcluster_stop(c);
}

Test(pgcluster, kill_9_of_the_postmaster_loses_nothing)
{
    struct pgcluster *c = start();
    make_table(c);
    struct pg *pg = open_it(c);
    cr_assert(pg_exec(pg, "insert into kept select generate_series(1, 1000)", NULL));
    cr_assert(eq(int, kill(pgcluster_pid(c), SIGKILL), 0));
    pgcluster_stop(c);
    pg_close(pg);
    c = start();
    cr_assert(eq(i64, number(c, "select count(*) from kept"), 1000));
    pgcluster_stop(c);
}

Test(pgcluster, ends_a_postmaster_that_outlived_its_owner)
{
    char pg_dir[300], run_dir[300], log_path[300];
    struct pgproc_user user;
    struct err err;
    pid_t stale;
    pgcluster_stop(start());
    (void)snprintf(pg_dir, sizeof pg_dir, "%s/pg", dir);
    (void)snprintf(run_dir, sizeof run_dir, "unix_socket_directories=%s/run", dir);
    (void)snprintf(log_path, sizeof log_path, "%s/pg.log", dir);
    const char *const argv[] = {
        "/usr/lib/postgresql/15/bin/postgres", "-D", pg_dir, "-c", run_dir, "-c", "listen_addresses=", NULL
    };
    cr_assert(pgproc_find_user("postgres", &user, &err), "%s", err.text);
    cr_assert(pgproc_start(&user, argv, log_path, false, &stale, &err), "%s", err.text);
    char socket_path[300];
    (void)snprintf(socket_path, sizeof socket_path, "%s/run/.s.PGSQL.5432", dir);
    while (access(socket_path, F_OK) != 0 && !pgproc_ended(stale))
        usleep(10000);
    struct pgcluster *c = start();
    cr_assert(ne(int, pgcluster_pid(c), stale));
    cr_assert(ne(int, kill(stale, 0), 0));
    pgcluster_stop(c);
}

Test(pgcluster, a_reused_process_number_is_left_alone)
{
    char command[1024];
    pgcluster_stop(start());
    (void)snprintf(command, sizeof command, "printf '%d\\n%s/pg\\n' > %s/pg/postmaster.pid", (int)getpid(), dir, dir);
    cr_assert(eq(int, system(command), 0));
    struct pgcluster *c = start();
    cr_assert(eq(i64, number(c, "select 1"), 1));
    pgcluster_stop(c);
}
