#include "experimentd/evaluate/handlers.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "experimentd/config/snapshot_parts.h"
#include "experimentd/evaluate/exposure_filter.h"
#include "experimentd/ingest/journal.h"
#include "experimentd/worker.h"

enum { ASKS_MAX = 1000, NAMES_MAX = 1000, ANSWER_MAX = 64 << 20 };

/* Who asks: the unit, and other attributes that experiments may hash on. */
struct asker {
    struct str unit;
    json_t *attributes;        /* NULL: none */
    int64_t at_us;             /* of the exposure */
};

static void expose(struct worker *w, const struct snapshot_experiment *e, int variant, struct str unit, int64_t at_us)
{
    struct exposure exposure = { .at_us = at_us, .experiment = e->key, .variant = e->variants[variant].key, .unit = unit };
    const struct snapshot_assign *a = e->assign;
    struct err ignored; /* a lost exposure is counted by the journal and never fails the answer */
    if (!exposure_filter_pass(w->exposures, a->identity + (uint64_t)variant, unit, at_us))
        return;
    if (!journal_append_exposure(w->journal, &exposure, &ignored))
        exposure_filter_forget(w->exposures, a->identity + (uint64_t)variant, unit, at_us);
}

/* The reply's piece for this experiment and unit. */
static struct str assign(struct worker *w, const struct snapshot_experiment *e, struct str unit, int64_t at_us)
{
    const struct snapshot_assign *a = e->assign;
    if (e->status != EXPERIMENT_RUNNING)
        return a->not_running;
    int variant = assign_variant(&a->ready, unit.p, unit.n);
    if (variant < 0)
        return a->not_in_coverage;
    expose(w, e, variant, unit, at_us);
    return a->assigned[variant];
}

static bool check_unit(struct str unit, struct err *err)
{
    if (unit.n == 0)
        return err_set(err, ERR_INVALID, "field \"unit\" is missing or empty");
    if (unit.n > SIGNAL_UNIT_MAX)
        return err_set(err, ERR_INVALID, "field \"unit\" is longer than %d bytes", SIGNAL_UNIT_MAX);
    if (!str_is_utf8(unit))
        return err_set(err, ERR_INVALID, "field \"unit\" is not UTF-8");
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

void evaluate_get(struct http_request *req, void *arg)
{
    struct worker *w = arg;
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), req->params[0]);
    struct str unit = { NULL, 0 }, timestamp = { NULL, 0 };
    int64_t at_us;
    struct err err;
    if (!http_query(req, STR("unit"), &unit) && memmem(req->query.p, req->query.n, "unit=", 5)) {
        http_reply_problem(req, 400, "query string: \"unit\" holds a bad percent escape");
        return;
    }
    if (!e || !e->assign) {
        err_set(&err, ERR_NOT_FOUND, "experiment \"%.*s\" is not known", req->params[0].n > 100 ? 100 : (int)req->params[0].n,
                req->params[0].p);
        http_reply_err(req, &err);
        return;
    }
    (void)http_query(req, STR("timestamp"), &timestamp);
    if (!check_unit(unit, &err) || !check_timestamp(req, timestamp, &at_us, &err)) {
        if (err.kind == ERR_INVALID)
            (void)err_prefix(&err, "query string: ");
        http_reply_err(req, &err);
        return;
    }
    struct str parts[] = { STR("{\"assignments\":["), assign(w, e, unit, at_us), STR("]}") };
    http_reply_parts(req, 200, "application/json", parts, COUNT_OF(parts));
}

/* ---- POST: one object or an array of them ---- */

struct answer {
    struct http_request *req;
    struct worker *worker;
    struct buf out;
    bool comma;
};

static void put(struct answer *a, struct str piece)
{
    if (a->comma)
        buf_add_byte(&a->out, ',');
    a->comma = true;
    buf_add_str(&a->out, piece);
}

static void put_reason(struct answer *a, struct str experiment, const char *reason)
{
    struct buf b;
    buf_init(&b, 4096);
    buf_add_c(&b, "{\"experiment\":");
    buf_add_json_str(&b, experiment);
    buf_addf(&b, ",\"variant\":null,\"value\":null,\"reason\":\"%s\"}", reason);
    put(a, buf_str(&b));
    buf_release(&b);
}

