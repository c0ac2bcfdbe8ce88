/* The job "phrases": words that stand side by side in searches more often than chance has it → phrases.
 *
 * The query log's terms of one to three words (terms.h) come to the coordinator; each phrase is tested at its weakest seam (kernels/spelling/phrase.h), all
 * tests are one family (Benjamini-Hochberg). A phrase that hardly comes but inside of a longer one is left out. */
#include <inttypes.h>
#include <math.h>

#include "base/jsonw.h"
#include "stats/multiple/family.h"
#include "trainer/jobs/rewrites_put.h"
#include "trainer/jobs/terms.h"
#include "trainer/kernels/spelling/phrase.h"
#include "trainer/models/training.h"

enum { EVIDENCE_MAX = 2048, STOP_WORDS_MAX = 1000 };
/* So large a share of a phrase's searches have the longer one: it is a part of that. */
#define PART_OF_LONGER 0.9

struct candidate {
    const struct term_seen *term;
    uint32_t words;
    struct phrase_test test;
    double log_p; /* adjusted */
    bool found, part;
};

struct phrases {
    struct run_context *run;
    struct arena arena;
    struct query_log log;
    struct term_table terms;
    struct str stop[STOP_WORDS_MAX];
    size_t stop_count;
    struct candidate *list; /* sorted by text, as the terms are */
    size_t count;
    struct rewrite_row *out;
    size_t out_count, automatic;
    struct rewrites_counts counts;
};

/* ---- parameters ---- */

static bool read_stop_words(struct phrases *p, struct err *err)
{
    struct str rest = str_of(p->run->param(p->run, "stop_words")), word;
    if (str_eq_c(rest, "-"))
        return true;
    while (str_split(&rest, ',', &word)) {
        if (p->stop_count == STOP_WORDS_MAX || word.n == 0 || memchr(word.p, ' ', word.n))
            return err_set(err, ERR_INVALID,
                           "parameter \"stop_words\" must be like a,of,the: at most %d words with commas between them",
                           STOP_WORDS_MAX);
        p->stop[p->stop_count++] = word;
    }
    return true;
}

static bool is_stop_word(const struct phrases *p, struct str word)
{
    for (size_t i = 0; i < p->stop_count; i++)
        if (str_eq(p->stop[i], word))
            return true;
    return false;
}

/* ---- testing ---- */

/* first and second: what stands before and behind the space at `at`. */
static struct phrase_test test_seam(const struct phrases *p, const struct term_seen *term, size_t at)
{
    const struct term_seen *first = term_table_find(&p->terms, (struct str){ term->text.p, at });
    const struct term_seen *second = term_table_find(&p->terms,
                                                     (struct str){ term->text.p + at + 1, term->text.n - at - 1 });
    const struct phrase_counts c = { .first = first ? first->counts.searches : 0,
                                     .second = second ? second->counts.searches : 0,
                                     .both = term->counts.searches,
                                     .all = p->log.searches };
    return phrase_test(&c);
}

static struct phrase_test test(const struct phrases *p, const struct term_seen *term)
{
    struct phrase_test weakest = { .lift = 0 };
    bool first = true;
    for (size_t i = 0; i < term->text.n; i++) {
        if (term->text.p[i] != ' ')
            continue;
        struct phrase_test t = test_seam(p, term, i);
        weakest = first ? t : phrase_weaker(weakest, t);
        first = false;
    }
    return weakest;
}

static bool may_be_phrase(const struct phrases *p, struct str text)
{
    struct str first, last = text, rest = text;
    if (!str_split(&rest, ' ', &first))
        return false;
    while (str_split(&rest, ' ', &last))
        ;
    return !is_stop_word(p, first) && !is_stop_word(p, last);
}

static bool test_all(struct phrases *p, struct err *err)
{
    p->list = arena_alloc(&p->arena, (p->terms.count + 1) * sizeof *p->list);
    for (size_t i = 0; i < p->terms.count; i++) {
        const struct term_seen *term = &p->terms.terms[i];
        uint32_t words = term_words(term->text);
        if (i % 4096 == 0 && !run_tick(p->run, "tests", (uint32_t)i, (uint32_t)p->terms.count, err))
            return false;
        if (words > 1 && may_be_phrase(p, term->text))
            p->list[p->count++] = (struct candidate){ .term = term, .words = words, .test = test(p, term) };
    }
    return true;
}

static void adjust(struct phrases *p)
{
    double level = log(run_real(p->run, "level"));
    double *log_p = arena_alloc(&p->arena, (p->count + 1) * sizeof *log_p);
    struct family_rank *ranks = arena_alloc(&p->arena, (p->count + 1) * sizeof *ranks);
    for (size_t i = 0; i < p->count; i++)
        log_p[i] = p->list[i].test.log_p;
    family_rank(log_p, p->count, ranks);
    family_p(FAMILY_BH, ranks, p->count, log_p);
    for (size_t i = 0; i < p->count; i++) {
        p->list[i].log_p = log_p[i];
        p->list[i].found = log_p[i] <= level && p->list[i].test.lift > 1;
    }
}

/* ---- what is a part of a longer phrase ---- */

