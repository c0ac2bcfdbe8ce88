/* What is the same for every engine: opening, a pass from its beginning to its end, progress, cancelling, data sets. */
#include "trainer/engine/engine.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/pg.h"
#include "trainer/engine/pass.h"
#include "trainer/engine/publish.h"
#include "trainer/engine/spool.h"
#include "trainer/engine/task.h"

enum { WORKERS_MAX = 256, TICK_US = 200000, MEMORY_MB_DEFAULT = 1024, MAX_ATTEMPTS_DEFAULT = 4 };

static const struct engine_ops *const engines[] = { &engine_local, &engine_pipe, NULL };

/* ---- what happens while a pass runs ---- */

static void stop(struct engine *e)
{
    (void)event_base_loopbreak(e->base);
}

static void check_deadline(struct engine *e)
{
    int64_t limit_us = e->pass->deadline_us ? e->pass->deadline_us : e->options.deadline_us;
    if (!limit_us || clock_mono_us() - e->began_us < limit_us || pass_is_over(e))
        return;
    e->failed = true;
    err_set(&e->err, ERR_SYSTEM, "pass \"%s\" took longer than its %.0f s: %u of %u splits were done", e->pass->name,
            (double)limit_us / 1e6, e->done, e->pass->splits_count);
    stop(e);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct engine *e = arg;
    uint64_t rows = 0;
    uint32_t done = e->done > e->told_done ? e->done : e->told_done;
    if (!e->pass)
        return;
    for (uint32_t i = 0; i < e->pass->splits_count; i++)
        rows += e->splits[i].rows;
    rows = rows > e->told_rows ? rows : e->told_rows;
    if (e->ops->tick)
        e->ops->tick(e);
    check_deadline(e);
    if (e->options.on_progress && !e->options.on_progress(e->options.arg, e->pass->name, done, e->pass->splits_count,
                                                          rows, e->result->counters.retries)) {
        e->cancelled = true;
        stop(e);
    }
}

static void on_cancel(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct engine *e = arg;
    e->cancelled = true;
    stop(e);
}

/* ---- a pass begins ---- */

static const struct engine_split *sorting; /* qsort has no argument; the coordinator has one thread */

static int heavier(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (sorting[x].weight != sorting[y].weight)
        return sorting[x].weight > sorting[y].weight ? -1 : 1;
    return x < y ? -1 : x > y;
}

static bool check_pass(const struct engine *e, const struct engine_pass *p, struct err *err)
{
    if (p->parts > ENGINE_PARTS_MAX)
        return err_set(err, ERR_INVALID, "pass \"%s\": %u parts: must be 1 to %d", p->name, p->parts, ENGINE_PARTS_MAX);
    for (size_t i = 0; i < p->blobs_count; i++)
        assert(p->blobs[i] >= 0 && (size_t)p->blobs[i] < e->blobs_count && e->blobs[p->blobs[i]].path);
    assert(p->input_pass < e->pass_number);
    return p->out != ENGINE_PUBLISH || (p->table && p->columns && e->options.run) ||
           err_set(err, ERR_INVALID, "pass \"%s\" publishes, but names no table, columns or run", p->name);
}

static void name_split(struct engine *e, uint32_t i, const struct store_key *blobs)
{
    const struct engine_split *s = &e->pass->splits[i];
    struct dataset *from = e->pass->input_pass < 0 ? NULL : &e->datasets[e->pass->input_pass];
    struct store_key *inputs = mem_alloc((s->inputs_count + 1) * sizeof *inputs);
    for (size_t k = 0; k < s->inputs_count; k++) {
        assert(from && s->inputs[k].split < from->count && s->inputs[k].part < from->parts);
        inputs[k] = from->keys[s->inputs[k].split];
    }
    e->splits[i].key = store_key_of(e->pass, s, inputs, blobs, str_of(e->nonce));
    mem_free(inputs);
}

static void name_splits(struct engine *e)
{
    struct store_key *blobs = mem_zalloc((e->pass->blobs_count + 1) * sizeof *blobs);
    for (size_t i = 0; i < e->pass->blobs_count; i++)
        blobs[i] = e->blobs[e->pass->blobs[i]].hash;
    for (uint32_t i = 0; i < e->pass->splits_count; i++)
        name_split(e, i, blobs);
    mem_free(blobs);
}

