/* The kernels of the job "remove-words": a join of queries with what they are without a word, by the text of that; and by word, the judgement. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/intern.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/queries/query_each.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/remove/remove_words.h"
#include "trainer/kernels/words.h"

enum { PARAMS_MAX = 4096, RECORD_MAX = 16 << 10 };

/* ---- params ---- */

bool remove_params_write(const struct remove_params *p, struct arena *arena, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, PARAMS_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "min_searches", (int64_t)p->min_searches);
    jsonw_i64(&w, "max_words", p->max_words);
    jsonw_double(&w, "min_gain", p->rules.min_gain);
    jsonw_double(&w, "z", p->rules.z);
    jsonw_i64(&w, "min_contexts", (int64_t)p->rules.min_contexts);
    jsonw_double(&w, "max_harm", p->rules.max_harm);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

bool remove_params_read(struct str json, struct remove_params *out, struct err *err)
{
    json_auto_t *root = json_parse(json, err);
    int64_t min_searches = 0, max_words = 0, min_contexts = 0;
    struct json_reader r;
    if (!root)
        return false;
    *out = (struct remove_params){ .min_searches = 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "min_searches", JSON_REQUIRED, &min_searches);
    (void)json_get_i64(&r, "max_words", JSON_REQUIRED, &max_words);
    (void)json_get_double(&r, "min_gain", JSON_REQUIRED, &out->rules.min_gain);
    (void)json_get_double(&r, "z", JSON_REQUIRED, &out->rules.z);
    (void)json_get_i64(&r, "min_contexts", JSON_REQUIRED, &min_contexts);
    (void)json_get_double(&r, "max_harm", JSON_REQUIRED, &out->rules.max_harm);
    out->min_searches = (uint64_t)min_searches;
    out->max_words = (uint32_t)max_words;
    out->rules.min_contexts = (uint64_t)min_contexts;
    return json_reader_close(&r, err);
}

/* ---- keys ---- */

/* A query as it is has no word: key = query. */
struct key {
    struct str key, word, query;
    struct removal_counts counts;
};

static bool key_read(struct str *in, struct key *out)
{
    return record_take_text(in, &out->key) && record_take_text(in, &out->word) && record_take_text(in, &out->query) &&
           record_take(in, &out->counts, sizeof out->counts);
}

struct keys {
    struct task *task;
    struct remove_params params;
    struct buf record;
};

static bool emit_key(struct keys *k, const struct key *key, struct err *err)
{
    uint32_t part = (uint32_t)(hash64(key->key) % task_parts(k->task));
    buf_clear(&k->record);
    record_put_text(&k->record, key->key);
    record_put_text(&k->record, key->word);
    record_put_text(&k->record, key->query);
    record_put(&k->record, &key->counts, sizeof key->counts);
    return buf_ok(&k->record, "a query without a word", err) && task_emit(k->task, part, buf_str(&k->record), err);
}

static void add_word(char *out, size_t *n, struct str word)
{
    if (*n)
        out[(*n)++] = ' ';
    memcpy(out + *n, word.p, word.n);
    *n += word.n;
}

/* Without the words first … first + count - 1. */
static bool emit_without(struct keys *k, const struct key *whole, const struct words *w, uint32_t first, uint32_t count,
                         struct err *err)
{
    char rest[QUERY_TEXT_MAX], word[QUERY_TEXT_MAX];
    size_t rest_n = 0, word_n = 0;
    for (uint32_t i = 0; i < w->count; i++)
        if (i >= first && i < first + count)
            add_word(word, &word_n, w->texts[i]);
        else
            add_word(rest, &rest_n, w->texts[i]);
    struct key key = *whole;
    key.key = (struct str){ rest, rest_n };
    key.word = (struct str){ word, word_n };
    return emit_key(k, &key, err);
}

static bool keys_of(void *arg, const struct query_record *q, struct str bytes, struct err *err)
{
    struct keys *k = arg;
    struct words w;
    const struct key whole = { .key = q->text,
                               .word = STR(""),
                               .query = q->text,
                               .counts = { q->searches, q->searches - q->zero_results,
                                           q->clicks < q->searches ? q->clicks : q->searches } };
    (void)bytes;
    if (q->searches < k->params.min_searches || q->searches == 0 || q->zero_results > q->searches)
        return true;
    words_split_spaces(q->text, &w);
    if (w.count == 0 || w.count > REMOVE_QUERY_WORDS)
        return true;
    if (!emit_key(k, &whole, err))
        return false;
    for (uint32_t count = 1; count <= k->params.max_words && count < w.count; count++)
        for (uint32_t first = 0; first + count <= w.count; first++)
            if (!emit_without(k, &whole, &w, first, count, err))
                return false;
    return true;
}

static bool run_keys(struct task *t, struct err *err)
{
    struct keys k = { .task = t };
    if (!remove_params_read(task_params(t), &k.params, err))
        return false;
    buf_init(&k.record, RECORD_MAX);
    bool ok = query_each(t, keys_of, &k, err);
    buf_release(&k.record);
    return ok;
}

/* ---- reading the blocks of all inputs ---- */

typedef bool (*block_fn)(void *arg, struct str block, struct err *err);

static bool each_block(struct task *t, block_fn fn, void *arg, struct err *err)
{
    for (size_t i = 0; i < task_inputs(t); i++)
        for (;;) {
            struct str block;
            bool end;
            if (!task_next(t, i, &block, &end, err))
                return false;
            if (end)
                break;
            if (!fn(arg, block, err) || !task_tick(t, 1, err))
                return false;
        }
    return true;
}

