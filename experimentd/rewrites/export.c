#include "experimentd/rewrites/export.h"

#include <stdio.h>

#include "base/jsonw.h"
#include "experimentd/results/export.h"

enum { ELASTICSEARCH_RULES_MAX = 10000, LINE_BYTES = 4 * QUERY_TEXT_MAX + 64 };

struct exporting {
    struct buf *out;
    struct jsonw w;
    struct rewrite_exported *done;
    size_t lines;
};
/* Rules of one type and input. */
struct group {
    const struct rewrite_rule *rules;
    size_t n;
};

static void wrote(struct exporting *e, const struct rewrite_rule *r)
{
    e->done->written[r->type]++;
}

static void left_out(struct exporting *e, const struct rewrite_rule *r)
{
    e->done->left_out[r->type]++;
}

/* ---- Solr ---- */

/* What would end a word, a side or a line for its parser stands behind a backslash. */
static void solr_text(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        bool arrow = text.p[i] == '=' && i + 1 < text.n && text.p[i + 1] == '>';
        if (text.p[i] == ',' || text.p[i] == '\\' || arrow || (text.p[i] == '#' && i == 0))
            buf_add_byte(b, '\\');
        buf_add_byte(b, text.p[i]);
    }
}

typedef void (*line_fn)(struct exporting *e, struct str line, uint64_t id);

/* "a, b": each is searched as the other, too. */
static void solr_both_ways(struct exporting *e, const struct rewrite_rule *r, line_fn line)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, LINE_BYTES);
    solr_text(&b, r->input);
    buf_add_c(&b, ", ");
    solr_text(&b, r->output);
    line(e, buf_str(&b), r->id);
}

/* "a => b, c": those of one direction together; a synonym's own words stay. */
static void solr_one_way(struct exporting *e, const struct group *g, line_fn line)
{
    AUTO(buf_release) struct buf b;
    bool stays = g->rules[0].type == REWRITE_SYNONYM;
    uint64_t id = 0;
    buf_init(&b, e->out->limit_bytes);
    solr_text(&b, g->rules[0].input);
    buf_add_c(&b, " => ");
    if (stays)
        solr_text(&b, g->rules[0].input);
    for (size_t i = 0; i < (stays ? g->n : 1); i++) {
        if (g->rules[i].bidirectional)
            continue;
        if (stays)
            buf_add_c(&b, ", ");
        solr_text(&b, g->rules[i].output);
        id = id ? id : g->rules[i].id;
    }
    if (id)
        line(e, buf_str(&b), id);
}

static void solr_group(struct exporting *e, const struct group *g, line_fn line)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct rewrite_rule *r = &g->rules[i];
        if (r->type == REWRITE_SPELLING && i > 0)
            left_out(e, r);
        else
            wrote(e, r);
        if (r->bidirectional)
            solr_both_ways(e, r, line);
    }
    solr_one_way(e, g, line);
}

static void solr_line(struct exporting *e, struct str line, uint64_t id)
{
    (void)id;
    buf_add_str(e->out, line);
    buf_add_byte(e->out, '\n');
}

static void solr(struct exporting *e, const struct group *g)
{
    solr_group(e, g, solr_line);
}

static void elasticsearch_line(struct exporting *e, struct str line, uint64_t id)
{
    char name[32];
    (void)snprintf(name, sizeof name, "rewrite-%llu", (unsigned long long)id);
    e->lines++;
    jsonw_open(&e->w, NULL, '{');
    jsonw_text(&e->w, "id", name);
    jsonw_str(&e->w, "synonyms", line);
    jsonw_close(&e->w);
}

static void elasticsearch(struct exporting *e, const struct group *g)
{
    solr_group(e, g, elasticsearch_line);
}

/* ---- Querqy ---- */

/* Its terms have no escapes that all its versions know. */
static bool querqy_can(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        bool begins = i == 0 || text.p[i - 1] == ' ';
        if (strchr("\"*#\\:${}", text.p[i]) || (begins && strchr("+-@(", text.p[i])) ||
            (text.p[i] == '=' && i + 1 < text.n && text.p[i + 1] == '>'))
            return false;
    }
    return true;
}

