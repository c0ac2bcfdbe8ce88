/* A request's signals are all read and checked first; then, if the journal takes signals, appended together; the answer leaves when
 * the journal says that they are on disk. A request whose body cannot be read leaves nothing behind. */
#include "experimentd/ingest/handlers.h"

#include "base/clock.h"
#include "base/jsonw.h"
#include "experimentd/ingest/formats/elements.h"
#include "experimentd/ingest/formats/exposures.h"
#include "experimentd/ingest/formats/insights.h"
#include "experimentd/ingest/formats/native.h"
#include "experimentd/ingest/formats/segment.h"
#include "experimentd/ingest/formats/ubi.h"
#include "experimentd/ingest/journal/journal.h"
#include "experimentd/ingest/key_rate.h"
#include "experimentd/ingest/live/live.h"
#include "experimentd/ingest/load/loader.h"
#include "experimentd/ingest/schema.h"
#include "experimentd/server.h"
#include "experimentd/serving/recent.h"

enum { ANSWER_MAX = 16 << 20, REJECTED_TOLD_MAX = 1000 };

struct intake {
    struct http_request *req;
    struct worker *worker;
    enum signal_format format;
    struct signal *signals;
    struct exposure *exposures;
    int64_t received_us;
    enum mark mark;                     /* of the request */
    const struct signal_schema *schema; /* of its key; NULL: signals need not look like anything */
    struct str key_label;
    size_t accepted, signals_count, signals_room, exposures_count, exposures_room, rejected;
    struct buf rejects; /* elements of the answer's "rejected" */
    struct jsonw rejects_writer;
    struct err first; /* why the first one was rejected */
    size_t reasons[REJECT_REASON_COUNT];
    const char *answer; /* members that the format's clients look for */
};

static void *grown(struct arena *arena, void *old, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return old;
    *room = *room ? *room * 2 : 16;
    void *next = arena_alloc(arena, *room * size);
    if (count)
        memcpy(next, old, count * size);
    return next;
}

/* ---- for the live view ---- */

static struct live_item item_of(const struct intake *in, enum live_kind kind)
{
    return (struct live_item){ .kind = kind,
                               .format = in->format,
                               .received_us = in->received_us,
                               .route = in->req->route->pattern,
                               .key_label = in->key_label,
                               .key_prefix = live_key_prefix(in->req->key) };
}

static void show_taken(const struct intake *in)
{
    struct live *live = in->worker->server->live;
    struct live_item signal = item_of(in, LIVE_SIGNAL), exposure = item_of(in, LIVE_EXPOSURE);
    if (!live_wants(live, in->worker->index, LIVE_SIGNAL, in->received_us))
        return;
    for (size_t i = 0; i < in->signals_count; i++) {
        signal.signal = &in->signals[i];
        live_note(live, in->worker->index, &signal);
    }
    for (size_t i = 0; i < in->exposures_count; i++) {
        exposure.exposure = &in->exposures[i];
        live_note(live, in->worker->index, &exposure);
    }
}

/* What the client sent is `json`, or `text`. */
static void show_refused(const struct intake *in, struct live_reject reject, const char *why, struct str text,
                         const json_t *json)
{
    struct live *live = in->worker->server->live;
    struct live_item item = item_of(in, LIVE_REJECT);
    struct arena *arena = &in->req->arena;
    if (!live_wants(live, in->worker->index, LIVE_REJECT, in->received_us))
        return;
    reject.error = live_excerpt(arena, str_of(why), in->req->key);
    reject.element = json ? live_excerpt_json(arena, json, in->req->key) : live_excerpt(arena, text, in->req->key);
    item.reject = &reject;
    live_note(live, in->worker->index, &item);
}

/* ---- the beginning ---- */

static void answer_later(struct intake *in, int64_t wait_us)
{
    const char *why = arena_printf(&in->req->arena, "this key sent more than %u events a second (ingest.key_rate)",
                                   in->worker->server->settings.ingest_key_rate)
                          .p;
    counter_add(&in->worker->ingested.rejected[in->format][REJECT_TOO_FAST], 1);
    show_refused(in, (struct live_reject){ .whole = true, .reason = REJECT_TOO_FAST }, why, in->req->body, NULL);
    http_reply_later(in->req, 429, wait_us, why);
}

