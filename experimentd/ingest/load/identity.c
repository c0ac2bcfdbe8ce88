#include "experimentd/ingest/load/identity.h"

#include <stdlib.h>

#include "base/pg.h"

enum { ARRAY_BYTES_MAX = 256 << 20 };

/* In the order of users, so that two loaders that share some wait for each other and do not deadlock. */
static const struct pg_stmt insert_links = { "identity_link", 2,
                                             "insert into identities (user_id, unit) select distinct on (u) u, n from "
                                             "unnest($1::text[], $2::text[]) with ordinality "
                                             "as t(u, n, i) order by u, i on conflict do nothing" };
static const struct pg_stmt read_links = {
    "identity_read", 1,
    "select user_id, unit from identities where user_id = any($1::text[]) order by user_id collate \"C\""
};

/* ---- arrays of text as PostgreSQL reads them ---- */

static void array_begin(struct buf *b)
{
    buf_init(b, ARRAY_BYTES_MAX);
    buf_add_byte(b, '{');
}

static void array_add(struct buf *b, struct str s)
{
    buf_add_c(b, b->n > 1 ? ",\"" : "\"");
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_add_byte(b, '\\');
        buf_add_byte(b, s.p[i]);
    }
    buf_add_byte(b, '"');
}

static const char *array_end(struct buf *b)
{
    buf_add_byte(b, '}');
    return b->p;
}

/* ---- links ---- */

static bool store_links(struct pg *pg, const struct rows *rows, struct err *err)
{
    AUTO(buf_release) struct buf users;
    AUTO(buf_release) struct buf units;
    size_t n = 0;
    array_begin(&users);
    array_begin(&units);
    for (size_t i = 0; i < rows->signals_count; i++) {
        const struct signal *s = &rows->signals[i];
        if (!s->user.n || s->unit_is_user)
            continue;
        array_add(&users, s->user);
        array_add(&units, s->unit);
        n++;
    }
    if (!n)
        return true;
    const char *params[] = { array_end(&users), array_end(&units) };
    if (!buf_ok(&users, "the users of a batch", err) || !buf_ok(&units, "the units of a batch", err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &insert_links, params, err);
    return r != NULL;
}

/* ---- units of users ---- */

struct link {
    struct str user, unit;
};

static int by_user(const void *a, const void *b)
{
    const struct link *x = a, *y = b;
    size_t n = x->user.n < y->user.n ? x->user.n : y->user.n;
    int d = n ? memcmp(x->user.p, y->user.p, n) : 0;
    return d ? d : (x->user.n > y->user.n) - (x->user.n < y->user.n);
}

static void give(struct str *unit, const struct link *links, size_t n)
{
    const struct link key = { .user = *unit }, *found = bsearch(&key, links, n, sizeof *links, by_user);
    if (found)
        *unit = found->unit;
}

static void give_all(struct rows *rows, const PGresult *r, struct arena *arena)
{
    size_t n = (size_t)PQntuples(r);
    struct link *links = arena_alloc(arena, (n + 1) * sizeof *links);
    for (size_t i = 0; i < n; i++)
        links[i] = (struct link){ arena_str(arena, pg_get(r, (int)i, 0)), arena_str(arena, pg_get(r, (int)i, 1)) };
    for (size_t i = 0; i < rows->signals_count; i++)
        if (rows->signals[i].unit_is_user)
            give(&rows->signals[i].unit, links, n);
    for (size_t i = 0; i < rows->exposures_count; i++)
        if (rows->exposures[i].unit_is_user)
            give(&rows->exposures[i].unit, links, n);
}

static size_t add_users(const struct rows *rows, struct buf *users)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->signals_count; i++)
        if (rows->signals[i].unit_is_user && ++n)
            array_add(users, rows->signals[i].unit);
    for (size_t i = 0; i < rows->exposures_count; i++)
        if (rows->exposures[i].unit_is_user && ++n)
            array_add(users, rows->exposures[i].unit);
    return n;
}

bool identity_apply(struct pg *pg, struct rows *rows, struct arena *arena, struct err *err)
{
    AUTO(buf_release) struct buf users;
    array_begin(&users);
    size_t n = add_users(rows, &users);
    if (!store_links(pg, rows, err))
        return false;
    if (!n)
        return true;
    const char *params[] = { array_end(&users) };
    if (!buf_ok(&users, "the users of a batch", err))
        return false;
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &read_links, params, err);
    if (r)
        give_all(rows, r, arena);
    return r != NULL;
}
