#include "archive/table.h"

#include "base/pgout.h"

enum { SELECT_MAX = 8192 };

static const struct pg_stmt read_columns = {
    "archive_columns", 1,
    "select quote_ident(attname), atttypid::regtype::text, attname from pg_attribute where attrelid = $1::regclass "
    "and attnum > 0 and not attisdropped order by attnum"
};

static const struct {
    const char *name;
    enum archive_type type;
} types[] = {
    { "smallint", ARCHIVE_INT },
    { "integer", ARCHIVE_INT },
    { "bigint", ARCHIVE_INT },
    { "timestamp with time zone", ARCHIVE_TIME },
    { "double precision", ARCHIVE_REAL },
    { "text", ARCHIVE_TEXT },
    { "jsonb", ARCHIVE_JSON },
    { "uuid", ARCHIVE_UUID },
};

static bool type_of(struct str name, enum archive_type *out)
{
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!str_eq_c(name, types[i].name))
            continue;
        *out = types[i].type;
        return true;
    }
    return false;
}

static bool take_columns(const PGresult *r, const char *table, struct archive_column *columns, struct buf *select,
                         struct arena *arena, struct err *err)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct str quoted = pg_get(r, i, 0), type = pg_get(r, i, 1);
        columns[i].name = arena_str(arena, pg_get(r, i, 2));
        if (!type_of(type, &columns[i].type))
            return err_set(err, ERR_INVALID, "column \"" STR_FMT "\" of \"%s\" has type %s, which no archive file has",
                           STR_ARG(columns[i].name), table, type.p);
        buf_addf(select, "%s" STR_FMT "%s", i ? ", " : "", STR_ARG(quoted),
                 columns[i].type == ARCHIVE_JSON ? "::text" : "");
    }
    return buf_ok(select, "the list of columns", err);
}

bool archive_table_read(struct pg *pg, const char *table, int32_t day, struct arena *arena, struct archive_table *out,
                        struct err *err)
{
    const char *params[] = { table };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &read_columns, params, err);
    AUTO(buf_release) struct buf select;
    buf_init(&select, SELECT_MAX);
    if (!r)
        return false;
    int count = PQntuples(r);
    if (count == 0 || count > ARCHIVE_COLUMNS_MAX)
        return err_set(err, ERR_INVALID, "\"%s\" has %d columns; an archive file has 1 to %d", table, count,
                       ARCHIVE_COLUMNS_MAX);
    struct archive_column *columns = arena_zalloc(arena, (size_t)count * sizeof *columns);
    if (!take_columns(r, table, columns, &select, arena, err))
        return false;
    *out = (struct archive_table){ .schema = { .table = arena_str(arena, str_of(table)),
                                               .day = day,
                                               .columns = columns,
                                               .columns_count = (size_t)count },
                                   .select = arena_str(arena, buf_str(&select)) };
    return true;
}

struct archive_value archive_table_value(enum archive_type type, struct str field)
{
    if (!field.p)
        return (struct archive_value){ .null = true };
    switch (type) {
    case ARCHIVE_INT:
        return (struct archive_value){ .i = pg_field_i64(field) };
    case ARCHIVE_TIME:
        return (struct archive_value){ .i = pg_field_time(field) };
    case ARCHIVE_REAL:
        return (struct archive_value){ .d = pg_field_double(field) };
    default:
        return (struct archive_value){ .s = field };
    }
}
