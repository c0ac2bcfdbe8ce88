#include "model/catalogue.h"

#include <assert.h>

static const char *const columns[] = { "place" }; /* lists want one */

void catalogue_begin(struct catalogue_out *o, const struct str *names, size_t fields)
{
    assert(fields <= CATALOGUE_FIELDS_MAX);
    lists_begin(&o->names, columns, COUNT_OF(columns));
    lists_begin(&o->docs, columns, COUNT_OF(columns));
    o->fields = fields;
    lists_key(&o->names, STR(""));
    for (size_t i = 0; i < fields; i++) {
        const float place = (float)i;
        lists_add(&o->names, names[i], &place);
    }
}

void catalogue_release(struct catalogue_out *o)
{
    lists_release(&o->names);
    lists_release(&o->docs);
}

void catalogue_add(struct catalogue_out *o, struct str doc, const struct str *values)
{
    lists_key(&o->docs, doc);
    for (size_t i = 0; i < o->fields; i++) {
        const float place = (float)i;
        lists_add(&o->docs, values[i].p ? values[i] : STR(""), &place);
    }
}

bool catalogue_end(struct catalogue_out *o, struct artifact_out *a, struct buf *out_names, struct buf *out_docs,
                   struct err *err)
{
    bool ok = lists_end(&o->names, out_names, err) && lists_end(&o->docs, out_docs, err);
    catalogue_release(o);
    if (ok) {
        artifact_add(a, "names", buf_str(out_names));
        artifact_add(a, "fields", buf_str(out_docs));
    }
    return ok;
}

static bool read_names(const struct artifact *a, struct catalogue *out, struct err *err)
{
    struct lists names;
    struct lists_row row;
    if (!lists_read(artifact_section(a, "names"), &names, err))
        return err_prefix(err, "section \"names\": ");
    if (!lists_find(&names, STR(""), &row) || row.count > CATALOGUE_FIELDS_MAX)
        return err_set(err, ERR_INVALID, "section \"names\" is no list of at most %d fields", CATALOGUE_FIELDS_MAX);
    out->fields = row.count;
    for (uint32_t i = 0; i < row.count; i++)
        out->names[i] = lists_entry(&names, row.first + i);
    return true;
}

bool catalogue_read(const struct artifact *a, struct catalogue *out, struct err *err)
{
    struct lists_row row;
    struct str doc;
    if (strcmp(a->kind, CATALOGUE_KIND) != 0)
        return err_set(err, ERR_INVALID, "the artifact is of kind \"%s\", not \"" CATALOGUE_KIND "\"", a->kind);
    if (!read_names(a, out, err))
        return false;
    if (!lists_read(artifact_section(a, "fields"), &out->docs, err))
        return err_prefix(err, "section \"fields\": ");
    for (uint32_t n = 0; lists_key_at(&out->docs, n, &doc, &row); n++)
        if (row.count != out->fields)
            return err_set(err, ERR_INVALID, "document \"" STR_FMT "\" has %u values, not %zu",
                           STR_ARG(str_cut(doc, 80)), row.count, out->fields);
    return true;
}

int catalogue_field(const struct catalogue *c, struct str name)
{
    for (size_t i = 0; i < c->fields; i++)
        if (str_eq(c->names[i], name))
            return (int)i;
    return -1;
}

bool catalogue_find(const struct catalogue *c, struct str doc, struct lists_row *out)
{
    return lists_find(&c->docs, doc, out);
}

struct str catalogue_value(const struct catalogue *c, const struct lists_row *doc, int field)
{
    struct str json = lists_entry(&c->docs, doc->first + (uint32_t)field);
    return json.n ? json : (struct str){ NULL, 0 };
}

uint32_t catalogue_value_number(const struct catalogue *c, const struct lists_row *doc, int field)
{
    return lists_entry_id(&c->docs, doc->first + (uint32_t)field);
}

void catalogue_write(const struct catalogue *c, const struct lists_row *doc, struct buf *out)
{
    bool first = true;
    buf_add_byte(out, '{');
    for (size_t i = 0; i < c->fields; i++) {
        struct str json = catalogue_value(c, doc, (int)i);
        if (!json.p)
            continue;
        if (!first)
            buf_add_byte(out, ',');
        first = false;
        buf_add_json_str(out, c->names[i]);
        buf_add_byte(out, ':');
        buf_add_str(out, json);
    }
    buf_add_byte(out, '}');
}
