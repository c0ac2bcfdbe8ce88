/* Rules → artifact → rules. */
#include <stdlib.h>

#include "model/rewrite.h"

enum { COLUMN_CONFIDENCE, COLUMN_MANUAL, COLUMN_DIRECTION, COLUMN_COUNT };
enum direction { ONE_WAY, BOTH_WAYS, BACKWARDS }; /* backwards: made of one of both ways, which stands there, too */
static const char *const columns[COLUMN_COUNT] = { "confidence", "manual", "direction" };

const char *const rewrite_type_names[REWRITE_TYPE_COUNT] = {
    [REWRITE_QUERY] = "query",         [REWRITE_SPELLING] = "spelling",
    [REWRITE_HEAD_TAIL] = "head_tail", [REWRITE_REMOVE_WORDS] = "remove_words",
    [REWRITE_PHRASE] = "phrase",       [REWRITE_SYNONYM] = "synonym",
};
static const char *const ids_names[REWRITE_TYPE_COUNT] = {
    [REWRITE_QUERY] = "query_ids",         [REWRITE_SPELLING] = "spelling_ids",
    [REWRITE_HEAD_TAIL] = "head_tail_ids", [REWRITE_REMOVE_WORDS] = "remove_words_ids",
    [REWRITE_PHRASE] = "phrase_ids",       [REWRITE_SYNONYM] = "synonym_ids",
};

enum rewrite_type rewrite_type_of(struct str name)
{
    unsigned t = 0;
    while (t < REWRITE_TYPE_COUNT && !str_eq_c(name, rewrite_type_names[t]))
        t++;
    return (enum rewrite_type)t;
}

static uint32_t words_of(struct str text)
{
    uint32_t n = text.n > 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ' ';
    return n;
}

static bool is_whole(enum rewrite_type t)
{
    return t == REWRITE_QUERY || t == REWRITE_HEAD_TAIL;
}

/* ---- what a rule must be ---- */

static bool check_text(struct str text, const char *name, struct err *err)
{
    char normal[QUERY_TEXT_MAX];
    if (text.n > QUERY_TEXT_MAX)
        return err_set(err, ERR_INVALID, "%s has %zu bytes, more than %d", name, text.n, QUERY_TEXT_MAX);
    if (!str_is_utf8(text))
        return err_set(err, ERR_INVALID, "%s is not UTF-8", name);
    if (!str_eq(query_text(text, normal), text))
        return err_set(err, ERR_INVALID,
                       "%s is not in the form of queries: lower case, one space between words, none at the ends", name);
    return true;
}

bool rewrite_check(const struct rewrite_rule *r, struct err *err)
{
    uint32_t words = words_of(r->input);
    if (!check_text(r->input, "input", err) || !check_text(r->output, "output", err))
        return false;
    if (r->input.n == 0)
        return err_set(err, ERR_INVALID, "input is empty");
    if (r->output.n == 0 && r->type != REWRITE_REMOVE_WORDS)
        return err_set(err, ERR_INVALID, "output is empty");
    if (r->type == REWRITE_PHRASE && (words < 2 || !str_eq(r->input, r->output)))
        return err_set(err, ERR_INVALID, "a phrase has two words or more, and its output is the same");
    if (r->type != REWRITE_PHRASE && str_eq(r->input, r->output))
        return err_set(err, ERR_INVALID, "output is the same as input");
    uint32_t back = r->bidirectional ? words_of(r->output) : 0;
    if (!is_whole(r->type) && (words > REWRITE_WORDS_MAX || back > REWRITE_WORDS_MAX))
        return err_set(err, ERR_INVALID, "%s has %u words, more than %d",
                       words > REWRITE_WORDS_MAX ? "input" : "output", words > REWRITE_WORDS_MAX ? words : back,
                       REWRITE_WORDS_MAX);
    if (r->bidirectional && r->type != REWRITE_SYNONYM)
        return err_set(err, ERR_INVALID, "only synonyms are bidirectional");
    return (r->confidence >= 0 && r->confidence <= 1) ||
           err_set(err, ERR_INVALID, "confidence is %g, not from 0 to 1", r->confidence);
}

/* ---- writing ---- */

struct entry {
    const struct rewrite_rule *rule;
    struct str input, output;
    enum direction direction;
};

