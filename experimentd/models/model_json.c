#include "experimentd/models/model_json.h"

#include <assert.h>

enum form { TEXT, WHOLE, INSTANT, JSON };
struct member {
    const char *name;
    enum form form;
};

/* In the order of MODEL_COLUMNS. */
static const struct member model_members[] = {
    { "name", TEXT },          { "kind", TEXT },      { "description", TEXT }, { "tags", JSON },
    { "last_version", WHOLE }, { "versions", WHOLE }, { "aliases", JSON },     { "created_at", INSTANT },
    { "updated_at", INSTANT }, { "edit", WHOLE },
};
static_assert(sizeof model_members / sizeof *model_members == MODEL_COLUMN_COUNT, "a name for every column");

/* In the order of VERSION_COLUMNS. */
static const struct member version_members[] = {
    { "version", WHOLE }, { "status", TEXT },          { "aliases", JSON },    { "description", TEXT },
    { "tags", JSON },     { "created_at", INSTANT },   { "created_by", TEXT }, { "run", TEXT },
    { "job", TEXT },      { "parent_version", WHOLE }, { "artifact", TEXT },   { "bytes", WHOLE },
    { "card", JSON },     { "metrics", JSON },         { "gate", JSON },       { "edit", WHOLE },
};
static_assert(sizeof version_members / sizeof *version_members == VERSION_COLUMN_COUNT, "a name for every column");

static void write_member(struct jsonw *w, const struct member *m, const PGresult *r, int row, int column)
{
    if (PQgetisnull(r, row, column)) {
        jsonw_null(w, m->name);
        return;
    }
    switch (m->form) {
    case TEXT:
        jsonw_str(w, m->name, pg_get(r, row, column));
        return;
    case WHOLE:
        jsonw_i64(w, m->name, pg_get_i64(r, row, column));
        return;
    case INSTANT:
        jsonw_time(w, m->name, pg_get_i64(r, row, column));
        return;
    case JSON:
        jsonw_raw(w, m->name, pg_get(r, row, column));
        return;
    }
}

static void write_members(struct jsonw *w, const struct member *members, int count, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    for (int i = 0; i < count; i++)
        write_member(w, &members[i], r, row, i);
    jsonw_close(w);
}

void model_write(struct jsonw *w, const PGresult *r, int row)
{
    write_members(w, model_members, MODEL_COLUMN_COUNT, r, row);
}

void version_write(struct jsonw *w, const PGresult *r, int row)
{
    write_members(w, version_members, VERSION_COLUMN_COUNT, r, row);
}
