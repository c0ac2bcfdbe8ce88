#include "experimentd/ingest/formats/insights.h"

#include <math.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/pg.h"
#include "experimentd/ingest/formats/native.h"

/* ---- one event ---- */

static const char *type_of(json_t *in, struct arena *arena, struct err *err)
{
    struct str type = lenient_field(in, "eventType", NULL, arena),
               subtype = lenient_field(in, "eventSubtype", NULL, arena);
    if (str_eq(type, STR("view")))
        return "impression";
    if (str_eq(type, STR("click")))
        return "click";
    if (str_eq(type, STR("conversion")))
        return str_eq(subtype, STR("addToCart"))  ? "cart"
               : str_eq(subtype, STR("purchase")) ? "purchase"
                                                  : "conversion";
    if (type.p)
        err_set(err, ERR_INVALID, "field \"eventType\" is \"" STR_FMT "\", none of view, click, conversion",
                STR_ARG(str_cut(type, 60)));
    else
        err_set(err, ERR_INVALID, "field \"eventType\" is missing");
    return NULL;
}

static struct str params_of(json_t *in, struct arena *arena)
{
    static const char *const kept[] = { "eventName", "index", "filters", "currency" };
    json_auto_t *params = json_object();
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        if (lenient_any(in, kept[i], NULL))
            (void)json_object_set(params, kept[i], json_object_get(in, kept[i]));
    return lenient_object(params, arena);
}

/* The event's text, its members in order: the same event sent again has the same. */
static struct str fingerprint(json_t *in, struct arena *arena)
{
    char *text = lenient_any(in, "timestamp", NULL) ? json_dumps(in, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    struct str out = text ? arena_str(arena, str_of(text)) : (struct str){ NULL, 0 };
    mem_free(text);
    return out;
}

static void set_id(struct signal *s, struct str fingerprint, size_t i, struct arena *arena)
{
    if (!fingerprint.p) {
        uuid_v7(s->id, s->received_us);
        return;
    }
    native_id(arena_printf(arena, "insights " STR_FMT "#%zu", STR_ARG(fingerprint), i), s->id);
    s->client_id = true;
}

static double value_of(json_t *in, size_t i, size_t objects)
{
    json_t *data = json_array_get(json_object_get(in, "objectData"), i);
    double price = lenient_number(json_object_get(data, "price")),
           quantity = lenient_number(json_object_get(data, "quantity"));
    if (!isnan(price))
        return isnan(quantity) ? price : price * quantity;
    return lenient_number(json_object_get(in, "value")) / (double)(objects ? objects : 1);
}

static bool read_common(json_t *in, struct signal *s, struct arena *arena, struct err *err)
{
    s->user = lenient_field(in, "authenticatedUserToken", NULL, arena);
    s->unit = lenient_field(in, "userToken", NULL, arena);
    s->unit_is_user = !s->unit.p;
    if (!s->unit.p)
        s->unit = s->user;
    s->query_id = lenient_field(in, "queryID", NULL, arena);
    s->params = params_of(in, arena);
    s->at_us = s->received_us;
    if (!s->unit.p)
        return err_set(err, ERR_INVALID, "field \"userToken\" is missing: whose event is it");
    return lenient_time(in, "timestamp", &s->at_us, arena, err);
}

static void add_objects(json_t *in, const struct signal *common, struct foreign_event *out, struct arena *arena)
{
    json_t *objects = json_object_get(in, "objectIDs"), *positions = json_object_get(in, "positions"),
           *data = json_object_get(in, "objectData");
    struct str print = fingerprint(in, arena);
    size_t n = json_array_size(objects);
    for (size_t i = 0; i < n || i == 0; i++) {
        struct signal s = *common;
        struct str own = lenient_field(json_array_get(data, i), "queryID", NULL, arena);
        s.doc = lenient_text(json_array_get(objects, i), arena);
        s.position = lenient_position(json_array_get(positions, i));
        s.value = value_of(in, i, n);
        if (own.p)
            s.query_id = own;
        set_id(&s, print, i, arena);
        foreign_add(out, &s, arena);
    }
}

static bool read_event(json_t *in, int64_t received_us, struct arena *arena, struct foreign_event *out, struct err *err)
{
    struct signal s = { .received_us = received_us, .value = NAN };
    if (!json_is_object(in))
        return err_set(err, ERR_INVALID, "the element is not an object");
    const char *type = type_of(in, arena, err);
    if (!type || !read_common(in, &s, arena, err))
        return false;
    if (json_array_size(json_object_get(in, "objectIDs")) > INSIGHTS_OBJECTS_MAX)
        return err_set(err, ERR_INVALID, "field \"objectIDs\" has more than %d elements", INSIGHTS_OBJECTS_MAX);
    s.type = str_of(type);
    add_objects(in, &s, out, arena);
    for (size_t i = 0; i < out->signals_count; i++)
        if (!signal_check(&out->signals[i], arena, err))
            return false;
    return true;
}

bool insights_read(struct str body, int64_t received_us, struct arena *arena, foreign_fn fn, void *arg, struct err *err)
{
    json_auto_t *root = json_parse(body, err);
    json_t *events = json_object_get(root, "events");
    if (!root)
        return false;
    if (!json_is_array(events))
        return err_set(err, ERR_INVALID, "field \"events\" is %s", events ? "not an array" : "missing");
    if (json_array_size(events) > INSIGHTS_EVENTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "the request holds more than %d events", INSIGHTS_EVENTS_MAX);
    for (size_t i = 0; i < json_array_size(events); i++) {
        struct foreign_event e = { 0 };
        struct err reason;
        bool ok = read_event(json_array_get(events, i), received_us, arena, &e, &reason);
        if (!fn(arg, i, json_array_get(events, i), ok ? &e : NULL, ok ? NULL : &reason))
            return err_set(err, ERR_BUSY, "the reader was stopped");
    }
    return true;
}