static bool has_word(struct str text, struct str word)
{
    struct str rest = text, one;
    while (str_split(&rest, ' ', &one))
        if (str_eq(one, word))
            return true;
    return false;
}

/* The words of the input that are not in the output. False: there is none, or a word of the output is not in the input. */
static bool removed_words(const struct rewrite_rule *r, struct buf *out)
{
    struct str rest = r->output, word;
    while (r->output.n && str_split(&rest, ' ', &word))
        if (!has_word(r->input, word))
            return false;
    rest = r->input;
    while (str_split(&rest, ' ', &word)) {
        if (has_word(r->output, word))
            continue;
        if (out->n)
            buf_add_byte(out, ' ');
        buf_add_str(out, word);
    }
    return out->n > 0;
}

static void querqy_input(struct buf *b, struct str text, bool whole)
{
    const char *quote = whole ? "\"" : "";
    buf_addf(b, "%s" STR_FMT "%s =>\n", quote, STR_ARG(text), quote);
}

static void querqy_synonym(struct buf *b, const struct rewrite_rule *r, struct str text)
{
    if (r->confidence < 1)
        buf_addf(b, "  SYNONYM(%.3g): " STR_FMT "\n", r->confidence, STR_ARG(text));
    else
        buf_addf(b, "  SYNONYM: " STR_FMT "\n", STR_ARG(text));
}

static void querqy_removal(struct exporting *e, const struct group *g)
{
    AUTO(buf_release) struct buf words;
    buf_init(&words, QUERY_TEXT_MAX);
    bool can = querqy_can(g->rules[0].input) && removed_words(&g->rules[0], &words);
    for (size_t i = 0; i < g->n; i++)
        (i == 0 && can ? wrote : left_out)(e, &g->rules[i]);
    if (!can)
        return;
    querqy_input(e->out, g->rules[0].input, false);
    buf_addf(e->out, "  DELETE: " STR_FMT "\n\n", STR_ARG(buf_str(&words)));
}

static void querqy(struct exporting *e, const struct group *g)
{
    bool whole = g->rules[0].type != REWRITE_SYNONYM, any = false;
    if (g->rules[0].type == REWRITE_REMOVE_WORDS) {
        querqy_removal(e, g);
        return;
    }
    for (size_t i = 0; i < g->n; i++) {
        const struct rewrite_rule *r = &g->rules[i];
        if (!querqy_can(r->input) || !querqy_can(r->output) || (whole && i > 0)) {
            left_out(e, r);
            continue;
        }
        if (!any)
            querqy_input(e->out, r->input, whole);
        any = true;
        querqy_synonym(e->out, r, r->output);
        wrote(e, r);
    }
    if (any)
        buf_add_byte(e->out, '\n');
    /* Its synonyms go one way: the other is a rule of its own. */
    for (size_t i = 0; i < g->n; i++)
        if (g->rules[i].bidirectional && querqy_can(g->rules[i].input) && querqy_can(g->rules[i].output)) {
            querqy_input(e->out, g->rules[i].output, false);
            querqy_synonym(e->out, &g->rules[i], g->rules[i].input);
            buf_add_byte(e->out, '\n');
        }
}

static void querqy_replace(struct exporting *e, const struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct rewrite_rule *r = &g->rules[i];
        if (i > 0 || !querqy_can(r->input) || !querqy_can(r->output)) {
            left_out(e, r);
            continue;
        }
        buf_addf(e->out, STR_FMT " => " STR_FMT "\n", STR_ARG(r->input), STR_ARG(r->output));
        wrote(e, r);
    }
}

/* ---- Typesense, Algolia ---- */

static void object_id(struct jsonw *w, const char *key, uint64_t id)
{
    char name[32];
    (void)snprintf(name, sizeof name, "rewrite-%llu", (unsigned long long)id);
    jsonw_text(w, key, name);
}

