#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/pgcluster.h"
#include "base/pgloop.h"
#include "tests/support/pgtest.h"

enum { ADD, DIVIDE, SLEEP, WHO, STMT_COUNT, ANSWERS_MAX = 4096 };

static const struct pg_stmt stmts[STMT_COUNT] = {
    [ADD] = { "add", 2, "select $1::bigint + $2::bigint" },
    [DIVIDE] = { "divide", 2, "select $1::bigint / $2::bigint" },
    [SLEEP] = { "sleep", 1, "select 1 from pg_sleep($1::float8)" },
    [WHO] = { "who", 0, "select pg_backend_pid()" },
};

struct answer {
    unsigned calls;
    int64_t number;
    struct err err;
};

struct world {
    struct event_base *base;
    struct pgloop *loop;
    struct answer answers[ANSWERS_MAX];
    bool running; /* inside pgloop_run */
};

static struct world w;

static void on_answer(void *arg, const PGresult *r, const struct err *err)
{
    struct answer *a = arg;
    cr_assert(not(w.running), "called from inside pgloop_run");
    cr_assert(eq(int, r == NULL, err != NULL));
    a->calls++;
    if (err)
        a->err = *err;
    else
        a->number = pg_get_i64(r, 0, 0);
}

static void run(unsigned stmt, const char *x, const char *y, struct answer *a)
{
    w.running = true;
    pgloop_run(w.loop, &stmts[stmt], (const char *const[]){ x, y }, on_answer, a);
    w.running = false;
}

static void start_at(const char *url, int timeout_ms)
{
    w.base = event_base_new();
    w.loop = pgloop_new(w.base, url, "test_pgloop", stmts, STMT_COUNT, timeout_ms);
}

static void stop(void)
{
    pgloop_free(w.loop);
    event_base_free(w.base);
}

