#include "trainer/run/beat.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { BEAT_US = 2000000, GRACE_US = 20000000, CANCELLED_STATUS = 130 };

struct beat {
    struct beat_options options;
    pthread_t thread;
    pthread_mutex_t lock; /* of news */
    struct row_news news;
    _Atomic int ask;    /* enum beat_ask */
    int signals, ended; /* descriptors: signalfd; eventfd that says that beat_stop was called */
    /* Of the thread alone: */
    struct pg *pg; /* NULL: away */
    int64_t started_us, next_us, asked_us;
    unsigned signals_heard;
    bool missed; /* the last beat: it was said */
};

static const struct {
    const char *state, *text;
    int status;
} asks[BEAT_ASK_COUNT] = {
    [BEAT_GO_ON] = { NULL, NULL, EXIT_SUCCESS },
    [BEAT_FENCED] = { NULL, "another coordinator has this run now, or it was ended", EXIT_FAILURE },
    [BEAT_CANCELLED] = { "cancelled", "cancelled", CANCELLED_STATUS },
    [BEAT_TIMEOUT] = { "timeout", "it ran longer than its timeout", EXIT_FAILURE },
};

const char *beat_state(enum beat_ask ask)
{
    return asks[ask].state;
}

enum beat_ask beat_asks(const struct beat *b)
{
    return (enum beat_ask)atomic_load(&b->ask);
}

bool beat_may_go_on(const struct beat *b, struct err *err)
{
    enum beat_ask ask = beat_asks(b);
    return ask == BEAT_GO_ON || err_set(err, ERR_CONFLICT, "%s", asks[ask].text);
}

void beat_tell(struct beat *b, const struct row_news *news)
{
    (void)pthread_mutex_lock(&b->lock);
    b->news = *news;
    (void)pthread_mutex_unlock(&b->lock);
}

/* ---- the thread ---- */

/* The first reason stays. */
static void ask(struct beat *b, enum beat_ask what)
{
    int none = BEAT_GO_ON;
    if (atomic_compare_exchange_strong(&b->ask, &none, (int)what))
        b->asked_us = clock_mono_us();
}

/* Publication holds the row; who waits for it without end hears of nothing else. */
static const char session[] = "set lock_timeout = '3s'; listen runs";

static bool connected(struct beat *b, struct err *err)
{
    if (b->pg && pg_is_alive(b->pg))
        return true;
    pg_close(b->pg);
    b->pg = row_connect(b->options.url, err);
    return b->pg && pg_exec(b->pg, session, err);
}

static struct row_news latest(struct beat *b)
{
    (void)pthread_mutex_lock(&b->lock);
    struct row_news news = b->news;
    (void)pthread_mutex_unlock(&b->lock);
    return news;
}

static void beat_once(struct beat *b)
{
    struct row_news news = latest(b);
    struct err err = { 0 };
    bool cancel = false;
    news.log_lines = lines_said(b->options.lines);
    b->next_us = clock_mono_us() + BEAT_US;
    bool ok = connected(b, &err) && lines_store(b->options.lines, b->pg, b->options.row, &err) &&
              row_beat(b->pg, b->options.row, &news, &cancel, &err);
    if (!ok && err.kind == ERR_CONFLICT)
        ask(b, BEAT_FENCED);
    else if (!ok && !b->missed)
        log_warn("run_beat_missed", LOG_ERR, LOG_ERR_ARG(&err));
    b->missed = !ok;
    if (cancel && beat_asks(b) == BEAT_GO_ON)
        ask(b, BEAT_CANCELLED);
}

/* The coordinator does not come to its ticks. */
static void end_hard(struct beat *b)
{
    enum beat_ask why = beat_asks(b);
    struct err err;
    struct row_news news = latest(b);
    struct row_end end = { .state = asks[why].state,
                           .error = asks[why].text,
                           .rows_in = news.rows_in,
                           .retries = news.retries,
                           .log_lines = lines_said(b->options.lines) };
    b->asked_us = INT64_MAX / 2;
    if (end.state && connected(b, &err) && !row_end(b->pg, b->options.row, &end, &err) && err.kind == ERR_CONFLICT)
        return; /* it has just ended by itself */
    _exit(asks[why].status);
}

