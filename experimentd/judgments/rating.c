#include "experimentd/judgments/rating.h"

#include <assert.h>
#include <math.h>

#include "base/json.h"
#include "experimentd/judgments/rating_parts.h"

const char *const judgment_format_names[JUDGMENTS_FORMAT_COUNT + 1] = {
    [JUDGMENTS_QUEPID] = "quepid", [JUDGMENTS_SRW] = "srw",     [JUDGMENTS_TREC] = "trec", [JUDGMENTS_CSV] = "csv",
    [JUDGMENTS_JSONL] = "jsonl",   [JUDGMENTS_LETOR] = "letor", [JUDGMENTS_RRE] = "rre",
};

void ratings_release(struct ratings *r)
{
    mem_free(r->items);
    r->items = NULL;
    r->count = r->room = 0;
}

/* ---- one ---- */

static bool check_text(struct str s, const char *field, size_t max, struct err *err)
{
    if (s.n > max)
        return err_set(err, ERR_INVALID, "field \"%s\" has %zu bytes, more than %zu", field, s.n, max);
    return str_is_utf8(s) || err_set(err, ERR_INVALID, "field \"%s\" is not UTF-8", field);
}

static bool check(const struct rating *g, struct err *err)
{
    if (str_trim(g->query).n == 0)
        return err_set(err, ERR_INVALID, "field \"query\" is blank");
    if (g->doc.n == 0 && !isnan(g->grade))
        return err_set(err, ERR_INVALID, "field \"doc\" is empty, but there is a grade");
    if (!isnan(g->grade) && !(g->grade >= 0 && g->grade <= RATING_GRADE_MAX))
        return err_set(err, ERR_INVALID, "field \"grade\" is %g, not between 0 and %g", g->grade, RATING_GRADE_MAX);
    if (!isnan(g->confidence) && !(g->confidence >= 0 && g->confidence <= 1))
        return err_set(err, ERR_INVALID, "field \"confidence\" is %g, not between 0 and 1", g->confidence);
    if (!isnan(g->evidence) && !(g->evidence >= 0 && g->evidence <= 1e12))
        return err_set(err, ERR_INVALID, "field \"evidence\" is %g, not between 0 and 1e12", g->evidence);
    return check_text(g->query, "query", RATING_QUERY_MAX, err) && check_text(g->doc, "doc", RATING_DOC_MAX, err) &&
           check_text(g->judge, "judge", RATING_JUDGE_MAX, err);
}

bool rating_add(struct ratings *r, struct rating g, struct err *err)
{
    if (!check(&g, err))
        return false;
    if (r->count == RATINGS_MAX)
        return err_set(err, ERR_TOO_LARGE, "there are more than %d judgments", RATINGS_MAX);
    if (r->count == r->room) {
        r->room = r->room ? 2 * r->room : 256;
        r->items = mem_realloc(r->items, r->room * sizeof *r->items);
    }
    r->items[r->count++] = g;
    return true;
}

bool rating_number(struct str text, const char *field, double *out, struct err *err)
{
    *out = NAN;
    text = str_trim(text);
    return text.n == 0 || parse_double(text, out, NULL) ||
           err_set(err, ERR_INVALID, "field \"%s\" is \"" STR_FMT "\", not a number", field,
                   STR_ARG(str_cut(text, 40)));
}

bool rating_grade(struct str text, const char *field, double *out, struct err *err)
{
    return rating_number(text, field, out, err) &&
           (!isnan(*out) || err_set(err, ERR_INVALID, "field \"%s\" is empty", field));
}

bool rating_source(struct str text, bool *out, struct err *err)
{
    *out = str_eq_c(text, "clicks");
    return *out || text.n == 0 || str_eq_c(text, "human") ||
           err_set(err, ERR_INVALID, "field \"source\" is \"" STR_FMT "\", neither human nor clicks",
                   STR_ARG(str_cut(text, 40)));
}

/* ---- JSON lines ---- */

static void get_number(struct json_reader *in, const char *name, double *out)
{
    *out = NAN;
    (void)json_get_double(in, name, JSON_OPTIONAL, out);
}

bool rating_read_json(struct str text, struct str judge, struct ratings *out, struct err *err)
{
    struct rating g = { .judge = judge };
    struct str source = STR("");
    struct json_reader in;
    json_auto_t *root = json_parse(text, err);
    if (!root)
        return false;
    json_reader_open(&in, root, "judgment");
    (void)json_get_str(&in, "query", JSON_REQUIRED, &g.query, out->arena);
    (void)json_get_str(&in, "doc", JSON_OPTIONAL, &g.doc, out->arena);
    get_number(&in, "grade", &g.grade);
    get_number(&in, "confidence", &g.confidence);
    get_number(&in, "evidence", &g.evidence);
    (void)json_get_str(&in, "source", JSON_OPTIONAL, &source, out->arena);
    (void)json_get_str(&in, "judge", JSON_OPTIONAL, &g.judge, out->arena);
    return json_reader_close(&in, err) && rating_source(source, &g.clicks, err) && rating_add(out, g, err);
}

static bool read_jsonl(struct str text, struct ratings *out, struct err *err)
{
    struct line_reader lines;
    struct str line;
    (void)err;
    line_reader_open(&lines, text);
    while (line_reader_next(&lines, &line)) {
        struct err wrong;
        if (!rating_read_json(line, (struct str){ NULL, 0 }, out, &wrong))
            bad_lines_add(&out->bad, lines.line, &wrong);
    }
    return true;
}

/* ---- the table of formats ---- */

typedef bool (*read_fn)(struct str text, struct ratings *out, struct err *err);

bool ratings_read(enum judgment_format format, struct str text, struct ratings *out, struct err *err)
{
    static const read_fn readers[] = {
        [JUDGMENTS_QUEPID] = ratings_read_quepid, [JUDGMENTS_SRW] = ratings_read_srw,
        [JUDGMENTS_TREC] = ratings_read_trec,     [JUDGMENTS_CSV] = ratings_read_csv,
        [JUDGMENTS_JSONL] = read_jsonl,           [JUDGMENTS_LETOR] = ratings_read_letor,
        [JUDGMENTS_RRE] = ratings_read_rre,
    };
    static_assert(COUNT_OF(readers) == JUDGMENTS_FORMAT_COUNT, "a reader for each format");
    *out = (struct ratings){ .arena = out->arena };
    if (!readers[format](text, out, err) || !bad_lines_none(&out->bad, "lines", err))
        return false;
    return out->count > 0 || err_set(err, ERR_INVALID, "there is no judgment in it");
}

/* ---- for the database ---- */

static void put_number(struct buf *b, double v)
{
    buf_add_byte(b, ',');
    buf_add_json_double(b, v); /* null for NAN */
}

void ratings_write_rows(const struct ratings *r, struct buf *out)
{
    buf_add_byte(out, '[');
    for (size_t i = 0; i < r->count; i++) {
        const struct rating *g = &r->items[i];
        buf_add_c(out, i ? ",[" : "[");
        buf_add_json_str(out, g->query);
        buf_add_byte(out, ',');
        buf_add_json_str(out, g->doc);
        put_number(out, g->grade);
        put_number(out, g->confidence);
        put_number(out, g->evidence);
        buf_add_c(out, g->clicks ? ",\"clicks\"," : ",\"human\",");
        if (g->judge.p)
            buf_add_json_str(out, g->judge);
        else
            buf_add_c(out, "null");
        buf_add_byte(out, ']');
    }
    buf_add_byte(out, ']');
}