static void ignore_timeout(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* Turns the loop until the condition holds; a test that waits for ever is ended by CTest. */
#define TURN_UNTIL(condition)                                                          \
    do {                                                                               \
        struct event *tick_ = event_new(w.base, -1, EV_PERSIST, ignore_timeout, NULL); \
        event_add(tick_, &(struct timeval){ .tv_usec = 20000 });                       \
        while (!(condition))                                                           \
            event_base_loop(w.base, EVLOOP_ONCE);                                      \
        event_free(tick_);                                                             \
    } while (0)

Test(pgloop, answers_come_in_order_and_exactly_once)
{
    start_at(pgtest_url(), 0);
    TURN_UNTIL(pgloop_is_connected(w.loop));
    for (int i = 0; i < 1000; i++) {
        char x[12];
        (void)snprintf(x, sizeof x, "%d", i);
        run(ADD, x, "1", &w.answers[i]);
    }
    cr_assert(eq(sz, pgloop_in_flight(w.loop), 1000));
    TURN_UNTIL(pgloop_in_flight(w.loop) == 0);
    for (int i = 0; i < 1000; i++) {
        cr_assert(eq(uint, w.answers[i].calls, 1));
        cr_assert(eq(i64, w.answers[i].number, i + 1));
    }
    stop();
}

Test(pgloop, a_failed_statement_harms_no_neighbour)
{
    start_at(pgtest_url(), 0);
    TURN_UNTIL(pgloop_is_connected(w.loop));
    run(ADD, "1", "1", &w.answers[0]);
    run(DIVIDE, "1", "0", &w.answers[1]);
    run(ADD, "2", "2", &w.answers[2]);
    TURN_UNTIL(pgloop_in_flight(w.loop) == 0);
    cr_assert(eq(i64, w.answers[0].number, 2));
    cr_assert(eq(int, (int)w.answers[1].err.kind, ERR_INVALID));
    cr_assert(eq(str, w.answers[1].err.text, "divide: division by zero (sqlstate 22012)"));
    cr_assert(eq(i64, w.answers[2].number, 4));
    stop();
}

Test(pgloop, fails_at_once_but_later_while_there_is_no_connection)
{
    start_at("host=/nowhere dbname=none", 0);
    run(ADD, "1", "1", &w.answers[0]);
    cr_assert(eq(uint, w.answers[0].calls, 0));
    TURN_UNTIL(w.answers[0].calls);
    cr_assert(eq(int, (int)w.answers[0].err.kind, ERR_DB));
    cr_assert(not(pgloop_is_connected(w.loop)));
    stop();
}

Test(pgloop, free_fails_what_is_in_flight)
{
    start_at(pgtest_url(), 0);
    TURN_UNTIL(pgloop_is_connected(w.loop));
    run(SLEEP, "60", NULL, &w.answers[0]);
    run(ADD, "1", "1", &w.answers[1]);
    stop();
    for (int i = 0; i < 2; i++) {
        cr_assert(eq(uint, w.answers[i].calls, 1));
        cr_assert(eq(int, (int)w.answers[i].err.kind, ERR_DB));
    }
}

Test(pgloop, statement_timeout_cancels_and_the_connection_goes_on)
{
    start_at(pgtest_url(), 100);
    TURN_UNTIL(pgloop_is_connected(w.loop));
    run(SLEEP, "60", NULL, &w.answers[0]);
    run(ADD, "1", "1", &w.answers[1]);
    TURN_UNTIL(pgloop_in_flight(w.loop) == 0);
    cr_assert(eq(int, (int)w.answers[0].err.kind, ERR_DB));
    cr_assert(eq(i64, w.answers[1].number, 2));
    stop();
}

static void run_again(void *arg, const PGresult *r, const struct err *err)
{
    int *left = arg;
    cr_assert(r && !err);
    if (--*left > 0)
        pgloop_run(w.loop, &stmts[ADD], (const char *const[]){ "1", "2" }, run_again, left);
}

Test(pgloop, a_callback_may_run_the_next_statement)
{
    int left = 50;
    start_at(pgtest_url(), 0);
    TURN_UNTIL(pgloop_is_connected(w.loop));
    pgloop_run(w.loop, &stmts[ADD], (const char *const[]){ "1", "2" }, run_again, &left);
    TURN_UNTIL(left == 0);
    stop();
}

Test(pgloop, a_large_parameter_goes_out_in_pieces)
{
    enum { SIZE = 8 << 20 };
    static const struct pg_stmt length = { "length", 1, "select length($1::text)" };
    char *text = malloc(SIZE + 1);
    memset(text, 'x', SIZE);
    text[SIZE] = '\0';
    w.base = event_base_new();
    w.loop = pgloop_new(w.base, pgtest_url(), "test_pgloop", &length, 1, 0);
    TURN_UNTIL(pgloop_is_connected(w.loop));
    for (int i = 0; i < 3; i++)
        pgloop_run(w.loop, &length, (const char *const[]){ text }, on_answer, &w.answers[i]);
    TURN_UNTIL(pgloop_in_flight(w.loop) == 0);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(i64, w.answers[i].number, SIZE));
    free(text);
    stop();
}

Test(pgloop, survives_pg_terminate_backend)
{
    start_at(pgtest_url(), 0);
    TURN_UNTIL(pgloop_is_connected(w.loop));
    run(WHO, NULL, NULL, &w.answers[0]);
    TURN_UNTIL(w.answers[0].calls);
    run(SLEEP, "60", NULL, &w.answers[1]);
    TURN_UNTIL(true);
    struct pg *killer = pgtest_superuser();
    char sql[64];
    (void)snprintf(sql, sizeof sql, "select pg_terminate_backend(%d)", (int)w.answers[0].number);
    pgtest_exec(killer, sql);
    TURN_UNTIL(w.answers[1].calls);
    cr_assert(eq(int, (int)w.answers[1].err.kind, ERR_DB));
    TURN_UNTIL(pgloop_is_connected(w.loop));
    run(ADD, "20", "3", &w.answers[2]);
    TURN_UNTIL(w.answers[2].calls);
    cr_assert(eq(i64, w.answers[2].number, 23));
    cr_assert(eq(uint, w.answers[1].calls, 1));
    pg_close(killer);
    stop();
}

