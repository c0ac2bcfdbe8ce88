/* The engine "pipe": passes are run by whoever started this process, a driver that speaks the frames of passes.h on our fds 0 and 1; Spark's is
 * trainer/spark/driver.py. A pass is given as a whole and comes back as a whole; retries, speculation and lost hosts are the driver's to mend.
 *
 * The pipes are the process's, so what is known of the driver is, too: an engine may be opened again after a database went away. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "trainer/engine/frame.h"
#include "trainer/engine/pass.h"
#include "trainer/engine/passes.h"
#include "trainer/engine/retry.h"
#include "trainer/engine/spool.h"
#include "trainer/engine/wire.h"

enum { CANCEL_US = 60000000, GONE_MS = 2000 };

/* The driver. */
static struct {
    int to; /* 0: not greeted yet */
    bool gone;
    struct wire wire;
    char *app_id, *ui_url;
} driver;

/* What is known of the pass under way. */
struct pipe {
    struct event *readable;
    int64_t heard_us;
    bool ended;
    char **done;       /* DONE of each split, until the pass has ended */
    uint32_t fetching; /* split, or UINT32_MAX */
    uint32_t failed;   /* attempts of the pass, as far as told */
    struct spool_writer file;
    bool *sent; /* of e->blobs */
    size_t sent_count;
};

/* ---- frames ---- */