static void prepare(struct engine *e, const struct engine_pass *pass, struct engine_result *out)
{
    *out = (struct engine_result){ .count = pass->splits_count };
    out->parts = mem_zalloc((pass->splits_count + 1) * sizeof *out->parts);
    e->pass = pass;
    e->result = out;
    e->done = 0;
    e->failed = false;
    e->began_us = clock_mono_us();
    e->splits = mem_zalloc((pass->splits_count + 1) * sizeof *e->splits);
    e->order = mem_alloc((pass->splits_count + 1) * sizeof *e->order);
    for (uint32_t i = 0; i < pass->splits_count; i++) {
        buf_init(&out->parts[i], TASK_COLLECT_MAX);
        e->order[i] = i;
    }
    e->datasets = mem_realloc(e->datasets, (size_t)(e->pass_number + 1) * sizeof *e->datasets);
    struct dataset *d = &e->datasets[e->pass_number];
    *d = (struct dataset){ .count = pass->splits_count, .parts = pass->parts ? pass->parts : 1 };
    d->paths = mem_zalloc((pass->splits_count + 1) * sizeof *d->paths);
    d->kept = mem_zalloc((pass->splits_count + 1) * sizeof *d->kept);
    d->keys = mem_zalloc((pass->splits_count + 1) * sizeof *d->keys);
    sorting = pass->splits;
    qsort(e->order, pass->splits_count, sizeof *e->order, heavier);
    name_splits(e);
}

/* ---- what is there already ---- */

/* What is kept is known by its contents. */
static void take_kept(struct engine *e, uint32_t i)
{
    struct dataset *d = &e->datasets[e->pass_number];
    unsigned char hash[SPOOL_HASH_BYTES] = { 0 };
    (void)spool_whole(e->pass->splits[i].kept, d->parts, hash);
    e->splits[i].key = store_key_of_bytes((struct str){ (const char *)hash, sizeof hash });
    e->splits[i].state = SPLIT_DONE;
    d->paths[i] = mem_strdup(e->pass->splits[i].kept);
    d->kept[i] = true;
    e->done++;
}

/* What an earlier coordinator of the run left. Of ENGINE_PUBLISH the ledger decides as well: publish_open. */
static void take_made(struct engine *e, uint32_t i)
{
    struct dataset *d = &e->datasets[e->pass_number];
    AUTO(mem_free) char *path = pass_path(e, i);
    AUTO(mem_free) char *name = mem_printf("%s.r", path);
    unsigned char hash[SPOOL_HASH_BYTES];
    bool file = e->pass->out == ENGINE_DATASET;
    if ((file && (!e->ops->shares_disk || !spool_whole(path, d->parts, hash))) ||
        (e->pass->out == ENGINE_PUBLISH && !publish_has(e, i)) ||
        !store_read_result(name, &e->splits[i].rows, &e->result->parts[i])) {
        buf_clear(&e->result->parts[i]);
        e->splits[i].rows = 0;
        return;
    }
    e->splits[i].state = SPLIT_DONE;
    e->done++;
    if (!file)
        return;
    d->paths[i] = TAKE(path);
    if (e->pass->on_dataset)
        e->pass->on_dataset(e->pass->on_dataset_arg, i, d->paths[i]);
}

static void take_all(struct engine *e)
{
    for (uint32_t i = 0; i < e->pass->splits_count; i++)
        if (e->pass->splits[i].kept)
            take_kept(e, i);
        else if (e->options.resume)
            take_made(e, i);
}

/* ---- a pass ends ---- */

static void end_pass(struct engine *e)
{
    struct engine_result *out = e->result;
    struct dataset *d = &e->datasets[e->pass_number];
    for (uint32_t i = 0; i < e->pass->splits_count; i++) {
        out->counters.rows_in += e->splits[i].rows;
        d->keys[i] = e->splits[i].key;
    }
    out->counters.seconds = (double)(clock_mono_us() - e->began_us) / 1e6;
    e->pass = NULL;
    e->pass_number++;
    mem_free(e->splits);
    mem_free(e->order);
    e->splits = NULL;
}

bool engine_run(struct engine *e, const struct engine_pass *pass, struct engine_result *out, struct err *err)
{
    if (!check_pass(e, pass, err))
        return false;
    prepare(e, pass, out);
    if (pass->out == ENGINE_PUBLISH && !publish_open(e, &e->err))
        e->failed = true;
    else
        take_all(e);
    if (!pass_is_over(e))
        e->ops->run(e);
    bool whole = e->done == pass->splits_count && !e->failed;
    end_pass(e);
    if (whole)
        return true;
    engine_result_release(out);
    if (e->cancelled)
        return err_set(err, ERR_CONFLICT, "cancelled");
    *err = e->err;
    return false;
}

void engine_result_release(struct engine_result *r)
{
    for (uint32_t i = 0; i < r->count; i++)
        buf_release(&r->parts[i]);
    mem_free(r->parts);
    r->parts = NULL;
    r->count = 0;
}

/* ---- data sets and blobs ---- */

const char *engine_dataset(const struct engine *e, int pass, uint32_t split)
{
    assert(pass >= 0 && pass < e->pass_number && split < e->datasets[pass].count && e->datasets[pass].paths[split]);
    return e->datasets[pass].paths[split];
}

const char *engine_staging(const struct engine *e, int pass)
{
    assert(pass >= 0 && pass < e->pass_number && e->datasets[pass].staging);
    return e->datasets[pass].staging;
}