static int compare_str(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

/* A person's word first, then by confidence. */
static int by_worth(const struct entry *a, const struct entry *b)
{
    int d = (int)b->rule->manual - (int)a->rule->manual;
    return d ? d : (a->rule->confidence < b->rule->confidence) - (a->rule->confidence > b->rule->confidence);
}

static int by_input(const struct entry *a, const struct entry *b)
{
    int d = (int)a->rule->type - (int)b->rule->type;
    return d ? d : compare_str(a->input, b->input);
}

/* Of those of equal texts the better one first. */
static int by_text(const void *va, const void *vb)
{
    const struct entry *a = va, *b = vb;
    int d = by_input(a, b);
    if (!d)
        d = compare_str(a->output, b->output);
    if (!d)
        d = by_worth(a, b);
    if (!d)
        d = (int)a->direction - (int)b->direction;
    return d ? d : (a->rule->id > b->rule->id) - (a->rule->id < b->rule->id);
}

/* As they stand in the lists; texts differ. */
static int by_place(const void *va, const void *vb)
{
    const struct entry *a = va, *b = vb;
    int d = by_input(a, b);
    if (!d)
        d = by_worth(a, b);
    return d ? d : compare_str(a->output, b->output);
}

static size_t make_entries(const struct rewrite_rule *rules, size_t count, struct entry *out)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rewrite_rule *r = &rules[i];
        out[n++] = (struct entry){ r, r->input, r->output, r->bidirectional ? BOTH_WAYS : ONE_WAY };
        if (r->bidirectional)
            out[n++] = (struct entry){ r, r->output, r->input, BACKWARDS };
    }
    qsort(out, n, sizeof *out, by_text);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || by_input(&out[kept - 1], &out[i]) || !str_eq(out[kept - 1].output, out[i].output))
            out[kept++] = out[i];
    qsort(out, kept, sizeof *out, by_place);
    return kept;
}

static void add_u64(struct buf *b, uint64_t v)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(v >> (8 * i));
    buf_add(b, bytes, sizeof bytes);
}

/* Lists and ids of the entries [first, end), which are of one type. */
static bool pack_type(const struct entry *entries, size_t first, size_t end, struct buf *out_lists, struct buf *out_ids,
                      struct err *err)
{
    struct lists_out lists;
    lists_begin(&lists, columns, COLUMN_COUNT);
    for (size_t i = first; i < end; i++) {
        const struct entry *e = &entries[i];
        if (i == first || !str_eq(e->input, entries[i - 1].input))
            lists_key(&lists, e->input);
        const float values[COLUMN_COUNT] = { (float)e->rule->confidence, e->rule->manual ? 1 : 0, (float)e->direction };
        lists_add(&lists, e->output, values);
        add_u64(out_ids, e->rule->id);
    }
    return lists_end(&lists, out_lists, err) && buf_ok(out_ids, "the ids of the rules", err);
}

struct sections {
    struct buf lists[REWRITE_TYPE_COUNT], ids[REWRITE_TYPE_COUNT];
};

static bool pack_types(const struct entry *entries, size_t n, struct sections *s, struct artifact_out *out,
                       struct err *err)
{
    for (size_t first = 0, end; first < n; first = end) {
        enum rewrite_type t = entries[first].rule->type;
        for (end = first; end < n && entries[end].rule->type == t;)
            end++;
        if (!pack_type(entries, first, end, &s->lists[t], &s->ids[t], err))
            return false;
        artifact_add(out, rewrite_type_names[t], buf_str(&s->lists[t]));
        artifact_add(out, ids_names[t], buf_str(&s->ids[t]));
    }
    return true;
}

bool rewrites_pack(const struct rewrite_rule *rules, size_t count, struct str card, struct buf *out_file,
                   char out_digest[ARTIFACT_DIGEST], struct err *err)
{
    struct sections s;
    struct artifact_out out;
    struct entry *entries = mem_alloc((2 * count + 1) * sizeof *entries);
    artifact_begin(&out, REWRITES_KIND);
    for (int t = 0; t < REWRITE_TYPE_COUNT; t++) {
        buf_init(&s.lists[t], LISTS_BYTES_MAX);
        buf_init(&s.ids[t], LISTS_BYTES_MAX);
    }
    if (card.n)
        artifact_add(&out, "card", card);
    bool ok = pack_types(entries, make_entries(rules, count, entries), &s, &out, err) &&
              artifact_end(&out, out_file, out_digest, err);
    for (int t = 0; t < REWRITE_TYPE_COUNT; t++) {
        buf_release(&s.lists[t]);
        buf_release(&s.ids[t]);
    }
    mem_free(entries);
    return ok;
}

