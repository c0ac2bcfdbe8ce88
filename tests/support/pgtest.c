#include "tests/support/pgtest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DATABASES_MAX = 16, LINE_MAX_BYTES = 1024 };

static char *urls[DATABASES_MAX];
static char names[DATABASES_MAX][64];
static size_t database_count;
static pid_t owner;

static void __attribute__((noreturn)) give_up(const char *what, const char *why)
{
    (void)fprintf(stderr, "pgtest: %s: %s\n", what, why);
    abort();
}

/* What test_cluster wrote: the superuser's connection string without a database. */
static const char *server(void)
{
    static char line[LINE_MAX_BYTES];
    if (line[0])
        return line;
    const char *build = getenv("BUILD_DIR");
    AUTO(mem_free) char *path = mem_printf("%s/tests/cluster.url", build ? build : "build-dev");
    FILE *f = fopen(path, "re");
    if (!f || !fgets(line, sizeof line, f))
        give_up(
            path,
            "cannot be read; start the server with \"build-dev/tests/test_cluster start build-dev/tests/cluster.url\"");
    (void)fclose(f);
    line[strcspn(line, "\n")] = '\0';
    return line;
}

struct pg *pgtest_connect(const char *url, const struct pg_stmt *table, size_t count)
{
    struct err err;
    struct pg *pg = pg_open(url, "pgtest", table, count, &err);
    if (!pg)
        give_up(url, err.text);
    return pg;
}

struct pg *pgtest_superuser(void)
{
    AUTO(mem_free) char *url = mem_printf("%s dbname=postgres", server());
    return pgtest_connect(url, NULL, 0);
}

void pgtest_exec(struct pg *pg, const char *sql)
{
    struct err err;
    if (!pg_exec(pg, sql, &err))
        give_up(sql, err.text);
}

int64_t pgtest_number(struct pg *pg, const char *sql)
{
    struct err err;
    const struct pg_stmt stmt = { "pgtest_number", 0, sql };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &stmt, NULL, &err);
    if (!r)
        give_up(sql, err.text);
    if (PQntuples(r) < 1)
        give_up(sql, "no row");
    return pg_get_i64(r, 0, 0);
}

static void drop_all(void)
{
    if (getpid() != owner) /* a child that the test forked */
        return;
    AUTO(pg_close) struct pg *pg = pgtest_superuser();
    for (size_t i = 0; i < database_count; i++) {
        char sql[128];
        (void)snprintf(sql, sizeof sql, "drop database if exists %s with (force)", names[i]);
        (void)!pg_exec(pg, sql, NULL);
        mem_free(urls[i]);
    }
}

/* Copying one template at a time: PostgreSQL refuses while another session copies it, so copies take turns. */
static const char *make_database(const char *template)
{
    char sql[256];
    if (database_count == DATABASES_MAX)
        give_up("new database", "too many in one test");
    if (!owner) {
        owner = getpid();
        if (atexit(drop_all) != 0)
            give_up("new database", "atexit");
    }
    size_t i = database_count++;
    (void)snprintf(names[i], sizeof names[i], "t_%d_%zu", (int)owner, i);
    AUTO(pg_close) struct pg *pg = pgtest_superuser();
    pgtest_exec(pg, "select pg_advisory_lock(42)");
    (void)snprintf(sql, sizeof sql, "drop database if exists %s with (force)", names[i]);
    pgtest_exec(pg, sql);
    (void)snprintf(sql, sizeof sql, "create database %s template %s owner experimentd", names[i], template);
    pgtest_exec(pg, sql);
    const char *all = server();
    urls[i] = mem_printf("%.*s user=experimentd dbname=%s", (int)(strstr(all, " user=") - all), all, names[i]);
    return urls[i];
}

const char *pgtest_url(void)
{
    return make_database(PGTEST_TEMPLATE);
}

const char *pgtest_empty_url(void)
{
    return make_database("template0");
}

struct pg *pgtest_open(const struct pg_stmt *table, size_t count)
{
    return pgtest_connect(pgtest_url(), table, count);
}
