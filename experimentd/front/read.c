#include "experimentd/front/read.h"

#include <string.h>

#include "experimentd/evaluate/ask.h"
#include "experimentd/front/value.h"

/* ---- OpenFeature ---- */

static bool read_context(struct http_request *req, struct assign_value *out, const char **code, struct err *err)
{
    struct assign_value root;
    *code = "PARSE_ERROR";
    *out = (struct assign_value){ .type = ASSIGN_MISSING };
    if (!str_trim(req->body).n)
        return true;
    if (!ask_read_json(req, req->body, &root, err))
        return false;
    if (root.type != ASSIGN_OBJECT)
        return err_set(err, ERR_INVALID, "the body is %s, not an object", ask_kind(&root));
    *code = "INVALID_CONTEXT";
    const struct assign_value *context = assign_member(&root, "context", 7);
    if (!context || context->type == ASSIGN_NULL)
        return true;
    if (context->type != ASSIGN_OBJECT)
        return err_set(err, ERR_INVALID, "field \"context\" is %s, not an object", ask_kind(context));
    *out = *context;
    return true;
}

static bool read_unit(const struct assign_value *context, struct str *out, struct err *err)
{
    const struct assign_value *key = assign_member(context, "targetingKey", 12);
    *out = (struct str){ NULL, 0 };
    if (!key || key->type == ASSIGN_NULL)
        return true;
    if (key->type != ASSIGN_STRING)
        return err_set(err, ERR_INVALID, "field \"context.targetingKey\" is %s, not a string", ask_kind(key));
    *out = value_text(key);
    return ask_check_unit("context.targetingKey", *out, err);
}

bool ofrep_read(struct http_request *req, struct ofrep_ask *out, const char **code, struct err *err)
{
    return read_context(req, &out->context, code, err) && read_unit(&out->context, &out->unit, err);
}

/* ---- remote evaluation ---- */

static const struct assign_value *field(const struct assign_value *root, const char *name)
{
    const struct assign_value *v = assign_member(root, name, strlen(name));
    return v && v->type != ASSIGN_NULL ? v : NULL;
}

static bool read_field(const struct assign_value *root, const char *name, enum assign_type type, const char *wanted,
                       struct assign_value *out, struct err *err)
{
    const struct assign_value *v = field(root, name);
    if (!v)
        return true;
    if (v->type != type)
        return err_set(err, ERR_INVALID, "field \"%s\" is %s, not %s", name, ask_kind(v), wanted);
    if (type != ASSIGN_STRING && v->count > REMOTE_ENTRIES_MAX)
        return err_set(err, ERR_INVALID, "field \"%s\" has more than %d entries", name, REMOTE_ENTRIES_MAX);
    *out = *v;
    return true;
}

/* [["key", value], …] as an object. */
static bool read_features(struct http_request *req, struct assign_value *pairs, struct err *err)
{
    if (pairs->type == ASSIGN_MISSING)
        return true;
    struct assign_member *members = arena_alloc(&req->arena, (pairs->count + 1) * sizeof *members);
    for (uint32_t i = 0; i < pairs->count; i++) {
        const struct assign_value *pair = &pairs->items[i];
        if (pair->type != ASSIGN_ARRAY || pair->count != 2 || pair->items[0].type != ASSIGN_STRING)
            return err_set(err, ERR_INVALID, "field \"forcedFeatures\" element %u is not [\"key\", value]", i);
        members[i] = (struct assign_member){ pair->items[0].text, pair->items[1] };
    }
    *pairs = (struct assign_value){ .type = ASSIGN_OBJECT, .count = pairs->count, .members = members };
    return true;
}

bool remote_read(struct http_request *req, struct remote_ask *r, struct err *err)
{
    struct assign_value root, url = { .type = ASSIGN_MISSING };
    if (!ask_read_json(req, req->body, &root, err))
        return false;
    if (root.type != ASSIGN_OBJECT)
        return err_set(err, ERR_INVALID, "the body is %s, not an object", ask_kind(&root));
    if (!read_field(&root, "attributes", ASSIGN_OBJECT, "an object", &r->attributes, err) ||
        !read_field(&root, "forcedVariations", ASSIGN_OBJECT, "an object", &r->variations, err) ||
        !read_field(&root, "forcedFeatures", ASSIGN_ARRAY, "an array", &r->features, err) ||
        !read_field(&root, "url", ASSIGN_STRING, "a string", &url, err) || !read_features(req, &r->features, err))
        return false;
    if (url.type == ASSIGN_STRING)
        r->url = value_text(&url);
    return r->url.n <= REMOTE_URL_MAX ||
           err_set(err, ERR_INVALID, "field \"url\" is longer than %d bytes", REMOTE_URL_MAX);
}
