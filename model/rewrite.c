#include "model/rewrite.h"

/* Words of a query: where each begins and ends. */
struct words {
    struct str text;
    uint32_t n;
    uint16_t from[REWRITE_TOKENS_MAX + 1], to[REWRITE_TOKENS_MAX + 1];
};

static void words_find(struct words *w, struct str text)
{
    *w = (struct words){ .text = text };
    for (size_t i = 0; i < text.n; w->n++) {
        w->from[w->n] = (uint16_t)i;
        while (i < text.n && text.p[i] != ' ')
            i++;
        w->to[w->n] = (uint16_t)i;
        i += i < text.n;
    }
}

static struct str words_span(const struct words *w, uint32_t first, uint32_t count)
{
    size_t from = w->from[first];
    return (struct str){ w->text.p + from, w->to[first + count - 1] - from };
}

struct applying {
    const struct rewrites *rules;
    const struct rewrite_ask *ask;
    struct arena *arena;
    struct rewriting *out;
};

/* ---- finding rules ---- */

static bool is_wanted(const struct applying *a, const struct rewrite_rule *r)
{
    return r->manual || r->confidence >= a->ask->min_confidence;
}

/* The entries of an input; the first one is the best, and stands above min_confidence. */
static bool find(const struct applying *a, enum rewrite_type type, struct str input, struct lists_row *out)
{
    const struct rewrites_of_type *of = a->rules ? &a->rules->of[type] : NULL;
    if (!of || !of->lists.keys || !(a->ask->types & 1U << type) || !lists_find(&of->lists, input, out) || !out->count)
        return false;
    struct rewrite_rule best = rewrites_rule(a->rules, type, input, out->first);
    return is_wanted(a, &best);
}

/* The longest input that begins at a word; of how many words. 0: none does. */
static uint32_t find_longest(const struct applying *a, enum rewrite_type type, const struct words *w, uint32_t at,
                             struct lists_row *out)
{
    uint32_t most = a->rules ? a->rules->of[type].words_max : 0;
    for (uint32_t n = most < w->n - at ? most : w->n - at; n > 0; n--)
        if (find(a, type, words_span(w, at, n), out))
            return n;
    return 0;
}

static void add_step(struct applying *a, const struct rewrite_rule *rule, struct str query)
{
    if (a->out->steps_count < REWRITE_STEPS_MAX)
        a->out->steps[a->out->steps_count++] = (struct rewrite_step){ *rule, query };
}

/* ---- 2 and 4: the whole query ---- */

static bool apply_whole(struct applying *a, enum rewrite_type type)
{
    struct lists_row row;
    if (!find(a, type, a->out->rewritten, &row))
        return false;
    struct rewrite_rule rule = rewrites_rule(a->rules, type, a->out->rewritten, row.first);
    a->out->rewritten = rule.output;
    add_step(a, &rule, rule.output);
    return true;
}

/* ---- 3 and 5: words of it ---- */

static size_t put_words(char *out, size_t n, struct str words)
{
    if (!words.n)
        return n;
    if (n)
        out[n++] = ' ';
    memcpy(out + n, words.p, words.n);
    return n + words.n;
}

/* What the query is when `done` bytes of it are made and the rest, from word `next`, stays. */
static struct str with_rest(struct applying *a, const char *done, size_t n, const struct words *w, uint32_t next)
{
    char text[2 * QUERY_TEXT_MAX + 1];
    memcpy(text, done, n);
    if (next < w->n)
        n = put_words(text, n, words_span(w, next, w->n - next));
    return arena_str(a->arena, (struct str){ text, n });
}

static bool fits(size_t done, struct str put, const struct words *w, uint32_t next)
{
    size_t rest = next < w->n ? w->text.n - w->from[next] + 1 : 0;
    return done + 1 + put.n + rest <= QUERY_TEXT_MAX;
}

