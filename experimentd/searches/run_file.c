#include "experimentd/searches/run_file.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "job/search.h"
#include "stats/ranking/metric.h"

const char *const run_file_formats[] = { "trec", "csv", "jsonl", NULL };
static_assert(COUNT_OF(run_file_formats) == RUN_FILE_FORMATS + 1, "one name each");

enum { QUERY_MAX = 1024, FIELDS_MAX = 16 };

/* A line: which document stands how high for which query. */
struct entry {
    const char *query, *doc; /* end with 0 */
    double score;            /* of CSV with ranks: minus the rank */
    size_t line;
};
/* "1<tab>desk lamp" */
struct topic {
    const char *id, *text;
};
struct reading {
    struct arena *arena;
    struct run_file *out;
    struct entry *entries;
    struct topic *topics;
    size_t count, room, topics_count, topics_room;
    size_t line;
};

static bool check_texts(struct str query, struct str doc, struct err *err)
{
    if (query.n < 1 || query.n > QUERY_MAX)
        return err_set(err, ERR_INVALID, "the query has %zu bytes, not 1 to %d", query.n, QUERY_MAX);
    if (doc.n < 1 || doc.n > SEARCH_ID_MAX)
        return err_set(err, ERR_INVALID, "the document has %zu bytes, not 1 to %d", doc.n, SEARCH_ID_MAX);
    return (str_is_utf8(query) && str_is_utf8(doc)) || err_set(err, ERR_INVALID, "is not UTF-8");
}

static bool add(struct reading *r, struct str query, struct str doc, double score, struct err *err)
{
    if (!check_texts(query, doc, err))
        return false;
    if (r->count == r->room) {
        r->room = r->room ? 2 * r->room : 1024;
        r->entries = mem_realloc(r->entries, r->room * sizeof *r->entries);
    }
    r->entries[r->count++] = (struct entry){ arena_cstr(r->arena, query), arena_cstr(r->arena, doc), score, r->line };
    return true;
}

/* ---- TREC ---- */

static size_t split_white(struct str line, struct str *fields)
{
    size_t count = 0;
    for (size_t i = 0; i < line.n;) {
        size_t from = i;
        while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t')
            i++;
        if (i > from && count < FIELDS_MAX)
            fields[count++] = (struct str){ line.p + from, i - from };
        else
            i++;
    }
    return count;
}

static void add_topic(struct reading *r, struct str id, struct str text)
{
    if (r->topics_count == r->topics_room) {
        r->topics_room = r->topics_room ? 2 * r->topics_room : 256;
        r->topics = mem_realloc(r->topics, r->topics_room * sizeof *r->topics);
    }
    r->topics[r->topics_count++] = (struct topic){ arena_cstr(r->arena, id), arena_cstr(r->arena, text) };
}

static bool read_topic(struct reading *r, struct str line, bool *out_is, struct err *err)
{
    struct str id, rest = line;
    (void)str_split(&rest, '\t', &id);
    *out_is = id.n < line.n && rest.n && !memchr(rest.p, '\t', rest.n);
    if (!*out_is)
        return true;
    if (!check_texts(str_trim(rest), str_trim(id), err))
        return false;
    add_topic(r, str_trim(id), str_trim(rest));
    return true;
}

static bool read_trec(struct reading *r, struct str line, struct err *err)
{
    struct str fields[FIELDS_MAX];
    double score;
    bool topic;
    if (!read_topic(r, line, &topic, err))
        return false;
    if (topic)
        return true;
    size_t n = split_white(line, fields);
    if (n != 6)
        return err_set(err, ERR_INVALID, "has %zu fields, not 6: query, Q0, document, rank, score, name of the run", n);
    if (!parse_double(fields[4], &score, NULL))
        return err_set(err, ERR_INVALID, "score \"" STR_FMT "\" is no number", STR_ARG(str_cut(fields[4], 40)));
    return add(r, fields[0], fields[2], score, err);
}

/* ---- CSV ---- */