/* The value of the experiment's hash attribute: "id" is the unit, others come from attributes (text or whole number). */
static struct str hash_value(struct answer *a, const struct snapshot_experiment *e, const struct asker *who)
{
    json_t *v = json_object_getn(who->attributes, e->hash_attribute.p, e->hash_attribute.n);
    if (json_is_string(v))
        return (struct str){ json_string_value(v), json_string_length(v) };
    if (json_is_integer(v))
        return arena_printf(&a->req->arena, "%lld", (long long)json_integer_value(v));
    return str_eq(e->hash_attribute, STR("id")) ? who->unit : (struct str){ NULL, 0 };
}

static void put_experiment(struct answer *a, const struct snapshot_experiment *e, const struct asker *who)
{
    struct str unit = hash_value(a, e, who);
    if (unit.n == 0 || unit.n > SIGNAL_UNIT_MAX)
        put_reason(a, e->key, "no_unit");
    else
        put(a, assign(a->worker, e, unit, who->at_us));
}

static void put_named(struct answer *a, const struct snapshot *s, struct str name, const struct asker *who)
{
    const struct snapshot_experiment *e = snapshot_experiment(s, name);
    if (!e || !e->assign)
        put_reason(a, name, "unknown_experiment");
    else
        put_experiment(a, e, who);
}

static bool parse_ask(struct answer *a, json_t *in, struct asker *who, json_t **out_names, struct err *err)
{
    struct json_reader r;
    struct str timestamp = { NULL, 0 };
    *who = (struct asker){ 0 };
    *out_names = NULL;
    json_reader_open(&r, in, "request");
    (void)json_get_str(&r, "unit", JSON_REQUIRED, &who->unit, &a->req->arena);
    (void)json_get_object(&r, "attributes", JSON_OPTIONAL, &who->attributes);
    (void)json_get_array(&r, "experiments", JSON_OPTIONAL, out_names);
    (void)json_get_str(&r, "timestamp", JSON_OPTIONAL, &timestamp, &a->req->arena);
    if (json_array_size(*out_names) > NAMES_MAX)
        (void)json_fail(&r, "experiments", "has more than %d elements", NAMES_MAX);
    for (size_t i = 0; i < json_array_size(*out_names); i++)
        if (!json_is_string(json_array_get(*out_names, i)))
            (void)json_fail(&r, "experiments", "element %zu is not a string", i);
    return json_reader_close(&r, err) && check_unit(who->unit, err) && check_timestamp(a->req, timestamp, &who->at_us, err);
}

static bool put_ask(struct answer *a, json_t *in, struct err *err)
{
    const struct snapshot *s = snapshot_get();
    struct asker who;
    json_t *names;
    if (!parse_ask(a, in, &who, &names, err))
        return false;
    buf_add_c(&a->out, "{\"assignments\":[");
    a->comma = false;
    for (size_t i = 0; i < json_array_size(names); i++) {
        json_t *name = json_array_get(names, i);
        put_named(a, s, (struct str){ json_string_value(name), json_string_length(name) }, &who);
    }
    for (size_t i = 0; !names && i < s->experiments_count; i++)
        if (s->experiments[i].status == EXPERIMENT_RUNNING && s->experiments[i].assign)
            put_experiment(a, &s->experiments[i], &who);
    buf_add_c(&a->out, "]}");
    return true;
}

/* All asks are checked as they are met; the first bad one fails the whole request, naming its index. */
static bool put_asks(struct answer *a, json_t *root, struct err *err)
{
    if (!json_is_array(root))
        return put_ask(a, root, err);
    if (json_array_size(root) > ASKS_MAX)
        return err_set(err, ERR_TOO_LARGE, "the array holds %zu requests, more than %d", json_array_size(root), ASKS_MAX);
    buf_add_byte(&a->out, '[');
    for (size_t i = 0; i < json_array_size(root); i++) {
        if (i)
            buf_add_byte(&a->out, ',');
        if (!put_ask(a, json_array_get(root, i), err))
            return err_prefix(err, "element %zu: ", i);
    }
    buf_add_byte(&a->out, ']');
    return buf_ok(&a->out, "the answer", err);
}

void evaluate_post(struct http_request *req, void *arg)
{
    struct err err;
    json_auto_t *root = json_parse(req->body, &err);
    struct answer a = { .req = req, .worker = arg };
    buf_init(&a.out, ANSWER_MAX);
    if (root && put_asks(&a, root, &err))
        http_reply_json(req, 200, buf_str(&a.out));
    else
        http_reply_err(req, &err);
    buf_release(&a.out);
}