/* ---- reading ---- */

static uint64_t read_u64(const char *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

struct rewrite_rule rewrites_rule(const struct rewrites *r, enum rewrite_type type, struct str key, uint32_t entry)
{
    const struct rewrites_of_type *of = &r->of[type];
    return (struct rewrite_rule){ .type = type,
                                  .input = key,
                                  .output = lists_entry(&of->lists, entry),
                                  .bidirectional = lists_value(&of->lists, entry, COLUMN_DIRECTION) != ONE_WAY,
                                  .manual = lists_value(&of->lists, entry, COLUMN_MANUAL) != 0,
                                  .confidence = (double)lists_value(&of->lists, entry, COLUMN_CONFIDENCE),
                                  .id = read_u64(of->ids.p + 8 * (size_t)entry) };
}

static bool read_type(const struct artifact *a, unsigned t, struct rewrites_of_type *out, struct err *err)
{
    const char *name = rewrite_type_names[t];
    struct str section = artifact_section(a, name), key;
    struct lists_row row;
    if (!section.p)
        return true;
    out->ids = artifact_section(a, ids_names[t]);
    if (!lists_read(section, &out->lists, err))
        return err_prefix(err, "section \"%s\": ", name);
    if (out->lists.columns != COLUMN_COUNT)
        return err_set(err, ERR_INVALID, "section \"%s\" has %u columns, not %d", name, out->lists.columns,
                       COLUMN_COUNT);
    if (out->ids.n != 8 * (size_t)out->lists.entries)
        return err_set(err, ERR_INVALID, "section \"%s\" has %zu bytes, not 8 for each of %u entries", ids_names[t],
                       out->ids.n, out->lists.entries);
    for (uint32_t n = 0; n < out->lists.keys && lists_key_at(&out->lists, n, &key, &row); n++) {
        uint32_t words = words_of(key);
        out->words_max = words > out->words_max ? words : out->words_max;
    }
    return true;
}

/* An artifact may be a person's own: its rules are held to what everybody's are. */
static bool check_type(const struct rewrites *r, unsigned t, struct err *err)
{
    const struct lists *l = &r->of[t].lists;
    struct str key;
    struct lists_row row;
    for (uint32_t n = 0; n < l->keys && lists_key_at(l, n, &key, &row); n++)
        for (uint32_t i = row.first; i < row.first + row.count; i++) {
            struct rewrite_rule rule = rewrites_rule(r, (enum rewrite_type)t, key, i);
            if (!rewrite_check(&rule, err))
                return err_prefix(err, "%s \"" STR_FMT "\": ", rewrite_type_names[t], STR_ARG(str_cut(key, 60)));
        }
    return true;
}

bool rewrites_read(const struct artifact *a, struct rewrites *out, struct err *err)
{
    struct rewrites r = { 0 };
    if (strcmp(a->kind, REWRITES_KIND) != 0)
        return err_set(err, ERR_INVALID, "artifact is of kind \"%s\", not \"" REWRITES_KIND "\"", a->kind);
    for (unsigned t = 0; t < REWRITE_TYPE_COUNT; t++) {
        if (!read_type(a, t, &r.of[t], err) || !check_type(&r, t, err))
            return false;
        r.entries += r.of[t].lists.entries;
    }
    *out = r;
    return true;
}

bool rewrites_next(const struct rewrites *r, struct rewrites_at *at, struct rewrite_rule *out)
{
    while (at->type < REWRITE_TYPE_COUNT) {
        const struct lists *l = &r->of[at->type].lists;
        struct str key;
        struct lists_row row;
        if (at->key >= l->keys || !lists_key_at(l, at->key, &key, &row)) {
            *at = (struct rewrites_at){ .type = at->type + 1 };
            continue;
        }
        if (at->entry >= row.count) {
            at->key++;
            at->entry = 0;
            continue;
        }
        uint32_t i = row.first + at->entry++;
        if (lists_value(l, i, COLUMN_DIRECTION) == (float)BACKWARDS)
            continue;
        *out = rewrites_rule(r, (enum rewrite_type)at->type, key, i);
        return true;
    }
    return false;
}
