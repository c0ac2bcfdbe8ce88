/* A task from its TASK frame to what is sent before DONE; one after the other in each worker process. */
#include "base/clock.h"
#include "base/hash.h"
#include "trainer/engine/runtime.h"

enum { HEARTBEAT_US = 1000000, ARENA_FIRST = 1 << 20 };

static bool gone(struct err *err)
{
    return err_set(err, ERR_CONFLICT, "the coordinator has gone");
}

/* ---- what it is ---- */

static struct str member(const json_t *json, const char *key)
{
    json_t *v = json_object_get(json, key);
    return (struct str){ json_string_value(v) ? json_string_value(v) : "", json_string_length(v) };
}

static uint32_t whole(const json_t *object, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(object, key));
}

static bool is_data(const struct task *t, size_t input)
{
    return json_is_true(json_object_get(json_array_get(t->inputs, input), "data"));
}

static bool open_output(struct task *t, struct err *err)
{
    json_t *spool = json_object_get(t->json, "spool");
    if (json_is_string(spool))
        return spool_writer_open(&t->out, json_string_value(spool), t->parts, err);
    return spool || emit_open(&t->emit, t->parts, err);
}

/* The DATA frames up to END. */
static bool take_data(struct task *t, struct err *err)
{
    struct frame f;
    uint32_t count;
    for (;;) {
        if (wire_read(t->wire, &f) != WIRE_FRAME)
            return gone(err);
        if (f.type == FRAME_CANCEL)
            return err_set(err, ERR_CONFLICT, "cancelled");
        if (f.type == FRAME_END && f.payload.n == sizeof count)
            break;
        if (f.type != FRAME_DATA || f.a >= task_inputs(t) || !is_data(t, f.a))
            return err_set(err, ERR_SYSTEM, "frame %d came where an input was to come", (int)f.type);
        if (!feed_add(&t->feed, f.a, f.b, f.payload, err))
            return false;
    }
    memcpy(&count, f.payload.p, sizeof count);
    return feed_end(&t->feed, count, err);
}

static bool wants_data(const struct task *t)
{
    for (size_t i = 0; i < task_inputs(t); i++)
        if (is_data(t, i))
            return true;
    return false;
}

/* The finaliser of splitmix64. */
static uint64_t mixed(uint64_t v)
{
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return v ^ (v >> 31);
}

static uint64_t rand_key_of(const struct task *t)
{
    uint64_t seed = (uint64_t)json_integer_value(json_object_get(t->json, "seed"));
    return mixed(mixed(seed ^ hash64(member(t->json, "pass"))) + t->split);
}

bool task_open(struct task *t, struct wire *wire, struct blob_checks *checks, const struct frame *f, struct err *err)
{
    json_error_t e;
    *t = (struct task){ .wire = wire, .checks = checks, .split = f->a, .attempt = f->b, .told_us = clock_mono_us() };
    arena_init(&t->arena, ARENA_FIRST);
    buf_init(&t->result, TASK_COLLECT_MAX);
    feed_init(&t->feed);
    t->json = json_loadb(f->payload.p, f->payload.n, 0, &e);
    if (!t->json)
        return err_set(err, ERR_SYSTEM, "the task is not JSON: %s", e.text);
    t->params = member(t->json, "params");
    t->desc = member(t->json, "desc");
    t->snapshot = member(t->json, "snapshot");
    t->database_url = member(t->json, "database_url").p;
    t->inputs = json_object_get(t->json, "inputs");
    t->parts = whole(t->json, "parts");
    t->rand_key = rand_key_of(t);
    put_init(&t->put, json_object_get(t->json, "publish"));
    return task_map_blobs(t, json_object_get(t->json, "blobs"), err) && (!wants_data(t) || take_data(t, err)) &&
           open_output(t, err);
}

const struct kernel *task_kernel(const struct task *t, struct err *err)
{
    struct str name = member(t->json, "kernel");
    for (size_t i = 0; kernels[i]; i++)
        if (str_eq_c(name, kernels[i]->name))
            return kernels[i];
    err_set(err, ERR_NOT_FOUND, "kernel \"" STR_FMT "\" is not known to this worker", STR_ARG(name));
    return NULL;
}

static bool send_result(struct task *t, struct err *err)
{
    struct str rest = buf_str(&t->result);
    while (rest.n) {
        struct str piece = { rest.p, rest.n < FRAME_PIECE_BYTES ? rest.n : FRAME_PIECE_BYTES };
        if (!wire_say(FRAME_RESULT, t->split, t->attempt, piece))
            return gone(err);
        rest = (struct str){ rest.p + piece.n, rest.n - piece.n };
    }
    buf_clear(&t->result);
    return true;
}

