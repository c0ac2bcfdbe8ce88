#include "experimentd/evaluate/handlers.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "experimentd/config/snapshot_parts.h"
#include "experimentd/evaluate/exposure_filter.h"
#include "experimentd/ingest/journal.h"
#include "experimentd/worker.h"

/* Of one request: asks in its array, names in an ask, assignments in all (each some 0.2 µs of the worker's time and an exposure). */
enum { ASKS_MAX = 1000, NAMES_MAX = 1000, ASSIGNMENTS_MAX = 20000, ANSWER_MAX = 64 << 20, SHOWN_MAX = 100 };

/* A unit in the variant of an experiment, since this instant. */
struct assignment {
    const struct snapshot_experiment *experiment;
    int variant;
    struct str unit;
    int64_t at_us;
};

static void expose(struct worker *w, const struct assignment *x)
{
    const struct snapshot_assign *a = x->experiment->assign;
    uint64_t identity = a->identity + (uint64_t)x->variant;
    struct exposure exposure = { .at_us = x->at_us,
                                 .experiment = x->experiment->key,
                                 .variant = x->experiment->variants[x->variant].key,
                                 .unit = x->unit };
    struct err ignored; /* a lost exposure is counted by the journal and never fails the answer */
    if (!exposure_filter_pass(w->exposures, identity, x->unit, x->at_us))
        return;
    if (!journal_append_exposure(w->journal, &exposure, &ignored))
        exposure_filter_forget(w->exposures, identity, x->unit, x->at_us);
}

/* The variant's index, or -1; *out_piece is the answer's object. A unit of length 0: the unit lacks the hash attribute. */
static int decide(const struct snapshot_experiment *e, struct str unit, struct str *out_piece)
{
    const struct snapshot_assign *a = e->assign;
    bool running = e->status == EXPERIMENT_RUNNING;
    int variant = running && unit.n ? assign_variant(&a->ready, unit.p, unit.n) : -1;
    if (variant >= 0)
        *out_piece = a->assigned[variant];
    else
        *out_piece = a->unassigned[!running ? NOT_RUNNING : !unit.n ? NO_UNIT : NOT_IN_COVERAGE];
    return variant;
}

static bool check_unit(const char *field, struct str unit, struct err *err)
{
    if (unit.n > SIGNAL_UNIT_MAX)
        return err_set(err, ERR_INVALID, "field \"%s\" is longer than %d bytes", field, SIGNAL_UNIT_MAX);
    if (!str_is_utf8(unit))
        return err_set(err, ERR_INVALID, "field \"%s\" is not UTF-8", field);
    return true;
}

/* A replay may say when the assignment was made; only who may read everything may write into the past. */
static bool check_timestamp(struct http_request *req, struct str text, int64_t *out_us, struct err *err)
{
    *out_us = clock_now_us();
    if (!text.p)
        return true;
    if (req->scope < SCOPE_ANALYST)
        return err_set(err, ERR_DENIED, "field \"timestamp\" needs a key of scope analyst or admin");
    if (!clock_parse(text, out_us, err))
        return err_prefix(err, "field \"timestamp\": ");
    if (*out_us > clock_now_us() + US_PER_DAY)
        return err_set(err, ERR_INVALID, "field \"timestamp\" lies more than a day ahead");
    return true;
}

/* ---- GET: one unit, one experiment ---- */

static bool read_query(struct http_request *req, struct str *out_unit, int64_t *out_at_us, struct err *err)
{
    struct str timestamp = { NULL, 0 };
    if (!http_query(req, STR("unit"), out_unit))
        return err_set(err, ERR_INVALID, "field \"unit\" is missing or holds a bad percent escape");
    if (out_unit->n == 0)
        return err_set(err, ERR_INVALID, "field \"unit\" is empty");
    (void)http_query(req, STR("timestamp"), &timestamp);
    return check_unit("unit", *out_unit, err) && check_timestamp(req, timestamp, out_at_us, err);
}

/* What the experiment hashes: the unit, or ?attribute.NAME= when it hashes another attribute (empty when that is absent). */
static bool query_hash_value(struct http_request *req, const struct snapshot_experiment *e, struct str *unit,
                             struct err *err)
{
    if (str_eq(e->hash_attribute, STR("id")))
        return true;
    struct str name = arena_printf(&req->arena, "attribute." STR_FMT, STR_ARG(e->hash_attribute));
    *unit = (struct str){ NULL, 0 };
    (void)http_query(req, name, unit);
    return check_unit(name.p, *unit, err);
}

