#include "base/pgcluster.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/pg.h"
#include "base/pgproc.h"

/* How long we wait: for a server that does not answer at all; for one that says it is recovering from a crash; for a
 * fast shutdown (which writes a checkpoint); for an immediate one. */
#define SILENT_TIMEOUT (60 * US_PER_SECOND)
#define RECOVERY_TIMEOUT (600 * US_PER_SECOND)
#define FAST_TIMEOUT (30 * US_PER_SECOND)
#define IMMEDIATE_TIMEOUT (10 * US_PER_SECOND)
#define POLL_US (US_PER_SECOND / 5)

#define DATABASE "experimentd"
#define SUPERUSER "postgres"
#define PORT "5432" /* names the socket; nothing listens on TCP */

enum { START_ATTEMPTS = 3, DEFAULT_BUFFERS_MB = 128, LOG_KEEP_BYTES = 16 << 20, URL_LIMIT_BYTES = 4 * PATH_MAX };

struct pgcluster {
    struct pgproc_user user;
    char dir[PATH_MAX];
    char *bin_dir, *pg_dir, *new_dir, *run_dir, *log_path, *lock_path, *url, *super_url;
    unsigned buffers_mb;
    int lock_fd;
    pid_t pid; /* 0: not running */
};

static void cluster_free(struct pgcluster *c)
{
    if (!c)
        return;
    if (c->lock_fd >= 0)
        close(c->lock_fd);
    char *const owned[] = { c->bin_dir,  c->pg_dir,    c->new_dir, c->run_dir,
                            c->log_path, c->lock_path, c->url,     c->super_url };
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        mem_free(owned[i]);
    mem_free(c);
}
DEFINE_AUTO(struct pgcluster *, cluster_free)

const char *pgcluster_url(const struct pgcluster *c)
{
    return c->url;
}

pid_t pgcluster_pid(const struct pgcluster *c)
{
    return c->pid;
}

/* Directories and names */

static bool make_directories(const char *path, struct err *err)
{
    AUTO(mem_free) char *copy = mem_strdup(path);
    for (char *at = copy + 1; at[-1]; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char kept = *at;
        *at = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST)
            return err_set_errno(err, "cannot make directory \"%s\"", copy);
        *at = kept;
    }
    return true;
}

/* A connection string; the path in single quotes, as libpq wants it. */
static char *make_url(const char *run_dir, const char *role, const char *database)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, URL_LIMIT_BYTES);
    buf_add_c(&b, "host='");
    for (const char *p = run_dir; *p; p++) {
        if (*p == '\'' || *p == '\\')
            buf_add_byte(&b, '\\');
        buf_add_byte(&b, *p);
    }
    buf_addf(&b, "' port=" PORT " user=%s dbname=%s", role, database);
    return mem_strndup(b.p, b.n);
}

static bool check_socket_path(const struct pgcluster *c, struct err *err)
{
    struct sockaddr_un address;
    size_t n = strlen(c->run_dir) + sizeof "/.s.PGSQL." PORT - 1, limit = sizeof address.sun_path - 1;
    if (strchr(c->dir, ','))
        return err_set(err, ERR_INVALID,
                       "the path of data directory \"%.120s\" has a comma, which parts hosts for libpq", c->dir);
    if (n > limit)
        return err_set(err, ERR_INVALID,
                       "the path of data directory \"%.120s\" is %zu bytes too long for a Unix socket", c->dir,
                       n - limit);
    return true;
}

static bool find_bin_dir(struct pgcluster *c, const char *wanted, struct err *err)
{
    static const char *const places[] = { "/usr/lib/postgresql/17/bin",
                                          "/usr/lib/postgresql/16/bin",
                                          "/usr/lib/postgresql/15/bin",
                                          "/usr/pgsql-17/bin",
                                          "/usr/pgsql-16/bin",
                                          "/usr/pgsql-15/bin",
                                          "/usr/local/pgsql/bin",
                                          "/usr/local/bin",
                                          "/usr/bin" };
    const char *given = wanted && *wanted ? wanted : NULL;
    for (size_t i = 0; i < (given ? 1 : COUNT_OF(places)); i++) {
        const char *place = given ? given : places[i];
        AUTO(mem_free) char *postgres = mem_printf("%s/postgres", place);
        AUTO(mem_free) char *initdb = mem_printf("%s/initdb", place);
        if (access(postgres, X_OK) == 0 && access(initdb, X_OK) == 0) {
            c->bin_dir = mem_strdup(place);
            return true;
        }
    }
    return err_set(err, ERR_SYSTEM, "no PostgreSQL server (15 or later) in %s%s%s", given ? "\"" : "the usual places",
                   given ? given : "", given ? "\"" : "");
}