static bool within_rate(struct intake *in)
{
    struct http_request *req = in->req;
    int64_t wait_us = req->scope > SCOPE_CLIENT
                          ? 0
                          : key_rate_wait_us(in->worker->server->key_rate, req->key, clock_mono_us());
    if (wait_us)
        answer_later(in, wait_us);
    return wait_us == 0;
}

/* NULL: the key has sent too much, and was answered so. */
static struct intake *intake_new(struct http_request *req, struct worker *worker, enum signal_format format)
{
    struct intake *in = arena_zalloc(&req->arena, sizeof *in);
    in->req = req;
    in->worker = worker;
    in->format = format;
    in->received_us = clock_now_us();
    in->key_label = arena_str(&req->arena, req->key_label); /* the snapshot's may be gone when the journal answers */
    if (!within_rate(in))
        return NULL;
    in->mark = mark_of_request(&worker->server->marks, req);
    in->schema = snapshot_key_schema(snapshot_get(), req->key);
    in->answer = "";
    buf_init(&in->rejects, ANSWER_MAX);
    jsonw_init(&in->rejects_writer, &in->rejects);
    jsonw_open(&in->rejects_writer, NULL, '[');
    return in;
}

/* ---- what was read ---- */

static void reject(struct intake *in, size_t index, const struct err *err)
{
    in->reasons[reject_reason_of(err)]++;
    if (in->rejected++ == 0)
        in->first = *err;
    if (in->rejected > REJECTED_TOLD_MAX)
        return;
    jsonw_open(&in->rejects_writer, NULL, '{');
    jsonw_i64(&in->rejects_writer, "index", (int64_t)index);
    jsonw_text(&in->rejects_writer, "error",
               str_is_utf8(str_of(err->text)) ? err->text : "the element holds bytes that are not UTF-8");
    jsonw_close(&in->rejects_writer);
}

static void add_signal(struct intake *in, const struct signal *s)
{
    in->signals = grown(&in->req->arena, in->signals, in->signals_count, &in->signals_room, sizeof *in->signals);
    struct signal *kept = &in->signals[in->signals_count++];
    *kept = *s;
    kept->mark = mark_of_event(&in->worker->server->marks, &s->client, in->mark);
}

static bool on_native(void *arg, size_t index, struct str text, const struct signal *s, const struct err *err)
{
    struct intake *in = arg;
    struct err unlike;
    if (s && !schema_check(in->schema, s, &unlike)) {
        s = NULL;
        err = &unlike;
    }
    if (s) {
        add_signal(in, s);
        in->accepted++;
    } else {
        reject(in, index, err);
        show_refused(in, (struct live_reject){ .index = index, .reason = reject_reason_of(err) }, err->text, text,
                     NULL);
    }
    return true;
}

static void add_exposure(struct intake *in, const struct exposure *e)
{
    in->exposures = grown(&in->req->arena, in->exposures, in->exposures_count, &in->exposures_room,
                          sizeof *in->exposures);
    struct exposure *to = &in->exposures[in->exposures_count++];
    *to = *e;
    to->dims = dimensions_of_json(&in->worker->server->dimensions, e->attributes, &in->req->arena);
    if (!e->mark)
        to->mark = in->mark;
}

static bool on_event(void *arg, size_t index, const json_t *json, const struct foreign_event *e, const struct err *err)
{
    struct intake *in = arg;
    struct err unlike;
    for (size_t i = 0; e && i < e->signals_count; i++) {
        if (schema_check(in->schema, &e->signals[i], &unlike))
            continue;
        e = NULL;
        err = &unlike;
    }
    if (!e) {
        reject(in, index, err);
        show_refused(in, (struct live_reject){ .index = index, .reason = reject_reason_of(err) }, err->text, STR(""),
                     json);
        return true;
    }
    for (size_t i = 0; i < e->signals_count; i++)
        add_signal(in, &e->signals[i]);
    if (e->has_exposure)
        add_exposure(in, &e->exposure);
    in->accepted++;
    return true;
}

