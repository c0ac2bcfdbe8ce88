/* How it works. One entry of the FIFO stands for one statement that was sent, with its own sync behind it. Results come
 * in the same order: rows or an error, then an empty result, then the sync, at which the entry is done. What a connect
 * needs (session settings, prepared statements) goes through the same FIFO; when its last entry is done, the connection
 * is ready.
 *
 *   away --timer--> connecting --PQconnectPoll--> preparing --last setup entry--> ready --error--> away
 *
 * Callbacks run from the loop only: a statement that cannot be sent waits in `refused` for an event that is made active
 * at once. Statements of one turn leave in one write, by the same event. Every function runs on the thread of the
 * event_base. */
#include "base/pgloop.h"

#include <assert.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netdb.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"

#define BACK_OFF_FIRST (US_PER_SECOND / 20)
#define BACK_OFF_MAX (10 * US_PER_SECOND)
#define CONNECT_TIMEOUT (10 * US_PER_SECOND)

/* More than a worker's connections could ask for at once; beyond it a statement is refused as busy. */
enum { IN_FLIGHT_MAX = 16384 };

enum state { AWAY, CONNECTING, PREPARING, READY };

struct entry {
    struct entry *next;
    const char *name; /* of the statement */
    pgloop_fn fn;     /* NULL: part of the setup */
    void *arg;
    PGresult *result;
    struct err err; /* of a refused statement */
};

struct fifo {
    struct entry *first, **end;
    size_t count;
};

struct pgloop {
    struct event_base *base;
    struct event io, timer, turn;
    PGconn *conn;
    char *url, *who, *hostaddr, *timeout_text;
    const struct pg_stmt *table;
    size_t table_count;
    enum state state;
    struct fifo sent, refused;
    int64_t back_off_us;
    bool in_callback, said_away;
    bool broken;     /* a statement went half into the pipeline */
    struct err away; /* why there is no connection */
};

/* FIFO */

static void fifo_init(struct fifo *f)
{
    *f = (struct fifo){ .first = NULL };
    f->end = &f->first;
}

static struct entry *fifo_push(struct fifo *f, const char *name, pgloop_fn fn, void *arg)
{
    struct entry *e = mem_zalloc(sizeof *e);
    e->name = name;
    e->fn = fn;
    e->arg = arg;
    *f->end = e;
    f->end = &e->next;
    f->count++;
    return e;
}

static struct entry *fifo_pop(struct fifo *f)
{
    struct entry *e = f->first;
    if (!e)
        return NULL;
    f->first = e->next;
    if (!f->first)
        f->end = &f->first;
    f->count--;
    return e;
}

static void entry_free(struct entry *e)
{
    PQclear(e->result);
    mem_free(e);
}

static void call_back(struct pgloop *p, const struct entry *e, const PGresult *r, const struct err *err)
{
    if (!e->fn)
        return;
    p->in_callback = true;
    e->fn(e->arg, err ? NULL : r, err);
    p->in_callback = false;
}

/* Fails the entries that stand in the list now; what their callbacks add stays for the next time. */
static void fail_all(struct pgloop *p, struct fifo *f, const struct err *err)
{
    for (size_t n = f->count; n > 0; n--) {
        struct entry *e = fifo_pop(f);
        call_back(p, e, NULL, err ? err : &e->err);
        entry_free(e);
    }
}

/* The connection and its events */

static struct timeval timeval_of(int64_t us)
{
    return (struct timeval){ .tv_sec = us / US_PER_SECOND, .tv_usec = us % US_PER_SECOND };
}

static void set_timer(struct pgloop *p, int64_t us)
{
    struct timeval t = timeval_of(us);
    event_add(&p->timer, &t);
}

static void on_io(evutil_socket_t fd, short what, void *arg);

static bool waits_for(const struct pgloop *p, short what)
{
    return event_initialized(&p->io) && event_pending(&p->io, what, NULL) &&
           (event_get_events(&p->io) & (EV_READ | EV_WRITE)) == what;
}

/* While it connects, libpq may go on with another socket that has the same number, so then the event is always made
 * anew. */
static void wait_for(struct pgloop *p, short what)
{
    if (p->state != CONNECTING && waits_for(p, what))
        return;
    if (event_initialized(&p->io))
        event_del(&p->io);
    event_assign(&p->io, p->base, PQsocket(p->conn), (short)(what | EV_PERSIST), on_io, p);
    event_add(&p->io, NULL);
}

static void close_connection(struct pgloop *p)
{
    if (event_initialized(&p->io))
        event_del(&p->io);
    PQfinish(p->conn);
    p->conn = NULL;
    p->state = AWAY;
    p->broken = false;
}

/* Half of the delay is fixed, half random, so that workers that lost the same server do not come back in step. */
static int64_t jittered(int64_t us)
{
    uint32_t random = 0;
    (void)!getrandom(&random, sizeof random, 0);
    return us / 2 + (int64_t)((double)us / 2 * ((double)random / UINT32_MAX));
}