static void run_again_when_it_failed(void *arg, const PGresult *r, const struct err *err)
{
    struct answer *a = arg;
    on_answer(arg, r, err);
    if (err && a->calls == 1)
        run(ADD, "1", "1", a);
}

/* Wherever the connection breaks, each statement is answered once: with its own row or with ERR_DB. */
Test(pgloop, a_connection_that_breaks_answers_each_statement_once)
{
    enum { STATEMENTS = 2000 };
    const char *url = pgtest_url();
    struct pg *killer = pgtest_connect(url, NULL, 0);
    start_at(url, 0);
    for (int round = 0; round < 5; round++) {
        unsigned failed = 0;
        memset(w.answers, 0, sizeof w.answers);
        TURN_UNTIL(pgloop_is_connected(w.loop));
        for (int i = 0; i < STATEMENTS; i++) {
            char x[12];
            (void)snprintf(x, sizeof x, "%d", i);
            run(ADD, x, "0", &w.answers[i]);
            if (i == 400 * round)
                pgtest_exec(killer, "select pg_terminate_backend(pid) from pg_stat_activity "
                                    "where datname = current_database() and pid <> pg_backend_pid()");
            if (i % 100 == 0)
                event_base_loop(w.base, EVLOOP_NONBLOCK);
        }
        TURN_UNTIL(pgloop_in_flight(w.loop) == 0);
        for (int i = 0; i < STATEMENTS; i++) {
            struct answer *a = &w.answers[i];
            cr_assert(eq(uint, a->calls, 1));
            cr_assert(a->err.kind == ERR_DB || (a->err.kind == ERR_NONE && a->number == i), "%d: %s", i, a->err.text);
            failed += a->err.kind == ERR_DB;
        }
        cr_assert(gt(uint, failed, 0));
    }
    pg_close(killer);
    stop();
}

Test(pgloop, a_callback_that_tries_again_after_a_failure_is_answered_again)
{
    start_at("host=/nowhere dbname=none", 0);
    w.running = true;
    pgloop_run(w.loop, &stmts[ADD], (const char *const[]){ "1", "1" }, run_again_when_it_failed, &w.answers[0]);
    w.running = false;
    TURN_UNTIL(w.answers[0].calls == 2);
    stop();
    cr_assert(eq(uint, w.answers[0].calls, 2));
}

Test(pgloop, connects_again_after_a_restart_of_postgresql)
{
    char dir[] = "/tmp/expd-loop.XXXXXX", command[64];
    struct err err;
    cr_assert(mkdtemp(dir) && chmod(dir, 0755) == 0);
    const struct pgcluster_options options = { .data_dir = dir, .pg_user = "postgres", .shared_buffers_mb = 16 };
    struct pgcluster *cluster = pgcluster_start(&options, &err);
    cr_assert(cluster != NULL, "%s", err.text);
    start_at(pgcluster_url(cluster), 0);
    TURN_UNTIL(pgloop_is_connected(w.loop));
    run(SLEEP, "60", NULL, &w.answers[0]);
    TURN_UNTIL(true);
    pgcluster_stop(cluster);
    TURN_UNTIL(w.answers[0].calls);
    run(ADD, "1", "1", &w.answers[1]);
    TURN_UNTIL(w.answers[1].calls);
    cr_assert(eq(int, (int)w.answers[1].err.kind, ERR_DB));
    cluster = pgcluster_start(&options, &err);
    cr_assert(cluster != NULL, "%s", err.text);
    TURN_UNTIL(pgloop_is_connected(w.loop));
    run(ADD, "1", "1", &w.answers[2]);
    TURN_UNTIL(w.answers[2].calls);
    cr_assert(eq(i64, w.answers[2].number, 2));
    stop();
    pgcluster_stop(cluster);
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert(eq(int, system(command), 0));
}
