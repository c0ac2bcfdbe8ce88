#include "trainer/kernels/content/content_read.h"

#include "base/json.h"
#include "base/pgout.h"
#include "trainer/kernels/run_snapshot.h"

enum { SQL_MAX = 8192, TICK_DOCUMENTS = 64 };

bool content_params_read(struct task *t, struct content_params *out, struct err *err)
{
    struct json_reader j;
    struct arena *arena = task_arena(t);
    struct str fields = { NULL, 0 }, language = STR("none"), more = { NULL, 0 };
    int64_t ngrams = 1;
    json_auto_t *root = json_parse(task_params(t), err);
    if (!root)
        return false;
    json_reader_open(&j, root, "params");
    (void)json_get_str(&j, "fields", JSON_REQUIRED, &fields, arena);
    (void)json_get_i64(&j, "ngrams", JSON_REQUIRED, &ngrams);
    (void)json_get_str(&j, "language", JSON_REQUIRED, &language, arena);
    (void)json_get_str(&j, "stop_words", JSON_OPTIONAL, &more, arena);
    if (!json_reader_close(&j, err) || !signal_weights_read(fields, arena, &out->fields, err))
        return false;
    stop_words_make(arena_cstr(arena, language), more, arena, &out->stop);
    out->ngrams = (unsigned)ngrams;
    return true;
}

/* ---- the texts of a document ---- */

static void add_value(const json_t *v, double weight, content_text_fn fn, void *arg)
{
    const json_t *element;
    size_t i;
    if (json_is_string(v))
        fn(arg, (struct str){ json_string_value(v), json_string_length(v) }, weight);
    if (json_is_array(v))
        json_array_foreach(v, i, element) if (json_is_string(element)) add_value(element, weight, fn, arg);
}

void content_texts(const json_t *document, const struct signal_weights *fields, content_text_fn fn, void *arg)
{
    for (uint32_t i = 0; i < fields->count; i++)
        if (fields->weights[i] > 0)
            add_value(json_object_getn(document, fields->types[i].p, fields->types[i].n), fields->weights[i], fn, arg);
}

/* ---- the table ---- */

struct reading {
    struct task *task;
    content_row_fn fn;
    void *arg;
    struct str from, to; /* to {NULL, 0}: the end */
    uint32_t documents;
};

static bool read_desc(struct reading *r, struct err *err)
{
    struct json_reader j;
    json_auto_t *root = json_parse(task_desc(r->task), err);
    if (!root)
        return false;
    json_reader_open(&j, root, "the split");
    (void)json_get_str(&j, "from", JSON_REQUIRED, &r->from, task_arena(r->task));
    (void)json_get_str(&j, "to", JSON_OPTIONAL, &r->to, task_arena(r->task));
    return json_reader_close(&j, err);
}

static bool add_document(void *arg, const struct str *row, size_t count, struct err *err)
{
    struct reading *r = arg;
    json_auto_t *root = json_parse(row[1], err);
    (void)count;
    return root && r->fn(r->arg, row[0], root, err) &&
           (++r->documents % TICK_DOCUMENTS != 0 || task_tick(r->task, TICK_DOCUMENTS, err));
}

static bool add_bound(struct pg *pg, struct buf *sql, const char *what, struct str id, struct err *err)
{
    char *literal = PQescapeLiteral(pg->conn, id.p, id.n);
    if (!literal)
        return err_set(err, ERR_INVALID, "the split: an id is no text of the database");
    buf_addf(sql, "%s%s", what, literal);
    PQfreemem(literal);
    return true;
}

bool content_rows(struct task *t, content_row_fn fn, void *arg, struct err *err)
{
    struct reading r = { .task = t, .fn = fn, .arg = arg };
    AUTO(buf_release) struct buf sql;
    buf_init(&sql, SQL_MAX);
    if (!read_desc(&r, err))
        return false;
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(t, err);
    buf_add_c(&sql, "copy (select doc, fields::text from items where ");
    if (!pg || !add_bound(pg, &sql, "doc >= ", r.from, err) ||
        (r.to.p && !add_bound(pg, &sql, " and doc < ", r.to, err)))
        return false;
    buf_add_c(&sql, " order by doc) to stdout (format binary)");
    return buf_ok(&sql, "a statement", err) && pg_copy_out(pg, sql.p, "the catalogue", add_document, &r, err) &&
           task_tick(t, r.documents % TICK_DOCUMENTS, err);
}