static void count_taken(const struct intake *in)
{
    struct ingest_counters *c = &in->worker->ingested;
    counter_add(&c->signals[in->format], in->signals_count);
    counter_add(&c->exposures[in->format], in->exposures_count);
    for (int r = 0; r < REJECT_REASON_COUNT; r++)
        if (in->reasons[r])
            counter_add(&c->rejected[in->format][r], in->reasons[r]);
}

/* What units chose, for recommendations that follow at once. What is left out of models is left out here. */
static void note_recent(const struct intake *in)
{
    for (size_t i = 0; i < in->signals_count; i++) {
        const struct signal *s = &in->signals[i];
        double weight = s->doc.n && !s->unit_is_user && !s->mark ? recent_weight(s->type) : 0;
        if (weight > 0)
            recent_note(in->worker->server->recent, s->unit, s->doc, weight, s->at_us);
    }
}

static void finish(struct intake *in)
{
    struct buf b;
    count_taken(in);
    show_taken(in);
    note_recent(in);
    jsonw_close(&in->rejects_writer);
    buf_init(&b, (size_t)2 * ANSWER_MAX);
    buf_addf(&b, "{%s\"accepted\":%zu,\"rejected\":", in->answer, in->accepted);
    buf_add_str(&b, buf_str(&in->rejects));
    buf_add_byte(&b, '}');
    buf_release(&in->rejects);
    http_reply_json(in->req, 200, buf_str(&b));
    buf_release(&b);
}

/* As a whole: what was found wrong with its elements before does not count. */
static void fail(struct intake *in, const struct err *err)
{
    enum reject_reason reason = reject_reason_of(err);
    counter_add(&in->worker->ingested.rejected[in->format][reason], 1);
    if (err != &in->first) /* the only element: it is shown */
        show_refused(in, (struct live_reject){ .whole = true, .reason = reason }, err->text, in->req->body, NULL);
    buf_release(&in->rejects);
    http_reply_err_later(in->req, err, LOADER_BACKOFF_MAX_US);
}

static void on_synced(void *arg, const struct err *err)
{
    struct intake *in = arg;
    if (err)
        fail(in, err);
    else
        finish(in);
}

static bool append_all(struct intake *in, struct err *err)
{
    struct journal_client *journal = in->worker->journal;
    for (size_t i = 0; i < in->signals_count; i++)
        if (!journal_append_signal(journal, &in->signals[i], err))
            return false;
    for (size_t i = 0; i < in->exposures_count; i++)
        if (!journal_append_exposure(journal, &in->exposures[i], err))
            return false;
    return true;
}

/* What was not taken will come again: it is not charged. */
static void charge(struct intake *in)
{
    if (in->req->scope <= SCOPE_CLIENT)
        key_rate_charge(in->worker->server->key_rate, in->req->key, in->accepted + in->rejected, clock_mono_us());
}

static void journal_them(struct intake *in)
{
    struct err err;
    bool nothing = in->signals_count + in->exposures_count == 0;
    if (!nothing && (!journal_ready(in->worker->journal, &err) || !append_all(in, &err))) {
        fail(in, &err);
        return;
    }
    charge(in);
    if (nothing)
        finish(in);
    else
        journal_when_synced(in->worker->journal, on_synced, in);
}

void ingest_signals(struct http_request *req, void *arg)
{
    struct intake *in = intake_new(req, arg, FORMAT_NATIVE);
    bool single;
    struct err err;
    if (!in)
        return;
    if (!native_read(req->body, in->received_us, &req->arena, on_native, in, &single, &err))
        fail(in, &err);
    else if (single && in->rejected)
        fail(in, &in->first); /* one signal sent alone: the status itself says that it was not taken */
    else
        journal_them(in);
}

