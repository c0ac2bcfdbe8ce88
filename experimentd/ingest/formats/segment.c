#include "experimentd/ingest/formats/segment.h"

#include <math.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/pg.h"
#include "experimentd/ingest/formats/native.h"

enum { PRODUCTS_MAX = 1000 };
#define SKEW_MIN_US (60 * US_PER_SECOND)

struct reading {
    int64_t received_us, batch_sent_us; /* 0: not said */
    struct arena *arena;
};

/* What one event is read with. */
struct track {
    const struct reading *r;
    struct arena *arena;
    json_t *in, *properties;
    struct str message_id;
    struct signal common; /* all but type and what is the event's own */
    struct foreign_event *out;
};

/* ---- signals of an event ---- */

/* The first has the id of the message, the others one made of it. */
static void set_id(struct track *t, struct signal *s)
{
    struct str id = t->message_id;
    if (!id.n) {
        uuid_v7(s->id, t->r->received_us);
        return;
    }
    if (t->out->signals_count)
        id = arena_printf(t->arena, STR_FMT "#%zu", STR_ARG(id), t->out->signals_count);
    native_id(id, s->id);
    s->client_id = true;
}

static void add(struct track *t, struct signal *s, const char *type)
{
    s->type = str_of(type);
    set_id(t, s);
    foreign_add(t->out, s, t->arena);
}

static double amount_of(json_t *product)
{
    double price = lenient_number(json_object_get(product, "price")),
           quantity = lenient_number(json_object_get(product, "quantity"));
    return isnan(quantity) ? price : price * quantity;
}

static void read_product(struct track *t, json_t *product, struct signal *s)
{
    s->doc = lenient_field(product, "product_id", "productId", t->arena);
    if (!s->doc.p)
        s->doc = lenient_field(product, "sku", "id", t->arena);
    s->position = lenient_position(json_object_get(product, "position"));
}

static void one_product(struct track *t, const char *type, bool amount)
{
    struct signal s = t->common;
    read_product(t, t->properties, &s);
    if (amount)
        s.value = amount_of(t->properties);
    add(t, &s, type);
}

static void on_searched(struct track *t)
{
    struct signal s = t->common;
    double found = lenient_number(lenient_any(t->properties, "results_count", "resultsCount"));
    if (!s.query_id.p)
        s.query_id = t->message_id;
    s.value = NAN;
    add(t, &s, "request");
    if (isnan(found))
        return;
    s.params = (struct str){ NULL, 0 };
    s.value = found;
    add(t, &s, "response");
}

static void on_list(struct track *t)
{
    json_t *products = json_object_get(t->properties, "products");
    for (size_t i = 0; i < json_array_size(products); i++) {
        struct signal s = t->common;
        read_product(t, json_array_get(products, i), &s);
        s.params = i ? (struct str){ NULL, 0 } : s.params; /* the whole list once is enough */
        if (s.doc.p)
            add(t, &s, "impression");
    }
}

static void on_order(struct track *t)
{
    json_t *products = json_object_get(t->properties, "products");
    for (size_t i = 0; i < json_array_size(products); i++) {
        struct signal s = t->common;
        json_t *product = json_array_get(products, i);
        read_product(t, product, &s);
        s.value = amount_of(product);
        s.params = t->out->signals_count ? (struct str){ NULL, 0 } : s.params;
        if (!isnan(s.value))
            add(t, &s, "purchase");
    }
    if (t->out->signals_count)
        return;
    struct signal s = t->common;
    s.value = lenient_number(lenient_any(t->properties, "revenue", "total"));
    add(t, &s, "purchase");
}

static void on_clicked(struct track *t)
{
    one_product(t, "click", false);
}

static void on_viewed(struct track *t)
{
    one_product(t, "view", false);
}

static void on_added(struct track *t)
{
    one_product(t, "cart", true);
}

static void on_experiment(struct track *t)
{
    struct exposure *e = &t->out->exposure;
    *e = (struct exposure){ .at_us = t->common.at_us, .unit = t->common.unit, .unit_is_user = t->common.unit_is_user };
    e->experiment = lenient_field(t->properties, "experiment_id", "experimentId", t->arena);
    e->variant = lenient_field(t->properties, "variation_id", "variationId", t->arena);
    if (!e->variant.p)
        e->variant = lenient_field(t->properties, "variation_name", "variant", t->arena);
    e->attributes = lenient_attributes(t->properties, t->arena);
    t->out->has_exposure = true;
}

static const struct {
    const char *name;
    void (*read)(struct track *t);
} known[] = {
    { "Products Searched", on_searched }, { "Product List Viewed", on_list },     { "Product List Filtered", on_list },
    { "Product Clicked", on_clicked },    { "Product Viewed", on_viewed },        { "Product Added", on_added },
    { "Order Completed", on_order },      { "Experiment Viewed", on_experiment },
};

static void other(struct track *t, struct str name)
{
    struct signal s = t->common;
    read_product(t, t->properties, &s);
    s.value = lenient_number(lenient_any(t->properties, "value", "revenue"));
    add(t, &s, lenient_type(name, t->arena).p);
}

/* ---- one event ---- */

static bool read_at(struct track *t, struct err *err)
{
    int64_t sent = t->r->batch_sent_us, at = 0;
    if (!lenient_time(t->in, "originalTimestamp", &at, t->arena, err) ||
        !lenient_time(t->in, "timestamp", &at, t->arena, err) || !lenient_time(t->in, "sentAt", &sent, t->arena, err))
        return false;
    t->common.at_us = at ? at : t->r->received_us;
    int64_t skew = at && sent ? t->r->received_us - sent : 0;
    if (skew > SKEW_MIN_US || skew < -SKEW_MIN_US)
        t->common.at_us += skew;
    return true;
}

