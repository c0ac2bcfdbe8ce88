#include "experimentd/ingest/formats/ubi.h"

#include <math.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/pg.h"

static bool read_time(json_t *object, int64_t received_us, int64_t *out, struct arena *arena, struct err *err)
{
    *out = received_us;
    return lenient_time(object, "timestamp", out, arena, err);
}

static bool read_common(json_t *in, struct signal *s, int64_t received_us, struct arena *arena, struct err *err)
{
    json_t *attributes = lenient_any(in, "event_attributes", "eventAttributes");
    *s = (struct signal){ .received_us = received_us, .value = NAN };
    s->session = lenient_field(in, "session_id", "sessionId", arena);
    if (!s->session.p)
        s->session = lenient_field(attributes, "session_id", "sessionId", arena);
    s->user = lenient_field(in, "user_id", "userId", arena);
    s->unit = lenient_field(in, "client_id", "clientId", arena);
    s->unit_is_user = !s->unit.p && s->user.p;
    if (!s->unit.p)
        s->unit = s->user.p ? s->user : s->session;
    s->query_id = lenient_field(in, "query_id", "queryId", arena);
    s->query = lenient_field(in, "user_query", "userQuery", arena);
    if (!s->unit.p)
        return err_set(err, ERR_INVALID,
                       "fields \"client_id\", \"user_id\" and \"session_id\" are all missing: whose event is it");
    return read_time(in, received_us, &s->at_us, arena, err);
}

/* ---- experiments carried along ---- */

static void read_exposure(json_t *attributes, const struct signal *s, struct foreign_event *out, struct arena *arena)
{
    struct str experiment = lenient_field(attributes, "experiment", "experiment_id", arena);
    struct str variant = lenient_field(attributes, "variant", "variation", arena);
    struct exposure e = { .at_us = s->at_us,
                          .experiment = experiment,
                          .variant = variant,
                          .unit = s->unit,
                          .unit_is_user = s->unit_is_user };
    struct err ignored;
    if (!experiment.p || !variant.p || !exposure_check(&e, &ignored))
        return;
    e.attributes = lenient_attributes(attributes, arena);
    out->exposure = e;
    out->has_exposure = true;
}

/* ---- events ---- */

static const struct {
    const char *action, *type;
} actions[] = {
    { "click", "click" },      { "item_click", "click" }, { "click_through", "click" }, { "product_click", "click" },
    { "add_to_cart", "cart" }, { "search", "search" },    { "on_search", "search" },
};

static struct str type_of(struct str action, struct arena *arena)
{
    for (size_t i = 0; i < COUNT_OF(actions); i++)
        if (str_eq_nocase(action, str_of(actions[i].action)))
            return str_of(actions[i].type);
    return lenient_type(action, arena);
}

static void keep(json_t *params, const char *name, json_t *v)
{
    if (json_is_string(v) && !json_object_get(params, name))
        (void)json_object_set(params, name, v);
}

/* The attributes as sent and, unless they say the same, what has no column: the application, and the action whose type is another word. */
static struct str params_of(json_t *in, json_t *attributes, struct str type, struct arena *arena)
{
    json_auto_t *params = json_is_object(attributes) ? json_copy(attributes) : json_object();
    json_t *action = lenient_any(in, "action_name", "actionName");
    keep(params, "application", lenient_any(in, "application", NULL));
    if (!str_eq(lenient_text(action, arena), type))
        keep(params, "action_name", action);
    return lenient_object(params, arena);
}

static void read_attributes(json_t *in, struct signal *s, struct arena *arena)
{
    json_t *attributes = lenient_any(in, "event_attributes", "eventAttributes");
    json_t *object = json_object_get(attributes, "object");
    json_t *ordinal = json_object_get(json_object_get(attributes, "position"), "ordinal");
    if (json_is_object(ordinal)) /* 1.0 to 1.2 */
        ordinal = json_object_get(ordinal, "index");
    s->doc = lenient_field(object, "object_id", "objectId", arena);
    if (json_is_integer(ordinal) && json_integer_value(ordinal) >= 1 && json_integer_value(ordinal) <= INT32_MAX)
        s->position = (int32_t)json_integer_value(ordinal);
    s->params = params_of(in, attributes, s->type, arena);
}

static bool read_event(json_t *in, int64_t received_us, struct arena *arena, struct foreign_event *out, struct err *err)
{
    struct signal *s = &out->signals[0];
    if (!read_common(in, s, received_us, arena, err))
        return false;
    struct str action = lenient_field(in, "action_name", "actionName", arena);
    if (!action.p)
        return err_set(err, ERR_INVALID, "field \"action_name\" is missing or empty");
    s->type = type_of(action, arena);
    read_attributes(in, s, arena);
    if (!s->query.p && str_eq_c(lenient_field(in, "message_type", "messageType", arena), "QUERY"))
        s->query = lenient_field(in, "message", NULL, arena);
    out->signals_count = 1;
    read_exposure(lenient_any(in, "event_attributes", "eventAttributes"), s, out, arena);
    return true;
}