static struct candidate *find(const struct phrases *p, struct str text)
{
    const struct term_seen *term = term_table_find(&p->terms, text);
    size_t lo = 0, hi = p->count;
    while (term && lo < hi) { /* candidates lie in the order of the terms */
        size_t middle = lo + (hi - lo) / 2;
        if (p->list[middle].term < term)
            lo = middle + 1;
        else
            hi = middle;
    }
    return term && lo < p->count && p->list[lo].term == term ? &p->list[lo] : NULL;
}

static void mark_part(const struct phrases *p, const struct candidate *longer, struct str part)
{
    struct candidate *c = find(p, part);
    if (c && (double)longer->term->counts.searches >= PART_OF_LONGER * (double)c->term->counts.searches)
        c->part = true;
}

static void mark_parts(struct phrases *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct candidate *c = &p->list[i];
        struct str text = c->term->text;
        size_t first = 0, last = text.n;
        if (!c->found || c->words < 3)
            continue;
        while (text.p[first] != ' ')
            first++;
        while (text.p[last - 1] != ' ')
            last--;
        mark_part(p, c, (struct str){ text.p, last - 1 });
        mark_part(p, c, (struct str){ text.p + first + 1, text.n - first - 1 });
    }
}

/* ---- rows ---- */

static struct str evidence(struct phrases *p, const struct candidate *c, struct buf *b)
{
    struct jsonw w;
    buf_clear(b);
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "searches", (int64_t)c->term->counts.searches);
    jsonw_i64(&w, "clicks", (int64_t)c->term->counts.clicks);
    jsonw_i64(&w, "words", c->words);
    jsonw_double(&w, "lift", c->test.lift);
    jsonw_double(&w, "likelihood", c->test.likelihood);
    jsonw_double(&w, "log10_p", c->log_p / log(10));
    jsonw_double(&w, "strength", c->test.strength);
    jsonw_close(&w);
    return arena_str(&p->arena, buf_str(b));
}

static bool make_rows(struct phrases *p, struct err *err)
{
    AUTO(buf_release) struct buf b;
    double min_likelihood = run_real(p->run, "min_likelihood"), min_lift = run_real(p->run, "min_lift");
    buf_init(&b, EVIDENCE_MAX);
    p->out = arena_alloc(&p->arena, (p->count + 1) * sizeof *p->out);
    for (size_t i = 0; i < p->count; i++) {
        const struct candidate *c = &p->list[i];
        if (!c->found || c->part)
            continue;
        bool automatic = c->test.likelihood >= min_likelihood && c->test.lift >= min_lift;
        p->automatic += automatic;
        p->out[p->out_count++] = (struct rewrite_row){ .input = c->term->text,
                                                       .output = c->term->text,
                                                       .confidence = fmin(1, fmax(0, c->test.strength)),
                                                       .automatic = automatic,
                                                       .searches = c->term->counts.searches,
                                                       .evidence = evidence(p, c, &b) };
    }
    return buf_ok(&b, "the evidence of a phrase", err);
}

/* ---- the job ---- */

static bool publish(struct phrases *p, struct err *err)
{
    const struct rewrites_counts *c = &p->counts;
    if (!run_publish_begin(p->run, err) || !rewrites_put(p->run, "phrase", p->out, p->out_count, &p->counts, err))
        return false;
    run_result(p->run,
               "{\"rows\":%zu,\"automatic\":%zu,\"tested\":%zu,\"added\":%" PRIu64 ",\"updated\":%" PRIu64
               ",\"unchanged\":%" PRIu64 ",\"decided\":%" PRIu64 ",\"removed\":%" PRIu64 ",\"searches\":%" PRIu64 "}",
               p->out_count, p->automatic, p->count, c->added, c->updated, c->unchanged, c->decided, c->removed,
               p->log.searches);
    if (!run_publish_end(p->run, err))
        return false;
    run_say(p->run,
            "phrases: %zu of %zu tested go together, %zu of them automatic; %" PRIu64 " new, %" PRIu64
            " removed, %" PRIu64 " left as people decided",
            p->out_count, p->count, p->automatic, c->added, c->removed, c->decided);
    return true;
}

static bool compute(struct phrases *p, struct err *err)
{
    struct query_window window, none;
    const struct terms_params terms = { .longest = (uint32_t)run_whole(p->run, "ngram_size"),
                                        .min_searches = (uint64_t)run_whole(p->run, "minmatch") };
    query_log_window(p->run, &window, &none);
    if (!read_stop_words(p, err) || !query_log_open(&p->log, p->run, &p->arena, "training", window, err) ||
        !training_enough(p->run, "searches", p->log.searches, "min_searches", err) ||
        !term_table_open(&p->terms, &p->log, &terms, err) || !test_all(p, err))
        return false;
    adjust(p);
    mark_parts(p);
    return make_rows(p, err) && publish(p, err);
}

static bool run_phrases(struct run_context *run, struct err *err)
{
    AUTO(mem_free) char *memory = mem_zalloc(sizeof(struct phrases));
    struct phrases *p = (void *)memory;
    *p = (struct phrases){ .run = run, .log = { .pass = -1 }, .terms = { .pass = -1 } };
    arena_init(&p->arena, 1 << 16);
    bool ok = compute(p, err);
    term_table_release(&p->terms);
    query_log_close(&p->log);
    arena_release(&p->arena);
    return ok;
}

const struct job job_phrases = { "phrases", run_phrases };
