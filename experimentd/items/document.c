#include "experimentd/items/document.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"

enum { SHOWN_MAX = 60, NUMBER_MAX = 24 };

bool item_id_check(struct str id, struct err *err)
{
    if (id.n == 0)
        return err_set(err, ERR_INVALID, "field \"id\" is empty");
    if (id.n > ITEM_ID_MAX)
        return err_set(err, ERR_INVALID, "field \"id\" has %zu bytes, more than %d", id.n, ITEM_ID_MAX);
    return str_is_utf8(id) || err_set(err, ERR_INVALID, "field \"id\" is no UTF-8");
}

/* A text, or a whole number as it is written. */
static bool id_of(const json_t *v, char number[NUMBER_MAX], struct str *out, struct err *err)
{
    if (!v)
        return err_set(err, ERR_INVALID, "field \"id\" is missing");
    if (!json_is_string(v) && !json_is_integer(v))
        return err_set(err, ERR_INVALID, "field \"id\" is neither a text nor a whole number");
    if (json_is_integer(v))
        (void)snprintf(number, NUMBER_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    *out = json_is_integer(v) ? str_of(number) : (struct str){ json_string_value(v), json_string_length(v) };
    return item_id_check(*out, err);
}

/* The document's own id has to be that of the path, where there is one. */
static bool find_id(const json_t *document, struct str path_id, char number[NUMBER_MAX], struct str *out,
                    struct err *err)
{
    const json_t *own = json_object_get(document, "id");
    *out = path_id;
    if (path_id.p && !own)
        return item_id_check(path_id, err);
    if (!id_of(own, number, out, err))
        return false;
    return !path_id.p || str_eq(*out, path_id) ||
           err_set(err, ERR_INVALID, "field \"id\" is \"" STR_FMT "\", the path says \"" STR_FMT "\"",
                   STR_ARG(str_cut(*out, SHOWN_MAX)), STR_ARG(str_cut(path_id, SHOWN_MAX)));
}

static bool check_name(struct str name, struct err *err)
{
    if (name.n == 0)
        return err_set(err, ERR_INVALID, "a field has an empty name");
    return name.n <= ITEM_FIELD_NAME_MAX ||
           err_set(err, ERR_INVALID, "field \"" STR_FMT "…\" has a name of %zu bytes, more than %d",
                   STR_ARG(str_cut(name, SHOWN_MAX)), name.n, ITEM_FIELD_NAME_MAX);
}

static bool write_fields(json_t *document, bool keep_nulls, struct buf *out, struct err *err)
{
    const char *key;
    json_t *value;
    bool first = true;
    buf_add_byte(out, '{');
    json_object_foreach(document, key, value)
    {
        if (strcmp(key, "id") == 0 || (json_is_null(value) && !keep_nulls))
            continue;
        if (!check_name(str_of(key), err))
            return false;
        if (!first)
            buf_add_byte(out, ',');
        first = false;
        buf_add_json_str(out, str_of(key));
        buf_add_byte(out, ':');
        json_write(out, value);
    }
    buf_add_byte(out, '}');
    return true;
}

bool item_document_read(struct str text, struct str id, bool keep_nulls, struct buf *out, struct err *err)
{
    char number[NUMBER_MAX];
    struct str own;
    if (text.n > ITEM_BYTES_MAX)
        return err_set(err, ERR_INVALID, "the document has %zu bytes, more than %d", text.n, ITEM_BYTES_MAX);
    json_auto_t *root = json_parse(text, err);
    if (!root)
        return false;
    if (!json_is_object(root))
        return err_set(err, ERR_INVALID, "the document is no object");
    if (json_object_size(root) > ITEM_FIELDS_MAX)
        return err_set(err, ERR_INVALID, "the document has %zu fields, more than %d", json_object_size(root),
                       ITEM_FIELDS_MAX);
    if (!find_id(root, id, number, &own, err))
        return false;
    size_t before = out->n;
    buf_add_c(out, "{\"id\":");
    buf_add_json_str(out, own);
    buf_add_c(out, ",\"fields\":");
    bool ok = write_fields(root, keep_nulls, out, err);
    buf_add_byte(out, '}');
    if (!ok)
        out->n = before;
    return ok;
}

bool item_id_read(struct str text, struct buf *out, struct err *err)
{
    char number[NUMBER_MAX];
    struct str id;
    json_auto_t *root = json_parse(text, err);
    if (!root || !id_of(json_is_object(root) ? json_object_get(root, "id") : root, number, &id, err))
        return false;
    buf_add_json_str(out, id);
    return true;
}
