/* /metrics: counters in Prometheus' text format 0.0.4. Every number is read relaxed from counters that others write. */
#include "base/buf.h"
#include "base/clock.h"
#include "experimentd/admin/handlers.h"
#include "experimentd/ingest/journal/journal.h"
#include "experimentd/ingest/key_rate.h"
#include "experimentd/ingest/load/loader.h"
#include "experimentd/jobs/jobs.h"
#include "experimentd/results/ages.h"
#include "experimentd/schedule/schedule.h"
#include "experimentd/server.h"
#include "experimentd/serving/recent.h"
#include "experimentd/serving/store.h"

enum { ANSWER_MAX = 1 << 20 };

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buf *b, const char *name, const char *type, const char *help, double v)
{
    head(b, name, type, help);
    buf_addf(b, "%s %.17g\n", name, v);
}

/* Sum over the workers of the counter at this offset of struct http_counters. */
static double sum_http(const struct server *s, size_t offset)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < s->workers_count; i++) {
        const char *c = (const char *)&s->workers[i].w.http_counters;
        sum += atomic_load_explicit((const _Atomic uint64_t *)(const void *)(c + offset), memory_order_relaxed);
    }
    return (double)sum;
}

static const struct {
    const char *name, *type, *help;
    size_t offset;
} http_rows[] = {
#define ROW(name, type, field, help)                                                \
    {                                                                               \
        "experimentd_http_" name, type, help, offsetof(struct http_counters, field) \
    }
    ROW("requests_total", "counter", requests, "requests that were read whole"),
    ROW("received_bytes_total", "counter", bytes_in, "bytes read"),
    ROW("sent_bytes_total", "counter", bytes_out, "bytes written"),
    ROW("connections_accepted_total", "counter", connections_accepted, "connections accepted"),
    ROW("connections_refused_total", "counter", connections_refused, "connections over the limit"),
    ROW("connections_open", "gauge", connections_open, "connections open now"),
    ROW("streams_open", "gauge", streams_open, "streams of server-sent events open now; they count as connections too"),
    ROW("streams_cut_total", "counter", streams_cut, "streams whose client did not read"),
    ROW("timeouts_total", "counter", timeouts, "clients that were too slow"),
    ROW("parse_errors_total", "counter", parse_errors, "bytes that were no HTTP"),
#undef ROW
};

static void http_metrics(struct buf *b, const struct server *s)
{
    for (size_t i = 0; i < COUNT_OF(http_rows); i++)
        one(b, http_rows[i].name, http_rows[i].type, http_rows[i].help, sum_http(s, http_rows[i].offset));
    head(b, "experimentd_http_responses_total", "counter", "answers by class of status");
    for (unsigned class = 1; class < 6; class ++)
        buf_addf(b, "experimentd_http_responses_total{class=\"%uxx\"} %.17g\n", class,
                 sum_http(s, offsetof(struct http_counters, by_status) + class * sizeof(_Atomic uint64_t)));
}

static void ingest_metrics(struct buf *b, const struct server *s)
{
    struct journal_stats j;
    struct loader_stats l;
    journal_stats(s->journal, &j);
    loader_stats(s->loader, &l);
    one(b, "experimentd_journal_written_bytes", "counter", "journal position: bytes made durable", (double)j.written);
    one(b, "experimentd_journal_loaded_bytes", "counter", "journal position: bytes that are in PostgreSQL",
        (double)j.loaded);
    one(b, "experimentd_journal_backlog_bytes", "gauge", "taken in but not yet in PostgreSQL",
        (double)(j.waiting + j.written - j.loaded));
    one(b, "experimentd_journal_syncs_total", "counter", "group commits", (double)j.syncs);
    one(b, "experimentd_journal_failed", "gauge", "1 while the journal's disk refuses", j.failed);
    one(b, "experimentd_journal_signals_total", "counter", "signals made durable, the daemon's own among them",
        (double)j.signals);
    one(b, "experimentd_signals_ahead_total", "counter", "signals from the future, stored at their receipt",
        (double)j.signals_ahead);
    one(b, "experimentd_exposures_total", "counter", "exposures made durable", (double)j.exposures);
    one(b, "experimentd_exposures_lost_total", "counter", "exposures that could not be journaled",
        (double)j.exposures_lost);
    one(b, "experimentd_impressions_lost_total", "counter", "interleaved lists that could not be journaled",
        (double)atomic_load(&s->impressions_lost));
    one(b, "experimentd_items_upserted_total", "counter", "documents of the catalogue, created or changed",
        (double)atomic_load(&s->items_upserted));
    one(b, "experimentd_items_deleted_total", "counter", "documents of the catalogue, deleted",
        (double)atomic_load(&s->items_deleted));
    one(b, "experimentd_items_rejected_total", "counter", "documents of the catalogue that were refused",
        (double)atomic_load(&s->items_rejected));
    one(b, "experimentd_ingest_key_rate_refused_total", "counter", "requests of a client key beyond ingest.key_rate",
        (double)key_rate_refused(s->key_rate));
    one(b, "experimentd_loader_lag_seconds", "gauge", "age of the oldest signal that is not in PostgreSQL",
        (double)l.lag_us / 1e6);
    one(b, "experimentd_loader_rows_total", "counter", "rows loaded", (double)l.rows);
    one(b, "experimentd_loader_duplicates_total", "counter", "repeats of a client's id, left out",
        (double)l.duplicates);
    one(b, "experimentd_loader_rejected_total", "counter", "rows that PostgreSQL refused", (double)l.rejected);
    one(b, "experimentd_journal_damaged_total", "counter", "damaged places of the journal, passed over",
        (double)l.damaged);
    one(b, "experimentd_loader_batches_total", "counter", "transactions of the loader", (double)l.batches);
}

