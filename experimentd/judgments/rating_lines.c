/* Lines that name a query by the number of its topic: qrels of TREC, LETOR with comments. Topics may be told of anywhere: they are read first. */
#include <math.h>

#include "experimentd/judgments/rating_parts.h"

enum { FIELDS_MAX = 5 };

struct reading {
    struct ratings *out;
    struct topics topics;
    size_t line;
};
typedef bool (*line_fn)(struct reading *r, struct str line, struct err *err);

static void each_line(struct reading *r, struct str text, line_fn fn)
{
    struct line_reader lines;
    struct str line;
    line_reader_open(&lines, text);
    while (line_reader_next(&lines, &line)) {
        struct err err;
        r->line = lines.line;
        if (!fn(r, line, &err))
            bad_lines_add(&r->out->bad, lines.line, &err);
    }
}

static bool read_both(struct str text, struct ratings *out, line_fn topics, line_fn ratings)
{
    struct reading r = { .out = out };
    each_line(&r, text, topics);
    topics_sort(&r.topics, &out->bad);
    if (out->bad.count == 0)
        each_line(&r, text, ratings);
    topics_release(&r.topics);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t split_blanks(struct str line, struct str *out, size_t max)
{
    size_t count = 0, at = 0;
    while (at < line.n && count < max) {
        size_t from = at;
        while (at < line.n && !is_blank(line.p[at]))
            at++;
        out[count++] = (struct str){ line.p + from, at - from };
        while (at < line.n && is_blank(line.p[at]))
            at++;
    }
    return count;
}

/* ---- TREC ---- */

static bool is_trec_topic(struct str line, struct str *id, struct str *text)
{
    const char *tab = memchr(line.p, '\t', line.n);
    if (!tab || memchr(tab + 1, '\t', line.n - (size_t)(tab + 1 - line.p)))
        return false;
    *id = str_trim((struct str){ line.p, (size_t)(tab - line.p) });
    *text = str_trim((struct str){ tab + 1, line.n - (size_t)(tab + 1 - line.p) });
    return true;
}

static bool trec_topic(struct reading *r, struct str line, struct err *err)
{
    struct str id, text;
    (void)err;
    if (is_trec_topic(line, &id, &text))
        topics_add(&r->topics, id, text, r->line);
    return true;
}

static bool trec_rating(struct reading *r, struct str line, struct err *err)
{
    struct str f[FIELDS_MAX], id, text;
    int64_t relevance;
    if (is_trec_topic(line, &id, &text))
        return true;
    size_t count = split_blanks(line, f, FIELDS_MAX);
    if (count != 4)
        return err_set(err, ERR_INVALID, "has %zu%s fields, not 4: topic, iteration, document, relevance",
                       count < 5 ? count : 5, count < 5 ? "" : " or more");
    if (!parse_i64(f[3], &relevance, NULL))
        return err_set(err, ERR_INVALID, "field \"relevance\" is \"" STR_FMT "\", not a whole number",
                       STR_ARG(str_cut(f[3], 40)));
    const struct str *query = r->topics.count ? topics_find(&r->topics, f[0]) : &f[0];
    if (!query)
        return err_set(err, ERR_INVALID, "no line says what topic \"" STR_FMT "\" is", STR_ARG(str_cut(f[0], 40)));
    r->out->negative += relevance < 0;
    return rating_add(r->out,
                      (struct rating){ .query = *query,
                                       .doc = f[2],
                                       .grade = relevance < 0 ? 0 : (double)relevance,
                                       .confidence = NAN,
                                       .evidence = NAN },
                      err);
}

bool ratings_read_trec(struct str text, struct ratings *out, struct err *err)
{
    (void)err;
    return read_both(text, out, trec_topic, trec_rating);
}

/* ---- LETOR ---- */

/* "qid:1: rambo*1", behind the "#": the text ends before the last "*", behind which its weight stands. */
static bool letor_topic(struct reading *r, struct str line, struct err *err)
{
    (void)err;
    if (line.p[0] != '#')
        return true;
    struct str rest = str_trim((struct str){ line.p + 1, line.n - 1 }), id;
    if (!str_starts(rest, STR("qid:")))
        return true; /* any other comment */
    rest = (struct str){ rest.p + 4, rest.n - 4 };
    (void)str_split(&rest, ':', &id);
    const char *star = rest.p ? memrchr(rest.p, '*', rest.n) : NULL;
    if (star)
        rest.n = (size_t)(star - rest.p);
    topics_add(&r->topics, str_trim(id), str_trim(rest), r->line);
    return true;
}

/* What stands behind the "#": the document, and the query when it is there. With a tab in it the document ends there, else at the first blank. */
static void cut_comment(struct str comment, struct str *doc, struct str *query)
{
    const char *tab = memchr(comment.p, '\t', comment.n);
    size_t end = tab ? (size_t)(tab - comment.p) : 0;
    while (!tab && end < comment.n && !is_blank(comment.p[end]))
        end++;
    *doc = str_trim((struct str){ comment.p, end });
    *query = str_trim((struct str){ comment.p + end, comment.n - end });
}

static bool letor_rating(struct reading *r, struct str line, struct err *err)
{
    struct str f[2], query;
    struct rating g = { .confidence = NAN, .evidence = NAN };
    const char *hash = memchr(line.p, '#', line.n);
    if (hash == line.p)
        return true;
    if (!hash)
        return err_set(err, ERR_INVALID, "has no \"#\" with the document behind it");
    size_t at = (size_t)(hash - line.p);
    if (split_blanks((struct str){ line.p, at }, f, 2) != 2 || !str_starts(f[1], STR("qid:")))
        return err_set(err, ERR_INVALID, "does not begin with a grade and \"qid:\"");
    cut_comment(str_trim((struct str){ line.p + at + 1, line.n - at - 1 }), &g.doc, &query);
    const struct str *text = topics_find(&r->topics, (struct str){ f[1].p + 4, f[1].n - 4 });
    g.query = text ? *text : query;
    if (!g.query.n)
        return err_set(err, ERR_INVALID, "no line says what query \"" STR_FMT "\" is", STR_ARG(str_cut(f[1], 40)));
    return rating_grade(f[0], "grade", &g.grade, err) && rating_add(r->out, g, err);
}

bool ratings_read_letor(struct str text, struct ratings *out, struct err *err)
{
    (void)err;
    return read_both(text, out, letor_topic, letor_rating);
}
