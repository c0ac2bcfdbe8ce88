/* The job "spelling": words and phrases that are searched seldom → what was meant by them.
 *
 * The query log's terms (terms.h) and a dictionary make the head: what others may be corrected to, as a blob. A pass over the terms finds, for each one
 * that is searched seldom, what was meant (kernels/spelling/speller.h). What a phrase's words would become by themselves is no row of its own. The rows
 * go to review; those that are sure enough need none. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "trainer/jobs/rewrites_put.h"
#include "trainer/jobs/terms.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/models/training.h"

enum { EVIDENCE_MAX = 2048, WORDS = 2, NEXT_ENOUGH = 2 };
/* At Fusion's defaults all evidence weighs as it was fitted. */
#define COUNTS_FITTED 2.0
#define EDITS_FITTED 2.0
#define SOUND_FITTED 3.0
#define LAST_FITTED 1.0

struct spelling {
    struct run_context *run;
    struct arena arena;
    struct query_log log;
    struct term_table terms;
    struct dictionary_words dictionary;
    struct spelling_params params;
    struct engine_result found; /* rows borrow from it */
    struct spelling_row *rows;
    size_t rows_count;
    struct rewrite_row *out;
    size_t out_count, automatic;
    uint32_t head_terms;
    struct rewrites_counts counts;
};

/* ---- parameters ---- */

static void read_params(struct spelling *s)
{
    const struct run_context *run = s->run;
    struct spell_rules *r = &s->params.rules;
    r->max_distance = (uint32_t)run_whole(run, "max_distance");
    r->min_prefix = (uint32_t)run_whole(run, "min_prefix");
    r->min_letters = (uint32_t)run_whole(run, "min_misspelling_len");
    r->length_scale = run_real(run, "len_scale");
    r->least_clicks = (uint64_t)run_whole(run, "min_count_main");
    r->ratio = run_real(run, "cor_mis_ratio");
    r->counts = run_real(run, "correct_cnt_boost") / COUNTS_FITTED;
    r->edits = run_real(run, "edit_dist_boost") / EDITS_FITTED;
    r->sound = run_real(run, "sound_match_boost") / SOUND_FITTED;
    r->last = run_real(run, "last_char_match_boost") / LAST_FITTED;
    r->sessions = run_real(run, "session_boost");
    r->context = run_real(run, "context");
    r->has_dictionary = s->dictionary.count > 0;
    r->dictionary = r->has_dictionary ? run_real(run, "dictionary_weight") : 0;
    s->params.phrases = run_flag(run, "phrases");
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x > *y ? -1 : *x < *y;
}

/* The most searched terms of so many words that make up this share of all searches have at least so many. A share of 0: none does, UINT64_MAX. */
static uint64_t cut(const struct spelling *s, uint32_t words, double share)
{
    double wanted = share * (double)s->terms.all.searches[words - 1], sum = 0;
    size_t n = 0, i = 0;
    AUTO(mem_free) char *memory = mem_alloc((s->terms.count + 1) * sizeof(uint64_t));
    uint64_t *searches = (void *)memory, least = UINT64_MAX;
    for (size_t k = 0; k < s->terms.count; k++)
        if (term_words(s->terms.terms[k].text) == words)
            searches[n++] = s->terms.terms[k].counts.searches;
    if (n)
        qsort(searches, n, sizeof *searches, by_number);
    for (; i < n && sum < wanted; i++) {
        sum += (double)searches[i];
        least = searches[i];
    }
    return share >= 1 ? 0 : least;
}

static void make_cuts(struct spelling *s)
{
    double correct = run_real(s->run, "correction_threshold"), wrong = run_real(s->run, "misspelling_threshold");
    s->params.rules.least_word = cut(s, 1, correct);
    s->params.rules.least_phrase = cut(s, WORDS, correct);
    s->params.word_below = cut(s, 1, wrong);
    s->params.phrase_below = cut(s, WORDS, wrong);
}