/* One field off the front of *rest; quoted ones without their quotes. A field may not hold a line break: lines were cut before. */
static bool csv_field(struct reading *r, struct str *rest, struct str *out, struct err *err)
{
    if (rest->n == 0 || rest->p[0] != '"') {
        (void)str_split(rest, ',', out);
        return true;
    }
    size_t n = 0, i = 1;
    for (; i < rest->n && (rest->p[i] != '"' || (i + 1 < rest->n && rest->p[i + 1] == '"')); i++, n++)
        i += rest->p[i] == '"';
    if (i >= rest->n || (i + 1 < rest->n && rest->p[i + 1] != ','))
        return err_set(err, ERR_INVALID, "has a quote that is not closed before the next comma");
    char *text = arena_alloc(r->arena, n + 1); /* what it has, not what is left of the line: lines have many fields */
    for (size_t k = 0, from = 1; k < n; k++, from++) {
        from += rest->p[from] == '"';
        text[k] = rest->p[from];
    }
    *out = (struct str){ text, n };
    size_t used = i + 2 < rest->n ? i + 2 : rest->n;
    *rest = (struct str){ rest->p + used, rest->n - used };
    return true;
}

struct columns {
    int query, doc, score, rank; /* -1: none */
};

static bool read_header(struct reading *r, struct str line, struct columns *c, struct err *err)
{
    struct str name;
    *c = (struct columns){ -1, -1, -1, -1 };
    for (int i = 0; line.n; i++) {
        if (!csv_field(r, &line, &name, err))
            return false;
        name = str_trim(name);
        int *at = str_eq_nocase(name, STR("query"))                                          ? &c->query
                  : str_eq_nocase(name, STR("doc")) || str_eq_nocase(name, STR("docid"))     ? &c->doc
                  : str_eq_nocase(name, STR("score"))                                        ? &c->score
                  : str_eq_nocase(name, STR("rank")) || str_eq_nocase(name, STR("position")) ? &c->rank
                                                                                             : NULL;
        if (at)
            *at = i;
    }
    return (c->query >= 0 && c->doc >= 0 && (c->score >= 0 || c->rank >= 0)) ||
           err_set(err, ERR_INVALID, "the header does not name query, doc, and score or rank");
}

static bool read_csv(struct reading *r, struct str line, const struct columns *c, struct err *err)
{
    struct str query = STR(""), doc = STR(""), number = STR(""), field;
    int by = c->score >= 0 ? c->score : c->rank;
    double score;
    for (int i = 0; line.n; i++) {
        if (!csv_field(r, &line, &field, err))
            return false;
        *(i == c->query ? &query : i == c->doc ? &doc : i == by ? &number : &field) = field;
    }
    if (!parse_double(str_trim(number), &score, NULL))
        return err_set(err, ERR_INVALID, "%s \"" STR_FMT "\" is no number", c->score >= 0 ? "score" : "rank",
                       STR_ARG(str_cut(number, 40)));
    return add(r, query, doc, c->score >= 0 ? score : -score, err);
}

/* ---- JSON lines ---- */

static bool read_jsonl(struct reading *r, struct str line, struct err *err)
{
    json_auto_t *root = json_parse(line, err);
    struct json_reader reader;
    struct str query = STR("");
    json_t *docs = NULL;
    if (!root)
        return false;
    json_reader_open(&reader, root, "line");
    (void)json_get_str(&reader, "query", JSON_REQUIRED, &query, NULL);
    (void)json_get_array(&reader, "docs", JSON_REQUIRED, &docs);
    if (!json_reader_close(&reader, err))
        return false;
    for (size_t i = 0; i < json_array_size(docs); i++) {
        json_t *doc = json_array_get(docs, i);
        if (!json_is_string(doc))
            return err_set(err, ERR_INVALID, "document %zu is no text", i + 1);
        if (!add(r, query, (struct str){ json_string_value(doc), json_string_length(doc) }, -(double)i, err))
            return false;
    }
    return true;
}

/* ---- lines ---- */

static bool read_line(struct reading *r, enum run_file_format format, struct str line, const struct columns *c,
                      struct err *err)
{
    switch (format) {
    case RUN_FILE_CSV:
        return read_csv(r, line, c, err);
    case RUN_FILE_JSONL:
        return read_jsonl(r, line, err);
    default:
        return read_trec(r, line, err);
    }
}

