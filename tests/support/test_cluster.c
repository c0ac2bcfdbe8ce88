/* test_cluster start FILE | stop FILE - the one PostgreSQL of a test run, as CTest fixture.
 *
 * start leaves a process behind that owns a private cluster in a new directory below /tmp, makes a template database
 * with all migrations, and writes FILE: the connection string of the superuser (line 1) and the process (line 2). stop
 * ends it and removes directory and file. Nothing here outlives an hour, in case nobody comes to stop it. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/migrate.h"
#include "base/pg.h"
#include "base/pgcluster.h"
#include "base/pgproc.h"
#include "tests/support/pgtest.h"

enum { LIFE_SECONDS = 3600, STOP_SECONDS = 60 };

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_tree(const char *dir)
{
    (void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The cluster's own URL names its own role; tests make databases, which the superuser may. */
static char *superuser_url(const char *url)
{
    const char *end = strstr(url, " user=");
    return mem_printf("%.*s user=postgres", end ? (int)(end - url) : (int)strlen(url), url);
}

static bool make_template(const char *super_url, struct err *err)
{
    AUTO(mem_free) char *maker = mem_printf("%s dbname=postgres", super_url);
    AUTO(mem_free) char *url = mem_printf("%s dbname=" PGTEST_TEMPLATE, super_url);
    AUTO(pg_close) struct pg *pg = pg_open(maker, "test_cluster", NULL, 0, err);
    /* A crash of the machine may eat a test database. */
    if (!pg || !pg_exec(pg, "alter system set fsync = off", err) || !pg_exec(pg, "select pg_reload_conf()", err) ||
        !pg_exec(pg, "create database " PGTEST_TEMPLATE " owner experimentd", err))
        return false;
    struct pg *template = pg_open(url, "test_cluster", NULL, 0, err);
    int applied;
    bool ok = template && pg_exec(template, "set role experimentd", err) &&
              migrate_run(template, migrations, &applied, err);
    pg_close(template);
    return ok;
}

static bool write_file(const char *path, const char *super_url, struct err *err)
{
    FILE *f = fopen(path, "we");
    if (!f)
        return err_set_errno(err, "cannot write \"%s\"", path);
    (void)fprintf(f, "%s\n%d\n", super_url, (int)getpid());
    return fclose(f) == 0 || err_set_errno(err, "cannot write \"%s\"", path);
}

static struct pgcluster *start(const char *dir, const char *file, struct err *err)
{
    const struct pgcluster_options options = { .data_dir = dir, .pg_user = "postgres", .shared_buffers_mb = 64 };
    struct pgcluster *c = pgcluster_start(&options, err);
    if (!c)
        return NULL;
    AUTO(mem_free) char *super_url = superuser_url(pgcluster_url(c));
    if (!make_template(super_url, err) || !write_file(file, super_url, err)) {
        pgcluster_stop(c);
        return NULL;
    }
    return c;
}

static void wait_for_stop(void)
{
    sigset_t ends;
    const struct timespec life = { .tv_sec = LIFE_SECONDS };
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL);
    (void)sigtimedwait(&ends, NULL, &life);
}

/* The process that stays: tells the one that started it how it went, through the pipe. */
static int stay(const char *file, int report)
{
    struct err err = { .kind = ERR_NONE };
    char dir[] = "/tmp/expd-test.XXXXXX";
    if (!mkdtemp(dir) || chmod(dir, 0755) != 0)
        return 1;
    int null = open("/dev/null", O_RDWR);
    (void)dup2(null, 0);
    (void)dup2(null, 1);
    struct pgcluster *c = start(dir, file, &err);
    if (!c)
        (void)dprintf(report, "%s\n", err.text);
    (void)dup2(null, 2); /* CTest waits until all that write to it have ended */
    close(report);
    if (c)
        wait_for_stop();
    pgcluster_stop(c);
    remove_tree(dir);
    return c ? 0 : 1;
}

static int do_start(const char *file)
{
    int ends[2];
    char text[sizeof((struct err *)0)->text];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return 1;
    pid_t child = fork();
    if (child == 0) {
        (void)setsid();
        close(ends[0]);
        _exit(stay(file, ends[1]));
    }
    close(ends[1]);
    ssize_t n = read(ends[0], text, sizeof text);
    if (n != 0)
        (void)fprintf(stderr, "test_cluster: %.*s", n > 0 ? (int)n : 0, text);
    return n == 0 && access(file, R_OK) == 0 ? 0 : 1;
}

static int do_stop(const char *file)
{
    int pid = 0;
    FILE *f = fopen(file, "re");
    if (!f)
        return 0;
    int read = fscanf(f, "%*[^\n]\n%d", &pid);
    (void)fclose(f);
    (void)unlink(file);
    if (read != 1 || pid <= 1)
        return 1;
    if (kill(pid, SIGTERM) != 0)
        return errno == ESRCH ? 0 : 1;
    return pgproc_wait(pid, STOP_SECONDS * US_PER_SECOND) ? 0 : 1;
}

int main(int argc, char **argv)
{
    mem_init();
    if (argc == 3 && strcmp(argv[1], "start") == 0)
        return do_stop(argv[2]) || do_start(argv[2]);
    if (argc == 3 && strcmp(argv[1], "stop") == 0)
        return do_stop(argv[2]);
    (void)fprintf(stderr, "usage: test_cluster start|stop FILE\n");
    return 2;
}
