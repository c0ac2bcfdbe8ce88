/* The job "training-data": what was clicked for a query, and what the catalogue says of it → labelled texts (docs/query-intent.md).
 *
 * The query log of the days (query_log.h) and, as a blob, the categories of all documents → a pass over the queries → the set, in the transaction that ends the
 * run. What an earlier run made goes; what people put into it stays, and a text that they labelled keeps their labels. */
#include <inttypes.h>

#include "base/jsonw.h"
#include "job/types.h"
#include "model/lists.h"
#include "trainer/jobs/items_read.h"
#include "trainer/jobs/query_passes.h"
#include "trainer/kernels/classify/training_pairs.h"

enum { JSON_MAX = 4096, ROWS_MAX = 32 << 20, ROWS_AT_ONCE = 5000, LABEL_MAX = 200, NAME_BYTES = 64 };

enum stmt { OPEN, CLEAR, ADD, END, LEFT };
static const struct pg_stmt statements[] = {
    [OPEN] = { "training_set_open", 2, "select made, before from labelled_set_open($1, null, $2)" },
    [CLEAR] = { "training_set_clear", 1, "delete from labelled_texts where set_name = $1 and source = 'job'" },
    [ADD] = { "training_set_add", 3, "select labelled_texts_add($1, $2::jsonb, $3::uuid)" },
    [END] = { "training_set_end", 5, "select labelled_set_end($1, $2::boolean, $3::jsonb, $4::uuid, $5)" },
    [LEFT] = { "training_set_left", 1,
               "select count(*), count(distinct label), count(*) filter (where source = 'manual') from labelled_texts "
               "where set_name = $1" },
};

struct training_data {
    struct run_context *run;
    struct arena arena;
    const char *set;
    struct query_log log;
    struct lists_out categories;
    struct str last;      /* the document under way */
    uint64_t documents;   /* with a category */
    uint64_t labels_long; /* that are left out */
    struct training_counts counts;
    struct engine_result result;
    uint64_t added, texts, labels, manual;
};

/* ---- categories ---- */

static bool add_category(void *arg, struct str doc, struct str category, struct err *err)
{
    struct training_data *t = arg;
    (void)err;
    if (str_trim(category).n == 0 || category.n > LABEL_MAX) {
        t->labels_long++;
        return true;
    }
    if (!t->last.p || !str_eq(doc, t->last)) {
        t->last = arena_str(&t->arena, doc);
        lists_key(&t->categories, doc);
        t->documents++;
    }
    lists_add(&t->categories, str_trim(category), (const float[]){ 1 });
    return true;
}

static bool read_categories(struct training_data *t, int *out_blob, struct err *err)
{
    static const char *const columns[] = { "score" };
    AUTO(buf_release) struct buf b;
    struct items_read items = { .pg = NULL };
    const char *field = t->run->param(t->run, "category_field");
    buf_init(&b, LISTS_BYTES_MAX);
    lists_begin(&t->categories, columns, COUNT_OF(columns));
    bool ok = items_read_open(&items, t->run, &t->arena, err) &&
              items_read_categories(&items, field, add_category, t, err);
    items_read_close(&items);
    if (ok && t->documents == 0)
        ok = run_too_little(t->run, err, "no document of the catalogue has field \"%s\" (parameter \"category_field\")",
                            field);
    if (!ok) {
        lists_release(&t->categories);
        return false;
    }
    if (!lists_end(&t->categories, &b, err))
        return false;
    *out_blob = engine_blob(t->run->engine, buf_str(&b), err);
    return *out_blob >= 0;
}

/* ---- the pass ---- */