static bool read_lines(struct reading *r, enum run_file_format format, struct str text, struct err *err)
{
    struct columns columns = { -1, -1, -1, -1 };
    struct str line;
    bool header = format == RUN_FILE_CSV;
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = (struct str){ text.p + 3, text.n - 3 };
    for (r->line = 1; str_split(&text, '\n', &line); r->line++) {
        struct err bad;
        line = str_trim(line);
        if (line.n == 0)
            continue;
        if (r->line > RUN_FILE_LINES_MAX)
            return err_set(err, ERR_TOO_LARGE, "the file has more than %d lines", RUN_FILE_LINES_MAX);
        if (header && !read_header(r, line, &columns, err))
            return false;
        if (!header && !read_line(r, format, line, &columns, &bad))
            bad_lines_add(&r->out->bad, r->line, &bad);
        header = false;
    }
    return true;
}

/* ---- lists ---- */

static int by_query(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int d = strcmp(x->query, y->query);
    return d ? d : x->line < y->line ? -1 : x->line > y->line;
}

static int by_doc(const void *a, const void *b)
{
    return strcmp(((const struct ranking_scored *)a)->doc, ((const struct ranking_scored *)b)->doc);
}

/* Of one query: n entries, all with its text. */
static void write_list(struct reading *r, const struct entry *e, size_t n)
{
    struct buf *b = &r->out->lists;
    AUTO(mem_free) char *memory = mem_alloc(n * sizeof(struct ranking_scored));
    struct ranking_scored *docs = (struct ranking_scored *)(void *)memory;
    struct err bad;
    for (size_t i = 0; i < n; i++)
        docs[i] = (struct ranking_scored){ e[i].doc, e[i].score, e[i].line };
    qsort(docs, n, sizeof *docs, by_doc);
    for (size_t i = 1; i < n; i++)
        if (strcmp(docs[i].doc, docs[i - 1].doc) == 0) {
            (void)err_set(&bad, ERR_INVALID, "document \"%.60s\" stands twice in the list of \"%.60s\"", docs[i].doc,
                          e->query);
            bad_lines_add(&r->out->bad, docs[i].at > docs[i - 1].at ? docs[i].at : docs[i - 1].at, &bad);
        }
    ranking_sort_scored(docs, n);
    buf_add_c(b, r->out->queries++ ? ",[" : "[");
    buf_add_json_str(b, str_of(e->query));
    buf_add_c(b, ",[");
    for (size_t i = 0; i < n && i < RUN_FILE_DOCS_MAX; i++) {
        if (i)
            buf_add_byte(b, ',');
        buf_add_json_str(b, str_of(docs[i].doc));
        r->out->documents++;
    }
    buf_add_c(b, "]]");
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct topic *)a)->id, ((const struct topic *)b)->id);
}

static void name_topics(struct reading *r)
{
    if (r->topics_count)
        qsort(r->topics, r->topics_count, sizeof *r->topics, by_id);
    for (size_t i = 0; i < r->count && r->topics_count; i++) {
        const struct topic key = { r->entries[i].query, NULL };
        const struct topic *t = bsearch(&key, r->topics, r->topics_count, sizeof key, by_id);
        if (t)
            r->entries[i].query = t->text;
    }
}

static void write_lists(struct reading *r)
{
    name_topics(r);
    buf_add_byte(&r->out->lists, '[');
    if (r->count)
        qsort(r->entries, r->count, sizeof *r->entries, by_query);
    for (size_t i = 0, end; i < r->count; i = end) {
        for (end = i + 1; end < r->count && strcmp(r->entries[end].query, r->entries[i].query) == 0; end++)
            ;
        write_list(r, r->entries + i, end - i);
    }
    buf_add_byte(&r->out->lists, ']');
}

bool run_file_read(enum run_file_format format, struct str text, struct arena *arena, struct run_file *out,
                   struct err *err)
{
    struct reading r = { .arena = arena, .out = out };
    memset(out, 0, sizeof *out);
    buf_init(&out->lists, RUN_FILE_BYTES_MAX);
    bool ok = read_lines(&r, format, text, err);
    if (ok)
        write_lists(&r);
    mem_free(r.entries);
    mem_free(r.topics);
    if (!ok)
        return false;
    if (!bad_lines_none(&out->bad, "lines", err))
        return false;
    if (out->documents == 0)
        return err_set(err, ERR_INVALID, "the file has no ranking");
    return buf_ok(&out->lists, "the rankings", err);
}