static void typesense(struct exporting *e, const struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct rewrite_rule *r = &g->rules[i];
        jsonw_open(&e->w, NULL, '{');
        object_id(&e->w, "id", r->id);
        if (!r->bidirectional)
            jsonw_str(&e->w, "root", r->input);
        jsonw_open(&e->w, "synonyms", '[');
        if (r->bidirectional)
            jsonw_str(&e->w, NULL, r->input);
        jsonw_str(&e->w, NULL, r->output);
        jsonw_close(&e->w);
        jsonw_close(&e->w);
        wrote(e, r);
    }
}

/* A correction of one word is what Algolia has a type for; it takes words of several as synonyms only. */
static const char *algolia_type(const struct rewrite_rule *r)
{
    bool words = memchr(r->input.p, ' ', r->input.n) || memchr(r->output.p, ' ', r->output.n);
    if (r->bidirectional)
        return "synonym";
    return r->type == REWRITE_SPELLING && !words ? "altCorrection1" : "oneWaySynonym";
}

static void algolia(struct exporting *e, const struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct rewrite_rule *r = &g->rules[i];
        const char *type = algolia_type(r);
        bool correction = strcmp(type, "altCorrection1") == 0;
        jsonw_open(&e->w, NULL, '{');
        object_id(&e->w, "objectID", r->id);
        jsonw_text(&e->w, "type", type);
        if (!r->bidirectional)
            jsonw_str(&e->w, correction ? "word" : "input", r->input);
        jsonw_open(&e->w, correction ? "corrections" : "synonyms", '[');
        if (r->bidirectional)
            jsonw_str(&e->w, NULL, r->input);
        jsonw_str(&e->w, NULL, r->output);
        jsonw_close(&e->w);
        jsonw_close(&e->w);
        wrote(e, r);
    }
}

/* ---- tables ---- */

static void csv(struct exporting *e, const struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct rewrite_rule *r = &g->rules[i];
        buf_addf(e->out, "%llu,%s,", (unsigned long long)r->id, rewrite_type_names[r->type]);
        export_csv_text(e->out, r->input);
        buf_add_byte(e->out, ',');
        export_csv_text(e->out, r->output);
        buf_addf(e->out, ",%s,%.6g,%s\r\n", r->bidirectional ? "true" : "false", r->confidence,
                 r->manual ? "manual" : "job");
        wrote(e, r);
    }
}

static void jsonl(struct exporting *e, const struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct rewrite_rule *r = &g->rules[i];
        struct jsonw w;
        jsonw_init(&w, e->out);
        jsonw_open(&w, NULL, '{');
        jsonw_i64(&w, "id", (int64_t)r->id);
        jsonw_text(&w, "type", rewrite_type_names[r->type]);
        jsonw_str(&w, "input", r->input);
        jsonw_str(&w, "output", r->output);
        jsonw_bool(&w, "bidirectional", r->bidirectional);
        jsonw_double(&w, "confidence", r->confidence);
        jsonw_text(&w, "source", r->manual ? "manual" : "job");
        jsonw_close(&w);
        buf_add_byte(e->out, '\n');
        wrote(e, r);
    }
}

/* ---- the formats ---- */