/* Everything that can be said about a data directory without touching it. */
static struct pgcluster *describe(const struct pgcluster_options *options, struct err *err)
{
    AUTO(cluster_free) struct pgcluster *c = mem_zalloc(sizeof *c);
    c->lock_fd = -1;
    if (!make_directories(options->data_dir, err))
        return NULL;
    if (!realpath(options->data_dir, c->dir)) {
        err_set_errno(err, "cannot resolve data directory \"%s\"", options->data_dir);
        return NULL;
    }
    c->pg_dir = mem_printf("%s/pg", c->dir);
    c->new_dir = mem_printf("%s/pg.new", c->dir);
    c->run_dir = mem_printf("%s/run", c->dir);
    c->log_path = mem_printf("%s/pg.log", c->dir);
    c->lock_path = mem_printf("%s/pg.lock", c->dir);
    c->url = make_url(c->run_dir, DATABASE, DATABASE);
    c->super_url = make_url(c->run_dir, SUPERUSER, "postgres");
    c->buffers_mb = options->shared_buffers_mb ? options->shared_buffers_mb : DEFAULT_BUFFERS_MB;
    const char *user = options->pg_user && *options->pg_user ? options->pg_user : SUPERUSER;
    if (!check_socket_path(c, err) || !pgproc_find_user(user, &c->user, err))
        return NULL;
    return TAKE(c);
}

/* Who owns the cluster */

static pid_t lock_owner(const struct pgcluster *c)
{
    char text[16] = "";
    uint32_t pid = 0;
    ssize_t n = pread(c->lock_fd, text, sizeof text, 0);
    return n > 0 && parse_u32(str_trim((struct str){ text, (size_t)n }), &pid, NULL) ? (pid_t)pid : 0;
}