/* Everything in flight fails with `why`; another try comes after the back-off. */
static void lose(struct pgloop *p, const struct err *why)
{
    struct fifo lost = p->sent;
    if (lost.first == NULL)
        fifo_init(&lost);
    fifo_init(&p->sent);
    p->away = *why;
    close_connection(p);
    if (!p->said_away)
        log_warn("db_away", LOG_ERR, LOG_ERR_ARG(why));
    p->said_away = true;
    set_timer(p, jittered(p->back_off_us));
    p->back_off_us = p->back_off_us * 2 < BACK_OFF_MAX ? p->back_off_us * 2 : BACK_OFF_MAX;
    fail_all(p, &lost, &p->away);
}

static void lose_with(struct pgloop *p, const char *what)
{
    struct err why;
    pg_err(p->conn, NULL, what, &why);
    lose(p, &why);
}

static void ask_for_turn(struct pgloop *p)
{
    event_active(&p->turn, EV_TIMEOUT, 0);
}

/* Sends what is buffered; waits for writability while not all of it went. */
static void flush(struct pgloop *p)
{
    int left = PQflush(p->conn);
    if (left < 0)
        lose_with(p, "cannot send");
    else
        wait_for(p, left ? EV_READ | EV_WRITE : EV_READ);
}

static bool send_setup(struct pgloop *p)
{
    static const char session[] =
        "select set_config('statement_timeout', $1, false), set_config('timezone', 'UTC', false), "
        "set_config('datestyle', 'ISO, YMD', false), " PG_NETWORK_SESSION;
    const char *const params[] = { p->timeout_text };
    bool ok = PQsendQueryParams(p->conn, session, 1, NULL, params, NULL, NULL, 0) && PQpipelineSync(p->conn);
    fifo_push(&p->sent, "session", NULL, NULL);
    for (size_t i = 0; ok && i < p->table_count; i++) {
        const struct pg_stmt *stmt = &p->table[i];
        ok = PQsendPrepare(p->conn, stmt->name, stmt->sql, stmt->params, NULL) && PQpipelineSync(p->conn);
        fifo_push(&p->sent, stmt->name, NULL, NULL);
    }
    return ok;
}

static void ignore_notice(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

static void connected(struct pgloop *p)
{
    p->state = PREPARING;
    PQsetNoticeReceiver(p->conn, ignore_notice, NULL);
    if (PQsetnonblocking(p->conn, 1) != 0 || !PQenterPipelineMode(p->conn) || !send_setup(p)) {
        lose_with(p, "cannot prepare the connection");
        return;
    }
    flush(p);
}

static void become_ready(struct pgloop *p)
{
    p->state = READY;
    p->back_off_us = BACK_OFF_FIRST;
    p->said_away = false;
    event_del(&p->timer);
    log_debug("db_ready", "who=\"%s\"", p->who);
}

static void poll_connect(struct pgloop *p)
{
    switch (PQconnectPoll(p->conn)) {
    case PGRES_POLLING_OK:
        connected(p);
        break;
    case PGRES_POLLING_READING:
        wait_for(p, EV_READ);
        break;
    case PGRES_POLLING_WRITING:
        wait_for(p, EV_WRITE);
        break;
    default:
        lose_with(p, "cannot connect to PostgreSQL");
    }
}

static void start_connecting(struct pgloop *p)
{
    /* A URL's own values come behind ours and win, except for the name. GSS and its ticket cache would block. */
    const char *const names[] = { "gssencmode",
                                  PG_NETWORK_NAMES,
                                  "dbname",
                                  "application_name",
                                  "client_encoding",
                                  p->hostaddr ? "hostaddr" : NULL,
                                  NULL };
    const char *const values[] = { "disable", PG_NETWORK_VALUES, p->url, p->who, "UTF8", p->hostaddr, NULL };
    p->conn = PQconnectStartParams(names, values, 1);
    if (!p->conn || PQstatus(p->conn) == CONNECTION_BAD) {
        lose_with(p, "cannot connect to PostgreSQL");
        return;
    }
    p->state = CONNECTING;
    set_timer(p, CONNECT_TIMEOUT);
    wait_for(p, EV_WRITE);
}

/* Results */

static void finish(struct pgloop *p, struct entry *e)
{
    struct err err;
    ExecStatusType status = PQresultStatus(e->result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        call_back(p, e, e->result, NULL);
        if (!e->fn && p->sent.count == 0)
            become_ready(p);
        return;
    }
    pg_err(p->conn, e->result, e->name, &err);
    if (e->fn)
        call_back(p, e, NULL, &err);
    else
        lose(p, &err);
}

/* Takes one result; false when the connection was lost over it or nothing more can be taken. */
static bool take_result(struct pgloop *p)
{
    struct entry *e = p->sent.first;
    PGresult *r = PQgetResult(p->conn);
    if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
        PGconn *conn = p->conn;
        PQclear(r);
        (void)fifo_pop(&p->sent);
        finish(p, e);
        entry_free(e);
        return p->conn == conn;
    }
    if (r) {
        PQclear(e->result);
        e->result = r;
    }
    return PQstatus(p->conn) == CONNECTION_OK;
}