#define OF(type) (1U << REWRITE_##type)
#define TEXT "text/plain; charset=utf-8"
#define CSV_HEAD "id,type,input,output,bidirectional,confidence,source\r\n"
/* clang-format off */
static const struct format {
    const char *name, *content_type;
    unsigned types;
    const char *comment; /* begins one; NULL: the format has none */
    char open;           /* of JSON: '{' with a list of this name, or '[' */
    const char *list, *head;
    size_t lines_max;    /* 0: none */
    void (*group)(struct exporting *e, const struct group *g);
} formats[EXPORT_FORMAT_COUNT] = {
    [EXPORT_SOLR] = { "solr", TEXT, OF(SYNONYM) | OF(SPELLING), .comment = "# ", .group = solr },
    [EXPORT_ELASTICSEARCH] = { "elasticsearch", "application/json", OF(SYNONYM) | OF(SPELLING), .open = '{', .list = "synonyms_set",
                               .lines_max = ELASTICSEARCH_RULES_MAX, .group = elasticsearch },
    [EXPORT_QUERQY] = { "querqy", TEXT, OF(SYNONYM) | OF(HEAD_TAIL) | OF(QUERY) | OF(REMOVE_WORDS), .comment = "# ", .group = querqy },
    [EXPORT_QUERQY_REPLACE] = { "querqy-replace", TEXT, OF(SPELLING), .comment = "# ", .group = querqy_replace },
    [EXPORT_TYPESENSE] = { "typesense", "application/json", OF(SYNONYM) | OF(SPELLING), .open = '{', .list = "items", .group = typesense },
    [EXPORT_ALGOLIA] = { "algolia", "application/json", OF(SYNONYM) | OF(SPELLING), .open = '[', .group = algolia },
    [EXPORT_CSV] = { "csv", "text/csv; charset=utf-8", REWRITE_ALL_TYPES, .head = CSV_HEAD, .group = csv },
    [EXPORT_JSONL] = { "jsonl", "application/x-ndjson", REWRITE_ALL_TYPES, .group = jsonl },
};
/* clang-format on */

enum rewrite_format rewrite_format_of(struct str name)
{
    unsigned f = 0;
    while (f < EXPORT_FORMAT_COUNT && !str_eq_c(name, formats[f].name))
        f++;
    return (enum rewrite_format)f;
}

const char *rewrite_format_content_type(enum rewrite_format f)
{
    return formats[f].content_type;
}

static void write_groups(struct exporting *e, const struct format *f, const struct rewrite_rule *rules, size_t count)
{
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1;
             end < count && rules[end].type == rules[first].type && str_eq(rules[end].input, rules[first].input);)
            end++;
        struct group g = { &rules[first], end - first };
        if (f->types & 1U << rules[first].type)
            f->group(e, &g);
        else
            e->done->left_out[rules[first].type] += g.n;
    }
}

static void write_counts(struct buf *out, const size_t counts[REWRITE_TYPE_COUNT])
{
    const char *before = "";
    for (int t = 0; t < REWRITE_TYPE_COUNT; t++)
        if (counts[t]) {
            buf_addf(out, "%s%zu %s", before, counts[t], rewrite_type_names[t]);
            before = ", ";
        }
    if (!*before)
        buf_add_c(out, "none");
}

void rewrites_export_summary(const struct rewrite_exported *done, struct buf *out)
{
    write_counts(out, done->written);
    buf_add_c(out, "; left out: ");
    write_counts(out, done->left_out);
}

static void write_body(struct exporting *e, const struct format *f, const struct rewrite_rule *rules, size_t count)
{
    jsonw_init(&e->w, e->out);
    if (f->open)
        jsonw_open(&e->w, NULL, f->open);
    if (f->list)
        jsonw_open(&e->w, f->list, '[');
    write_groups(e, f, rules, count);
    if (f->list)
        jsonw_close(&e->w);
    if (f->open)
        jsonw_close(&e->w);
}

bool rewrites_export_write(enum rewrite_format format, const struct rewrite_rule *rules, size_t count, struct buf *out,
                           struct rewrite_exported *done, struct err *err)
{
    const struct format *f = &formats[format];
    AUTO(buf_release) struct buf body;
    struct exporting e = { .out = &body, .done = done };
    *done = (struct rewrite_exported){ 0 };
    buf_init(&body, out->limit_bytes);
    write_body(&e, f, rules, count);
    if (f->lines_max && e.lines > f->lines_max)
        return err_set(err, ERR_TOO_LARGE,
                       "format \"%s\" holds at most %zu rules, these are %zu; choose types, or ask for more confidence",
                       f->name, f->lines_max, e.lines);
    if (f->comment) {
        buf_addf(out, "%squery rewrites: ", f->comment);
        rewrites_export_summary(done, out);
        buf_add_byte(out, '\n');
    }
    if (f->head)
        buf_add_c(out, f->head);
    buf_add_str(out, buf_str(&body));
    return buf_ok(&body, "the export", err) && buf_ok(out, "the export", err);
}
