#include "experimentd/serving/classify_ask.h"

#include <assert.h>

#include "base/jsonw.h"
#include "experimentd/serving/fields.h"
#include "experimentd/serving/serving.h"
#include "model/classifier.h"

enum { TEXT_BYTES = 8 << 10, N_DEFAULT = 3 };
enum name { TEXT, N, MIN_SCORE, EXPLAIN, NAME_COUNT };
static const struct field names[] = {
    [TEXT] = { "text", FIELD_TEXT },
    [N] = { "n", FIELD_NUMBER },
    [MIN_SCORE] = { "min_score", FIELD_NUMBER },
    [EXPLAIN] = { "explain", FIELD_NUMBER },
};
static_assert(COUNT_OF(names) == NAME_COUNT, "one row each");

struct ask {
    struct str text;
    double n, min_score, explain;
};

static bool read_ask(const struct assign_value *input, struct ask *a, struct err *err)
{
    struct assign_value v[NAME_COUNT];
    return fields_of_object(input, names, NAME_COUNT, v, err) &&
           field_short(&v[TEXT], "text", true, TEXT_BYTES, &a->text, err) &&
           field_number(&v[N], "n", 1, CLASSIFIER_N_MAX, true, N_DEFAULT, &a->n, err) &&
           field_number(&v[MIN_SCORE], "min_score", 0, 1, false, 0, &a->min_score, err) &&
           field_number(&v[EXPLAIN], "explain", 0, CLASSIFIER_WHY_MAX, true, 0, &a->explain, err);
}

static void write_why(struct jsonw *w, const struct classifier *c, const struct classifier_work *work, uint32_t class,
                      uint32_t n)
{
    struct classifier_why why[CLASSIFIER_WHY_MAX];
    const uint32_t count = classifier_explain(c, work, class, n, why);
    jsonw_open(w, "explanation", '[');
    for (uint32_t i = 0; i < count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "ngram", why[i].gram);
        jsonw_text(w, "of", why[i].word ? "words" : "characters");
        jsonw_double(w, "weight", why[i].weight);
        jsonw_close(w);
    }
    jsonw_close(w);
}

bool classify_answer(const struct assign_value *input, const struct serving_entry *e, struct arena *arena,
                     struct buf *out, struct err *err)
{
    const struct classifier *c = e->served->view;
    struct classifier_work *work = arena_alloc(arena, sizeof *work);
    struct classifier_best best[CLASSIFIER_N_MAX];
    struct ask a;
    struct jsonw w;
    if (!read_ask(input, &a, err))
        return false;
    classifier_predict(c, a.text, work);
    const uint32_t n = classifier_best(c, work, (uint32_t)a.n, best);
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "classes", '[');
    for (uint32_t i = 0; i < n && best[i].p >= a.min_score; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_str(&w, "label", classifier_label(c, best[i].class));
        jsonw_double(&w, "score", best[i].p);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_bool(&w, "known", work->features_count > 0); /* false: nothing of the text was seen in training */
    if (a.explain > 0)
        write_why(&w, c, work, best[0].class, (uint32_t)a.explain);
    jsonw_close(&w);
    return true;
}