static void hear_notifications(struct beat *b)
{
    const char *id = b->options.row->id;
    if (!PQconsumeInput(b->pg->conn)) {
        struct pg *gone = TAKE(b->pg);
        pg_close(gone); /* the next beat connects again; its descriptor would wake us until then */
        return;
    }
    for (PGnotify *n; (n = PQnotifies(b->pg->conn)); PQfreemem(n))
        if (strncmp(n->extra, id, strlen(id)) == 0)
            b->next_us = 0;
}

static void hear_signals(struct beat *b)
{
    struct signalfd_siginfo info;
    while (read(b->signals, &info, sizeof info) == (ssize_t)sizeof info)
        b->signals_heard++;
    ask(b, BEAT_CANCELLED);
    if (b->signals_heard > 1)
        end_hard(b);
}

static void look_at_clock(struct beat *b)
{
    int64_t now = clock_mono_us(), timeout = b->options.row->timeout_us;
    if (timeout && now - b->started_us > timeout && beat_asks(b) == BEAT_GO_ON)
        ask(b, BEAT_TIMEOUT);
    if (beat_asks(b) != BEAT_GO_ON && now - b->asked_us > GRACE_US)
        end_hard(b);
    if (now >= b->next_us)
        beat_once(b);
}

static int wait_ms(const struct beat *b)
{
    int64_t now = clock_mono_us(), until = b->next_us;
    if (b->options.row->timeout_us && b->started_us + b->options.row->timeout_us > now &&
        b->started_us + b->options.row->timeout_us < until)
        until = b->started_us + b->options.row->timeout_us;
    return until > now ? (int)((until - now) / 1000) + 1 : 0;
}

static void *beats(void *arg)
{
    struct beat *b = arg;
    for (;;) {
        struct pollfd fds[] = { { .fd = b->ended, .events = POLLIN },
                                { .fd = b->signals, .events = POLLIN },
                                { .fd = b->pg ? PQsocket(b->pg->conn) : -1, .events = POLLIN } };
        (void)poll(fds, COUNT_OF(fds), wait_ms(b));
        if (fds[0].revents)
            return NULL;
        if (fds[1].revents)
            hear_signals(b);
        if (fds[2].revents)
            hear_notifications(b);
        look_at_clock(b);
    }
}

/* ---- its life ---- */

static void release(struct beat *b)
{
    pg_close(b->pg);
    if (b->signals >= 0)
        (void)close(b->signals);
    if (b->ended >= 0)
        (void)close(b->ended);
    (void)pthread_mutex_destroy(&b->lock);
    mem_free(b);
}

struct beat *beat_start(const struct beat_options *options, struct err *err)
{
    sigset_t ours;
    struct beat *b = mem_zalloc(sizeof *b);
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGINT);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigaddset(&ours, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &ours, NULL);
    (void)pthread_mutex_init(&b->lock, NULL);
    b->options = *options;
    b->news.pass = -1;
    b->started_us = clock_mono_us();
    b->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    b->ended = eventfd(0, EFD_CLOEXEC);
    if (b->signals < 0 || b->ended < 0)
        err_set_errno(err, "cannot make the descriptors of the heartbeat");
    else if (connected(b, err)) {
        errno = pthread_create(&b->thread, NULL, beats, b);
        if (errno == 0)
            return b;
        err_set_errno(err, "cannot start the heartbeat");
    }
    release(b);
    return NULL;
}

void beat_stop(struct beat *b)
{
    uint64_t one = 1;
    if (!b)
        return;
    if (write(b->ended, &one, sizeof one) == (ssize_t)sizeof one)
        (void)pthread_join(b->thread, NULL);
    release(b);
}