static void read_results(struct pgloop *p)
{
    PGconn *conn = p->conn;
    if (!PQconsumeInput(conn)) {
        lose_with(p, "connection lost");
        return;
    }
    while (p->sent.first && !PQisBusy(p->conn))
        if (!take_result(p))
            break;
    /* Nothing may be left of the connection here, or a new one. */
    if (p->conn != conn)
        return;
    if (PQstatus(conn) != CONNECTION_OK)
        lose_with(p, "connection lost");
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
    struct pgloop *p = arg;
    (void)fd;
    if (p->state == CONNECTING) {
        poll_connect(p);
        return;
    }
    if (what & EV_READ)
        read_results(p);
    if (p->conn && p->state >= PREPARING)
        flush(p);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct pgloop *p = arg;
    struct err why;
    (void)fd;
    (void)what;
    if (p->state == AWAY) {
        start_connecting(p);
    } else if (p->state != READY) {
        err_set(&why, ERR_DB, "cannot connect to PostgreSQL: no answer in %d seconds",
                (int)(CONNECT_TIMEOUT / US_PER_SECOND));
        lose(p, &why);
    }
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct pgloop *p = arg;
    (void)fd;
    (void)what;
    fail_all(p, &p->refused, NULL);
    if (p->refused.count)
        ask_for_turn(p);
    if (p->broken)
        lose_with(p, "cannot send");
    else if (p->state == READY)
        flush(p);
}

/* Life */

/* libpq resolves names while the caller waits; a worker may not wait, so a single host name is resolved here, once. */
static char *resolve(const char *url)
{
    char *hostaddr = NULL;
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    const char *host = NULL, *given = NULL;
    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, "host") == 0)
            host = o->val;
        if (strcmp(o->keyword, "hostaddr") == 0)
            given = o->val;
    }
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    if (host && !given && *host && *host != '/' && *host != '@' && getaddrinfo(host, NULL, &hints, &found) == 0) {
        char text[NI_MAXHOST];
        if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
            hostaddr = mem_strdup(text);
        freeaddrinfo(found);
    }
    PQconninfoFree(options);
    return hostaddr;
}

struct pgloop *pgloop_new(struct event_base *base, const char *url, const char *who, const struct pg_stmt *table,
                          size_t count, int statement_timeout_ms)
{
    struct pgloop *p = mem_zalloc(sizeof *p);
    p->base = base;
    p->url = mem_strdup(url);
    p->who = mem_strdup(who);
    p->hostaddr = resolve(url);
    p->timeout_text = mem_printf("%d", statement_timeout_ms);
    p->table = table;
    p->table_count = table ? count : 0;
    p->back_off_us = BACK_OFF_FIRST;
    err_set(&p->away, ERR_DB, "not connected to PostgreSQL yet");
    fifo_init(&p->sent);
    fifo_init(&p->refused);
    evtimer_assign(&p->timer, base, on_timer, p);
    event_assign(&p->turn, base, -1, 0, on_turn, p);
    set_timer(p, 0);
    return p;
}

void pgloop_free(struct pgloop *p)
{
    struct err why;
    if (!p)
        return;
    assert(!p->in_callback);
    err_set(&why, ERR_DB, "the connection is being closed");
    close_connection(p);
    p->away = why;
    while (p->sent.count)
        fail_all(p, &p->sent, &why);
    while (p->refused.count)
        fail_all(p, &p->refused, NULL);
    event_del(&p->timer);
    event_del(&p->turn);
    mem_free(p->url);
    mem_free(p->who);
    mem_free(p->hostaddr);
    mem_free(p->timeout_text);
    mem_free(p);
}

bool pgloop_is_connected(const struct pgloop *p)
{
    return p->state == READY;
}

size_t pgloop_in_flight(const struct pgloop *p)
{
    return (p->state == PREPARING ? 0 : p->sent.count) + p->refused.count;
}

static struct entry *refuse(struct pgloop *p, const struct pg_stmt *stmt, pgloop_fn fn, void *arg)
{
    ask_for_turn(p);
    return fifo_push(&p->refused, stmt->name, fn, arg);
}

void pgloop_run(struct pgloop *p, const struct pg_stmt *stmt, const char *const *params, pgloop_fn fn, void *arg)
{
    assert(stmt >= p->table && stmt < p->table + p->table_count && fn);
    if (p->state != READY || p->broken) {
        struct entry *e = refuse(p, stmt, fn, arg);
        e->err = p->away;
        e->err.kind = ERR_DB;
        return;
    }
    if (p->sent.count >= IN_FLIGHT_MAX) {
        err_set(&refuse(p, stmt, fn, arg)->err, ERR_BUSY, "%s: too many statements in flight", stmt->name);
        return;
    }
    if (!PQsendQueryPrepared(p->conn, stmt->name, stmt->params, params, NULL, NULL, 0) || !PQpipelineSync(p->conn)) {
        /* Half of it may be in the pipeline: what follows could not be told apart, so the turn gives the connection up.
         */
        pg_err(p->conn, NULL, stmt->name, &refuse(p, stmt, fn, arg)->err);
        p->broken = true;
        return;
    }
    fifo_push(&p->sent, stmt->name, fn, arg);
    ask_for_turn(p);
}
