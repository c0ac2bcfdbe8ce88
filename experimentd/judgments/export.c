#include "experimentd/judgments/export.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/jsonw.h"

enum { SRW_NAME_MAX = 50, SRW_DESCRIPTION_MAX = 250 };

struct exporting {
    const struct export_head *head;
    const struct ratings *r;
    struct buf *b;
    struct err *err;
};

/* The fewest digits that read back as the same real of the database. */
static void put_number(struct buf *b, double v)
{
    char text[32];
    if (isnan(v))
        return;
    for (int digits = 6; digits <= 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtof(text, NULL) == (float)v)
            break;
    }
    buf_add_c(b, text);
}

static bool new_query(const struct ratings *r, size_t i)
{
    return i == 0 || !str_eq(r->items[i].query, r->items[i - 1].query);
}

/* ---- CSV ---- */

static void put_guarded(struct buf *b, struct str s)
{
    char text[RATING_QUERY_MAX + 2];
    if (s.n == 0 || s.n > RATING_QUERY_MAX || !memchr("-=+@", s.p[0], 4)) {
        csv_put(b, s);
        return;
    }
    text[0] = ' ';
    memcpy(text + 1, s.p, s.n);
    csv_put(b, (struct str){ text, s.n + 1 });
}

/* As Quepid writes it: no line end behind the last line. */
static bool export_quepid(struct exporting *e)
{
    buf_add_c(e->b, "query,docid,rating");
    for (size_t i = 0; i < e->r->count; i++) {
        const struct rating *g = &e->r->items[i];
        buf_add_byte(e->b, '\n');
        put_guarded(e->b, g->query);
        buf_add_byte(e->b, ',');
        put_guarded(e->b, g->doc);
        buf_add_byte(e->b, ',');
        put_number(e->b, g->grade);
    }
    return true;
}

static bool export_csv(struct exporting *e)
{
    buf_add_c(e->b, "query,doc,grade,confidence,evidence,source,judge\r\n");
    for (size_t i = 0; i < e->r->count; i++) {
        const struct rating *g = &e->r->items[i];
        csv_put(e->b, g->query);
        buf_add_byte(e->b, ',');
        csv_put(e->b, g->doc);
        buf_add_byte(e->b, ',');
        put_number(e->b, g->grade);
        buf_add_byte(e->b, ',');
        put_number(e->b, g->confidence);
        buf_add_byte(e->b, ',');
        put_number(e->b, g->evidence);
        buf_add_c(e->b, g->clicks ? ",clicks," : ",human,");
        csv_put(e->b, g->judge);
        buf_add_c(e->b, "\r\n");
    }
    return true;
}

/* ---- JSON ---- */

static void put_json_number(struct buf *b, const char *name, double v)
{
    if (isnan(v))
        return;
    buf_addf(b, ",\"%s\":", name);
    put_number(b, v);
}

static bool export_jsonl(struct exporting *e)
{
    for (size_t i = 0; i < e->r->count; i++) {
        const struct rating *g = &e->r->items[i];
        buf_add_c(e->b, "{\"query\":");
        buf_add_json_str(e->b, g->query);
        if (g->doc.n) {
            buf_add_c(e->b, ",\"doc\":");
            buf_add_json_str(e->b, g->doc);
        }
        put_json_number(e->b, "grade", g->grade);
        put_json_number(e->b, "confidence", g->confidence);
        put_json_number(e->b, "evidence", g->evidence);
        buf_add_c(e->b, g->clicks ? ",\"source\":\"clicks\"" : ",\"source\":\"human\"");
        if (g->judge.n) {
            buf_add_c(e->b, ",\"judge\":");
            buf_add_json_str(e->b, g->judge);
        }
        buf_add_c(e->b, "}\n");
    }
    return true;
}

static bool export_srw(struct exporting *e)
{
    struct jsonw w;
    bool open = false;
    jsonw_init(&w, e->b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "name", str_cut(e->head->name, SRW_NAME_MAX));
    jsonw_str(&w, "description", str_cut(e->head->description, SRW_DESCRIPTION_MAX));
    jsonw_text(&w, "type", "IMPORT_JUDGMENT");
    jsonw_open(&w, "judgmentRatings", '[');
    for (size_t i = 0; i < e->r->count; i++) {
        const struct rating *g = &e->r->items[i];
        char rating[32];
        if (new_query(e->r, i) && open) {
            jsonw_close(&w);
            jsonw_close(&w);
        }
        if (new_query(e->r, i)) {
            jsonw_open(&w, NULL, '{');
            jsonw_str(&w, "query", g->query);
            jsonw_open(&w, "ratings", '[');
            open = true;
        }
        if (isnan(g->grade))
            continue;
        (void)snprintf(rating, sizeof rating, "%.3f", g->grade);
        jsonw_open(&w, NULL, '{');
        jsonw_str(&w, "docId", g->doc);
        jsonw_text(&w, "rating", rating);
        jsonw_close(&w);
    }
    while (w.depth)
        jsonw_close(&w);
    return true;
}

static int by_grade(const void *a, const void *b)
{
    const struct rating *x = *(const struct rating *const *)a, *y = *(const struct rating *const *)b;
    if (x->grade != y->grade)
        return x->grade > y->grade ? -1 : 1;
    return (x > y) - (x < y); /* both of one array, sorted by document */
}