static bool send_bytes(struct str bytes)
{
    while (bytes.n && !driver.gone) {
        ssize_t n = write(driver.to, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        driver.gone = n <= 0;
        bytes = n > 0 ? (struct str){ bytes.p + n, bytes.n - (size_t)n } : bytes;
    }
    return !driver.gone;
}

static bool say(enum passes_frame type, uint32_t a, uint32_t b, struct str payload)
{
    AUTO(buf_release) struct buf out;
    struct frame f = { .type = (enum frame_type)type, .a = a, .b = b, .payload = payload };
    buf_init(&out, FRAME_PAYLOAD_MAX + FRAME_HEAD_BYTES);
    frame_write(&out, &f);
    if (out.failed)
        log_error("frame_too_large", "type=%d bytes=%zu", (int)type, payload.n);
    return !out.failed && send_bytes(buf_str(&out));
}

static bool say_json(enum passes_frame type, uint32_t a, uint32_t b, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    bool ok = say(type, a, b, str_of(text));
    mem_free(text);
    json_decref(json);
    return ok;
}

/* ---- a pass is given ---- */

static json_t *blobs_of(const struct engine *e)
{
    json_t *names = json_array();
    for (size_t i = 0; i < e->pass->blobs_count; i++)
        json_array_append_new(names, json_string(e->blobs[e->pass->blobs[i]].hash.text));
    return names;
}

static json_t *worker_of(const struct engine *e)
{
    return e->options.worker_path && *e->options.worker_path ? json_pack("[s, s]", e->options.worker_path, "worker")
                                                             : json_null();
}

static bool give_blob(const struct blob *b)
{
    char bytes[FRAME_PIECE_BYTES];
    size_t n = (size_t)snprintf(bytes, sizeof bytes, "%s", b->hash.text) + 1;
    FILE *f = fopen(b->path, "re");
    bool ok = f && say(PASSES_BLOB, 0, 1, (struct str){ bytes, n });
    while (ok && (n = fread(bytes, 1, sizeof bytes, f)) > 0)
        ok = say(PASSES_BLOB, 0, 1, (struct str){ bytes, n });
    if (f)
        (void)fclose(f);
    return ok && say(PASSES_BLOB, 0, 0, STR(""));
}

/* Sends those that the pass reads and the driver does not have; drops those that nobody can read any more. */
static bool give_blobs(struct engine *e)
{
    struct pipe *p = e->own;
    p->sent = mem_realloc(p->sent, (e->blobs_count + 1) * sizeof *p->sent);
    for (; p->sent_count < e->blobs_count; p->sent_count++)
        p->sent[p->sent_count] = false;
    for (size_t i = 0; i < e->blobs_count; i++)
        if (p->sent[i] && !e->blobs[i].path) {
            p->sent[i] = false;
            (void)say(PASSES_DROP, 0, 0, str_of(e->blobs[i].hash.text));
        }
    for (size_t i = 0; i < e->pass->blobs_count; i++) {
        size_t at = (size_t)e->pass->blobs[i];
        if (!p->sent[at] && !give_blob(&e->blobs[at]))
            return false;
        p->sent[at] = true;
    }
    return true;
}

static bool give(struct engine *e)
{
    uint32_t number = (uint32_t)e->pass_number;
    json_t *pass = json_pack("{s:s, s:b, s:i, s:o, s:f, s:o}", "name", e->pass->name, "dataset",
                             e->pass->out == ENGINE_DATASET, "input_pass", e->pass->input_pass, "blobs", blobs_of(e),
                             "stall", (double)e->options.stall_us / 1e6, "worker", worker_of(e));
    bool ok = give_blobs(e) && say_json(PASSES_PASS, number, 0, pass);
    for (uint32_t i = 0; ok && i < e->pass->splits_count; i++) {
        uint32_t split = e->order[i];
        if (e->splits[split].state != SPLIT_WAITS)
            continue;
        char *task = pass_task(e, split, true);
        ok = say(PASSES_SPLIT, split, number, str_of(task));
        mem_free(task);
    }
    return ok && say(PASSES_START, number, 0, STR(""));
}

/* ---- a pass comes back ---- */

static bool is_running(const struct engine *e, uint32_t split)
{
    return split < e->pass->splits_count && e->splits[split].state == SPLIT_RUNS;
}

static void fail(struct engine *e, enum err_kind kind, const char *why)
{
    if (e->failed)
        return;
    e->failed = true;
    err_set(&e->err, kind, "pass \"%s\": %s", e->pass->name, why);
    (void)event_base_loopbreak(e->base);
}

/* Data sets that the job wants as files are fetched one after the other; then the split is done. */
static void fetch_next(struct engine *e)
{
    struct pipe *p = e->own;
    struct err err;
    p->fetching = UINT32_MAX;
    for (uint32_t i = 0; i < e->pass->splits_count && p->fetching == UINT32_MAX; i++)
        if (p->done[i] && is_running(e, i))
            p->fetching = i;
    if (p->fetching == UINT32_MAX)
        return;
    AUTO(mem_free) char *path = pass_path(e, p->fetching);
    AUTO(mem_free) char *part = mem_printf("%s.part", path);
    if (!spool_writer_open(&p->file, part, e->datasets[e->pass_number].parts, &err))
        fail(e, err.kind, err.text);
    else if (!say(PASSES_FETCH, (uint32_t)e->pass_number, p->fetching, STR("")))
        fail(e, ERR_SYSTEM, "the driver has gone");
}

static void on_chunk(struct engine *e, uint32_t part, struct str chunk)
{
    struct pipe *p = e->own;
    struct err err;
    if (p->file.file && part < e->datasets[e->pass_number].parts && !spool_write(&p->file, part, chunk, &err))
        fail(e, err.kind, err.text);
}

static void on_fetched(struct engine *e, uint32_t split, json_t *said)
{
    struct pipe *p = e->own;
    struct err err = { 0 };
    const char *text = json_string_value(json_object_get(said, "text"));
    if (split != p->fetching || !p->file.file)
        return;
    AUTO(mem_free) char *path = pass_path(e, split);
    AUTO(mem_free) char *part = mem_printf("%s.part", path);
    bool ok = spool_writer_close(&p->file, &err) && (!text || !*text || err_set(&err, ERR_SYSTEM, "%s", text)) &&
              (rename(part, path) == 0 || err_set_errno(&err, "cannot rename \"%s\"", part));
    if (!ok) {
        (void)unlink(part);
        fail(e, err.kind, err.text);
        return;
    }
    pass_done(e, split, str_of(p->done[split]));
    if (!pass_is_over(e))
        fetch_next(e);
}

/* A split is done when its pass has ended, and its data set, where the job wants files, was fetched. */
static void on_done(struct engine *e, uint32_t split, struct str done)
{
    struct pipe *p = e->own;
    if (is_running(e, split) && !p->done[split])
        p->done[split] = mem_strndup(done.p, done.n);
}

static void finish(struct engine *e)
{
    struct pipe *p = e->own;
    if (e->pass->out == ENGINE_DATASET && e->pass->on_dataset) {
        fetch_next(e);
        return;
    }
    for (uint32_t i = 0; i < e->pass->splits_count; i++)
        if (p->done[i] && is_running(e, i))
            pass_done(e, i, str_of(p->done[i]));
}

/* What another attempt would not mend, or what Spark has tried often enough. The code says what of it is bad data. */
static void on_failure(struct engine *e, const json_t *said)
{
    const char *text = json_string_value(json_object_get(said, "text"));
    uint32_t split = (uint32_t)json_integer_value(json_object_get(said, "split"));
    if (!json_object_get(said, "code") || split >= e->pass->splits_count) {
        fail(e, ERR_SYSTEM, text ? text : "the driver says that it failed");
        return;
    }
    e->splits[split].attempts = (uint32_t)json_integer_value(json_object_get(said, "attempt"));
    pass_fail(e, retry_rule_of((int)json_integer_value(json_object_get(said, "code")))->kind, split, text ? text : "");
}

/* What did not count so far, of the pass. */
static void count_failures(struct engine *e, const json_t *said, const char *name)
{
    struct pipe *p = e->own;
    uint32_t failed = (uint32_t)json_integer_value(json_object_get(said, name));
    if (failed <= p->failed)
        return;
    e->result->counters.retries += failed - p->failed;
    e->result->counters.attempts += failed - p->failed;
    p->failed = failed;
}

static void on_ended(struct engine *e, const json_t *said)
{
    struct pipe *p = e->own;
    const char *state = json_string_value(json_object_get(said, "state"));
    p->ended = true;
    count_failures(e, said, "failed_tasks");
    if (state && strcmp(state, "done") == 0)
        finish(e);
    else if (state && strcmp(state, "cancelled") == 0)
        e->cancelled = true;
    else
        on_failure(e, said);
    if (!pass_is_over(e) && p->fetching == UINT32_MAX)
        fail(e, ERR_SYSTEM, "the driver gave no result of some splits");
    if (pass_is_over(e))
        (void)event_base_loopbreak(e->base);
}

static void on_progress(struct engine *e, const json_t *said)
{
    e->told_done = (uint32_t)json_integer_value(json_object_get(said, "done"));
    e->told_rows = (uint64_t)json_integer_value(json_object_get(said, "rows"));
    count_failures(e, said, "failed");
}

static void take_frame(struct engine *e, const struct frame *f)
{
    bool bytes = (int)f->type == PASSES_RESULT || (int)f->type == PASSES_DONE || (int)f->type == PASSES_CHUNK;
    json_auto_t *said = bytes ? NULL : json_loadb(f->payload.p, f->payload.n, 0, NULL);
    uint32_t pass = (uint32_t)e->pass_number;
    switch ((int)f->type) {
    case PASSES_RESULT:
        if (f->b == pass && is_running(e, f->a))
            pass_result(e, f->a, f->payload);
        break;
    case PASSES_DONE:
        if (f->b == pass)
            on_done(e, f->a, f->payload);
        break;
    case PASSES_CHUNK:
        on_chunk(e, f->a, f->payload);
        break;
    case PASSES_FETCHED:
        on_fetched(e, f->b, said);
        break;
    case PASSES_PROGRESS:
        if (f->a == pass)
            on_progress(e, said);
        break;
    case PASSES_ENDED:
        if (f->a == pass)
            on_ended(e, said);
        break;
    default:
        break;
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct engine *e = arg;
    struct pipe *p = e->own;
    struct frame f;
    enum wire_state state;
    while ((state = wire_peek(&driver.wire, &f)) == WIRE_FRAME) {
        p->heard_us = clock_mono_us();
        if (e->pass)
            take_frame(e, &f);
    }
    if (state == WIRE_END && !driver.gone) {
        driver.gone = true;
        (void)poll(NULL, 0,
                   GONE_MS); /* a driver that has died takes us with it (greet): the run is lost then, not failed */
    }
    if (driver.gone && e->pass)
        fail(e, ERR_SYSTEM, "the driver has gone");
    if (driver.gone)
        (void)event_base_loopbreak(e->base);
}

/* ---- the engine ---- */

/* Nothing of the pass may go on when this returns: its splits are asked to end, and the driver says when they have. */
static void cancel(struct engine *e)
{
    struct pipe *p = e->own;
    int64_t until_us = clock_mono_us() + CANCEL_US;
    (void)say(PASSES_CANCEL, (uint32_t)e->pass_number, 0, STR(""));
    while (!p->ended && !driver.gone && clock_mono_us() < until_us)
        (void)event_base_loop(e->base, EVLOOP_ONCE);
}

static void release_done(struct pipe *p, uint32_t count)
{
    for (uint32_t i = 0; p->done && i < count; i++)
        mem_free(p->done[i]);
    mem_free(p->done);
    p->done = NULL;
}

static void run(struct engine *e)
{
    struct pipe *p = e->own;
    p->ended = false;
    p->failed = 0;
    p->fetching = UINT32_MAX;
    p->heard_us = clock_mono_us();
    p->done = mem_zalloc((e->pass->splits_count + 1) * sizeof *p->done);
    if (!give(e))
        fail(e, ERR_SYSTEM, "the driver has gone");
    while (!pass_is_over(e))
        (void)event_base_loop(e->base, EVLOOP_ONCE);
    if (!p->ended && !driver.gone)
        cancel(e);
    if (p->file.file)
        (void)!spool_writer_close(&p->file, NULL);
    release_done(p, e->pass->splits_count);
    e->told_done = 0;
    e->told_rows = 0;
}

/* A driver that runs a pass speaks twice a second; one that fetches is heard by its chunks. */
static void tick(struct engine *e)
{
    struct pipe *p = e->own;
    if (clock_mono_us() - p->heard_us > 2 * e->options.stall_us)
        fail(e, ERR_SYSTEM, "the driver says nothing any more");
}

static void drop(struct engine *e, int pass)
{
    if (e->datasets[pass].count)
        (void)say(PASSES_DROP, (uint32_t)pass, 0, STR(""));
}

/* Standard output becomes the driver's alone: what jobs print goes to standard error. We die with the driver; whoever started it finds the run lost,
 * and another coordinator may take it over. */
static bool greet(struct err *err)
{
    struct frame f;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    driver.to = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (driver.to < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return err_set_errno(err, "cannot move standard output");
    wire_open(&driver.wire);
    if (wire_read(&driver.wire, &f) != WIRE_FRAME || (int)f.type != PASSES_ENGINE)
        return err_set(err, ERR_INVALID,
                       "engine \"pipe\" is for a driver that has started this program, such as Spark's");
    json_auto_t *said = json_loadb(f.payload.p, f.payload.n, 0, NULL);
    const char *app_id = json_string_value(json_object_get(said, "app_id"));
    const char *ui_url = json_string_value(json_object_get(said, "ui_url"));
    driver.app_id = mem_strdup(app_id ? app_id : "");
    driver.ui_url = mem_strdup(ui_url ? ui_url : "");
    log_info("driver", "app=%s version=%s", driver.app_id, json_string_value(json_object_get(said, "version")));
    return true;
}

static bool open_pipe(struct engine *e, struct err *err)
{
    if (!driver.to && !greet(err))
        return false;
    struct pipe *p = e->own = mem_zalloc(sizeof *p);
    p->readable = event_new(e->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_readable, e);
    (void)event_add(p->readable, NULL);
    if (e->options.on_app)
        e->options.on_app(e->options.arg, driver.app_id, driver.ui_url);
    return true;
}

static void close_pipe(struct engine *e)
{
    struct pipe *p = e->own;
    for (int pass = 0; pass < e->pass_number; pass++)
        drop(e, pass);
    for (size_t i = 0; i < p->sent_count; i++)
        if (p->sent[i])
            (void)say(PASSES_DROP, 0, 0, str_of(e->blobs[i].hash.text));
    event_free(p->readable);
    mem_free(p->sent);
    mem_free(p);
    e->own = NULL;
}

const struct engine_ops engine_pipe = {
    .name = "pipe",
    .open = open_pipe,
    .run = run,
    .tick = tick,
    .drop = drop,
    .close = close_pipe,
};