static bool read_common(struct track *t, struct err *err)
{
    struct signal *s = &t->common;
    json_t *context = json_object_get(t->in, "context");
    struct str alias = lenient_field(t->in, "previousId", NULL, t->arena);
    t->properties = json_object_get(t->in, "properties");
    t->message_id = lenient_field(t->in, "messageId", NULL, t->arena);
    s->user = lenient_field(t->in, "userId", "user_id", t->arena);
    s->unit = alias.p ? alias : lenient_field(t->in, "anonymousId", "anonymous_id", t->arena);
    s->unit_is_user = !s->unit.p;
    if (!s->unit.p)
        s->unit = s->user;
    if (!s->unit.p)
        return err_set(err, ERR_INVALID, "fields \"anonymousId\" and \"userId\" are both missing: whose event is it");
    if (t->message_id.n > SIGNAL_ID_MAX)
        return err_set(err, ERR_INVALID, "field \"messageId\" has more than %d bytes", SIGNAL_ID_MAX);
    s->session = lenient_field(t->properties, "session_id", "sessionId", t->arena);
    if (!s->session.p)
        s->session = lenient_field(context, "sessionId", "session_id", t->arena);
    s->query_id = lenient_field(t->properties, "query_id", "queryId", t->arena);
    if (!s->query_id.p)
        s->query_id = lenient_field(t->properties, "queryID", "list_id", t->arena);
    s->query = lenient_field(t->properties, "query", NULL, t->arena);
    s->params = lenient_object(t->properties, t->arena);
    s->client.agent = lenient_field(context, "userAgent", NULL, t->arena);
    s->client.address = lenient_field(context, "ip", NULL, t->arena);
    return read_at(t, err);
}

static bool read_track(struct track *t, struct err *err)
{
    struct str name = lenient_field(t->in, "event", NULL, t->arena);
    if (!name.p)
        return err_set(err, ERR_INVALID, "field \"event\" is missing or empty");
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (!str_eq_nocase(name, str_of(known[i].name)))
            continue;
        known[i].read(t);
        return true;
    }
    other(t, name);
    return true;
}

static bool read_type(struct track *t, const char *single, struct err *err)
{
    static const char *const others[] = { "page", "screen", "group", "identify", "alias" };
    struct str type = single ? str_of(single) : lenient_field(t->in, "type", NULL, t->arena);
    if (str_eq(type, STR("track")))
        return read_track(t, err);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (!str_eq_c(type, others[i]))
            continue;
        struct signal s = t->common;
        add(t, &s, others[i]);
        return true;
    }
    return type.p ? err_set(err, ERR_INVALID,
                            "field \"type\" is \"" STR_FMT "\", none of track, page, screen, identify, group, alias",
                            STR_ARG(str_cut(type, 60)))
                  : err_set(err, ERR_INVALID, "field \"type\" is missing");
}

static bool read_event(const struct reading *r, json_t *in, const char *single, struct foreign_event *out,
                       struct err *err)
{
    struct track t = { .r = r, .arena = r->arena, .in = in, .out = out };
    t.common = (struct signal){ .received_us = r->received_us, .value = NAN };
    if (!json_is_object(in))
        return err_set(err, ERR_INVALID, "the element is not an object");
    if (!read_common(&t, err) || !read_type(&t, single, err))
        return false;
    if (out->signals_count > PRODUCTS_MAX)
        return err_set(err, ERR_INVALID, "field \"properties.products\" has more than %d elements", PRODUCTS_MAX);
    for (size_t i = 0; i < out->signals_count; i++)
        if (!signal_check(&out->signals[i], r->arena, err))
            return false;
    return !out->has_exposure || exposure_check(&out->exposure, err);
}

/* ---- bodies ---- */

static bool report(const struct reading *r, json_t *in, size_t index, const char *single, foreign_fn fn, void *arg,
                   struct err *err)
{
    struct foreign_event e = { 0 };
    struct err reason;
    bool ok = read_event(r, in, single, &e, &reason);
    return fn(arg, index, in, ok ? &e : NULL, ok ? NULL : &reason) || err_set(err, ERR_BUSY, "the reader was stopped");
}

bool segment_read(struct str body, const char *single, int64_t received_us, struct arena *arena, foreign_fn fn,
                  void *arg, struct err *err)
{
    struct reading r = { .received_us = received_us, .arena = arena };
    json_auto_t *root = json_parse(body, err);
    json_t *batch = json_object_get(root, "batch");
    if (!root)
        return false;
    if (!json_is_object(root))
        return err_set(err, ERR_INVALID, "the body is not an object");
    if (single)
        return report(&r, root, 0, single, fn, arg, err);
    if (!json_is_array(batch))
        return err_set(err, ERR_INVALID, "field \"batch\" is %s", batch ? "not an array" : "missing");
    if (json_array_size(batch) > EVENTS_PER_REQUEST_MAX)
        return err_set(err, ERR_TOO_LARGE, "the request holds more than %d events", EVENTS_PER_REQUEST_MAX);
    if (!lenient_time(root, "sentAt", &r.batch_sent_us, arena, err))
        return false;
    for (size_t i = 0; i < json_array_size(batch); i++)
        if (!report(&r, json_array_get(batch, i), i, NULL, fn, arg, err))
            return false;
    return true;
}

struct str segment_key(struct str body, struct arena *arena)
{
    struct err ignored;
    json_auto_t *root = json_parse(body, &ignored);
    return lenient_field(root, "writeKey", "write_key", arena);
}
