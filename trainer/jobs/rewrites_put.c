#include "trainer/jobs/rewrites_put.h"

#include <math.h>

#include "model/query_text.h"

enum { PIECE_BYTES = 1 << 20, PIECE_MAX = 16 << 20, COLUMNS = 7 };

static const char make_table[] =
    "create temporary table rewrites_found (input text collate \"C\" not null, output text collate \"C\" not null, "
    "bidirectional boolean not null, confidence real not null, automatic boolean not null, searches bigint not null, "
    "evidence jsonb not null) on commit drop";
static const char copy_rows[] = "copy pg_temp.rewrites_found from stdin (format binary)";
/* Several types of one run each begin with empty tables. */
static const char drop_tables[] = "drop table pg_temp.rewrites_found, pg_temp.rewrites_taken";
static const struct pg_stmt take = {
    "rewrites_take", 2,
    "select found_rows, added, updated, unchanged, decided, removed from rewrites_take($1::uuid, $2)"
};

/* ---- what a row must be ---- */

static bool is_normal(struct str text)
{
    char normal[QUERY_TEXT_MAX];
    return text.n <= QUERY_TEXT_MAX && str_is_utf8(text) && str_eq(query_text(text, normal), text);
}

static bool check_row(const char *type, const struct rewrite_row *r, struct err *err)
{
    struct str shown = str_cut(r->input, 60);
    bool phrase = strcmp(type, "phrase") == 0;
    if (!r->input.n || !is_normal(r->input) || !is_normal(r->output))
        return err_set(err, ERR_INVALID, "%s \"" STR_FMT "\": input or output is not a query's normal text", type,
                       STR_ARG(shown));
    if (!r->output.n && strcmp(type, "remove_words") != 0)
        return err_set(err, ERR_INVALID, "%s \"" STR_FMT "\" has no output", type, STR_ARG(shown));
    if (str_eq(r->input, r->output) != phrase)
        return err_set(err, ERR_INVALID, "%s \"" STR_FMT "\": output is %s input", type, STR_ARG(shown),
                       phrase ? "not the" : "the");
    if (r->bidirectional && strcmp(type, "synonym") != 0)
        return err_set(err, ERR_INVALID, "%s \"" STR_FMT "\": only synonyms are bidirectional", type, STR_ARG(shown));
    if (!(r->confidence >= 0 && r->confidence <= 1))
        return err_set(err, ERR_INVALID, "%s \"" STR_FMT "\": confidence is %g, not from 0 to 1", type, STR_ARG(shown),
                       r->confidence);
    return true;
}

/* ---- copying ---- */

static void copy_bool(struct buf *b, bool v)
{
    buf_add_be32(b, 1);
    buf_add_byte(b, v ? 1 : 0);
}

static void copy_real(struct buf *b, double v)
{
    union {
        float f;
        uint32_t bits;
    } u = { .f = (float)v };
    buf_add_be32(b, 4);
    buf_add_be32(b, u.bits);
}

static void copy_row(struct buf *b, const struct rewrite_row *r)
{
    pg_copy_row(b, COLUMNS);
    pg_copy_text(b, r->input);
    pg_copy_text(b, r->output.n ? r->output : STR(""));
    copy_bool(b, r->bidirectional);
    copy_real(b, r->confidence);
    copy_bool(b, r->automatic);
    pg_copy_i64(b, (int64_t)r->searches);
    pg_copy_jsonb(b, r->evidence.n ? r->evidence : STR("{}"));
}

/* Sends what has gathered, when that is `at_least` bytes. */
static bool send_piece(struct pg *pg, struct buf *b, size_t at_least, struct err *err)
{
    if (b->n < at_least && !b->failed)
        return true;
    if (!buf_ok(b, "a row of rewrites", err) || !pg_copy_send(pg, buf_str(b), err))
        return false;
    buf_clear(b);
    return true;
}

static bool copy_all(struct pg *pg, const struct rewrite_row *rows, size_t count, struct err *err)
{
    AUTO(buf_release) struct buf b;
    uint64_t sent;
    buf_init(&b, PIECE_MAX);
    if (!pg_copy_begin(pg, copy_rows, err))
        return false;
    pg_copy_header(&b);
    for (size_t i = 0; i < count; i++) {
        copy_row(&b, &rows[i]);
        if (!send_piece(pg, &b, PIECE_BYTES, err))
            return false;
    }
    pg_copy_trailer(&b);
    return send_piece(pg, &b, 0, err) && pg_copy_end(pg, &sent, err);
}

bool rewrites_put(struct run_context *run, const char *type, const struct rewrite_row *rows, size_t count,
                  struct rewrites_counts *out, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!check_row(type, &rows[i], err))
            return false;
    if (!pg_exec(run->pg, make_table, err) || !copy_all(run->pg, rows, count, err))
        return false;
    const char *params[] = { run->id, type };
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &take, params, err);
    if (!r || !pg_exec(run->pg, drop_tables, err))
        return false;
    uint64_t *const counts[] = {
        &out->found, &out->added, &out->updated, &out->unchanged, &out->decided, &out->removed
    };
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        *counts[i] = (uint64_t)pg_get_i64(r, 0, (int)i);
    return true;
}