bool task_finish(struct task *t, struct err *err)
{
    return send_result(t, err) && (!t->out.file || spool_writer_close(&t->out, err)) &&
           (!t->emit.parts || emit_end(&t->emit, err)) &&
           (!t->put.publish || put_commit(&t->put, t, t->split, t->attempt, &t->bug, err));
}

void task_close(struct task *t)
{
    if (t->out.file)
        (void)!spool_writer_close(&t->out, NULL);
    emit_release(&t->emit);
    put_release(&t->put);
    task_unmap_blobs(t);
    spool_reader_close(&t->in);
    feed_release(&t->feed);
    buf_release(&t->result);
    arena_release(&t->arena);
    json_decref(t->json);
}

/* ---- what kernels call ---- */

uint32_t task_split(const struct task *t)
{
    return t->split;
}

struct str task_params(const struct task *t)
{
    return t->params;
}

struct str task_desc(const struct task *t)
{
    return t->desc;
}

struct pg **task_connection(struct task *t)
{
    return t->connection;
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
    return json_array_size(t->inputs);
}

/* The input that is open is another one: this one from its beginning. */
static bool open_input(struct task *t, size_t i, struct err *err)
{
    const json_t *input = json_array_get(t->inputs, i);
    task_again(t);
    t->in_at = i;
    return is_data(t, i) ||
           spool_reader_open(&t->in, member(input, "path").p, whole(input, "part"), whole(input, "parts"), err);
}

bool task_next(struct task *t, size_t i, struct str *out_block, bool *out_end, struct err *err)
{
    bool open = t->in.file || t->feed_seq;
    if ((!open || t->in_at != i) && !open_input(t, i, err))
        return false;
    return is_data(t, i) ? feed_read(&t->feed, (uint32_t)i, t->feed_seq++, out_block, out_end, err)
                         : spool_read(&t->in, out_block, out_end, err);
}

void task_again(struct task *t)
{
    spool_reader_close(&t->in);
    t->feed_seq = 0;
}

uint32_t task_parts(const struct task *t)
{
    return t->parts;
}

bool task_emit(struct task *t, uint32_t part, struct str record, struct err *err)
{
    if (t->emit.parts)
        return emit_write(&t->emit, part, record, err);
    if (!t->out.file)
        return err_set(err, ERR_INVALID, "the pass has no data set to emit to");
    return spool_write(&t->out, part, record, err);
}

bool task_collect(struct task *t, struct str bytes, struct err *err)
{
    t->collected += bytes.n;
    if (t->collected > TASK_COLLECT_MAX)
        return err_set(err, ERR_TOO_LARGE, "the result of a split is larger than %d MiB", TASK_COLLECT_MAX >> 20);
    buf_add_str(&t->result, bytes);
    return buf_ok(&t->result, "the result of a split", err) && (t->result.n < FRAME_PIECE_BYTES || send_result(t, err));
}

bool task_put(struct task *t, struct str tuple, struct err *err)
{
    return put_row(&t->put, t, tuple, err);
}

struct str task_blob(const struct task *t, size_t i)
{
    return i < t->blobs_count ? t->blobs[i] : STR("");
}

uint64_t task_rand(const struct task *t, uint64_t stream, uint64_t i)
{
    return mixed(mixed(t->rand_key + stream * UINT64_C(0xd1342543de82ef95)) + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* Beside the data set, where there is one: that disk is meant for it. */
int task_spill_fd(const struct task *t, struct err *err)
{
    const char *spool = json_string_value(json_object_get(t->json, "spool"));
    const char *slash = spool ? strrchr(spool, '/') : NULL;
    AUTO(mem_free) char *dir = slash ? mem_strndup(spool, (size_t)(slash - spool)) : NULL;
    return feed_temporary(dir, err);
}

/* What the coordinator says while the kernel runs. */
static bool listen(struct task *t, struct err *err)
{
    struct frame f;
    switch (wire_peek(t->wire, &f)) {
    case WIRE_BAD:
        return true;
    case WIRE_END:
        return gone(err);
    default:
        return f.type != FRAME_CANCEL || f.a != t->split || f.b != t->attempt ||
               err_set(err, ERR_CONFLICT, "cancelled");
    }
}

bool task_tick(struct task *t, uint64_t rows, struct err *err)
{
    int64_t now = clock_mono_us();
    t->rows += rows;
    if (now - t->told_us < HEARTBEAT_US)
        return true;
    t->told_us = now;
    struct str told = { (const char *)&t->rows, sizeof t->rows };
    return (wire_say(FRAME_PROGRESS, t->split, t->attempt, told) || gone(err)) && listen(t, err);
}
