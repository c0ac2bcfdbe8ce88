#include "trainer/jobs/rank_clicks.h"

#include <stdio.h>
#include <stdlib.h>

#include "trainer/models/training.h"

/* ---- propensities ---- */

static bool read_list(struct run_context *run, const struct lists *l, const char *key, struct click_rules *out,
                      struct err *err)
{
    struct lists_row row;
    int column = lists_column_named(l, "examination");
    if (column < 0 || !lists_find(l, str_of(key), &row) || row.count == 0)
        return err_set(err, ERR_INVALID, "parameter \"propensity\": model \"%s\" has none of \"%.60s\"",
                       run->param(run, "click_model"), key);
    for (uint32_t i = 0; i < row.count; i++) {
        uint32_t place;
        double p = (double)lists_value(l, row.first + i, (uint32_t)column);
        if (parse_u32(lists_entry(l, row.first + i), &place, NULL) && place >= 1 && place <= SERP_DOCS_MAX && p > 0)
            out->examination[place - 1] = p;
    }
    return true;
}

static bool read_champion(struct run_context *run, struct click_rules *out, struct err *err)
{
    AUTO(buf_release) struct buf file;
    struct artifact a;
    struct lists l;
    int version;
    const char *model = run->param(run, "click_model"), *key = run->param(run, "propensity");
    buf_init(&file, ARTIFACT_BYTES_MAX);
    if (!training_champion(run, model, &file, &a, &version, err))
        return false;
    if (version == 0)
        return run_too_little(
            run, err,
            "model \"%s\", whose propensities correct for positions, has no champion yet (parameter \"debias\")",
            model);
    struct str section = artifact_section(&a, "propensity");
    if (!section.p)
        return err_set(err, ERR_INVALID, "parameter \"click_model\": model \"%s\" has no propensities", model);
    if (!lists_read(section, &l, err) || !read_list(run, &l, key, out, err))
        return false;
    run_say(run, "propensities: %s of %s version %d: %.3g, %.3g, %.3g, … of places 1, 2, 3", key, model, version,
            out->examination[0], out->examination[1], out->examination[2]);
    return true;
}

bool rank_click_rules(struct run_context *run, struct click_rules *out, struct err *err)
{
    const char *debias = run->param(run, "debias");
    *out = (struct click_rules){ .clip = run_real(run, "clip"), .prior = run_real(run, "prior") };
    for (uint32_t i = 0; i < SERP_DOCS_MAX; i++)
        out->examination[i] = 1;
    for (int i = 0; i < DEBIAS_COUNT; i++)
        if (strcmp(debias, click_debias_names[i]) == 0)
            out->debias = (enum click_debias)i;
    return out->debias == DEBIAS_NONE || read_champion(run, out, err);
}

/* ---- sums ---- */

static void sum_up(struct rank_clicks *c)
{
    size_t room = 0;
    c->sums = arena_zalloc(c->arena, (c->set.count + 1) * sizeof(struct click_sums *));
    for (size_t i = 0; i < c->set.count; i++)
        click_places_add(&c->places, &c->set.queries[i]);
    for (size_t i = 0; i < c->set.count; i++) {
        const struct serp_query *q = &c->set.queries[i];
        c->sums[i] = arena_zalloc(c->arena, (q->docs_count + 1) * sizeof *c->sums[i]);
        click_sums_add(q, &c->rules, &c->places, c->sums[i]);
        click_sums_total(c->sums[i], q->docs_count, &c->total);
        for (uint32_t k = 0; k < q->docs_count; k++) {
            uint32_t number = intern_add(&c->docs, q->docs[k]);
            if (number >= room) {
                size_t more = room ? 2 * room : 1024;
                c->of_docs = mem_realloc(c->of_docs, more * sizeof *c->of_docs);
                memset(c->of_docs + room, 0, (more - room) * sizeof *c->of_docs);
                room = more;
            }
            click_sums_total(&c->sums[i][k], 1, &c->of_docs[number]);
        }
    }
}

bool rank_clicks_open(struct rank_clicks *c, struct run_context *run, struct arena *arena, const char *what,
                      struct query_window window, uint64_t min_sessions, const struct click_rules *rules,
                      struct err *err)
{
    *c = (struct rank_clicks){ .run = run, .arena = arena, .rules = *rules, .open = true };
    intern_init(&c->docs);
    if (!serp_log_open(&c->log, run, arena, what, window, err) ||
        !serp_log_collect(&c->log, min_sessions, &c->set, err))
        return false;
    sum_up(c);
    return true;
}

void rank_clicks_release(struct rank_clicks *c)
{
    if (!c->open)
        return;
    serp_set_release(&c->set);
    serp_log_close(&c->log);
    intern_release(&c->docs);
    mem_free(c->of_docs);
    *c = (struct rank_clicks){ .open = false };
}

const struct click_sums *rank_clicks_find(const struct rank_clicks *c, struct str query, struct str doc)
{
    const struct serp_query *q = serp_set_find(&c->set, query);
    for (uint32_t k = 0; q && k < q->docs_count; k++)
        if (str_eq(q->docs[k], doc))
            return &c->sums[q - c->set.queries][k];
    return NULL;
}

const struct click_sums *rank_clicks_doc(const struct rank_clicks *c, struct str doc)
{
    uint32_t number = intern_find(&c->docs, doc);
    return number == UINT32_MAX ? NULL : &c->of_docs[number];
}

/* ---- lists ---- */

struct sorted {
    struct str doc;
    uint32_t number;
};

static int by_doc(const void *a, const void *b)
{
    struct str x = ((const struct sorted *)a)->doc, y = ((const struct sorted *)b)->doc;
    int d = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return d ? d : x.n < y.n ? -1 : x.n > y.n;
}

static void add(const struct rank_clicks *c, const enum click_feature *features, uint32_t count, struct str doc,
                const struct click_sums *of_query, struct lists_out *out)
{
    float values[CLICK_FEATURES];
    for (uint32_t i = 0; i < count; i++)
        values[i] = click_feature_value(features[i], of_query, rank_clicks_doc(c, doc), &c->total);
    lists_add(out, doc, values);
}

bool rank_clicks_lists(const struct rank_clicks *c, const enum click_feature *features, uint32_t count,
                       struct lists_out *out, struct err *err)
{
    static const char *names[CLICK_FEATURES];
    (void)err;
    for (uint32_t i = 0; i < count; i++)
        names[i] = click_feature_names[features[i]];
    lists_begin(out, names, count);
    struct sorted *docs = arena_alloc(c->arena, (c->docs.count + 1) * sizeof *docs);
    for (uint32_t i = 0; i < c->docs.count; i++)
        docs[i] = (struct sorted){ c->docs.texts[i], i };
    if (c->docs.count)
        qsort(docs, c->docs.count, sizeof *docs, by_doc);
    lists_key(out, STR(""));
    for (uint32_t i = 0; i < c->docs.count; i++)
        add(c, features, count, docs[i].doc, NULL, out);
    for (size_t i = 0; i < c->set.count; i++) {
        const struct serp_query *q = &c->set.queries[i];
        struct sorted *of = arena_alloc(c->arena, (q->docs_count + 1) * sizeof *of);
        for (uint32_t k = 0; k < q->docs_count; k++)
            of[k] = (struct sorted){ q->docs[k], k };
        qsort(of, q->docs_count, sizeof *of, by_doc);
        lists_key(out, q->text);
        for (uint32_t k = 0; k < q->docs_count; k++)
            add(c, features, count, of[k].doc, &c->sums[i][of[k].number], out);
    }
    return true;
}
