#include "trainer/jobs/judgments_read.h"

#include <math.h>
#include <stdlib.h>

#include "base/pgout.h"
#include "model/query_text.h"
#include "trainer/kernels/pair_table.h"

static const struct pg_stmt read_judgment_set = { "judgment_set_read", 1,
                                                  "select max_grade, version, source from judgment_sets where name = "
                                                  "$1" };
static const struct pg_stmt read_query_set = { "query_set_read", 1, "select version from query_sets where name = $1" };
static const struct pg_stmt read_query_set_queries = {
    "query_set_read_queries", 1,
    "select query, weight::float8, params::text from query_set_queries where set_name = $1 order by position"
};

static bool not_there(const char *param, const char *what, const char *name, struct err *err)
{
    return err_set(err, ERR_INVALID, "--param %s=%s: there is no %s of this name", param, name, what);
}

/* ---- judgments ---- */

struct row {
    struct judged_query query; /* its text and its form */
    struct judgment doc;
    size_t at; /* in which order it came: by text */
};
struct rows {
    struct arena *arena;
    struct row *items;
    size_t count, room;
    struct str text, query; /* of the last one: most rows have the same */
};

static void take_query(struct rows *r, struct str text)
{
    char form[QUERY_TEXT_MAX];
    if (r->text.p && str_eq(r->text, text))
        return;
    r->text = arena_str(r->arena, text);
    r->query = arena_str(r->arena, query_text(text, form));
}

enum column { QUERY, DOC, GRADE, CONFIDENCE, EVIDENCE, HUMAN, EDITED, JUDGE };

static bool on_row(void *arg, const struct str *f, size_t count, struct err *err)
{
    struct rows *r = arg;
    (void)count, (void)err;
    take_query(r, f[QUERY]);
    if (r->query.n == 0)
        return true; /* blank: nobody can have searched for it */
    if (r->count == r->room) {
        r->room = r->room ? 2 * r->room : 1024;
        r->items = mem_realloc(r->items, r->room * sizeof *r->items);
    }
    r->items[r->count] = (struct row){ .query = { .query = r->query, .text = r->text },
                                       .doc = { .doc = arena_str(r->arena, f[DOC]),
                                                .grade = (float)pg_field_double(f[GRADE]),
                                                .confidence = (float)pg_field_double(f[CONFIDENCE]),
                                                .evidence = (float)pg_field_double(f[EVIDENCE]),
                                                .judge = f[JUDGE].p ? arena_str(r->arena, f[JUDGE]) : f[JUDGE],
                                                .human = pg_field_i64(f[HUMAN]) != 0,
                                                .edited = pg_field_i64(f[EDITED]) != 0 },
                                       .at = r->count };
    r->count++;
    return true;
}

static int by_query_and_doc(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int d = pair_text_compare(x->query.query, y->query.query);
    if (!d)
        d = pair_text_compare(x->doc.doc, y->doc.doc);
    return d ? d : x->at < y->at ? -1 : x->at > y->at;
}

static bool says_more(const struct judgment *a, const struct judgment *b)
{
    float x = isnan(a->evidence) ? 0 : a->evidence, y = isnan(b->evidence) ? 0 : b->evidence;
    if (a->human != b->human)
        return a->human;
    return x != y ? x > y : a->grade > b->grade;
}

static void group(struct rows *r, struct judgment_set *out)
{
    struct judgment *docs = arena_alloc(r->arena, (r->count + 1) * sizeof *docs);
    out->queries = arena_alloc(r->arena, (r->count + 1) * sizeof *out->queries);
    for (size_t i = 0; i < r->count; i++) {
        struct row *row = &r->items[i];
        struct judged_query *q = out->count ? &out->queries[out->count - 1] : NULL;
        if (!q || !str_eq(q->query, row->query.query)) {
            q = &out->queries[out->count++];
            *q = row->query;
            q->docs = &docs[out->judgments];
        }
        struct judgment *last = q->count ? &docs[out->judgments - 1] : NULL;
        if (!last || !str_eq(last->doc, row->doc.doc)) {
            docs[out->judgments++] = row->doc;
            q->count++;
        } else if (says_more(&row->doc, last)) {
            *last = row->doc;
        }
    }
}

/* COPY takes no parameters: the name is quoted here. */
static bool read_rows(struct run_context *run, const char *name, struct rows *r, struct err *err)
{
    char *literal = PQescapeLiteral(run->pg->conn, name, strlen(name));
    if (!literal)
        return err_set(err, ERR_INVALID, "the name of a judgment set is no text of the database");
    struct str sql = arena_printf(
        r->arena,
        "copy (select query, doc, grade::float8, confidence::float8, evidence::float8, "
        "(source = 'human')::int, (edited_at is not null)::int, judge from judgments where set_name "
        "= %s and grade is not null order by query, doc) to stdout (format binary)",
        literal);
    PQfreemem(literal);
    return pg_copy_out(run->pg, sql.p, "the judgments", on_row, r, err);
}

bool judgments_read(struct run_context *run, const char *param, const char *name, struct arena *arena,
                    struct judgment_set *out, struct err *err)
{
    struct rows r = { .arena = arena };
    const char *params[] = { name };
    AUTO(pg_result_free) PGresult *set = pg_run(run->pg, &read_judgment_set, params, err);
    if (!set)
        return false;
    if (PQntuples(set) == 0)
        return not_there(param, "judgment set", name, err);
    *out = (struct judgment_set){ .max_grade = (float)strtod(pg_get(set, 0, 0).p, NULL),
                                  .version = (uint64_t)pg_get_i64(set, 0, 1),
                                  .source = arena_str(arena, pg_get(set, 0, 2)) };
    bool ok = read_rows(run, name, &r, err);
    if (ok) {
        if (r.count)
            qsort(r.items, r.count, sizeof *r.items, by_query_and_doc);
        group(&r, out);
    }
    mem_free(r.items);
    return ok;
}

const struct judged_query *judgments_find(const struct judgment_set *s, struct str query)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int d = pair_text_compare(s->queries[mid].query, query);
        if (d == 0)
            return &s->queries[mid];
        if (d < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const struct judgment *judgments_doc(const struct judged_query *q, struct str doc)
{
    size_t low = 0, high = q->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int d = pair_text_compare(q->docs[mid].doc, doc);
        if (d == 0)
            return &q->docs[mid];
        if (d < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* ---- query sets ---- */

bool query_selection_read(struct run_context *run, const char *param, const char *name, struct arena *arena,
                          struct query_selection *out, struct err *err)
{
    char form[QUERY_TEXT_MAX];
    const char *params[] = { name };
    AUTO(pg_result_free) PGresult *set = pg_run(run->pg, &read_query_set, params, err);
    if (!set)
        return false;
    if (PQntuples(set) == 0)
        return not_there(param, "query set", name, err);
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &read_query_set_queries, params, err);
    if (!r)
        return false;
    *out = (struct query_selection){ .count = (size_t)PQntuples(r), .version = (uint64_t)pg_get_i64(set, 0, 0) };
    out->queries = arena_alloc(arena, (out->count + 1) * sizeof *out->queries);
    for (size_t i = 0; i < out->count; i++) {
        struct str text = arena_str(arena, pg_get(r, (int)i, 0));
        out->queries[i] = (struct selected_query){
            .text = text,
            .query = arena_str(arena, query_text(text, form)),
            .weight = strtod(pg_get(r, (int)i, 1).p, NULL),
            .params = PQgetisnull(r, (int)i, 2) ? (struct str){ NULL, 0 } : arena_str(arena, pg_get(r, (int)i, 2)),
        };
    }
    return true;
}
