#include "experimentd/serving/vectors_ask.h"

#include <assert.h>

#include "experimentd/ingest/signal.h"
#include "experimentd/serving/fields.h"
#include "experimentd/serving/write.h"
#include "model/query_text.h"
#include "model/vectors.h"

enum { TEXT_MAX = 1 << 20, N_DEFAULT = 10, LIST_MAX = 100 };

enum name { WORD, TEXT, PLUS, MINUS, DOC, OF, N, NAME_COUNT };
static const struct field names[] = {
    [WORD] = { "word", FIELD_TEXT },   [TEXT] = { "text", FIELD_TEXT }, [PLUS] = { "plus", FIELD_LIST },
    [MINUS] = { "minus", FIELD_LIST }, [DOC] = { "doc", FIELD_TEXT },   [OF] = { "of", FIELD_TEXT },
    [N] = { "n", FIELD_NUMBER },
};
static_assert(COUNT_OF(names) == NAME_COUNT && (int)NAME_COUNT <= (int)FIELDS_MAX, "one row each");

/* A word in the form in which training has it. */
static void add_word(struct vectors_sum *s, const struct vectors *v, struct str word, float sign)
{
    char normal[QUERY_TEXT_MAX];
    vectors_sum_word(s, v, query_text(word, normal), sign);
}

static bool add_list(struct vectors_sum *s, const struct vectors *v, const struct assign_value *list, const char *name,
                     float sign, struct err *err)
{
    const uint32_t n = list->type == ASSIGN_ARRAY ? list->count : 0;
    if (n > LIST_MAX)
        return err_set(err, ERR_TOO_LARGE, "field \"%s\" has more than %d elements", name, LIST_MAX);
    for (uint32_t i = 0; i < n; i++) {
        struct str word;
        if (!field_short(&list->items[i], name, true, SIGNAL_QUERY_MAX, &word, err))
            return false;
        add_word(s, v, word, sign);
    }
    return true;
}

static bool add_doc(struct vectors_sum *s, const struct vectors *v, struct str doc, struct err *err)
{
    uint32_t number;
    if (!v->has_documents)
        return err_set(err, ERR_INVALID, "field \"doc\": the model has no vectors of documents");
    s->asked++;
    if (factors_find(&v->documents, doc, &number)) {
        factors_vector(&v->documents, number, s->sum);
        s->known++;
    }
    return true;
}

static bool read_sum(const struct assign_value *v, const struct vectors *model, struct vectors_sum *s, struct err *err)
{
    struct str word, text, doc;
    const bool lists = v[PLUS].type == ASSIGN_ARRAY || v[MINUS].type == ASSIGN_ARRAY;
    if (!field_short(&v[WORD], "word", false, SIGNAL_QUERY_MAX, &word, err) ||
        !field_short(&v[TEXT], "text", false, TEXT_MAX, &text, err) ||
        !field_short(&v[DOC], "doc", false, SIGNAL_DOC_MAX, &doc, err))
        return false;
    if ((word.p != NULL) + (text.p != NULL) + (doc.p != NULL) + lists != 1)
        return err_set(err, ERR_INVALID,
                       "one of the fields \"word\", \"text\", \"doc\", or \"plus\" and \"minus\", is needed");
    if (word.p)
        add_word(s, model, word, 1);
    if (text.p)
        vectors_sum_text(s, model, text);
    if (doc.p)
        return add_doc(s, model, doc, err);
    return add_list(s, model, &v[PLUS], "plus", 1, err) && add_list(s, model, &v[MINUS], "minus", -1, err);
}

static bool read_of(const struct assign_value *v, const struct vectors *model, bool *out_documents, struct err *err)
{
    const struct str of = field_text(v);
    *out_documents = of.p && str_eq_c(of, "documents");
    if (of.p && !*out_documents && !str_eq_c(of, "words"))
        return err_set(err, ERR_INVALID, "field \"of\" is \"" STR_FMT "\"; known are: words, documents",
                       STR_ARG(str_cut(of, 64)));
    return !*out_documents || model->has_documents ||
           err_set(err, ERR_INVALID, "field \"of\": the model has no vectors of documents");
}

bool vectors_answer(const struct assign_value *input, const struct serving_entry *e, struct arena *arena,
                    struct buf *out, struct err *err)
{
    const struct vectors *model = e->served->view;
    struct assign_value *v = arena_alloc(arena, NAME_COUNT * sizeof *v);
    struct vectors_near *near = NULL;
    struct vectors_sum s;
    bool documents;
    double n;
    vectors_sum_init(&s, model, arena);
    if (!fields_of_object(input, names, NAME_COUNT, v, err) ||
        !field_number(&v[N], "n", 1, VECTORS_N_MAX, true, N_DEFAULT, &n, err) ||
        !read_of(&v[OF], model, &documents, err) || !read_sum(v, model, &s, err))
        return false;
    const size_t count = vectors_nearest(model, &s, documents, (size_t)n, arena, &near);
    const struct factors *f = documents ? &model->documents : &model->words;
    buf_add_c(out, "{\"nearest\":[");
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "%s{\"%s\":", i ? "," : "", documents ? "doc" : "word");
        buf_add_json_str(out, factors_text(f, near[i].number));
        buf_add_c(out, ",\"cosine\":");
        write_score(out, near[i].cosine);
        buf_add_byte(out, '}');
    }
    buf_addf(out, "],\"known\":%u,\"unknown\":%u%s}", s.known, s.asked - s.known,
             s.known ? "" : ",\"note\":\"nothing_known\"");
    return true;
}