static void apply_words(struct applying *a, enum rewrite_type type)
{
    struct words w;
    char made[QUERY_TEXT_MAX];
    size_t n = 0;
    uint32_t steps_before = a->out->steps_count;
    words_find(&w, a->out->rewritten);
    for (uint32_t i = 0, took; i < w.n; i += took) {
        struct lists_row row;
        took = a->out->steps_count < REWRITE_STEPS_MAX ? find_longest(a, type, &w, i, &row) : 0;
        struct rewrite_rule rule = { 0 };
        if (took)
            rule = rewrites_rule(a->rules, type, words_span(&w, i, took), row.first);
        if (!took || !fits(n, rule.output, &w, i + took)) {
            n = put_words(made, n, words_span(&w, i, 1));
            took = 1;
            continue;
        }
        n = put_words(made, n, rule.output);
        add_step(a, &rule, with_rest(a, made, n, &w, i + took));
    }
    if (n == 0)
        a->out->steps_count = steps_before; /* nothing would stay */
    else if (a->out->steps_count > steps_before)
        a->out->rewritten = arena_str(a->arena, (struct str){ made, n });
}

/* ---- 6 and 7: phrases and synonyms ---- */

/* A run of words that is one term. */
struct segment {
    uint32_t first, count;
    bool phrase;
};
struct segments {
    struct words words;
    struct segment of[REWRITE_TOKENS_MAX];
    uint32_t n;
};

static void find_phrases(struct applying *a, struct segments *s)
{
    words_find(&s->words, a->out->rewritten);
    s->n = 0;
    for (uint32_t i = 0; i < s->words.n; i += s->of[s->n - 1].count) {
        struct lists_row row;
        uint32_t took = find_longest(a, REWRITE_PHRASE, &s->words, i, &row);
        s->of[s->n++] = (struct segment){ i, took ? took : 1, took > 1 };
        if (took > 1) {
            struct rewrite_rule rule = rewrites_rule(a->rules, REWRITE_PHRASE, words_span(&s->words, i, took),
                                                     row.first);
            add_step(a, &rule, a->out->rewritten);
        }
    }
}

/* The words of segment `k`, with `took` of them from word `at` on replaced. */
static struct str replaced(struct applying *a, const struct segments *s, uint32_t k, uint32_t at, uint32_t took,
                           struct str by)
{
    const struct segment *g = &s->of[k];
    uint32_t behind = at + took, end = g->first + g->count;
    char text[3 * QUERY_TEXT_MAX];
    size_t n = 0;
    if (at > g->first)
        n = put_words(text, n, words_span(&s->words, g->first, at - g->first));
    n = put_words(text, n, by);
    if (behind < end)
        n = put_words(text, n, words_span(&s->words, behind, end - behind));
    return arena_str(a->arena, (struct str){ text, n });
}

static bool room_for_synonym(const struct rewriting *out)
{
    const struct rewrite_term *t = &out->terms[out->terms_count - 1];
    return out->synonyms_count < REWRITE_TOKENS_MAX && t->synonyms_count < REWRITE_SYNONYMS_MAX;
}

/* Synonyms of words of the last term, which is segment `k`. */
static void add_synonyms(struct applying *a, const struct segments *s, uint32_t k, uint32_t at, uint32_t took,
                         struct lists_row row)
{
    struct rewriting *out = a->out;
    struct rewrite_term *term = &out->terms[out->terms_count - 1];
    for (uint32_t i = 0; i < row.count && room_for_synonym(out); i++) {
        struct rewrite_rule rule = rewrites_rule(a->rules, REWRITE_SYNONYM, words_span(&s->words, at, took),
                                                 row.first + i);
        if (!is_wanted(a, &rule))
            continue;
        out->synonyms[out->synonyms_count++] = (struct rewrite_synonym){ replaced(a, s, k, at, took, rule.output),
                                                                         rule.id, rule.confidence, rule.manual };
        term->synonyms_count++;
        add_step(a, &rule, out->rewritten);
    }
}

/* How many whole segments from `k` on have synonyms together, the longest: their words. 0: none. */
static uint32_t synonyms_of_segments(const struct applying *a, const struct segments *s, uint32_t k,
                                     uint32_t *out_words, struct lists_row *out)
{
    uint32_t most = a->rules ? a->rules->of[REWRITE_SYNONYM].words_max : 0, best = 0, words = 0;
    for (uint32_t n = 1; k + n <= s->n; n++) {
        struct lists_row row;
        words += s->of[k + n - 1].count;
        if (words > most)
            break;
        if (find(a, REWRITE_SYNONYM, words_span(&s->words, s->of[k].first, words), &row)) {
            best = n;
            *out_words = words;
            *out = row;
        }
    }
    return best;
}