/* ---- queries ---- */

/* The engine's plugin knows what was found, also when it was nothing. A client's empty list mostly means that it was never filled (192 of
 * the 473 published sample queries): then the number of results is unknown. */
static json_t *hit_ids(json_t *in)
{
    json_t *response = lenient_any(in, "query_response", "queryResponse");
    json_t *ids = lenient_any(in, "query_response_hit_ids", "query_response_object_ids");
    return json_array_size(ids) ? ids : lenient_any(response, "query_response_hit_ids", "queryResponseHitIds");
}

/* What was shown, as {"docs": […]}: the ids in the order of positions, up to what is none. Passes look at the first ones alone
 * (trainer/kernels/serps/serp_shown.h), and params have a limit, which escaped characters must not break. */
static struct str shown(const json_t *ids, struct arena *arena)
{
    enum { IDS_MAX = 100, ID_BYTES = 512, ESCAPED = 6, FRAME = 64 };
    json_auto_t *docs = json_array();
    size_t bytes = FRAME;
    for (size_t i = 0; i < json_array_size(ids) && i < IDS_MAX; i++) {
        struct str id = lenient_text(json_array_get(ids, i), arena);
        bytes += ESCAPED * id.n + 3;
        if (id.n == 0 || id.n > ID_BYTES || bytes > SIGNAL_PARAMS_MAX)
            break;
        (void)json_array_append_new(docs, json_stringn(id.p, id.n));
    }
    if (json_array_size(docs) == 0)
        return (struct str){ NULL, 0 };
    json_auto_t *params = json_pack("{s:O}", "docs", docs);
    return lenient_object(params, arena);
}

static bool read_query(json_t *in, int64_t received_us, struct arena *arena, struct foreign_event *out, struct err *err)
{
    struct signal *s = &out->signals[0];
    json_t *attributes = lenient_any(in, "query_attributes", "queryAttributes"), *ids = hit_ids(in);
    if (!read_common(in, s, received_us, arena, err))
        return false;
    if (!s->query.p && !json_object_get(in, "user_query") && !json_object_get(in, "userQuery"))
        return err_set(err, ERR_INVALID, "field \"user_query\" is missing");
    s->type = STR("request");
    s->params = params_of(in, attributes, s->type, arena);
    out->signals_count = 1;
    if (json_is_array(ids)) {
        out->signals[1] = *s;
        out->signals[1].type = STR("response");
        out->signals[1].params = shown(ids, arena);
        out->signals[1].value = (double)json_array_size(ids);
        out->signals_count = 2;
    }
    read_exposure(attributes, s, out, arena);
    return true;
}

/* ---- bodies ---- */

static bool read_element(json_t *in, enum ubi_kind kind, int64_t received_us, struct arena *arena,
                         struct foreign_event *out, struct err *err)
{
    *out = (struct foreign_event){ .signals = arena_alloc(arena, 2 * sizeof(struct signal)) };
    if (!json_is_object(in))
        return err_set(err, ERR_INVALID, "the element is not an object");
    bool event = kind == UBI_EVENTS || (kind == UBI_EITHER && lenient_any(in, "action_name", "actionName"));
    bool ok = event ? read_event(in, received_us, arena, out, err) : read_query(in, received_us, arena, out, err);
    for (size_t i = 0; ok && i < out->signals_count; i++) {
        uuid_v7(out->signals[i].id, received_us);
        ok = signal_check(&out->signals[i], arena, err);
    }
    return ok;
}

static bool report(json_t *in, size_t index, enum ubi_kind kind, int64_t received_us, struct arena *arena,
                   foreign_fn fn, void *arg)
{
    struct foreign_event *out = arena_alloc(arena, sizeof *out);
    struct err reason;
    bool ok = read_element(in, kind, received_us, arena, out, &reason);
    return fn(arg, index, in, ok ? out : NULL, ok ? NULL : &reason);
}

bool ubi_read(struct str body, enum ubi_kind kind, int64_t received_us, struct arena *arena, foreign_fn fn, void *arg,
              struct err *err)
{
    json_auto_t *root = json_parse(body, err);
    if (!root)
        return false;
    if (json_is_object(root))
        return report(root, 0, kind, received_us, arena, fn, arg) || err_set(err, ERR_BUSY, "the reader was stopped");
    if (!json_is_array(root))
        return err_set(err, ERR_INVALID, "body: neither an object nor an array");
    if (json_array_size(root) > EVENTS_PER_REQUEST_MAX)
        return err_set(err, ERR_TOO_LARGE, "the request holds more than %d events", EVENTS_PER_REQUEST_MAX);
    for (size_t i = 0; i < json_array_size(root); i++)
        if (!report(json_array_get(root, i), i, kind, received_us, arena, fn, arg))
            return err_set(err, ERR_BUSY, "the reader was stopped");
    return true;
}