/* {gain: [documents]}, which Quepid reads, too. */
static void put_rre_gains(struct jsonw *w, const struct rating **rated, size_t count)
{
    if (count)
        qsort(rated, count, sizeof(struct rating *), by_grade);
    for (size_t i = 0; i < count; i++) {
        char gain[32];
        if (i == 0 || rated[i]->grade != rated[i - 1]->grade) {
            struct buf b;
            buf_init(&b, sizeof gain);
            put_number(&b, rated[i]->grade);
            (void)snprintf(gain, sizeof gain, "%.*s", (int)b.n, b.p);
            buf_release(&b);
            jsonw_open(w, gain, '[');
        }
        jsonw_str(w, NULL, rated[i]->doc);
        if (i + 1 == count || rated[i + 1]->grade != rated[i]->grade)
            jsonw_close(w);
    }
}

static bool export_rre(struct exporting *e)
{
    struct jsonw w;
    const struct rating **rated = mem_alloc((e->r->count + 1) * sizeof *rated);
    jsonw_init(&w, e->b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "id_field", "id");
    jsonw_str(&w, "index", e->head->name);
    jsonw_text(&w, "template", "template.json");
    jsonw_open(&w, "queries", '[');
    for (size_t i = 0; i < e->r->count;) {
        size_t count = 0;
        struct str query = e->r->items[i].query;
        for (; i < e->r->count && str_eq(e->r->items[i].query, query); i++)
            if (!isnan(e->r->items[i].grade))
                rated[count++] = &e->r->items[i];
        jsonw_open(&w, NULL, '{');
        jsonw_open(&w, "placeholders", '{');
        jsonw_str(&w, "$query", query);
        jsonw_close(&w);
        jsonw_open(&w, "relevant_documents", '{');
        put_rre_gains(&w, rated, count);
        jsonw_close(&w);
        jsonw_close(&w);
    }
    while (w.depth)
        jsonw_close(&w);
    mem_free(rated);
    return true;
}

/* ---- lines that name a topic ---- */

static bool export_trec(struct exporting *e)
{
    size_t topic = 0;
    for (size_t i = 0; i < e->r->count; i++) {
        const struct rating *g = &e->r->items[i];
        topic += new_query(e->r, i);
        if (isnan(g->grade))
            continue;
        if (g->grade != floor(g->grade))
            return err_set(e->err, ERR_CONFLICT,
                           "query \"" STR_FMT "\", document \"" STR_FMT "\": the grade is %g, and qrels have whole "
                           "numbers only",
                           STR_ARG(str_cut(g->query, 60)), STR_ARG(str_cut(g->doc, 60)), g->grade);
        if (memchr(g->doc.p, ' ', g->doc.n) || memchr(g->doc.p, '\t', g->doc.n))
            return err_set(e->err, ERR_CONFLICT,
                           "query \"" STR_FMT "\", document \"" STR_FMT "\": qrels have no blanks in documents",
                           STR_ARG(str_cut(g->query, 60)), STR_ARG(str_cut(g->doc, 60)));
        buf_addf(e->b, "%zu 0 " STR_FMT " %.0f\n", topic, STR_ARG(g->doc), g->grade);
    }
    return true;
}

/* One line, no tab: what separates topics and documents in these files. */
static void put_line_text(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_add_byte(b, s.p[i] == '\t' || s.p[i] == '\n' || s.p[i] == '\r' ? ' ' : s.p[i]);
}

void ratings_export_topics(const struct ratings *r, struct buf *out)
{
    for (size_t i = 0, topic = 0; i < r->count; i++) {
        if (!new_query(r, i))
            continue;
        buf_addf(out, "%zu\t", ++topic);
        put_line_text(out, r->items[i].query);
        buf_add_byte(out, '\n');
    }
}

static bool export_letor(struct exporting *e)
{
    size_t topic = 0;
    for (size_t i = 0; i < e->r->count; i++) {
        if (!new_query(e->r, i))
            continue;
        buf_addf(e->b, "# qid:%zu: ", ++topic);
        put_line_text(e->b, e->r->items[i].query);
        buf_add_c(e->b, "*1\n");
    }
    buf_add_byte(e->b, '\n');
    topic = 0;
    for (size_t i = 0; i < e->r->count; i++) {
        const struct rating *g = &e->r->items[i];
        topic += new_query(e->r, i);
        if (isnan(g->grade))
            continue;
        put_number(e->b, g->grade);
        buf_addf(e->b, "\tqid:%zu\t # ", topic);
        put_line_text(e->b, g->doc);
        buf_add_byte(e->b, '\t');
        put_line_text(e->b, g->query);
        buf_add_byte(e->b, '\n');
    }
    return true;
}

/* ---- the table ---- */

static const struct {
    bool (*write)(struct exporting *e);
    const char *type, *suffix;
} exports[] = {
    [JUDGMENTS_QUEPID] = { export_quepid, "text/csv; charset=utf-8", "csv" },
    [JUDGMENTS_SRW] = { export_srw, "application/json", "json" },
    [JUDGMENTS_TREC] = { export_trec, "text/plain; charset=utf-8", "qrels" },
    [JUDGMENTS_CSV] = { export_csv, "text/csv; charset=utf-8", "csv" },
    [JUDGMENTS_JSONL] = { export_jsonl, "application/x-ndjson", "jsonl" },
    [JUDGMENTS_LETOR] = { export_letor, "text/plain; charset=utf-8", "txt" },
    [JUDGMENTS_RRE] = { export_rre, "application/json", "json" },
};
static_assert(COUNT_OF(exports) == JUDGMENTS_FORMAT_COUNT, "a row for each format");

bool ratings_export(enum judgment_format format, const struct export_head *head, const struct ratings *r,
                    struct buf *out, struct err *err)
{
    struct exporting e = { head, r, out, err };
    return exports[format].write(&e) && buf_ok(out, "the export", err);
}

const char *judgment_format_type(enum judgment_format format)
{
    return exports[format].type;
}

const char *judgment_format_suffix(enum judgment_format format)
{
    return exports[format].suffix;
}