/* Sum over the workers of the counter at this offset of struct ingest_counters. */
static double sum_ingested(const struct server *s, size_t offset)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < s->workers_count; i++) {
        const char *c = (const char *)&s->workers[i].w.ingested;
        sum += counter_get((const _Atomic uint64_t *)(const void *)(c + offset));
    }
    return (double)sum;
}

#define AT_FORMAT(field, f) (offsetof(struct ingest_counters, field) + (size_t)(f) * sizeof(_Atomic uint64_t))
#define AT_REASON(f, r) (AT_FORMAT(rejected, 0) + (size_t)((f)*REJECT_REASON_COUNT + (r)) * sizeof(_Atomic uint64_t))

static void format_metrics(struct buf *b, const struct server *s)
{
    head(b, "experimentd_signals_total", "counter", "signals of clients made durable, by format");
    for (int f = 0; f < FORMAT_COUNT; f++)
        if (f != FORMAT_EXPOSURES)
            buf_addf(b, "experimentd_signals_total{format=\"%s\"} %.17g\n", signal_format_names[f],
                     sum_ingested(s, AT_FORMAT(signals, f)));
    head(b, "experimentd_exposures_reported_total", "counter",
         "exposures that clients reported, made durable, by format");
    for (int f = 0; f < FORMAT_COUNT; f++)
        buf_addf(b, "experimentd_exposures_reported_total{format=\"%s\"} %.17g\n", signal_format_names[f],
                 sum_ingested(s, AT_FORMAT(exposures, f)));
    head(b, "experimentd_signals_rejected_total", "counter",
         "elements that were refused, and whole requests as one, by format and reason");
    for (int f = 0; f < FORMAT_COUNT; f++)
        for (int r = 0; r < REJECT_REASON_COUNT; r++)
            buf_addf(b, "experimentd_signals_rejected_total{format=\"%s\",reason=\"%s\"} %.17g\n",
                     signal_format_names[f], reject_reason_names[r], sum_ingested(s, AT_REASON(f, r)));
}

static void schedule_rows(struct buf *b, const char *name, const char *help, const _Atomic uint64_t *counts)
{
    head(b, name, "counter", help);
    for (int k = SCHEDULE_NOTHING + 1; k < SCHEDULE_KIND_COUNT; k++)
        buf_addf(b, "%s{kind=\"%s\"} %.17g\n", name, schedule_kind_names[k],
                 (double)atomic_load_explicit(&counts[k], memory_order_relaxed));
}

static void schedule_metrics(struct buf *b, const struct server *s)
{
    const struct schedule_counters *c = schedule_counters(s->schedule);
    schedule_rows(b, "experimentd_schedule_edits_total", "edits that this daemon made by the clock", c->edits);
    schedule_rows(b, "experimentd_schedule_failed_total", "edits by the clock that failed; they are tried again",
                  c->failed);
}

static void models_metrics(struct buf *b, const struct server *s)
{
    struct store_stats m;
    uint64_t units, room;
    store_stats(s->store, &m);
    recent_stats(s->recent, &units, &room);
    one(b, "experimentd_models_aliases", "gauge", "aliases of models that the registry names", (double)m.aliases);
    one(b, "experimentd_models_failing", "gauge", "aliases whose version could not be had: the one before is served",
        (double)m.failing);
    one(b, "experimentd_models_failures_total", "counter", "artifacts that could not be had; they are tried again",
        (double)m.failures);
    one(b, "experimentd_models_swaps_total", "counter", "versions that took the place of others", (double)m.swaps);
    one(b, "experimentd_models_fetched_bytes_total", "counter", "of artifacts, from PostgreSQL into the cache",
        (double)m.fetched_bytes);
    one(b, "experimentd_models_database_up", "gauge", "1 while the connection that follows the registry stands",
        m.database_up);
    one(b, "experimentd_models_recent_units", "gauge", "units whose last documents are known to /v1/recommend",
        (double)units);
    one(b, "experimentd_models_recent_units_max", "gauge", "units there is room for (models.recent_bytes)",
        (double)room);
}

void admin_metrics(struct http_request *req, void *arg)
{
    struct server *s = ((struct worker *)arg)->server;
    const struct snapshot *snapshot = snapshot_get();
    struct buf b;
    buf_init(&b, ANSWER_MAX);
    http_metrics(&b, s);
    ingest_metrics(&b, s);
    format_metrics(&b, s);
    schedule_metrics(&b, s);
    models_metrics(&b, s);
    if (s->jobs)
        jobs_write_metrics(s->jobs, &b);
    ages_write(s->ages, clock_now_us(), &b);
    one(&b, "experimentd_sticky_unavailable_total", "counter",
        "times that sticky assignments could not be read or written", (double)atomic_load(&s->sticky_unavailable));
    one(&b, "experimentd_database_up", "gauge", "1 while the control connection stands", atomic_load(&s->database_up));
    one(&b, "experimentd_config_version", "gauge", "version of the published snapshot",
        snapshot ? (double)snapshot->version : 0);
    one(&b, "experimentd_start_time_seconds", "gauge", "when this process started", (double)s->started_us / 1e6);
    http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&b));
    buf_release(&b);
}
