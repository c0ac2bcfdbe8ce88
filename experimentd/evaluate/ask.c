#include "experimentd/evaluate/ask.h"

#include "base/clock.h"
#include "base/nearest.h"
#include "experimentd/ingest/signal.h"

enum { SHOWN_MAX = 60, PIECE_BYTES = 4 << 10 };

/* ---- reading ---- */

bool ask_read_json(struct http_request *req, struct str text, struct assign_value *out, struct err *err)
{
    struct assign_error e;
    char *first = arena_alloc(&req->arena,
                              PIECE_BYTES); /* a value takes some forty bytes, and two characters of the text */
    struct assign_arena arena = { first, first + PIECE_BYTES, arena_more, &req->arena };
    if (!str_is_utf8(text))
        return err_set(err, ERR_INVALID, "not valid JSON: it holds bytes that are not UTF-8, or a NUL");
    return assign_json_read(text.p, text.n, &arena, out, &e) ||
           err_set(err, ERR_INVALID, "not valid JSON: %.180s", e.text);
}

const char *ask_kind(const struct assign_value *v)
{
    static const char *const names[] = {
        [ASSIGN_MISSING] = "missing",  [ASSIGN_NULL] = "null",       [ASSIGN_BOOL] = "true or false",
        [ASSIGN_NUMBER] = "a number",  [ASSIGN_STRING] = "a string", [ASSIGN_ARRAY] = "a list",
        [ASSIGN_OBJECT] = "an object",
    };
    return v->type == ASSIGN_BOOL ? v->boolean ? "true" : "false" : names[v->type];
}

/* ---- the checks of every door ---- */

bool ask_check_unit(const char *field, struct str unit, struct err *err)
{
    if (unit.n > SIGNAL_UNIT_MAX)
        return err_set(err, ERR_INVALID, "field \"%s\" is longer than %d bytes", field, SIGNAL_UNIT_MAX);
    if (!str_is_utf8(unit))
        return err_set(err, ERR_INVALID, "field \"%s\" is not UTF-8", field);
    return true;
}

/* A replay may say when the assignment was made; only who may read everything may write into the past. */
bool ask_check_timestamp(const struct http_request *req, struct str text, int64_t *out_us, struct err *err)
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

/* ---- one ask ---- */

enum field { UNIT, ATTRIBUTES, EXPERIMENTS, TIMESTAMP, URL, FORCE, FIELD_COUNT };
static const struct {
    const char *name;
    enum assign_type type;
    const char *wanted;
} fields[FIELD_COUNT] = {
    [UNIT] = { "unit", ASSIGN_STRING, "a string" },
    [ATTRIBUTES] = { "attributes", ASSIGN_OBJECT, "an object" },
    [EXPERIMENTS] = { "experiments", ASSIGN_ARRAY, "a list" },
    [TIMESTAMP] = { "timestamp", ASSIGN_STRING, "a string" },
    [URL] = { "url", ASSIGN_STRING, "a string" },
    [FORCE] = { "force", ASSIGN_OBJECT, "an object" },
};

static bool unknown_field(struct str name, struct err *err)
{
    const char *names[FIELD_COUNT];
    for (int i = 0; i < FIELD_COUNT; i++)
        names[i] = fields[i].name;
    const char *near = nearest_name(name, names, FIELD_COUNT);
    return near
               ? err_set(err, ERR_INVALID, "request: unknown field \"" STR_FMT "\" (did you mean \"%s\"?)",
                         STR_ARG(str_cut(name, SHOWN_MAX)), near)
               : err_set(err, ERR_INVALID, "request: unknown field \"" STR_FMT "\"", STR_ARG(str_cut(name, SHOWN_MAX)));
}

static bool take_field(const struct assign_member *m, const struct assign_value *found[FIELD_COUNT], struct err *err)
{
    struct str name = { m->key.p, m->key.n };
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (!str_eq_c(name, fields[i].name))
            continue;
        if (m->value.type == ASSIGN_NULL && i != UNIT)
            return true;
        if (m->value.type != fields[i].type)
            return err_set(err, ERR_INVALID, "request: field \"%s\" is %s, not %s", fields[i].name, ask_kind(&m->value),
                           fields[i].wanted);
        found[i] = &m->value;
        return true;
    }
    return unknown_field(name, err);
}

static struct str text_of(const struct assign_value *v)
{
    return v ? (struct str){ v->text.p, v->text.n } : (struct str){ NULL, 0 };
}

static bool check_names(const struct assign_value *names, struct err *err)
{
    if (names->count > ASK_NAMES_MAX)
        return err_set(err, ERR_INVALID, "request: field \"experiments\" has more than %d elements", ASK_NAMES_MAX);
    for (uint32_t i = 0; i < names->count; i++)
        if (names->items[i].type != ASSIGN_STRING)
            return err_set(err, ERR_INVALID, "request: field \"experiments\" element %u is not a string", i);
    return true;
}

static bool check_force(const struct http_request *req, const struct assign_value *force, struct err *err)
{
    if (req->scope < SCOPE_QA)
        return err_set(err, ERR_DENIED, "field \"force\" needs a key of scope qa (or more)");
    for (uint32_t i = 0; i < force->count; i++)
        if (force->members[i].value.type != ASSIGN_STRING)
            return err_set(err, ERR_INVALID, "request: field \"force\": a variant is not a string");
    return true;
}

static bool read_ask(const struct http_request *req, const struct assign_value *in, struct ask *a, struct err *err)
{
    const struct assign_value *found[FIELD_COUNT] = { NULL };
    if (in->type != ASSIGN_OBJECT)
        return err_set(err, ERR_INVALID, "request is %s, not an object", ask_kind(in));
    for (uint32_t i = 0; i < in->count; i++)
        if (!take_field(&in->members[i], found, err))
            return false;
    if (!found[UNIT] || found[UNIT]->text.n == 0)
        return err_set(err, ERR_INVALID, "request: field \"unit\" is %s", found[UNIT] ? "empty" : "missing");
    *a = (struct ask){ .unit = text_of(found[UNIT]), .url = text_of(found[URL]) };
    if (found[ATTRIBUTES])
        a->attributes = *found[ATTRIBUTES];
    if (found[EXPERIMENTS])
        a->names = *found[EXPERIMENTS];
    if (found[FORCE])
        a->force = *found[FORCE];
    return check_names(&a->names, err) && (!found[FORCE] || check_force(req, &a->force, err)) &&
           ask_check_unit("unit", a->unit, err) && ask_check_timestamp(req, text_of(found[TIMESTAMP]), &a->at_us, err);
}

bool asks_read(struct http_request *req, struct ask **out, size_t *out_n, bool *out_many, struct err *err)
{
    struct assign_value *root = arena_alloc(&req->arena, sizeof *root);
    if (!ask_read_json(req, req->body, root, err))
        return false;
    bool many = root->type == ASSIGN_ARRAY;
    size_t n = many ? root->count : 1;
    if (n > ASKS_MAX)
        return err_set(err, ERR_TOO_LARGE, "the array holds %zu requests, more than %d", n, ASKS_MAX);
    struct ask *asks = arena_alloc(&req->arena, n * sizeof *asks);
    for (size_t i = 0; i < n; i++)
        if (!read_ask(req, many ? &root->items[i] : root, &asks[i], err))
            return many ? err_prefix(err, "element %zu: ", i) : false;
    *out = asks;
    *out_n = n;
    *out_many = many;
    return true;
}
