/* "classify.texts@1": see classify.h. */
#include <math.h>

#include "base/json.h"
#include "base/pgout.h"
#include "trainer/kernels/classify/classify.h"
#include "trainer/kernels/classify/example.h"
#include "trainer/kernels/run_snapshot.h"

enum { SQL_MAX = 16384, RECORD_MAX = 1 << 20, TICK_TEXTS = 256 };

struct reading {
    struct task *task;
    struct classify_params params;
    struct classify_labels labels;
    struct str from, to; /* to {NULL, 0}: the end */
    struct example example;
    struct buf text, record; /* of the example under way; its record */
    struct classifier_text read;
    struct classifier_feature buckets[CLASSIFIER_GRAMS_MAX];
    struct classify_counts counts;
    uint64_t *label_texts;
    double *label_weights;
    uint32_t *bucket_texts;
    uint64_t rows;
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

/* ---- a text ---- */

static void count(struct reading *r)
{
    const struct example *e = &r->example;
    for (uint32_t i = 0; i < e->labels_count; i++) {
        r->label_texts[e->labels[i].label]++;
        r->label_weights[e->labels[i].label] += e->weight * e->labels[i].share;
    }
    const uint32_t n = classifier_buckets(&r->read, r->buckets);
    for (uint32_t i = 0; i < n; i++)
        r->bucket_texts[r->buckets[i].id]++;
}

static bool end_text(struct reading *r, struct err *err)
{
    struct example *e = &r->example;
    if (e->labels_count == 0)
        return true;
    const double sum = e->weight;
    for (uint32_t i = 0; i < e->labels_count; i++)
        e->labels[i].share /= sum;
    if (!r->params.by_weight)
        e->weight = 1;
    e->text = buf_str(&r->text);
    classifier_read(&r->params.rules, e->text, &r->read);
    const enum classify_part part = classify_part_of(&r->params, &r->read);
    r->counts.texts[part]++;
    if (part == CLASSIFY_TRAIN)
        count(r);
    buf_clear(&r->record);
    example_text_write(e, &r->record);
    e->labels_count = 0;
    e->weight = 0;
    return buf_ok(&r->record, "a text", err) && task_emit(r->task, part, buf_str(&r->record), err);
}

static bool add_row(void *arg, const struct str *row, size_t fields, struct err *err)
{
    struct reading *r = arg;
    (void)fields;
    if (!str_eq(row[0], buf_str(&r->text))) {
        if (!end_text(r, err))
            return false;
        buf_clear(&r->text);
        buf_add_str(&r->text, row[0]);
    }
    const uint32_t label = classify_label_find(&r->labels, row[1]);
    const double weight = pg_field_double(row[2]);
    if (label != UINT32_MAX && weight > 0) {
        r->example.labels[r->example.labels_count++] = (struct example_label){ label, weight };
        r->example.weight += weight;
    }
    return ++r->rows % TICK_TEXTS != 0 || task_tick(r->task, TICK_TEXTS, err);
}

/* ---- the table ---- */

static bool add_literal(struct pg *pg, struct buf *sql, const char *what, struct str text, struct err *err)
{
    char *literal = PQescapeLiteral(pg->conn, text.p, text.n);
    if (!literal)
        return err_set(err, ERR_INVALID, "the split: a bound is no text of the database");
    buf_addf(sql, "%s%s", what, literal);
    PQfreemem(literal);
    return true;
}

static bool read_rows(struct reading *r, struct err *err)
{
    AUTO(buf_release) struct buf sql;
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(r->task, err);
    buf_init(&sql, SQL_MAX);
    buf_add_c(&sql, "copy (select text, label, weight::float8 from labelled_texts where ");
    if (!pg || !add_literal(pg, &sql, "set_name = ", r->params.set, err) ||
        !add_literal(pg, &sql, " and text >= ", r->from, err) ||
        (r->to.p && !add_literal(pg, &sql, " and text < ", r->to, err)))
        return false;
    buf_add_c(&sql, " order by text, label) to stdout (format binary)");
    return buf_ok(&sql, "a statement", err) && pg_copy_out(pg, sql.p, "labelled texts", add_row, r, err) &&
           end_text(r, err);
}

static bool collect_buckets(struct reading *r, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, TASK_COLLECT_MAX);
    for (uint32_t i = 0; i < UINT32_C(1) << r->params.rules.bits; i++) {
        if (!r->bucket_texts[i])
            continue;
        record_put(&b, &i, sizeof i);
        record_put(&b, &r->bucket_texts[i], sizeof r->bucket_texts[i]);
    }
    return buf_ok(&b, "the buckets", err) && task_collect(r->task, buf_str(&b), err);
}

static bool collect(struct reading *r, struct err *err)
{
    const uint32_t n = r->labels.count;
    return task_collect(r->task, (struct str){ (const char *)&r->counts, sizeof r->counts }, err) &&
           task_collect(r->task, (struct str){ (const char *)r->label_texts, n * sizeof *r->label_texts }, err) &&
           task_collect(r->task, (struct str){ (const char *)r->label_weights, n * sizeof *r->label_weights }, err) &&
           collect_buckets(r, err);
}

static bool run(struct task *t, struct err *err)
{
    struct arena *arena = task_arena(t);
    struct reading *r = arena_zalloc(arena, sizeof *r);
    r->task = t;
    if (!classify_params_read(task_params(t), arena, &r->params, err) || !read_desc(r, err) ||
        !classify_labels_read(task_blob(t, 0), arena, &r->labels, err))
        return false;
    example_init(&r->example, arena);
    r->label_texts = arena_zalloc(arena, (r->labels.count + 1) * sizeof *r->label_texts);
    r->label_weights = arena_zalloc(arena, (r->labels.count + 1) * sizeof *r->label_weights);
    r->bucket_texts = arena_zalloc(arena, sizeof *r->bucket_texts << r->params.rules.bits);
    buf_init(&r->text, RECORD_MAX);
    buf_init(&r->record, RECORD_MAX);
    const bool ok = read_rows(r, err) && collect(r, err) && task_tick(t, r->rows % TICK_TEXTS, err);
    buf_release(&r->text);
    buf_release(&r->record);
    return ok;
}

const struct kernel kernel_classify_texts = { CLASSIFY_TEXTS_KERNEL, run };