/* ---- cases ---- */

struct joining {
    struct task *task;
    struct intern known;
    struct removal_counts *counts; /* of each */
    uint32_t room;
    struct buf record;
};

static bool take_known(void *arg, struct str block, struct err *err)
{
    struct joining *j = arg;
    struct key k;
    while (block.n) {
        if (!key_read(&block, &k))
            return err_set(err, ERR_INVALID, "a query without a word is damaged");
        if (k.word.n)
            continue;
        uint32_t id = intern_add(&j->known, k.key);
        if (id >= j->room) {
            j->room = j->room ? 2 * j->room : 4096;
            j->counts = mem_realloc(j->counts, j->room * sizeof *j->counts);
        }
        j->counts[id] = k.counts;
    }
    return true;
}

static bool emit_case(struct joining *j, const struct key *k, const struct removal_counts *without, struct err *err)
{
    uint32_t part = (uint32_t)(hash64(k->word) % task_parts(j->task));
    buf_clear(&j->record);
    record_put_text(&j->record, k->word);
    record_put_text(&j->record, k->query);
    record_put_text(&j->record, k->key);
    record_put(&j->record, &k->counts, sizeof k->counts);
    record_put(&j->record, without, sizeof *without);
    return buf_ok(&j->record, "a case", err) && task_emit(j->task, part, buf_str(&j->record), err);
}

static bool take_cases(void *arg, struct str block, struct err *err)
{
    struct joining *j = arg;
    struct key k;
    while (block.n) {
        if (!key_read(&block, &k))
            return err_set(err, ERR_INVALID, "a query without a word is damaged");
        uint32_t id = k.word.n ? intern_find(&j->known, k.key) : UINT32_MAX;
        if (id != UINT32_MAX && !emit_case(j, &k, &j->counts[id], err))
            return false;
    }
    return true;
}

static bool run_cases(struct task *t, struct err *err)
{
    struct joining j = { .task = t };
    intern_init(&j.known);
    buf_init(&j.record, RECORD_MAX);
    bool ok = each_block(t, take_known, &j, err);
    task_again(t);
    ok = ok && each_block(t, take_cases, &j, err);
    intern_release(&j.known);
    buf_release(&j.record);
    mem_free(j.counts);
    return ok;
}

/* ---- words ---- */

struct word_case {
    struct str word;
    struct removal_case of;
};

struct judging {
    struct task *task;
    struct remove_params params;
    struct arena *arena;
    struct word_case *cases;
    size_t count, room;
};

static bool take_words(void *arg, struct str block, struct err *err)
{
    struct judging *j = arg;
    while (block.n) {
        struct word_case c;
        if (!record_take_text(&block, &c.word) || !record_take_text(&block, &c.of.query) ||
            !record_take_text(&block, &c.of.rest) || !record_take(&block, &c.of.with, sizeof c.of.with) ||
            !record_take(&block, &c.of.without, sizeof c.of.without))
            return err_set(err, ERR_INVALID, "a case is damaged");
        if (j->count == j->room) {
            j->room = j->room ? 2 * j->room : 4096;
            j->cases = mem_realloc(j->cases, j->room * sizeof *j->cases);
        }
        c.word = arena_str(j->arena, c.word);
        c.of.query = arena_str(j->arena, c.of.query);
        c.of.rest = arena_str(j->arena, c.of.rest);
        j->cases[j->count++] = c;
    }
    return true;
}

static int by_word(const void *a, const void *b)
{
    const struct word_case *x = a, *y = b;
    int d = pair_text_compare(x->word, y->word);
    d = d ? d : pair_text_compare(x->of.query, y->of.query);
    return d ? d : pair_text_compare(x->of.rest, y->of.rest);
}

static bool collect(void *arg, const struct removal *r, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, RECORD_MAX);
    removal_write(&b, r);
    return buf_ok(&b, "a word to leave out", err) && task_collect(arg, buf_str(&b), err);
}

static bool judge_all(struct judging *j, struct err *err)
{
    struct removal_case *cases = mem_alloc((j->count + 1) * sizeof *cases);
    bool ok = true;
    if (j->count)
        qsort(j->cases, j->count, sizeof *j->cases, by_word);
    for (size_t i = 0, end; ok && i < j->count; i = end) {
        for (end = i; end < j->count && str_eq(j->cases[end].word, j->cases[i].word); end++)
            cases[end - i] = j->cases[end].of;
        ok = removal_judge(j->cases[i].word, cases, end - i, &j->params.rules, collect, j->task, err) &&
             task_tick(j->task, 0, err);
    }
    mem_free(cases);
    return ok;
}

static bool run_judge(struct task *t, struct err *err)
{
    struct judging j = { .task = t, .arena = task_arena(t) };
    bool ok = remove_params_read(task_params(t), &j.params, err) && each_block(t, take_words, &j, err) &&
              judge_all(&j, err);
    mem_free(j.cases);
    return ok;
}

const struct kernel kernel_remove_keys = { REMOVE_KEYS_KERNEL, run_keys };
const struct kernel kernel_remove_cases = { REMOVE_CASES_KERNEL, run_cases };
const struct kernel kernel_remove_judge = { REMOVE_JUDGE_KERNEL, run_judge };
