/* The worker process: reads a TASK, runs its kernel, says RESULT and DONE or ERROR, reads the next. After a failure it ends: no state
 * survives an attempt. It dies with its coordinator: PR_SET_PDEATHSIG, and the end of file on fd 0. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "trainer/engine/frame.h"
#include "trainer/engine/spool.h"
#include "trainer/engine/task.h"

enum { IN_MAX = 32 << 20, HEARTBEAT_US = 1000000, ARENA_FIRST = 1 << 20 };

struct task {
    uint32_t split, attempt;
    json_t *json;
    struct str params, desc, snapshot;
    const char *database_url;
    uint32_t parts; /* of its data set */
    struct arena arena;
    struct spool_writer out;
    struct spool_reader in;
    size_t in_at; /* the input that is open */
    struct buf result;
    uint64_t rows;
    int64_t told_us;
};

static bool write_all(const struct buf *b)
{
    for (size_t at = 0; at < b->n;) {
        ssize_t n = write(STDOUT_FILENO, b->p + at, b->n - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static bool say(const struct task *t, enum frame_type type, struct str payload)
{
    struct buf b;
    struct frame f = { .type = type, .split = t ? t->split : 0, .attempt = t ? t->attempt : 0, .payload = payload };
    buf_init(&b, FRAME_PAYLOAD_MAX + FRAME_HEAD_BYTES);
    frame_write(&b, &f);
    bool ok = !b.failed && write_all(&b);
    buf_release(&b);
    return ok;
}

/* ---- what kernels call ---- */

struct str task_params(const struct task *t)
{
    return t->params;
}

struct str task_desc(const struct task *t)
{
    return t->desc;
}

const char *task_database_url(const struct task *t)
{
    return t->database_url;
}

struct str task_snapshot(const struct task *t)
{
    return t->snapshot;
}

struct arena *task_arena(struct task *t)
{
    return &t->arena;
}

size_t task_inputs(const struct task *t)
{
    return json_array_size(json_object_get(t->json, "inputs"));
}

static uint32_t whole(const json_t *object, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(object, key));
}

bool task_next(struct task *t, size_t i, struct str *out_block, bool *out_end, struct err *err)
{
    if (!t->in.file || t->in_at != i) {
        const json_t *input = json_array_get(json_object_get(t->json, "inputs"), i);
        const char *path = json_string_value(json_object_get(input, "path"));
        spool_reader_close(&t->in);
        t->in_at = i;
        if (!spool_reader_open(&t->in, path ? path : "", whole(input, "part"), whole(input, "parts"), err))
            return false;
    }
    return spool_read(&t->in, out_block, out_end, err);
}

void task_again(struct task *t)
{
    spool_reader_close(&t->in);
}

uint32_t task_parts(const struct task *t)
{
    return t->parts;
}

bool task_emit(struct task *t, uint32_t part, struct str record, struct err *err)
{
    if (!t->out.file)
        return err_set(err, ERR_SYSTEM, "the pass has no data set to emit to");
    return spool_write(&t->out, part, record, err);
}

bool task_collect(struct task *t, struct str bytes, struct err *err)
{
    buf_add_str(&t->result, bytes);
    return buf_ok(&t->result, "the result of a split", err);
}

bool task_tick(struct task *t, uint64_t rows, struct err *err)
{
    int64_t now = clock_mono_us();
    t->rows += rows;
    if (now - t->told_us < HEARTBEAT_US)
        return true;
    t->told_us = now;
    return say(t, FRAME_PROGRESS, (struct str){ (const char *)&t->rows, sizeof t->rows }) ||
           err_set(err, ERR_CONFLICT, "the coordinator has gone");
}

/* ---- one task ---- */

static const struct kernel *kernel_named(const char *name)
{
    for (size_t i = 0; kernels[i]; i++)
        if (name && strcmp(kernels[i]->name, name) == 0)
            return kernels[i];
    return NULL;
}

static struct str member(json_t *json, const char *key)
{
    json_t *v = json_object_get(json, key);
    return (struct str){ json_string_value(v) ? json_string_value(v) : "", json_string_length(v) };
}

static bool run_kernel(struct task *t, struct err *err)
{
    const struct kernel *k = kernel_named(json_string_value(json_object_get(t->json, "kernel")));
    const char *spool = json_string_value(json_object_get(t->json, "spool"));
    if (!k)
        return err_set(err, ERR_SYSTEM, "kernel \"%s\" is not known to this worker", member(t->json, "kernel").p);
    if (spool && !spool_writer_open(&t->out, spool, t->parts, err))
        return false;
    bool ok = k->run(t, err);
    if (t->out.file) {
        struct err closing;
        bool closed = spool_writer_close(&t->out, &closing);
        if (ok && !closed)
            *err = closing;
        ok = ok && closed;
    }
    return ok;
}

static int exit_code_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_INVALID:
        return WORKER_BAD_DATA;
    case ERR_TOO_LARGE:
    case ERR_SYSTEM:
        return WORKER_SYSTEM;
    default:
        return WORKER_AGAIN;
    }
}

/* 0, or the exit code of a worker that has failed. */
static int run_task(const struct frame *f)
{
    struct task t = { .split = f->split, .attempt = f->attempt, .told_us = clock_mono_us() };
    struct err err = { 0 };
    json_error_t e;
    t.json = json_loadb(f->payload.p, f->payload.n, 0, &e);
    t.params = member(t.json, "params");
    t.desc = member(t.json, "desc");
    t.snapshot = member(t.json, "snapshot");
    t.parts = whole(t.json, "parts");
    t.database_url = member(t.json, "database_url").p;
    arena_init(&t.arena, ARENA_FIRST);
    buf_init(&t.result, FRAME_PAYLOAD_MAX);
    bool ok = t.json ? run_kernel(&t, &err) : err_set(&err, ERR_SYSTEM, "the task is not JSON: %s", e.text);
    if (ok)
        ok = say(&t, FRAME_RESULT, buf_str(&t.result)) &&
             say(&t, FRAME_DONE, (struct str){ (const char *)&t.rows, sizeof t.rows });
    else
        (void)say(&t, FRAME_ERROR, str_of(err.text));
    spool_reader_close(&t.in);
    buf_release(&t.result);
    arena_release(&t.arena);
    json_decref(t.json);
    return ok ? 0 : exit_code_of(err.kind);
}

static int serve(struct buf *in)
{
    struct frame f;
    size_t size;
    for (;;) {
        enum frame_state state = frame_read(buf_str(in), &f, &size);
        if (state == FRAME_BAD)
            return WORKER_BUG;
        if (state == FRAME_WHOLE) {
            if (f.type != FRAME_TASK)
                return f.type == FRAME_BYE ? EXIT_SUCCESS : WORKER_BUG;
            int code = run_task(&f);
            if (code)
                return code;
            buf_consume(in, size);
            continue;
        }
        char *to = buf_reserve(in, 64 << 10);
        ssize_t n = to ? read(STDIN_FILENO, to, 64 << 10) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return EXIT_SUCCESS; /* the coordinator has gone */
        in->n += (size_t)n;
    }
}

int worker_main(int argc, char **argv)
{
    struct buf in;
    uint32_t parent;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc > 0 && parse_u32(str_of(argv[0]), &parent, NULL) && getppid() != (pid_t)parent)
        return EXIT_SUCCESS; /* the parent died before the line above */
    (void)signal(SIGPIPE, SIG_IGN);
    buf_init(&in, IN_MAX);
    int code = say(NULL, FRAME_HELLO, STR(EXPERIMENTD_VERSION)) ? serve(&in) : EXIT_SUCCESS;
    buf_release(&in);
    return code;
}