void evaluate_get(struct http_request *req, void *arg)
{
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), req->params[0]);
    struct str unit, piece;
    int64_t at_us;
    struct err err;
    if (!read_query(req, &unit, &at_us, &err) || (e && !query_hash_value(req, e, &unit, &err))) {
        (void)err_prefix(&err, "query string: ");
        http_reply_err(req, &err);
        return;
    }
    if (!e || !e->assign) {
        err_set(&err, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known",
                STR_ARG(str_cut(req->params[0], SHOWN_MAX)));
        http_reply_err(req, &err);
        return;
    }
    int variant = decide(e, unit, &piece);
    if (variant >= 0) {
        struct assignment x = { e, variant, unit, at_us };
        expose(arg, &x);
    }
    struct str parts[] = { STR("{\"assignments\":["), piece, STR("]}") };
    http_reply_parts(req, 200, "application/json", parts, COUNT_OF(parts));
}

/* ---- POST: one object or an array of them ---- */

/* Who asks for what. */
struct ask {
    struct str unit;
    json_t *attributes; /* other attributes that experiments may hash on; NULL: none */
    json_t *names;      /* of experiments; NULL: all that run */
    int64_t at_us;      /* of the exposures */
};

/* Exposures wait until the whole answer stands: a request that is refused has exposed nobody. */
struct pending_exposure {
    struct pending_exposure *next;
    struct assignment assignment;
};

struct answer {
    struct http_request *req;
    const struct snapshot *snapshot;
    struct buf out;
    unsigned assignments;
    bool comma;
    struct pending_exposure *exposures, **exposures_end;
};

static bool parse_ask(struct http_request *req, json_t *in, struct ask *ask, struct err *err)
{
    struct json_reader r;
    struct str timestamp = { NULL, 0 };
    *ask = (struct ask){ 0 };
    json_reader_open(&r, in, "request");
    (void)json_get_str(&r, "unit", JSON_REQUIRED, &ask->unit, &req->arena);
    if (ask->unit.p && ask->unit.n == 0)
        (void)json_fail(&r, "unit", "is empty");
    (void)json_get_object(&r, "attributes", JSON_OPTIONAL, &ask->attributes);
    (void)json_get_array(&r, "experiments", JSON_OPTIONAL, &ask->names);
    (void)json_get_str(&r, "timestamp", JSON_OPTIONAL, &timestamp, &req->arena);
    if (json_array_size(ask->names) > NAMES_MAX)
        (void)json_fail(&r, "experiments", "has more than %d elements", NAMES_MAX);
    for (size_t i = 0; i < json_array_size(ask->names); i++)
        if (!json_is_string(json_array_get(ask->names, i)))
            (void)json_fail(&r, "experiments", "element %zu is not a string", i);
    return json_reader_close(&r, err) && check_unit("unit", ask->unit, err) &&
           check_timestamp(req, timestamp, &ask->at_us, err);
}

static bool begin_assignment(struct answer *a, struct err *err)
{
    if (++a->assignments > ASSIGNMENTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "the request asks for more than %d assignments", ASSIGNMENTS_MAX);
    if (a->comma)
        buf_add_byte(&a->out, ',');
    a->comma = true;
    return true;
}

/* An attribute as SDKs hash it: JavaScript's text of a number or boolean; 0, false, "" and what is no scalar count as missing. */
static struct str attribute_text(struct arena *arena, const json_t *v)
{
    if (json_is_string(v))
        return (struct str){ json_string_value(v), json_string_length(v) };
    if (json_is_true(v))
        return STR("true");
    if (!json_is_number(v) || json_number_value(v) == 0)
        return (struct str){ NULL, 0 };
    char *text = arena_alloc(arena, ASSIGN_NUMBER_TEXT_MAX);
    return (struct str){ text, assign_number_text(json_number_value(v), text) };
}

