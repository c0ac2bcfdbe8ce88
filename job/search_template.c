/* Templates of requests: job/search.h says what they are. */
#include "job/search.h"

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
              c == '.'))
            return false;
    }
    return s.n > 0;
}

/* Where "{{" (or "}}") stands from `from` on; template.n when nowhere. */
static size_t find_pair(struct str t, size_t from, char c)
{
    while (from + 1 < t.n && !(t.p[from] == c && t.p[from + 1] == c))
        from++;
    return from + 1 < t.n ? from : t.n;
}

/* The placeholder that begins at or behind `from`: [*out_from, *out_to) of the template. */
static bool find_place(struct str t, size_t from, size_t *out_from, size_t *out_to, struct str *out_name,
                       struct err *err)
{
    size_t open = find_pair(t, from, '{'), close = find_pair(t, open, '}');
    /* JSON closes objects with }}, and opens some with {{ never: a name is what counts. */
    if (open == t.n)
        return false;
    struct str name = { t.p + open + 2, close - open - 2 };
    if (close == t.n)
        return err_set(err, ERR_INVALID, "has a {{ without }}");
    if (!is_name(str_trim(name)))
        return err_set(err, ERR_INVALID, "has {{" STR_FMT "}}, which is no name", STR_ARG(str_cut(name, 40)));
    *out_from = open;
    *out_to = close + 2;
    *out_name = str_trim(name);
    return true;
}

bool search_template_next(struct str template, size_t *at, struct str *out_name, struct err *err)
{
    size_t from, to;
    if (!find_place(template, *at, &from, &to, out_name, err))
        return false;
    *at = to;
    return true;
}

static const struct search_value *find_value(const struct search_value *values, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(values[i].name, name))
            return &values[i];
    return NULL;
}

static void add_encoded(struct buf *out, struct str s)
{
    static const char *const plain = "-._~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || (c && strchr(plain, c)))
            buf_add_byte(out, c);
        else
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

/* Is the end of the text within a JSON string? */
static bool walk_quotes(struct str text, bool within)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\\' && within)
            i++;
        else if (text.p[i] == '"')
            within = !within;
    }
    return within;
}

static void add_body_value(struct buf *out, const struct search_value *v, bool within)
{
    if (!within) {
        buf_add_str(out, v->json);
        return;
    }
    size_t from = out->n;
    buf_add_json_str(out, v->text);
    if (out->failed)
        return;
    /* Without its own quotes: the template has them. */
    memmove(out->p + from, out->p + from + 1, out->n - from - 2);
    out->n -= 2;
    out->p[out->n] = 0;
}

static bool fill(struct str t, const struct search_value *values, size_t count, bool body, struct buf *out,
                 struct err *err)
{
    struct err bad = { .kind = ERR_NONE };
    struct str name;
    size_t at = 0, from, to;
    bool within = false;
    if (t.n == 0)
        return true;
    while (find_place(t, at, &from, &to, &name, &bad)) {
        const struct search_value *v = find_value(values, count, name);
        if (!v)
            return err_set(err, ERR_INVALID, "the query has no parameter \"" STR_FMT "\", which the template names",
                           STR_ARG(str_cut(name, 60)));
        struct str before = { t.p + at, from - at };
        within = walk_quotes(before, within);
        buf_add_str(out, before);
        if (body)
            add_body_value(out, v, within);
        else
            add_encoded(out, v->text);
        at = to;
    }
    if (bad.kind != ERR_NONE)
        return err_set(err, ERR_INVALID, "the template %s", bad.text);
    buf_add_str(out, (struct str){ t.p + at, t.n - at });
    return buf_ok(out, "the request", err);
}

bool search_template_query(struct str template, const struct search_value *values, size_t count, struct buf *out,
                           struct err *err)
{
    return fill(template, values, count, false, out, err);
}

bool search_template_body(struct str template, const struct search_value *values, size_t count, struct buf *out,
                          struct err *err)
{
    return fill(template, values, count, true, out, err);
}
