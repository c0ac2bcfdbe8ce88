#include "trainer/jobs/terms.h"

#include <stdlib.h>

#include "trainer/kernels/pair_table.h"

static const struct pg_stmt read_dictionary = { "dictionary_read", 1,
                                                "select content, version from dictionaries where name = $1" };

/* ---- passes ---- */

static bool pass_count(struct query_log *q, struct str params, int *out_pass, struct err *err)
{
    struct engine_split *splits = arena_zalloc(q->arena, q->parts * sizeof *splits);
    struct engine_input *inputs = arena_alloc(q->arena, q->parts * sizeof *inputs);
    for (uint32_t i = 0; i < q->parts; i++) {
        inputs[i] = (struct engine_input){ i, 0 };
        splits[i] = (struct engine_split){
            .desc = arena_printf(q->arena, "%u", i), .weight = 1, .inputs = &inputs[i], .inputs_count = 1
        };
    }
    const struct engine_pass pass = { .name = "terms",
                                      .kernel = TERMS_COUNT_KERNEL,
                                      .params = params,
                                      .splits = splits,
                                      .splits_count = q->parts,
                                      .input_pass = q->pass,
                                      .out = ENGINE_DATASET,
                                      .parts = q->parts };
    return run_pass_numbered(q->run, &pass, out_pass, err);
}

static bool pass_merge(struct query_log *q, struct str params, int counted, struct term_table *t, struct err *err)
{
    struct engine_split *splits = arena_zalloc(q->arena, q->parts * sizeof *splits);
    for (uint32_t i = 0; i < q->parts; i++) {
        struct engine_input *inputs = arena_alloc(q->arena, q->parts * sizeof *inputs);
        for (uint32_t k = 0; k < q->parts; k++)
            inputs[k] = (struct engine_input){ k, i };
        splits[i] = (struct engine_split){
            .desc = arena_printf(q->arena, "%u", i), .weight = 1, .inputs = inputs, .inputs_count = q->parts
        };
    }
    const struct engine_pass pass = { .name = "words",
                                      .kernel = TERMS_MERGE_KERNEL,
                                      .params = params,
                                      .splits = splits,
                                      .splits_count = q->parts,
                                      .input_pass = counted,
                                      .out = ENGINE_DATASET };
    t->pass = q->run->passes;
    return run_pass(q->run, &pass, &t->result, err);
}

/* ---- the table ---- */

static int by_text(const void *a, const void *b)
{
    return pair_text_compare(((const struct term_seen *)a)->text, ((const struct term_seen *)b)->text);
}

static bool take_part(struct term_table *t, struct str part, size_t *room)
{
    struct terms_seen seen;
    if (!record_take(&part, &seen, sizeof seen))
        return false;
    for (int n = 0; n < TERMS_LONGEST; n++) {
        t->all.terms[n] += seen.terms[n];
        t->all.searches[n] += seen.searches[n];
    }
    while (part.n) {
        if (t->count == *room) {
            *room = *room ? 2 * *room : 4096;
            t->terms = mem_realloc(t->terms, *room * sizeof *t->terms);
        }
        if (!record_take_text(&part, &t->terms[t->count].text) ||
            !record_take(&part, &t->terms[t->count].counts, sizeof t->terms->counts))
            return false;
        t->count++;
    }
    return true;
}

bool term_table_open(struct term_table *t, struct query_log *q, const struct terms_params *params, struct err *err)
{
    struct str text = terms_params_write(params, q->arena);
    size_t room = 0;
    int counted;
    *t = (struct term_table){ .run = q->run, .pass = -1, .parts = q->parts };
    if (!pass_count(q, text, &counted, err) || !pass_merge(q, text, counted, t, err))
        return false;
    engine_drop(q->run->engine, counted);
    for (uint32_t i = 0; i < t->result.count; i++)
        if (!take_part(t, buf_str(&t->result.parts[i]), &room))
            return err_set(err, ERR_SYSTEM, "what was collected of the words of part %u is damaged", i);
    if (t->count)
        qsort(t->terms, t->count, sizeof *t->terms, by_text);
    return true;
}

void term_table_release(struct term_table *t)
{
    if (t->run && t->pass >= 0 && t->pass < t->run->passes)
        engine_drop(t->run->engine, t->pass);
    engine_result_release(&t->result);
    mem_free(t->terms);
    *t = (struct term_table){ .pass = -1 };
}

const struct term_seen *term_table_find(const struct term_table *t, struct str text)
{
    const struct term_seen key = { .text = text };
    return t->count ? bsearch(&key, t->terms, t->count, sizeof key, by_text) : NULL;
}

/* ---- dictionaries ---- */

static size_t lines(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static bool read_line(struct str line, struct dictionary_word *out)
{
    size_t at = line.n;
    while (at > 0 && line.p[at - 1] != ' ')
        at--;
    out->text = (struct str){ line.p, at ? at - 1 : 0 };
    return at > 1 && parse_u64((struct str){ line.p + at, line.n - at }, &out->count, NULL);
}

bool dictionary_load(struct run_context *run, struct arena *arena, struct dictionary_words *out, struct err *err)
{
    const char *name = run->param(run, "dictionary");
    struct str line;
    *out = (struct dictionary_words){ .count = 0 };
    if (!name)
        return true;
    AUTO(pg_result_free) PGresult *r = pg_run(run->pg, &read_dictionary, &name, err);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return err_set(err, ERR_INVALID, "parameter \"dictionary\": there is no dictionary \"%s\"", name);
    struct str content = arena_str(arena, pg_get(r, 0, 0));
    out->version = pg_get_i64(r, 0, 1);
    out->words = arena_alloc(arena, (lines(content) + 1) * sizeof *out->words);
    while (str_split(&content, '\n', &line) && line.n)
        if (!read_line(line, &out->words[out->count++]))
            return err_set(err, ERR_SYSTEM, "dictionary \"%s\" has a damaged line %zu", name, out->count);
    return true;
}