static bool on_exposure(void *arg, size_t index, struct str text)
{
    struct intake *in = arg;
    struct exposure_reader reader = { snapshot_get(), in->req->scope, in->received_us, &in->req->arena };
    struct exposure e;
    struct err err;
    if (exposure_parse(&reader, text, &e, &err)) {
        e.experiment = arena_str(&in->req->arena, e.experiment); /* the snapshot's, likewise */
        e.variant = arena_str(&in->req->arena, e.variant);
        add_exposure(in, &e);
        in->accepted++;
    } else {
        reject(in, index, &err);
        show_refused(in, (struct live_reject){ .index = index, .reason = reject_reason_of(&err) }, err.text, text,
                     NULL);
    }
    return true;
}

void ingest_exposures(struct http_request *req, void *arg)
{
    struct intake *in = intake_new(req, arg, FORMAT_EXPOSURES);
    bool single;
    struct err err;
    if (!in)
        return;
    if (req->scope == SCOPE_QA) {
        err_set(&err, ERR_DENIED, "a key of scope qa is never counted");
        fail(in, &err);
    } else if (!elements_read(req->body, "exposures", EXPOSURES_PER_REQUEST_MAX, &req->arena, on_exposure, in, &single,
                              &err)) {
        fail(in, &err);
    } else if (single && in->rejected) {
        fail(in, &in->first);
    } else {
        journal_them(in);
    }
}

static void ingest_ubi(struct http_request *req, struct worker *worker, enum ubi_kind kind)
{
    struct intake *in = intake_new(req, worker, FORMAT_UBI);
    struct err err;
    if (!in)
        return;
    if (!ubi_read(req->body, kind, in->received_us, &req->arena, on_event, in, &err))
        fail(in, &err);
    else
        journal_them(in);
}

void ingest_ubi_events(struct http_request *req, void *arg)
{
    ingest_ubi(req, arg, UBI_EVENTS);
}

void ingest_ubi_queries(struct http_request *req, void *arg)
{
    ingest_ubi(req, arg, UBI_QUERIES);
}

void ingest_ubi_either(struct http_request *req, void *arg)
{
    ingest_ubi(req, arg, UBI_EITHER);
}

/* ---- Segment ---- */

/* Answered with 200 whatever is wrong with single events: RudderStack's Node SDK ends its process on a 400. */
static void ingest_segment(struct http_request *req, struct worker *worker, const char *single)
{
    struct intake *in = intake_new(req, worker, FORMAT_SEGMENT);
    struct err err;
    if (!in)
        return;
    in->answer = "\"success\":true,";
    if (!segment_read(req->body, single, in->received_us, &req->arena, on_event, in, &err))
        fail(in, &err);
    else
        journal_them(in);
}

void ingest_segment_batch(struct http_request *req, void *arg)
{
    ingest_segment(req, arg, NULL);
}

void ingest_segment_one(struct http_request *req, void *arg)
{
    const char *slash = strrchr(req->route->pattern, '/');
    ingest_segment(req, arg, slash + 1);
}

struct str ingest_segment_key(struct http_request *req)
{
    return segment_key(req->body, &req->arena);
}

/* ---- Insights ---- */

void ingest_insights(struct http_request *req, void *arg)
{
    struct intake *in = intake_new(req, arg, FORMAT_INSIGHTS);
    struct err err;
    if (!in)
        return;
    in->answer = "\"status\":200,\"message\":\"OK\",";
    if (!insights_read(req->body, in->received_us, &req->arena, on_event, in, &err))
        fail(in, &err);
    else
        journal_them(in);
}

struct str ingest_insights_key(struct http_request *req)
{
    struct str key;
    return http_query(req, STR("X-Algolia-API-Key"), &key) ? key : http_header(req, STR("x-algolia-api-key"));
}

/* ---- beacons: they can send no headers ---- */

struct str ingest_query_key(struct http_request *req)
{
    struct str key;
    return http_query(req, STR("key"), &key) ? key : (struct str){ NULL, 0 };
}