/* The value of the experiment's hash attribute: from the attributes, else for "id" the unit, else missing. */
static struct str hash_value(struct answer *a, const struct snapshot_experiment *e, const struct ask *ask)
{
    struct str given = attribute_text(&a->req->arena,
                                      json_object_getn(ask->attributes, e->hash_attribute.p, e->hash_attribute.n));
    return given.n || !str_eq(e->hash_attribute, STR("id")) ? given : ask->unit;
}

static bool put_experiment(struct answer *a, const struct snapshot_experiment *e, const struct ask *ask,
                           struct err *err)
{
    struct str unit = hash_value(a, e, ask), piece;
    if (unit.n > SIGNAL_UNIT_MAX)
        return check_unit(arena_printf(&a->req->arena, "attributes." STR_FMT, STR_ARG(e->hash_attribute)).p, unit, err);
    if (!begin_assignment(a, err))
        return false;
    int variant = decide(e, unit, &piece);
    buf_add_str(&a->out, piece);
    if (variant >= 0) {
        struct pending_exposure *p = arena_alloc(&a->req->arena, sizeof *p);
        *p = (struct pending_exposure){ NULL, { e, variant, unit, ask->at_us } };
        *a->exposures_end = p;
        a->exposures_end = &p->next;
    }
    return true;
}

static bool put_named(struct answer *a, struct str name, const struct ask *ask, struct err *err)
{
    const struct snapshot_experiment *e = snapshot_experiment(a->snapshot, name);
    if (e && e->assign)
        return put_experiment(a, e, ask, err);
    if (!begin_assignment(a, err))
        return false;
    buf_add_c(&a->out, "{\"experiment\":");
    buf_add_json_str(&a->out, name);
    buf_add_c(&a->out, ",\"variant\":null,\"value\":null,\"reason\":\"unknown_experiment\"}");
    return true;
}

static bool put_ask(struct answer *a, const struct ask *ask, struct err *err)
{
    buf_add_c(&a->out, "{\"assignments\":[");
    a->comma = false;
    for (size_t i = 0; i < json_array_size(ask->names); i++) {
        const json_t *name = json_array_get(ask->names, i);
        if (!put_named(a, (struct str){ json_string_value(name), json_string_length(name) }, ask, err))
            return false;
    }
    for (size_t i = 0; !ask->names && i < a->snapshot->experiments_count; i++) {
        const struct snapshot_experiment *e = &a->snapshot->experiments[i];
        if (e->status == EXPERIMENT_RUNNING && e->assign && !put_experiment(a, e, ask, err))
            return false;
    }
    buf_add_c(&a->out, "]}");
    return true;
}

/* All asks are read before the first is answered; the first bad one fails the whole request, naming its index. */
static bool put_asks(struct answer *a, json_t *root, struct err *err)
{
    bool many = json_is_array(root);
    size_t n = many ? json_array_size(root) : 1;
    if (n > ASKS_MAX)
        return err_set(err, ERR_TOO_LARGE, "the array holds %zu requests, more than %d", n, ASKS_MAX);
    struct ask *asks = arena_alloc(&a->req->arena, n * sizeof *asks);
    for (size_t i = 0; i < n; i++)
        if (!parse_ask(a->req, many ? json_array_get(root, i) : root, &asks[i], err))
            return many ? err_prefix(err, "element %zu: ", i) : false;
    buf_add_c(&a->out, many ? "[" : "");
    for (size_t i = 0; i < n; i++) {
        buf_add_c(&a->out, i ? "," : "");
        if (!put_ask(a, &asks[i], err))
            return many ? err_prefix(err, "element %zu: ", i) : false;
    }
    buf_add_c(&a->out, many ? "]" : "");
    return buf_ok(&a->out, "the answer", err);
}

void evaluate_post(struct http_request *req, void *arg)
{
    struct err err;
    json_auto_t *root = json_parse(req->body, &err);
    struct answer a = { .req = req, .snapshot = snapshot_get() };
    a.exposures_end = &a.exposures;
    buf_init(&a.out, ANSWER_MAX);
    if (root && put_asks(&a, root, &err)) {
        for (const struct pending_exposure *p = a.exposures; p; p = p->next)
            expose(arg, &p->assignment);
        http_reply_json(req, 200, buf_str(&a.out));
    } else {
        http_reply_err(req, &err);
    }
    buf_release(&a.out);
}
