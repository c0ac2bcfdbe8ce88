/* SVMrank and LETOR: rows.h. */
#include <math.h>

#include "experimentd/features/rows.h"

struct reading {
    struct feature_rows *r;
    struct str last; /* qid of the line before, and how many lines it had */
    uint32_t place;
    float values[FEATURES_MAX];
};

static bool next_word(struct str *rest, struct str *out)
{
    *rest = str_trim(*rest);
    if (!rest->n)
        return false; /* of no text there is no place to add to */
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    *out = (struct str){ rest->p, n };
    *rest = (struct str){ rest->p + n, rest->n - n };
    return true;
}

/* Features ascend; *out_count: the largest. */
static bool read_values(struct reading *g, struct str rest, uint32_t *out_count, struct err *err)
{
    struct str word, index;
    uint32_t number, last = 0;
    const uint32_t most = g->r->grow ? FEATURES_MAX : g->r->features;
    while (next_word(&rest, &word)) {
        struct str value = word;
        if (!memchr(word.p, ':', word.n) || !str_split(&value, ':', &index) || !parse_u32(index, &number, NULL))
            return err_set(err, ERR_INVALID, "\"" STR_FMT "\" is no feature: a number, a colon and a value",
                           STR_ARG(str_cut(word, 40)));
        if (number <= last || number > most)
            return err_set(err, ERR_INVALID, "feature %u: numbers ascend from 1 to %u, those of the set", number, most);
        for (; last + 1 < number; last++)
            g->values[last] = NAN;
        if (!feature_value_read(value, &g->values[number - 1], err))
            return err_prefix(err, "feature %u: ", number);
        last = number;
    }
    *out_count = last;
    return true;
}

/* "7555 rambo", "docid = GX008-86 inc = 1 …"; what is not told stays as it is. */
static void read_comment(struct str comment, struct str *doc, struct str *query)
{
    struct str word, rest = comment, sign;
    if (!next_word(&rest, &word))
        return;
    struct str behind = rest;
    if (str_eq_nocase(word, STR("docid")) && next_word(&behind, &sign) && str_eq(sign, STR("="))) {
        (void)next_word(&behind, doc);
        return;
    }
    const char *tab = memchr(comment.p, '\t', comment.n); /* ids with spaces in them end at a tab */
    *doc = tab ? str_trim((struct str){ comment.p, (size_t)(tab - comment.p) }) : word;
    rest = tab ? str_trim((struct str){ tab, (size_t)(comment.p + comment.n - tab) }) : str_trim(rest);
    if (rest.n)
        *query = rest;
}

static void grow_to(struct feature_rows *r, uint32_t count)
{
    for (; r->grow && r->features < count; r->features++)
        r->names[r->features] = arena_printf(r->arena, "f%u", r->features + 1);
}

static bool read_line(struct reading *g, size_t line, struct str text, struct err *err)
{
    struct str body, comment = text, word, qid;
    float grade;
    uint32_t count;
    (void)str_split(&comment, '#', &body);
    if (body.n == text.n)
        comment = (struct str){ NULL, 0 };
    if (!next_word(&body, &word) || !feature_value_read(word, &grade, err) || grade < 0)
        return err_set(err, ERR_INVALID, "the line does not begin with a grade from 0");
    if (!next_word(&body, &qid) || !str_starts(qid, STR("qid:")) || qid.n == 4)
        return err_set(err, ERR_INVALID, "behind the grade there is no \"qid:\" with the query's number");
    qid = (struct str){ qid.p + 4, qid.n - 4 };
    g->place = str_eq(qid, g->last) ? g->place + 1 : 1;
    g->last = qid;
    struct str query = qid, doc = arena_printf(g->r->arena, "%u", g->place);
    read_comment(comment, &doc, &query);
    if (!read_values(g, body, &count, err))
        return false;
    float *values = feature_rows_add(g->r, line, query, doc, count, grade, err);
    if (!values)
        return false;
    memcpy(values, g->values, count * sizeof *values);
    grow_to(g->r, count);
    return true;
}

void feature_read_letor(struct feature_rows *r, struct str text)
{
    struct reading g = { .r = r };
    struct str line;
    for (size_t number = 1; str_split(&text, '\n', &line); number++) {
        struct err err;
        line = str_trim(line);
        if (line.n && line.p[0] != '#' && !read_line(&g, number, line, &err))
            bad_lines_add(&r->bad, number, &err);
    }
}
