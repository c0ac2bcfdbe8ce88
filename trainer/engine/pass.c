#include "trainer/engine/pass.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "trainer/engine/publish.h"
#include "trainer/engine/retry.h"

char *pass_path(const struct engine *e, uint32_t split)
{
    return store_path(e->options.spool_dir, e->pass_number, split, &e->splits[split].key);
}

char *pass_attempt_path(const struct engine *e, uint32_t split, uint32_t attempt)
{
    return store_attempt_path(e->options.spool_dir, e->pass_number, split, &e->splits[split].key, attempt);
}

/* ---- a task ---- */

static json_t *text(struct str s)
{
    return json_stringn(s.n ? s.p : "", s.n);
}

/* A part of a data set that we have as a file, or of one that the engine holds and sends. */
static json_t *input_of(const struct engine *e, const struct engine_input *input, bool data)
{
    const struct dataset *from = &e->datasets[e->pass->input_pass];
    if (data && !from->kept[input->split])
        return json_pack("{s:b, s:i, s:i}", "data", 1, "split", (int)input->split, "part", (int)input->part);
    return json_pack("{s:s, s:i, s:i}", "path", engine_dataset(e, e->pass->input_pass, input->split), "part",
                     (int)input->part, "parts", (int)from->parts);
}

static json_t *inputs_of(const struct engine *e, const struct engine_split *s, bool data)
{
    json_t *inputs = json_array();
    for (size_t i = 0; i < s->inputs_count; i++)
        json_array_append_new(inputs, input_of(e, &s->inputs[i], data));
    return inputs;
}

static json_t *blobs_of(const struct engine *e)
{
    json_t *blobs = json_array();
    for (size_t i = 0; i < e->pass->blobs_count; i++) {
        const struct blob *b = &e->blobs[e->pass->blobs[i]];
        json_array_append_new(
            blobs, json_pack("{s:s, s:s, s:I}", "path", b->path, "hash", b->hash.text, "bytes", (json_int_t)b->bytes));
    }
    return blobs;
}

static json_t *publish_of(const struct engine *e, uint32_t split)
{
    if (e->pass->out != ENGINE_PUBLISH)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:s}", "staging", e->datasets[e->pass_number].staging, "columns",
                     e->pass->columns, "run", e->options.run, "epoch", e->options.epoch, "pass", e->pass_number, "key",
                     e->splits[split].key.text);
}

static uint32_t memory_mb_of(const struct engine *e, const struct split *s)
{
    uint32_t mb = e->pass->memory_mb ? e->pass->memory_mb : e->options.memory_mb;
    return s->alone ? 2 * mb : mb;
}

char *pass_task(struct engine *e, uint32_t split, bool data)
{
    const struct engine_split *s = &e->pass->splits[split];
    struct split *at = &e->splits[split];
    uint32_t attempt = ++at->attempts;
    AUTO(mem_free)
    char *spool = e->pass->out == ENGINE_DATASET && !data ? pass_attempt_path(e, split, attempt) : NULL;
    json_t *task = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:i, s:o}", "pass", e->pass->name,
                             "kernel", e->pass->kernel, "params", text(e->pass->params), "desc", text(s->desc),
                             "snapshot", text(e->pass->snapshot), "database_url", e->options.database_url, "parts",
                             (int)e->datasets[e->pass_number].parts, "inputs", inputs_of(e, s, data), "blobs",
                             blobs_of(e), "publish", publish_of(e, split), "memory_mb", (int)memory_mb_of(e, at),
                             "seed", json_integer((json_int_t)e->pass->seed));
    assert(task);
    if (spool || e->pass->out != ENGINE_DATASET)
        json_object_set_new(task, "spool", spool ? json_string(spool) : json_null());
    char *out = json_dumps(task, JSON_COMPACT);
    json_decref(task);
    at->state = SPLIT_RUNS;
    at->rows = 0;
    buf_clear(&e->result->parts[split]);
    e->result->counters.attempts++;
    return out;
}

/* ---- how it ends ---- */

void pass_fail(struct engine *e, enum err_kind kind, uint32_t split, const char *why)
{
    if (e->failed)
        return;
    e->failed = true;
    err_set(&e->err, kind, "pass \"%s\", split %u, attempt %u: %s", e->pass->name, split, e->splits[split].attempts,
            why);
    (void)event_base_loopbreak(e->base);
}

void pass_result(struct engine *e, uint32_t split, struct str piece)
{
    buf_add_str(&e->result->parts[split], piece);
}

/* What a later coordinator of the run may use. A failure costs it time, nothing else. */
static void keep_result(struct engine *e, uint32_t split)
{
    AUTO(mem_free) char *path = pass_path(e, split);
    AUTO(mem_free) char *name = mem_printf("%s.r", path);
    struct err err;
    bool reusable = !e->pass->reads_database || e->pass->splits[split].seen.n;
    if (reusable && !store_write_result(name, e->splits[split].rows, buf_str(&e->result->parts[split]), &err))
        log_warn("result_not_kept", LOG_ERR, LOG_ERR_ARG(&err));
}

/* The commit of a data set. */
static bool commit_dataset(struct engine *e, uint32_t split)
{
    AUTO(mem_free) char *from = pass_attempt_path(e, split, e->splits[split].attempts);
    AUTO(mem_free) char *to = pass_path(e, split);
    if (e->ops->shares_disk && rename(from, to) != 0) {
        pass_fail(e, ERR_SYSTEM, split, "its spool file cannot be renamed");
        return false;
    }
    e->datasets[e->pass_number].paths[split] = TAKE(to);
    return true;
}

void pass_done(struct engine *e, uint32_t split, struct str done)
{
    struct split *s = &e->splits[split];
    json_auto_t *counters = json_loadb(done.p, done.n, 0, NULL);
    if (e->result->parts[split].failed) {
        pass_fail(e, ERR_TOO_LARGE, split, "its result is too large");
        return;
    }
    if (e->pass->out == ENGINE_DATASET && !commit_dataset(e, split))
        return;
    s->rows = (uint64_t)json_integer_value(json_object_get(counters, "rows"));
    uint64_t peak = (uint64_t)json_integer_value(json_object_get(counters, "peak_bytes"));
    if (peak > e->result->counters.peak_bytes)
        e->result->counters.peak_bytes = peak;
    s->state = SPLIT_DONE;
    e->done++;
    keep_result(e, split);
    if (e->pass->out == ENGINE_DATASET && e->pass->on_dataset)
        e->pass->on_dataset(e->pass->on_dataset_arg, split, e->datasets[e->pass_number].paths[split]);
    if (pass_is_over(e))
        (void)event_base_loopbreak(e->base);
}

void pass_lost(struct engine *e, uint32_t split, int code, const char *why)
{
    struct split *s = &e->splits[split];
    const struct retry_rule *rule = retry_rule_of(code);
    AUTO(mem_free) char *path = pass_attempt_path(e, split, s->attempts);
    (void)unlink(path);
    bool spent = rule->then == RETRY_NEVER || (rule->then == RETRY_ALONE && s->alone) ||
                 s->attempts >= e->options.max_attempts;
    if (spent) {
        pass_fail(e, rule->kind, split, why);
        return;
    }
    log_warn("split_retried", "pass=%s split=%u attempt=%u reason=\"%s\"", e->pass->name, split, s->attempts, why);
    s->state = SPLIT_WAITS;
    s->rows = 0;
    s->alone = s->alone || rule->then == RETRY_ALONE;
    s->not_before_us = clock_mono_us() + retry_wait_us(s->attempts);
    e->result->counters.retries++;
}