/* ---- the head ---- */

/* Terms and dictionary are both sorted: one walk through both. */
static struct head_term *join(struct spelling *s, size_t *out_count)
{
    const struct term_table *t = &s->terms;
    const struct dictionary_words *d = &s->dictionary;
    struct head_term *head = mem_alloc((t->count + d->count + 1) * sizeof *head);
    size_t i = 0, k = 0, n = 0;
    while (i < t->count || k < d->count) {
        int order = i == t->count ? 1 : k == d->count ? -1 : pair_text_compare(t->terms[i].text, d->words[k].text);
        struct head_term h = { .text = order <= 0 ? t->terms[i].text : d->words[k].text };
        if (order <= 0) {
            h.searches = t->terms[i].counts.searches;
            h.clicks = t->terms[i].counts.clicks;
            i++;
        }
        if (order >= 0)
            h.listed = d->words[k++].count;
        if (term_words(h.text) <= WORDS)
            head[n++] = h;
    }
    *out_count = n;
    return head;
}

static int most_first(const void *a, const void *b)
{
    const struct head_term *x = a, *y = b;
    if (x->searches != y->searches)
        return x->searches > y->searches ? -1 : 1;
    if (x->listed != y->listed)
        return x->listed > y->listed ? -1 : 1;
    return pair_text_compare(x->text, y->text);
}

static int by_text(const void *a, const void *b)
{
    return pair_text_compare(((const struct head_term *)a)->text, ((const struct head_term *)b)->text);
}

static size_t keep_most(struct spelling *s, struct head_term *head, size_t count)
{
    size_t most = (size_t)run_whole(s->run, "max_head");
    if (count <= most)
        return count;
    run_say(s->run, "%zu words and phrases are left out of the head: parameter \"max_head\" is %zu", count - most,
            most);
    qsort(head, count, sizeof *head, most_first);
    qsort(head, most, sizeof *head, by_text);
    return most;
}

static bool make_head(struct spelling *s, int *out_blob, struct err *err)
{
    struct head_out out;
    struct buf bytes;
    size_t count;
    if (!run_tick(s->run, "head", 0, 1, err))
        return false;
    struct head_term *head = join(s, &count);
    count = keep_most(s, head, count);
    head_begin(&out, s->params.rules.max_distance);
    for (size_t i = 0; i < count; i++)
        head_add(&out, &head[i]);
    s->head_terms = out.count;
    bool ok = head_end(&out, &bytes, err);
    *out_blob = ok ? engine_blob(s->run->engine, buf_str(&bytes), err) : -1;
    buf_release(&bytes);
    head_release(&out);
    mem_free(head);
    return ok && *out_blob >= 0 && run_tick(s->run, "head", 1, 1, err);
}

/* ---- the pass ---- */

static bool run_correct(struct spelling *s, int blob, struct err *err)
{
    uint32_t parts = s->terms.parts;
    struct engine_split *splits = arena_zalloc(&s->arena, parts * sizeof *splits);
    struct engine_input *inputs = arena_alloc(&s->arena, parts * sizeof *inputs);
    for (uint32_t i = 0; i < parts; i++) {
        inputs[i] = (struct engine_input){ i, 0 };
        splits[i] = (struct engine_split){
            .desc = arena_printf(&s->arena, "%u", i), .weight = 1, .inputs = &inputs[i], .inputs_count = 1
        };
    }
    const struct engine_pass pass = { .name = "corrections",
                                      .kernel = SPELLING_CORRECT_KERNEL,
                                      .params = spelling_params_write(&s->params, &s->arena),
                                      .splits = splits,
                                      .splits_count = parts,
                                      .input_pass = s->terms.pass,
                                      .blobs = &blob,
                                      .blobs_count = 1,
                                      .out = ENGINE_COLLECT };
    return run_pass(s->run, &pass, &s->found, err);
}