/* Synonyms of words inside of a phrase. */
static void synonyms_inside(struct applying *a, const struct segments *s, uint32_t k)
{
    const struct segment *g = &s->of[k];
    struct words inside = s->words;
    inside.n = g->first + g->count; /* none reaches out of it */
    for (uint32_t i = g->first, took; i < inside.n; i += took) {
        struct lists_row row;
        took = find_longest(a, REWRITE_SYNONYM, &inside, i, &row);
        if (took)
            add_synonyms(a, s, k, i, took, row);
        else
            took = 1;
    }
}

static void add_term(struct rewriting *out, struct str text, bool phrase)
{
    out->terms[out->terms_count++] = (struct rewrite_term){ text, phrase, out->synonyms_count, 0 };
}

static void apply_synonyms(struct applying *a, struct segments *s)
{
    for (uint32_t k = 0, took; k < s->n; k += took) {
        struct lists_row row = { 0 };
        uint32_t words = s->of[k].count;
        uint32_t found = synonyms_of_segments(a, s, k, &words, &row);
        took = found ? found : 1;
        add_term(a->out, words_span(&s->words, s->of[k].first, words), took == 1 && s->of[k].phrase);
        if (found) {
            struct segment whole = { s->of[k].first, words, false };
            struct segment was = s->of[k];
            s->of[k] = whole;
            add_synonyms(a, s, k, whole.first, words, row);
            s->of[k] = was;
        } else if (s->of[k].phrase) {
            synonyms_inside(a, s, k);
        }
    }
}

/* ---- all of it ---- */

void rewrite_apply(const struct rewrites *r, struct str query, const struct rewrite_ask *ask, struct arena *arena,
                   struct rewriting *out)
{
    struct applying a = { r, ask, arena, out };
    char normal[QUERY_TEXT_MAX];
    struct segments *segments = arena_alloc(arena, sizeof *segments);
    out->steps_count = out->terms_count = out->synonyms_count = 0;
    out->normalised = out->rewritten = arena_str(arena, query_text(query, normal));
    if (!apply_whole(&a, REWRITE_QUERY)) {
        apply_words(&a, REWRITE_SPELLING);
        (void)apply_whole(&a, REWRITE_HEAD_TAIL);
        apply_words(&a, REWRITE_REMOVE_WORDS);
    }
    find_phrases(&a, segments);
    apply_synonyms(&a, segments);
}

/* ---- as text ---- */

static void add_quoted(struct buf *out, struct str text)
{
    buf_add_byte(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buf_add_byte(out, '\\');
        buf_add_byte(out, text.p[i]);
    }
    buf_add_byte(out, '"');
}

/* Words as Lucene's parsers take them for words. */
static void add_escaped(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (strchr("+-&|!(){}[]^\"~*?:\\/", text.p[i]))
            buf_add_byte(out, '\\');
        buf_add_byte(out, text.p[i]);
    }
}

void rewriting_quoted(const struct rewriting *w, struct buf *out)
{
    for (uint32_t i = 0; i < w->terms_count; i++) {
        if (i)
            buf_add_byte(out, ' ');
        if (w->terms[i].phrase)
            add_quoted(out, w->terms[i].text);
        else
            buf_add_str(out, w->terms[i].text);
    }
}

static bool has_space(struct str text)
{
    return memchr(text.p, ' ', text.n) != NULL;
}

static void add_term_expanded(const struct rewriting *w, const struct rewrite_term *t, struct buf *out)
{
    bool several = t->synonyms_count > 0 && !t->phrase && has_space(t->text);
    if (t->synonyms_count)
        buf_add_byte(out, '(');
    if (several)
        buf_add_byte(out, '(');
    if (t->phrase)
        add_quoted(out, t->text);
    else
        add_escaped(out, t->text);
    if (several)
        buf_add_byte(out, ')');
    for (uint32_t i = 0; i < t->synonyms_count; i++) {
        struct str s = w->synonyms[t->first_synonym + i].text;
        buf_add_c(out, " OR ");
        if (has_space(s))
            add_quoted(out, s);
        else
            add_escaped(out, s);
    }
    if (t->synonyms_count)
        buf_add_byte(out, ')');
}

void rewriting_expanded(const struct rewriting *w, struct buf *out)
{
    for (uint32_t i = 0; i < w->terms_count; i++) {
        if (i)
            buf_add_byte(out, ' ');
        add_term_expanded(w, &w->terms[i], out);
    }
}
