#include "trainer/jobs/items_read.h"

#include "base/pgout.h"

enum { SQL_MAX = 8192 };

static const struct pg_stmt read_state = {
    "items_state", 0,
    "select pg_export_snapshot(), (select count(*) from items), us(changed_at), us(now()) from items_state"
};

bool items_read_open(struct items_read *r, struct run_context *run, struct arena *arena, struct err *err)
{
    *r = (struct items_read){ .pg = pg_open(run->database_url, "trainer items", NULL, 0, err) };
    if (!r->pg || !pg_exec(r->pg, "begin isolation level repeatable read read only", err))
        return false;
    AUTO(pg_result_free) PGresult *s = pg_run(r->pg, &read_state, NULL, err);
    if (!s)
        return false;
    r->snapshot = arena_str(arena, pg_get(s, 0, 0));
    r->documents = (uint64_t)pg_get_i64(s, 0, 1);
    r->changed_us = pg_get_i64(s, 0, 2);
    r->now_us = pg_get_i64(s, 0, 3);
    return true;
}

void items_read_close(struct items_read *r)
{
    pg_close(r->pg);
    r->pg = NULL;
}

struct each {
    items_read_fn fn;
    void *arg;
};

static bool on_row(void *arg, const struct str *fields, size_t count, struct err *err)
{
    struct each *e = arg;
    (void)count;
    return e->fn(e->arg, fields[0], fields[1], err);
}

bool items_read_each(struct items_read *r, items_read_fn fn, void *arg, struct err *err)
{
    struct each e = { fn, arg };
    return pg_copy_out(r->pg, "copy (select doc, fields::text from items order by doc) to stdout (format binary)",
                       "the catalogue", on_row, &e, err);
}

/* COPY takes no parameters: the name is quoted here. */
static bool add_literal(struct pg *pg, const char *text, struct buf *sql, struct err *err)
{
    char *literal = PQescapeLiteral(pg->conn, text, strlen(text));
    if (!literal)
        return err_set(err, ERR_INVALID, "the name of a field is no text of the database");
    buf_add_c(sql, literal);
    PQfreemem(literal);
    return true;
}

bool items_read_categories(struct items_read *r, const char *field, items_read_fn fn, void *arg, struct err *err)
{
    struct each e = { fn, arg };
    AUTO(buf_release) struct buf sql;
    buf_init(&sql, SQL_MAX);
    buf_add_c(&sql, "copy (select distinct i.doc, c.v #>> '{}' from (select doc, fields -> ");
    if (!add_literal(r->pg, field, &sql, err))
        return false;
    buf_add_c(&sql, " as f from items) i cross join lateral (select i.f as v where jsonb_typeof(i.f) = 'string' union "
                    "all select x.v from jsonb_array_elements(case when jsonb_typeof(i.f) = 'array' then i.f else '[]' "
                    "end) x(v) where jsonb_typeof(x.v) = 'string') c where c.v #>> '{}' <> '' order by 1, 2) to stdout "
                    "(format binary)");
    return buf_ok(&sql, "a statement", err) && pg_copy_out(r->pg, sql.p, "the categories", on_row, &e, err);
}
