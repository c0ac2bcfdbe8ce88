/* What job programs call: params, passes, ticks, words, publication. */
#include "trainer/run/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_US = 2000000, SAID_MAX = 4096, RESULT_MAX = 256 << 10, BACKOFF_US = 200000, BACKOFF_MAX_US = 5000000 };

static struct run *run_of(const struct run_context *context)
{
    return context->run;
}

/* ---- words ---- */

void run_end_bar(struct run *run)
{
    if (run->drawn)
        (void)fputs("\r\033[K", stderr);
    run->drawn = false;
}

void run_say(const struct run_context *context, const char *fmt, ...)
{
    struct run *run = run_of(context);
    char text[SAID_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    run_end_bar(run);
    (void)fprintf(stderr, "%s\n", text);
    if (run->lines)
        lines_add(run->lines, "run", str_of(text), clock_now_us());
}

bool run_too_little(const struct run_context *context, struct err *err, const char *fmt, ...)
{
    char text[SAID_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    run_of(context)->too_little = true;
    return err_set(err, ERR_INVALID, "too little data: %s", text);
}

void run_result(struct run_context *context, const char *fmt, ...)
{
    struct run *run = run_of(context);
    va_list ap;
    va_start(ap, fmt);
    AUTO(mem_free) char *text = mem_vprintf(fmt, ap);
    va_end(ap);
    buf_clear(&run->result);
    buf_add_c(&run->result, text);
}

/* ---- progress ---- */

static void draw(struct run *run, uint32_t done, uint32_t total, uint64_t rows, uint32_t retries)
{
    char text[PROGRESS_LINE_MAX];
    int64_t now = clock_mono_us();
    struct progress_line line = { .done = done,
                                  .total = total,
                                  .workers = run->row.workers,
                                  .retries = retries,
                                  .rows = rows,
                                  .seconds = (double)(now - run->started_us) / 1e6,
                                  .pass_seconds = (double)(now - run->pass_us) / 1e6 };
    progress_text(&run->progress, &line, text);
    (void)fprintf(stderr, run->terminal ? "\r\033[K%s" : "%s\n", text);
    run->drawn = run->terminal;
}

bool run_on_progress(void *arg, const char *pass, uint32_t done, uint32_t total, uint64_t rows, uint32_t retries)
{
    struct run *run = arg;
    int64_t now = clock_mono_us();
    (void)pass;
    run->news.progress = progress_at(&run->progress, done, total);
    run->news.done = done;
    run->news.rows_in = run->context.rows_in + rows;
    run->news.retries = run->context.retries + retries;
    beat_tell(run->beat, &run->news);
    if (run->terminal || now - run->line_us > LINE_US) {
        run->line_us = now;
        draw(run, done, total, rows, retries);
    }
    return beat_asks(run->beat) == BEAT_GO_ON;
}

/* ---- the database ---- */

bool run_await_database(struct run *run, struct err *err)
{
    int64_t until = clock_mono_us() + run->settings->patience_us, pause_us = BACKOFF_US;
    struct err why;
    while (!pg_reopen(run->context.pg, &why)) {
        if (clock_mono_us() > until)
            return err_set(err, ERR_DB, "PostgreSQL did not come back: %s", why.text);
        for (int64_t slept = 0; slept < pause_us; slept += BACKOFF_US) {
            if (!beat_may_go_on(run->beat, err))
                return false;
            (void)usleep(BACKOFF_US);
        }
        pause_us = pause_us * 2 < BACKOFF_MAX_US ? pause_us * 2 : BACKOFF_MAX_US;
    }
    run->reopened = true;
    return true;
}

/* A pass of its row that cannot be written is no reason to end: what is computed without the database goes on. */
static bool begin_row(struct run *run, const char *name, uint32_t splits, struct err *err)
{
    int number = run->rows_of_passes++;
    run->pass_us = clock_mono_us();
    progress_begin(&run->progress, name);
    run->news.pass = number;
    (void)snprintf(run->news.name, sizeof run->news.name, "%s", name);
    return row_pass_begin(run->context.pg, &run->row, number, name, splits, err) ||
           (!pg_is_alive(run->context.pg) && run_await_database(run, err) &&
            row_pass_begin(run->context.pg, &run->row, number, name, splits, err));
}

static bool end_row(struct run *run, uint32_t attempts, uint64_t rows, double seconds, struct err *err)
{
    int number = run->news.pass;
    return row_pass_end(run->context.pg, &run->row, number, attempts, rows, seconds, err) ||
           (!pg_is_alive(run->context.pg) && run_await_database(run, err) &&
            row_pass_end(run->context.pg, &run->row, number, attempts, rows, seconds, err));
}

static bool end_phase(struct run *run, struct err *err)
{
    if (!run->phase)
        return true;
    run->phase = false;
    return end_row(run, 0, 0, (double)(clock_mono_us() - run->pass_us) / 1e6, err);
}

/* ---- passes and phases ---- */

bool run_pass(struct run_context *context, const struct engine_pass *pass, struct engine_result *out, struct err *err)
{
    struct run *run = run_of(context);
    if (!beat_may_go_on(run->beat, err) || !end_phase(run, err) || !begin_row(run, pass->name, pass->splits_count, err))
        return false;
    context->passes++;
    if (!engine_run(context->engine, pass, out, err))
        return false;
    context->rows_in += pass->input_pass < 0 ? out->counters.rows_in : 0; /* what a later pass reads is no new row */
    context->retries += out->counters.retries;
    if (end_row(run, out->counters.attempts, out->counters.rows_in, out->counters.seconds, err))
        return true;
    engine_result_release(out);
    return false;
}

bool run_pass_numbered(struct run_context *context, const struct engine_pass *pass, int *out_number, struct err *err)
{
    struct engine_result result;
    *out_number = context->passes;
    if (!run_pass(context, pass, &result, err))
        return false;
    engine_result_release(&result);
    return true;
}

bool run_tick(struct run_context *context, const char *what, uint32_t done, uint32_t total, struct err *err)
{
    struct run *run = run_of(context);
    if (run->phase && strcmp(run->news.name, what) != 0 && !end_phase(run, err))
        return false;
    if (!run->phase && !begin_row(run, what, total, err))
        return false;
    run->phase = true;
    return run_on_progress(run, what, done, total, 0, 0) || beat_may_go_on(run->beat, err);
}

/* ---- publication ---- */

struct row_end run_end_of(struct run *run, const char *state, const char *error)
{
    return (struct row_end){ .state = state,
                             .error = error,
                             .result = run->result.n ? run->result.p : NULL,
                             .rows_in = run->context.rows_in,
                             .retries = run->context.retries,
                             .log_lines = run->lines ? lines_said(run->lines) : 0 };
}

bool run_publish_begin(struct run_context *context, struct err *err)
{
    struct run *run = run_of(context);
    if (!beat_may_go_on(run->beat, err) || !end_phase(run, err))
        return false;
    bool begun = pg_begin(context->pg, err) ||
                 (!pg_is_alive(context->pg) && run_await_database(run, err) && pg_begin(context->pg, err));
    return begun && row_lock(context->pg, &run->row, err);
}

bool run_publish_end(struct run_context *context, struct err *err)
{
    struct run *run = run_of(context);
    struct row_end end = run_end_of(run, "success", NULL);
    run->published = buf_ok(&run->result, "the run's result", err) && row_end(context->pg, &run->row, &end, err) &&
                     pg_commit(context->pg, err);
    return run->published;
}
