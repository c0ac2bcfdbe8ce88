#include "experimentd/models/model_json.h"

#include <assert.h>

#include "experimentd/serving/serving.h"

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
    for (int i = 0; i < count; i++)
        write_member(w, &members[i], r, row, i);
}

/* By alias: the version that this daemon serves, and why that is not the one that the alias names. */
static void write_served(struct jsonw *w, struct str model)
{
    const struct serving *s = serving_get();
    jsonw_open(w, "served", '{');
    for (size_t i = 0; s && i < s->entries_count; i++) {
        const struct serving_entry *e = &s->entries[i];
        if (!str_eq(e->model, model))
            continue;
        jsonw_open(w, e->alias.p, '{'); /* ended by 0, as all texts of an arena */
        if (e->served)
            jsonw_i64(w, "version", e->version);
        else
            jsonw_null(w, "version");
        jsonw_str(w, "error", e->error);
        jsonw_close(w);
    }
    jsonw_close(w);
}

void model_write(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    write_members(w, model_members, MODEL_COLUMN_COUNT, r, row);
    write_served(w, pg_get(r, row, 0));
    jsonw_close(w);
}

void version_write(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    write_members(w, version_members, VERSION_COLUMN_COUNT, r, row);
    jsonw_close(w);
}
