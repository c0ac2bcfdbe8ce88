/* "content.terms@1": see content.h. */
#include <math.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/pgout.h"
#include "trainer/kernels/content/content.h"
#include "trainer/kernels/content/text_terms.h"
#include "trainer/kernels/items/sums_out.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/run_snapshot.h"
#include "trainer/kernels/signal_weights.h"

enum { SQL_MAX = 8192, RECORD_MAX = 32 << 20, TICK_DOCUMENTS = 64 };

struct reading {
    struct task *task;
    struct signal_weights fields;
    struct stop_words stop;
    int64_t ngrams;
    struct str from, to;    /* to {NULL, 0}: the end */
    struct pair_sums terms; /* of the document under way: Σ weight of each */
    struct sums_out out;
    struct buf record;
    double weight; /* of the field under way */
    uint32_t documents;
};

static bool read_params(struct reading *r, struct err *err)
{
    struct json_reader j;
    struct arena *arena = task_arena(r->task);
    struct str fields = { NULL, 0 }, language = STR("none"), more = { NULL, 0 };
    json_auto_t *root = json_parse(task_params(r->task), err);
    if (!root)
        return false;
    json_reader_open(&j, root, "params");
    (void)json_get_str(&j, "fields", JSON_REQUIRED, &fields, arena);
    (void)json_get_i64(&j, "ngrams", JSON_REQUIRED, &r->ngrams);
    (void)json_get_str(&j, "language", JSON_REQUIRED, &language, arena);
    (void)json_get_str(&j, "stop_words", JSON_OPTIONAL, &more, arena);
    if (!json_reader_close(&j, err) || !signal_weights_read(fields, arena, &r->fields, err))
        return false;
    stop_words_make(arena_cstr(arena, language), more, arena, &r->stop);
    return true;
}

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

/* ---- a document ---- */

static void add_term(void *arg, struct str term)
{
    struct reading *r = arg;
    pair_sums_add(&r->terms, content_key(hash64(term)), 1, r->weight);
}

static void add_text(struct reading *r, const json_t *v)
{
    const json_t *element;
    size_t i;
    if (json_is_string(v))
        text_terms((struct str){ json_string_value(v), json_string_length(v) }, &r->stop, (unsigned)r->ngrams, add_term,
                   r);
    if (json_is_array(v))
        json_array_foreach(v, i, element) if (json_is_string(element)) add_text(r, element);
}

/* The document counts once for each of its terms. */
static bool emit_document(struct reading *r, struct str doc, struct err *err)
{
    buf_clear(&r->record);
    record_put_text(&r->record, doc);
    record_put(&r->record, &r->terms.count, sizeof r->terms.count);
    pair_sums_sort(&r->terms);
    for (uint32_t i = 0; i < r->terms.count; i++) {
        const struct pair_sum *e = &r->terms.entries[i];
        const struct content_term term = { e->key, sqrt(e->sum) };
        record_put(&r->record, &term, sizeof term);
        if (!sums_out_add(&r->out, e->key, 0, err))
            return false;
    }
    pair_sums_clear(&r->terms);
    return buf_ok(&r->record, "the terms of a document", err) &&
           task_emit(r->task, task_parts(r->task) - 1, buf_str(&r->record), err) &&
           (++r->documents % TICK_DOCUMENTS != 0 || task_tick(r->task, TICK_DOCUMENTS, err));
}

static bool add_document(void *arg, const struct str *row, size_t count, struct err *err)
{
    struct reading *r = arg;
    json_auto_t *root = json_parse(row[1], err);
    (void)count;
    if (!root)
        return false;
    for (uint32_t i = 0; i < r->fields.count; i++) {
        r->weight = r->fields.weights[i];
        if (r->weight > 0)
            add_text(r, json_object_getn(root, r->fields.types[i].p, r->fields.types[i].n));
    }
    return emit_document(r, row[0], err);
}

/* ---- the table ---- */

static bool add_bound(struct pg *pg, struct buf *sql, const char *what, struct str id, struct err *err)
{
    char *literal = PQescapeLiteral(pg->conn, id.p, id.n);
    if (!literal)
        return err_set(err, ERR_INVALID, "the split: an id is no text of the database");
    buf_addf(sql, "%s%s", what, literal);
    PQfreemem(literal);
    return true;
}

static bool read_documents(struct reading *r, struct err *err)
{
    AUTO(buf_release) struct buf sql;
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(r->task, err);
    buf_init(&sql, SQL_MAX);
    buf_add_c(&sql, "copy (select doc, fields::text from items where ");
    if (!pg || !add_bound(pg, &sql, "doc >= ", r->from, err) ||
        (r->to.p && !add_bound(pg, &sql, " and doc < ", r->to, err)))
        return false;
    buf_add_c(&sql, " order by doc) to stdout (format binary)");
    return buf_ok(&sql, "a statement", err) && pg_copy_out(pg, sql.p, "the catalogue", add_document, r, err);
}

static bool run(struct task *t, struct err *err)
{
    struct reading *r = arena_zalloc(task_arena(t), sizeof *r);
    r->task = t;
    if (!read_params(r, err) || !read_desc(r, err))
        return false;
    pair_sums_init(&r->terms);
    sums_out_open(&r->out, t, CONTENT_KEYS);
    r->out.parts = task_parts(t) - 1;
    buf_init(&r->record, RECORD_MAX);
    bool ok = read_documents(r, err) && sums_out_flush(&r->out, err) &&
              task_tick(t, r->documents % TICK_DOCUMENTS, err);
    buf_release(&r->record);
    sums_out_close(&r->out);
    pair_sums_release(&r->terms);
    return ok;
}

const struct kernel kernel_content_terms = { CONTENT_TERMS_KERNEL, run };
