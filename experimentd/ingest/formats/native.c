#include "experimentd/ingest/formats/native.h"

#include <math.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/pg.h"
#include "experimentd/ingest/formats/elements.h"
#include "experimentd/ingest/formats/pull.h"

void native_id(struct str id, unsigned char out[16])
{
    if (!uuid_parse(id, out))
        (void)crypto_generichash(out, 16, (const unsigned char *)id.p, id.n, NULL, 0);
}

enum field { ID, TYPE, TIMESTAMP, UNIT, USER, SESSION, QUERY_ID, QUERY, DOC, POSITION, VALUE, PARAMS, FIELD_COUNT };
static const char *const field_names[] = {
    [ID] = "id",     [TYPE] = "type",         [TIMESTAMP] = "timestamp", [UNIT] = "unit",
    [USER] = "user", [SESSION] = "session",   [QUERY_ID] = "query_id",   [QUERY] = "query",
    [DOC] = "doc",   [POSITION] = "position", [VALUE] = "value",         [PARAMS] = "params",
};

static bool wrong_type(struct pull *p, enum field f, const char *wanted)
{
    static const char *const found[] = { "nothing",  "an object", "an array", "a string",
                                         "a number", "true",      "false",    "null" };
    return pull_fail(p, "field \"%s\" is %s, not %s", field_names[f], found[pull_peek(p)], wanted);
}

static bool read_text(struct pull *p, enum field f, struct str *out)
{
    return pull_peek(p) == PULL_STRING ? pull_string(p, out) : wrong_type(p, f, "a string");
}

static bool read_number(struct pull *p, enum field f, double *out)
{
    if (pull_peek(p) != PULL_NUMBER)
        return wrong_type(p, f, "a number");
    return pull_number(p, out) || err_prefix(&p->err, "field \"%s\": ", field_names[f]);
}

static bool read_id(struct pull *p, struct signal *s)
{
    struct str id;
    if (!read_text(p, ID, &id))
        return false;
    if (id.n == 0 || id.n > SIGNAL_ID_MAX)
        return pull_fail(p, "field \"id\" must have 1 to %d bytes", SIGNAL_ID_MAX);
    native_id(id, s->id);
    s->client_id = true;
    return true;
}

static bool read_timestamp(struct pull *p, struct signal *s)
{
    struct str text;
    struct err err;
    double number;
    bool ok;
    if (pull_peek(p) == PULL_NUMBER)
        ok = pull_number(p, &number) && clock_from_number(number, &s->at_us, &err);
    else if (read_text(p, TIMESTAMP, &text))
        ok = clock_parse(text, &s->at_us, &err);
    else
        return false;
    return ok || pull_fail(p, "field \"timestamp\": %.150s", err.text);
}

static bool read_position(struct pull *p, struct signal *s)
{
    double v;
    if (!read_number(p, POSITION, &v))
        return false;
    if (v < 1 || v > INT32_MAX || v != floor(v))
        return pull_fail(p, "field \"position\" is %g, must be a whole number from 1", v);
    s->position = (int32_t)v;
    return true;
}

static bool read_params(struct pull *p, struct signal *s)
{
    return pull_peek(p) == PULL_OBJECT ? pull_skip(p, &s->params) : wrong_type(p, PARAMS, "an object");
}

static bool read_field(struct pull *p, enum field f, struct signal *s)
{
    if (pull_peek(p) == PULL_NULL)
        return pull_skip(p, NULL);
    switch (f) {
    case ID:
        return read_id(p, s);
    case TYPE:
        return read_text(p, f, &s->type);
    case TIMESTAMP:
        return read_timestamp(p, s);
    case UNIT:
        return read_text(p, f, &s->unit);
    case USER:
        return read_text(p, f, &s->user);
    case SESSION:
        return read_text(p, f, &s->session);
    case QUERY_ID:
        return read_text(p, f, &s->query_id);
    case QUERY:
        return read_text(p, f, &s->query);
    case DOC:
        return read_text(p, f, &s->doc);
    case POSITION:
        return read_position(p, s);
    case VALUE:
        return read_number(p, f, &s->value);
    case PARAMS:
        return read_params(p, s);
    case FIELD_COUNT:
    default:
        return false;
    }
}

/* By the first byte first: the length of each name would have to be counted again for each member of each signal. */
static enum field field_of(struct str key)
{
    enum field f = 0;
    while (f < FIELD_COUNT && (key.n == 0 || key.p[0] != field_names[f][0] || !str_eq_c(key, field_names[f])))
        f++;
    return f;
}

static bool read_members(struct pull *p, struct signal *s)
{
    unsigned seen = 0;
    struct str key;
    for (bool first = true; pull_member(p, first, &key); first = false) {
        enum field f = field_of(key);
        if (f == FIELD_COUNT)
            return pull_fail(p, "unknown field \"%.*s\": what is not one of ours belongs into \"params\"",
                             key.n > 60 ? 60 : (int)key.n, key.p);
        if (seen & 1u << f)
            return pull_fail(p, "field \"%s\" is there twice", field_names[f]);
        seen |= 1u << f;
        if (!read_field(p, f, s))
            return false;
    }
    return pull_ok(p);
}

bool native_parse(struct str text, int64_t received_us, struct arena *arena, struct signal *out, struct err *err)
{
    struct pull p;
    struct signal s = { .at_us = received_us, .received_us = received_us, .value = NAN };
    pull_init(&p, text, arena);
    bool ok = pull_peek(&p) == PULL_OBJECT ? pull_enter(&p, '{') && read_members(&p, &s)
                                           : pull_fail(&p, "the element is not an object");
    if (ok && !pull_at_end(&p))
        ok = pull_fail(&p, "there is more behind the object");
    if (!ok) {
        *err = p.err;
        return false;
    }
    if (!s.unit.n && s.user.n) {
        s.unit = s.user;
        s.unit_is_user = true;
    }
    if (!signal_check(&s, arena, err))
        return false;
    if (!s.client_id)
        uuid_v7(s.id, received_us);
    *out = s;
    return true;
}

struct reading {
    int64_t received_us;
    struct arena *arena;
    native_fn fn;
    void *arg;
};

static bool on_element(void *arg, size_t index, struct str text)
{
    struct reading *r = arg;
    struct signal s;
    struct err reason = { 0 };
    bool ok = native_parse(text, r->received_us, r->arena, &s, &reason);
    return r->fn(r->arg, index, text, ok ? &s : NULL, ok ? NULL : &reason);
}

bool native_read(struct str body, int64_t received_us, struct arena *arena, native_fn fn, void *arg, bool *out_single,
                 struct err *err)
{
    struct reading r = { received_us, arena, fn, arg };
    return elements_read(body, "signals", SIGNALS_PER_REQUEST_MAX, arena, on_element, &r, out_single, err);
}