void engine_drop(struct engine *e, int pass)
{
    assert(pass >= 0 && pass < e->pass_number);
    struct dataset *d = &e->datasets[pass];
    if (e->ops->drop)
        e->ops->drop(e, pass);
    for (uint32_t i = 0; i < d->count; i++) {
        if (d->paths[i] && !d->kept[i])
            (void)unlink(d->paths[i]);
        mem_free(d->paths[i]);
        d->paths[i] = NULL;
    }
}

int engine_blob(struct engine *e, struct str bytes, struct err *err)
{
    struct blob b = { .hash = store_key_of_bytes(bytes), .bytes = bytes.n };
    b.path = store_blob_path(e->options.spool_dir, &b.hash);
    if (!store_write_file(b.path, bytes, err)) {
        mem_free(b.path);
        return -1;
    }
    e->blobs = mem_realloc(e->blobs, (e->blobs_count + 1) * sizeof *e->blobs);
    e->blobs[e->blobs_count] = b;
    return (int)e->blobs_count++;
}

static bool blob_is_shared(const struct engine *e, const struct blob *b)
{
    for (size_t i = 0; i < e->blobs_count; i++)
        if (&e->blobs[i] != b && e->blobs[i].path && strcmp(e->blobs[i].path, b->path) == 0)
            return true;
    return false;
}

void engine_blob_drop(struct engine *e, int blob)
{
    assert(blob >= 0 && (size_t)blob < e->blobs_count);
    struct blob *b = &e->blobs[blob];
    if (b->path && !blob_is_shared(e, b))
        (void)unlink(b->path);
    mem_free(b->path);
    b->path = NULL;
}

/* ---- life ---- */

static const struct engine_ops *ops_named(const char *kind, struct err *err)
{
    for (size_t i = 0; engines[i]; i++)
        if (strcmp(engines[i]->name, kind ? kind : "local") == 0)
            return engines[i];
    err_set(err, ERR_INVALID, "engine \"%s\" is not offered", kind);
    return NULL;
}

static bool check_options(const struct engine_options *o, struct err *err)
{
    if (o->workers < 1 || o->workers > WORKERS_MAX)
        return err_set(err, ERR_INVALID, "%u workers: must be 1 to %d", o->workers, WORKERS_MAX);
    if (o->resume)
        store_clean(o->spool_dir);
    else
        store_remove(o->spool_dir);
    return mkdir(o->spool_dir, 0700) == 0 || errno == EEXIST ||
           err_set_errno(err, "cannot make spool directory \"%s\"", o->spool_dir);
}

static void listen_to_events(struct engine *e)
{
    e->base = event_base_new();
    e->tick = event_new(e->base, -1, EV_PERSIST, on_tick, e);
    e->interrupt = evsignal_new(e->base, SIGINT, on_cancel, e);
    e->terminate = evsignal_new(e->base, SIGTERM, on_cancel, e);
    (void)event_add(e->tick, &(struct timeval){ .tv_usec = TICK_US });
    (void)event_add(e->interrupt, NULL);
    (void)event_add(e->terminate, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static void make_nonce(struct engine *e)
{
    unsigned char bytes[STORE_KEY_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    (void)sodium_bin2hex(e->nonce, sizeof e->nonce, bytes, sizeof bytes);
}

struct engine *engine_open(const struct engine_options *options, struct err *err)
{
    const struct engine_ops *ops = ops_named(options->kind, err);
    if (!ops || !check_options(options, err))
        return NULL;
    struct engine *e = mem_zalloc(sizeof *e);
    e->options = *options;
    e->options.memory_mb = options->memory_mb ? options->memory_mb : MEMORY_MB_DEFAULT;
    e->options.max_attempts = options->max_attempts ? options->max_attempts : MAX_ATTEMPTS_DEFAULT;
    e->ops = ops;
    make_nonce(e);
    listen_to_events(e);
    if (ops->open(e, err))
        return e;
    e->ops = NULL;
    engine_close(e);
    return NULL;
}

void engine_keep(struct engine *e)
{
    e->keep = true;
}

static void release_dataset(struct dataset *d)
{
    for (uint32_t i = 0; i < d->count; i++)
        mem_free(d->paths[i]);
    mem_free(d->paths);
    mem_free(d->kept);
    mem_free(d->keys);
    mem_free(d->staging);
}

void engine_close(struct engine *e)
{
    if (!e)
        return;
    if (e->ops)
        e->ops->close(e);
    if (!e->keep)
        store_remove(e->options.spool_dir);
    event_free(e->tick);
    event_free(e->interrupt);
    event_free(e->terminate);
    event_base_free(e->base);
    pg_close(e->pg);
    for (int pass = 0; pass < e->pass_number; pass++)
        release_dataset(&e->datasets[pass]);
    mem_free(e->datasets);
    for (size_t i = 0; i < e->blobs_count; i++)
        mem_free(e->blobs[i].path);
    mem_free(e->blobs);
    mem_free(e);
}