static int by_input(const void *a, const void *b)
{
    return pair_text_compare(((const struct spelling_row *)a)->input, ((const struct spelling_row *)b)->input);
}

static bool take_rows(struct spelling *s, struct err *err)
{
    size_t room = 0;
    for (uint32_t i = 0; i < s->found.count; i++)
        for (struct str part = buf_str(&s->found.parts[i]); part.n;) {
            if (s->rows_count == room) {
                room = room ? 2 * room : 1024;
                s->rows = mem_realloc(s->rows, room * sizeof *s->rows);
            }
            if (!spelling_row_read(&part, &s->rows[s->rows_count++]))
                return err_set(err, ERR_SYSTEM, "what was collected of corrections is damaged");
        }
    if (s->rows_count)
        qsort(s->rows, s->rows_count, sizeof *s->rows, by_input);
    return true;
}

static bool pass_correct(struct spelling *s, struct err *err)
{
    int blob;
    if (!make_head(s, &blob, err))
        return false;
    bool ok = run_correct(s, blob, err) && take_rows(s, err);
    engine_blob_drop(s->run->engine, blob);
    return ok;
}

/* ---- rows ---- */

static const struct spelling_row *find_row(const struct spelling *s, struct str input)
{
    const struct spelling_row key = { .input = input };
    return s->rows_count ? bsearch(&key, s->rows, s->rows_count, sizeof key, by_input) : NULL;
}

/* The input, each of its words corrected by itself. */
static void correct_words(const struct spelling *s, struct str input, struct buf *out)
{
    struct str word;
    buf_clear(out);
    while (str_split(&input, ' ', &word)) {
        const struct spelling_row *r = find_row(s, word);
        if (out->n)
            buf_add_byte(out, ' ');
        buf_add_str(out, r ? r->output : word);
    }
}

/* Both are the same letters, with spaces in other places. */
static bool spaces_only(struct str a, struct str b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.n && a.p[i] == ' ')
            i++;
        while (k < b.n && b.p[k] == ' ')
            k++;
        if (i == a.n || k == b.n)
            return i == a.n && k == b.n;
        if (a.p[i++] != b.p[k++])
            return false;
    }
}

/* Its words are ones that people mean: only what they did next says that they did not. */
static bool is_doubtful(const struct spelling_row *r)
{
    return r->numbers.words_known && !spaces_only(r->input, r->output);
}

static bool is_wanted(const struct spelling *s, const struct spelling_row *r, struct buf *scratch)
{
    if (find_row(s, r->output)) /* which is corrected itself */
        return false;
    if (is_doubtful(r) && r->numbers.next < NEXT_ENOUGH)
        return false;
    if (term_words(r->input) == 1)
        return true;
    correct_words(s, r->input, scratch);
    return !str_eq(buf_str(scratch), r->output);
}

static struct str evidence(struct spelling *s, const struct spelling_row *r, struct buf *b)
{
    const struct spelling_numbers *n = &r->numbers;
    struct jsonw w;
    buf_clear(b);
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "distance", n->distance);
    jsonw_double(&w, "edit_cost", n->edit_cost);
    jsonw_bool(&w, "sounds_same", n->sounds_same);
    jsonw_double(&w, "probability", n->probability);
    jsonw_i64(&w, "searches", (int64_t)n->typed.searches);
    jsonw_i64(&w, "clicks", (int64_t)n->typed.clicks);
    jsonw_i64(&w, "zero_results", (int64_t)n->typed.zero_results);
    jsonw_i64(&w, "correction_searches", (int64_t)n->searches);
    jsonw_i64(&w, "correction_clicks", (int64_t)n->clicks);
    if (s->dictionary.count)
        jsonw_i64(&w, "correction_listed", (int64_t)n->listed);
    jsonw_i64(&w, "corrected_next", (int64_t)n->next);
    jsonw_bool(&w, "words_known", n->words_known);
    jsonw_bool(&w, "split", n->split);
    jsonw_close(&w);
    return arena_str(&s->arena, buf_str(b));
}