/* ERR_CONFLICT when another live process has the lock. */
static bool take_lock(struct pgcluster *c, struct err *err)
{
    if (c->lock_fd >= 0)
        close(c->lock_fd);
    c->lock_fd = open(c->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (c->lock_fd < 0)
        return err_set_errno(err, "cannot open \"%s\"", c->lock_path);
    if (flock(c->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return err_set_errno(err, "cannot lock \"%s\"", c->lock_path);
        return err_set(err, ERR_CONFLICT, "data directory \"%s\" is in use by process %d", c->dir, (int)lock_owner(c));
    }
    if (ftruncate(c->lock_fd, 0) != 0 || dprintf(c->lock_fd, "%d\n", (int)getpid()) < 0)
        return err_set_errno(err, "cannot write \"%s\"", c->lock_path);
    return true;
}

/* A directory that only the user of the database may enter (root may anyhow). */
static bool make_private_directory(const struct pgcluster *c, const char *path, struct err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, "cannot make directory \"%s\"", path);
    if (chmod(path, 0700) != 0 || (c->user.change && chown(path, c->user.uid, c->user.gid) != 0))
        return err_set_errno(err, "cannot make directory \"%s\" private", path);
    return true;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* initdb works in pg.new, which then becomes pg: one that was killed half way leaves nothing that looks like a cluster.
 */
static bool make_cluster(const struct pgcluster *c, struct err *err)
{
    AUTO(mem_free) char *version_path = mem_printf("%s/PG_VERSION", c->pg_dir);
    if (access(version_path, F_OK) == 0)
        return true;
    if (nftw(c->new_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return err_set_errno(err, "cannot remove \"%s\"", c->new_dir);
    if (!make_private_directory(c, c->new_dir, err))
        return false;
    AUTO(mem_free) char *initdb = mem_printf("%s/initdb", c->bin_dir);
    /* trust: nobody but its user and root can reach the socket (0700), and no other way in is open */
    const char *const argv[] = { initdb,
                                 "-D",
                                 c->new_dir,
                                 "--auth=trust",
                                 "--username",
                                 SUPERUSER,
                                 "--encoding=UTF8",
                                 "--locale=C.UTF-8",
                                 "--data-checksums",
                                 "--no-instructions",
                                 NULL };
    log_info("db_create", "dir=%s", c->pg_dir);
    if (!pgproc_run(&c->user, argv, c->log_path, err))
        return err_prefix(err, "cannot make the database cluster: ");
    if (rename(c->new_dir, c->pg_dir) != 0)
        return err_set_errno(err, "cannot rename \"%s\" to \"%s\"", c->new_dir, c->pg_dir);
    return true;
}

/* The postmaster that postmaster.pid names, if that process lives and works in our directory; else 0. */
static pid_t stale_postmaster(const struct pgcluster *c)
{
    char text[32] = "", cwd[PATH_MAX];
    AUTO(mem_free) char *path = mem_printf("%s/postmaster.pid", c->pg_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    struct str rest = { text, n > 0 ? (size_t)n : 0 }, line;
    uint32_t pid;
    if (!str_split(&rest, '\n', &line) || !parse_u32(line, &pid, NULL))
        return 0;
    AUTO(mem_free) char *link = mem_printf("/proc/%u/cwd", pid);
    ssize_t length = readlink(link, cwd, sizeof cwd);
    return length > 0 && str_eq_c((struct str){ cwd, (size_t)length }, c->pg_dir) ? (pid_t)pid : 0;
}

/* Fast, then immediate, then kill. */
static bool end_postmaster(pid_t pid)
{
    static const struct {
        int signal;
        int64_t timeout_us;
    } steps[] = { { SIGINT, FAST_TIMEOUT }, { SIGQUIT, IMMEDIATE_TIMEOUT }, { SIGKILL, IMMEDIATE_TIMEOUT } };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        (void)kill(pid, steps[i].signal);
        if (pgproc_wait(pid, steps[i].timeout_us))
            return true;
    }
    return false;
}

static bool end_stale_postmaster(const struct pgcluster *c, struct err *err)
{
    pid_t pid = stale_postmaster(c);
    if (pid == 0)
        return true;
    log_warn("db_stale", "pid=%d dir=%s", (int)pid, c->pg_dir);
    if (!end_postmaster(pid))
        return err_set(err, ERR_SYSTEM, "PostgreSQL process %d of a former owner of \"%s\" does not end", (int)pid,
                       c->dir);
    return true;
}

/* Starting */

/* Elements of the list of socket directories are quoted like identifiers. */
static char *socket_option(const char *run_dir)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, URL_LIMIT_BYTES);
    buf_add_c(&b, "unix_socket_directories=\"");
    for (const char *p = run_dir; *p; p++) {
        if (*p == '"')
            buf_add_byte(&b, '"');
        buf_add_byte(&b, *p);
    }
    buf_add_byte(&b, '"');
    return mem_strndup(b.p, b.n);
}

/* The log of the server grows; at a start the old one steps aside. */
static void rotate_log(const struct pgcluster *c)
{
    struct stat st;
    AUTO(mem_free) char *old = mem_printf("%s.old", c->log_path);
    if (stat(c->log_path, &st) == 0 && st.st_size > LOG_KEEP_BYTES)
        (void)rename(c->log_path, old);
}

static bool spawn(struct pgcluster *c, struct err *err)
{
    AUTO(mem_free) char *postgres = mem_printf("%s/postgres", c->bin_dir);
    AUTO(mem_free) char *sockets = socket_option(c->run_dir);
    AUTO(mem_free) char *buffers = mem_printf("shared_buffers=%uMB", c->buffers_mb);
    /* Settings go on the command line, so that no file of the cluster has to be edited and a change of ours reaches old
     * ones. */
    const char *const argv[] = { postgres,
                                 "-D",
                                 c->pg_dir,
                                 "-p",
                                 PORT,
                                 "-c",
                                 "listen_addresses=",
                                 "-c",
                                 sockets,
                                 "-c",
                                 "unix_socket_permissions=0700",
                                 "-c",
                                 buffers,
                                 "-c",
                                 "max_connections=200",
                                 "-c",
                                 "max_wal_size=2GB",
                                 "-c",
                                 "checkpoint_timeout=15min",
                                 "-c",
                                 "jit=off",
                                 "-c",
                                 "timezone=UTC",
                                 "-c",
                                 "log_timezone=UTC",
                                 "-c",
                                 "logging_collector=off",
                                 "-c",
                                 "log_destination=stderr",
                                 "-c",
                                 "log_checkpoints=off",
                                 "-c",
                                 "log_min_error_statement=fatal",
                                 "-c",
                                 "cluster_name=experimentd",
                                 NULL };
    return pgproc_start(&c->user, argv, c->log_path, true, &c->pid, err);
}

static void pause_us(int64_t us)
{
    const struct timespec t = { .tv_sec = us / US_PER_SECOND, .tv_nsec = us % US_PER_SECOND * 1000 };
    (void)nanosleep(&t, NULL);
}

enum outcome { ANSWERS, ENDED, SILENT };

static enum outcome wait_until_it_answers(const struct pgcluster *c)
{
    int64_t begin = clock_mono_us(), wait_us = 10000;
    for (;;) {
        PGPing ping = PQping(c->super_url);
        int64_t waited = clock_mono_us() - begin;
        if (ping == PQPING_OK)
            return ANSWERS;
        if (c->pid && pgproc_ended(c->pid))
            return ENDED;
        if (waited > (ping == PQPING_REJECT ? RECOVERY_TIMEOUT : SILENT_TIMEOUT))
            return SILENT;
        pause_us(wait_us);
        wait_us = wait_us * 2 < POLL_US ? wait_us * 2 : POLL_US;
    }
}

static enum outcome start_once(struct pgcluster *c, struct err *err)
{
    char line[160];
    if (!spawn(c, err))
        return SILENT;
    enum outcome outcome = wait_until_it_answers(c);
    if (outcome == ANSWERS)
        return outcome;
    if (outcome == SILENT)
        (void)end_postmaster(c->pid);
    c->pid = 0;
    pgproc_last_line(c->log_path, line, sizeof line);
    err_set(err, ERR_SYSTEM, "PostgreSQL %s: %s", outcome == ENDED ? "did not start" : "does not answer", line);
    return outcome;
}

/* When the postmaster itself was killed, its children need a moment to notice; until then the shared memory is "in use". */
static bool start_server(struct pgcluster *c, struct err *err)
{
    enum outcome outcome = start_once(c, err);
    for (int attempt = 1; outcome == ENDED && attempt < START_ATTEMPTS; attempt++) {
        pause_us(US_PER_SECOND);
        outcome = start_once(c, err);
    }
    return outcome == ANSWERS;
}

static bool exists(struct pg *pg, const struct pg_stmt *stmt, bool *out, struct err *err)
{
    AUTO(pg_result_free) PGresult *r = pg_run(pg, stmt, NULL, err);
    if (!r)
        return false;
    *out = PQntuples(r) > 0;
    return true;
}

/* Our own role is no superuser. Either step may have been cut off from the other by a kill. */
static bool make_database(const struct pgcluster *c, struct err *err)
{
    static const struct pg_stmt role = { "cluster_role", 0, "select from pg_roles where rolname = '" DATABASE "'" };
    static const struct pg_stmt database = { "cluster_database", 0,
                                             "select from pg_database where datname = '" DATABASE "'" };
    bool have_role, have_database;
    AUTO(pg_close) struct pg *pg = pg_open(c->super_url, "experimentd cluster", NULL, 0, err);
    if (!pg || !exists(pg, &role, &have_role, err) || !exists(pg, &database, &have_database, err))
        return false;
    if (!have_role && !pg_exec(pg, "create role " DATABASE " login", err))
        return false;
    return have_database || pg_exec(pg, "create database " DATABASE " owner " DATABASE, err);
}

static bool prepare(struct pgcluster *c, const struct pgcluster_options *options, struct err *err)
{
    rotate_log(c);
    return find_bin_dir(c, options->bin_dir, err) && pgproc_check_search(&c->user, c->dir, err) &&
           make_private_directory(c, c->run_dir, err) && end_stale_postmaster(c, err) && make_cluster(c, err);
}

/* With the lock in hand. Takes c over. */
static struct pgcluster *start_locked(struct pgcluster *taken, const struct pgcluster_options *options, struct err *err)
{
    AUTO(cluster_free) struct pgcluster *c = taken;
    if (!prepare(c, options, err) || !start_server(c, err))
        return NULL;
    if (!make_database(c, err)) {
        pgcluster_stop(TAKE(c));
        return NULL;
    }
    log_info("db_started", "pid=%d dir=%s user=%s", (int)c->pid, c->pg_dir, c->user.name);
    return TAKE(c);
}

struct pgcluster *pgcluster_start(const struct pgcluster_options *options, struct err *err)
{
    AUTO(cluster_free) struct pgcluster *c = describe(options, err);
    if (!c || !take_lock(c, err))
        return NULL;
    return start_locked(TAKE(c), options, err);
}

void pgcluster_stop(struct pgcluster *c)
{
    if (c && c->pid && !end_postmaster(c->pid))
        log_error("db_stop_failed", "pid=%d", (int)c->pid);
    cluster_free(c);
}

/* Whether the cluster that somebody else runs has our database by now. */
static bool answers(const struct pgcluster *c)
{
    struct pg *pg = pg_open(c->url, "experimentd probe", NULL, 0, NULL);
    pg_close(pg);
    return pg != NULL;
}

char *pgcluster_connect(const struct pgcluster_options *options, const char *database_url,
                        struct pgcluster **out_cluster, struct err *err)
{
    struct err why;
    int64_t end = clock_mono_us() + SILENT_TIMEOUT;
    *out_cluster = NULL;
    if (database_url && *database_url)
        return mem_strdup(database_url);
    AUTO(cluster_free) struct pgcluster *c = describe(options, err);
    if (!c)
        return NULL;
    while (!take_lock(c, &why)) {
        /* Its owner may be starting or ending just now, so both are tried again. */
        if (why.kind == ERR_CONFLICT && answers(c))
            return mem_strdup(c->url);
        if (why.kind != ERR_CONFLICT || clock_mono_us() > end) {
            if (err)
                *err = why;
            return NULL;
        }
        pause_us(POLL_US);
    }
    *out_cluster = start_locked(TAKE(c), options, err);
    return *out_cluster ? mem_strdup((*out_cluster)->url) : NULL;
}