static bool write_params(struct training_data *t, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "min_units", run_whole(t->run, "min_query_units"));
    jsonw_i64(&w, "min_pair_count", run_whole(t->run, "min_pair_count"));
    jsonw_double(&w, "proportion", run_real(t->run, "top_category_proportion"));
    jsonw_close(&w);
    *out = arena_str(&t->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

static bool take_counts(struct training_data *t, struct err *err)
{
    for (uint32_t i = 0; i < t->result.count; i++) {
        struct training_counts c;
        struct str in = buf_str(&t->result.parts[i]);
        if (!record_take(&in, &c, sizeof c))
            return err_set(err, ERR_SYSTEM, "the labelled queries of part %u are damaged", i);
        t->counts.queries += c.queries;
        t->counts.units_few += c.units_few;
        t->counts.uncategorised += c.uncategorised;
        t->counts.clicks_few += c.clicks_few;
        t->counts.undecided += c.undecided;
        t->counts.labelled += c.labelled;
    }
    return true;
}

static bool pass_pairs(struct training_data *t, int blob, struct err *err)
{
    struct engine_pass pass = { .name = "pairs",
                                .kernel = TRAINING_PAIRS_KERNEL,
                                .splits = query_splits_each(&t->arena, t->log.parts),
                                .splits_count = t->log.parts,
                                .input_pass = t->log.pass,
                                .blobs = &blob,
                                .blobs_count = 1 };
    if (!write_params(t, &pass.params, err) || !run_pass(t->run, &pass, &t->result, err) || !take_counts(t, err))
        return false;
    const struct training_counts *c = &t->counts;
    run_say(t->run,
            "%" PRIu64 " queries: %" PRIu64 " of too few units, %" PRIu64
            " without clicks on documents with a category, %" PRIu64 " with too few, %" PRIu64 " undecided, %" PRIu64
            " with a label",
            c->queries, c->units_few, c->uncategorised, c->clicks_few, c->undecided, c->labelled);
    return true;
}

/* ---- publishing ---- */

static bool send(struct training_data *t, struct buf *rows, struct err *err)
{
    buf_add_byte(rows, ']');
    if (!buf_ok(rows, "rows of labelled texts", err))
        return false;
    const char *params[] = { t->set, rows->p, t->run->id };
    AUTO(pg_result_free) PGresult *r = pg_run(t->run->pg, &statements[ADD], params, err);
    if (!r)
        return false;
    t->added += (uint64_t)pg_get_i64(r, 0, 0);
    buf_clear(rows);
    buf_add_byte(rows, '[');
    return true;
}

static bool put_part(struct training_data *t, struct str in, struct buf *rows, struct err *err)
{
    struct training_counts c;
    uint32_t count = 0;
    bool ok = record_take(&in, &c, sizeof c);
    while (ok && in.n) {
        struct str text, label;
        double clicks;
        ok = record_take_text(&in, &text) && record_take_text(&in, &label) && record_take(&in, &clicks, sizeof clicks);
        if (!ok)
            break;
        buf_add_c(rows, count++ ? ",{\"text\":" : "{\"text\":");
        buf_add_json_str(rows, text);
        buf_add_c(rows, ",\"label\":");
        buf_add_json_str(rows, label);
        buf_addf(rows, ",\"weight\":%.17g}", clicks < 1e9 ? clicks : 1e9);
        if (count == ROWS_AT_ONCE) {
            if (!send(t, rows, err))
                return false;
            count = 0;
        }
    }
    return (ok || err_set(err, ERR_SYSTEM, "the labelled queries of a part are damaged")) && send(t, rows, err);
}

static bool put_all(struct training_data *t, struct err *err)
{
    AUTO(buf_release) struct buf rows;
    bool ok = true;
    buf_init(&rows, ROWS_MAX);
    buf_add_byte(&rows, '[');
    for (uint32_t i = 0; ok && i < t->result.count; i++)
        ok = put_part(t, buf_str(&t->result.parts[i]), &rows, err);
    return ok;
}

static bool replace_set(struct training_data *t, struct err *err)
{
    const char *who = arena_printf(&t->arena, "job %s", t->run->type->name).p;
    const char *open[] = { t->set, who };
    AUTO(pg_result_free) PGresult *o = pg_run(t->run->pg, &statements[OPEN], open, err);
    AUTO(pg_result_free) PGresult *c = o ? pg_run(t->run->pg, &statements[CLEAR], open, err) : NULL;
    if (!c || !put_all(t, err))
        return false;
    const char *end[] = { t->set, PQgetvalue(o, 0, 0), PQgetisnull(o, 0, 1) ? NULL : PQgetvalue(o, 0, 1), t->run->id,
                          who };
    AUTO(pg_result_free) PGresult *e = pg_run(t->run->pg, &statements[END], end, err);
    AUTO(pg_result_free) PGresult *l = e ? pg_run(t->run->pg, &statements[LEFT], open, err) : NULL;
    if (!l)
        return false;
    t->texts = (uint64_t)pg_get_i64(l, 0, 0);
    t->labels = (uint64_t)pg_get_i64(l, 0, 1);
    t->manual = (uint64_t)pg_get_i64(l, 0, 2);
    return true;
}

static void tell(struct training_data *t)
{
    const struct training_counts *c = &t->counts;
    run_result(t->run,
               "{\"set\":\"%s\",\"days\":%zu,\"texts\":%" PRIu64 ",\"labels\":%" PRIu64 ",\"made\":%" PRIu64
               ",\"manual\":%" PRIu64 ",\"documents\":%" PRIu64 ",\"queries\":%" PRIu64 ",\"units_few\":%" PRIu64
               ",\"uncategorised\":%" PRIu64 ",\"clicks_few\":%" PRIu64 ",\"undecided\":%" PRIu64 "}",
               t->set, t->log.days.days_count, t->texts, t->labels, t->added, t->manual, t->documents, c->queries,
               c->units_few, c->uncategorised, c->clicks_few, c->undecided);
    run_say(t->run, "labelled texts \"%s\": %" PRIu64 " texts of this run, %" PRIu64 " of people, %" PRIu64 " labels",
            t->set, t->added, t->manual, t->labels);
}

static bool publish(struct training_data *t, struct err *err)
{
    const uint64_t least = (uint64_t)run_whole(t->run, "min_texts");
    if (t->counts.labelled < least)
        return run_too_little(t->run, err,
                              "%" PRIu64 " queries with a label, parameter \"min_texts\" asks for %" PRIu64,
                              t->counts.labelled, least);
    if (!run_publish_begin(t->run, err) || !replace_set(t, err))
        return false;
    tell(t);
    return run_publish_end(t->run, err);
}

/* ---- the job ---- */

static bool check_name(const char *s, struct err *err)
{
    const size_t n = strlen(s);
    bool ok = n > 0 && n <= NAME_BYTES;
    for (size_t i = 0; ok && i < n; i++)
        ok = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || (i > 0 && strchr("_.-", s[i]));
    return ok ||
           err_set(err, ERR_INVALID,
                   "parameter \"texts\" is \"%s\": a name has small letters, digits and _ . - behind the first, at "
                   "most %d",
                   s, NAME_BYTES);
}

static bool compute(struct training_data *t, struct err *err)
{
    struct query_window training, later;
    int blob = -1;
    query_log_window(t->run, &training, &later);
    if (!check_name(t->set, err) || !read_categories(t, &blob, err))
        return false;
    const bool ok = query_log_open(&t->log, t->run, &t->arena, "training", training, err) &&
                    (t->log.parts == 0 || pass_pairs(t, blob, err)) && publish(t, err);
    engine_blob_drop(t->run->engine, blob);
    return ok;
}

static bool run_training_data(struct run_context *run, struct err *err)
{
    struct training_data *t = mem_zalloc(sizeof *t);
    t->run = run;
    t->set = run->param(run, "texts");
    t->log.pass = -1;
    arena_init(&t->arena, 1 << 16);
    const bool ok = compute(t, err);
    query_log_close(&t->log);
    engine_result_release(&t->result);
    arena_release(&t->arena);
    mem_free(t);
    return ok;
}

const struct job job_training_data = { "training-data", run_training_data };