static bool make_rows(struct spelling *s, struct err *err)
{
    AUTO(buf_release) struct buf b;
    double least = run_real(s->run, "auto_confidence");
    buf_init(&b, EVIDENCE_MAX);
    s->out = arena_alloc(&s->arena, (s->rows_count + 1) * sizeof *s->out);
    for (size_t i = 0; i < s->rows_count; i++) {
        const struct spelling_row *r = &s->rows[i];
        if (!is_wanted(s, r, &b))
            continue;
        bool guessed = r->numbers.split && r->numbers.next < NEXT_ENOUGH; /* nobody searched for both words together */
        bool automatic = r->numbers.confidence >= least && !is_doubtful(r) && !guessed;
        s->automatic += automatic;
        s->out[s->out_count++] = (struct rewrite_row){ .input = r->input,
                                                       .output = r->output,
                                                       .confidence = r->numbers.confidence,
                                                       .automatic = automatic,
                                                       .searches = r->numbers.typed.searches,
                                                       .evidence = evidence(s, r, &b) };
    }
    return buf_ok(&b, "the evidence of a correction", err);
}

/* ---- the job ---- */

static bool publish(struct spelling *s, struct err *err)
{
    const struct rewrites_counts *c = &s->counts;
    if (!run_publish_begin(s->run, err) || !rewrites_put(s->run, "spelling", s->out, s->out_count, &s->counts, err))
        return false;
    run_result(s->run,
               "{\"rows\":%zu,\"automatic\":%zu,\"added\":%" PRIu64 ",\"updated\":%" PRIu64 ",\"unchanged\":%" PRIu64
               ",\"decided\":%" PRIu64 ",\"removed\":%" PRIu64 ",\"searches\":%" PRIu64 ",\"words\":%" PRIu64
               ",\"phrases\":%" PRIu64 ",\"head\":%u,\"dictionary_version\":%" PRId64 "}",
               s->out_count, s->automatic, c->added, c->updated, c->unchanged, c->decided, c->removed, s->log.searches,
               s->terms.all.terms[0], s->terms.all.terms[1], s->head_terms, s->dictionary.version);
    if (!run_publish_end(s->run, err))
        return false;
    run_say(s->run,
            "spelling: %zu corrections, %zu of them automatic; %" PRIu64 " new, %" PRIu64 " removed, %" PRIu64
            " left as people decided",
            s->out_count, s->automatic, c->added, c->removed, c->decided);
    return true;
}

static bool compute(struct spelling *s, struct err *err)
{
    struct query_window window, none;
    const struct terms_params terms = { .longest = WORDS,
                                        .lists = true,
                                        .min_searches = (uint64_t)run_whole(s->run, "min_count_filter") };
    query_log_window(s->run, &window, &none);
    if (!dictionary_load(s->run, &s->arena, &s->dictionary, err) ||
        !query_log_open(&s->log, s->run, &s->arena, "training", window, err) ||
        !training_enough(s->run, "searches", s->log.searches, "min_searches", err) ||
        !term_table_open(&s->terms, &s->log, &terms, err))
        return false;
    read_params(s);
    make_cuts(s);
    return pass_correct(s, err) && make_rows(s, err) && publish(s, err);
}

static bool run_spelling(struct run_context *run, struct err *err)
{
    struct spelling s = { .run = run, .log = { .pass = -1 }, .terms = { .pass = -1 } };
    arena_init(&s.arena, 1 << 16);
    bool ok = compute(&s, err);
    engine_result_release(&s.found);
    term_table_release(&s.terms);
    query_log_close(&s.log);
    mem_free(s.rows);
    arena_release(&s.arena);
    return ok;
}

const struct job job_spelling = { "spelling", run_spelling };
