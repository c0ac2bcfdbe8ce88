#include "trainer/jobs/cluster_words.h"

#include "model/vectors.h"
#include "trainer/models/training.h"

static bool fill(struct doc_vectors *v, const struct factors *f, const struct str *texts, float *rows, struct err *err)
{
    uint32_t known = 0, number;
    for (uint32_t t = 0; t < v->terms; t++)
        if (texts[t].p && factors_find(f, texts[t], &number)) {
            factors_vector(f, number, rows + (size_t)t * f->rank);
            known++;
        }
    run_say(v->run, "of %u terms %u have a vector of model \"%s\"", v->terms, known, v->run->param(v->run, "vectors"));
    return known > 0 || err_set(err, ERR_INVALID, "parameter \"vectors\": model \"%s\" knows no word of the catalogue",
                                v->run->param(v->run, "vectors"));
}

static bool read_model(struct doc_vectors *v, const struct artifact *a, struct factors *out, struct err *err)
{
    return strcmp(a->kind, VECTORS_KIND) != 0
               ? err_set(err, ERR_INVALID, "parameter \"vectors\": model \"%s\" is of kind %s, not %s",
                         v->run->param(v->run, "vectors"), a->kind, VECTORS_KIND)
               : factors_read(artifact_section(a, "words"), out, v->arena, err);
}

bool cluster_words_load(struct doc_vectors *v, const float **out_rows, uint32_t *out_dims, struct err *err)
{
    const char *model = v->run->param(v->run, "vectors");
    AUTO(buf_release) struct buf file;
    struct artifact a;
    struct factors f;
    int version;
    *out_rows = NULL;
    *out_dims = 0;
    buf_init(&file, ARTIFACT_BYTES_MAX);
    if (!model)
        return true;
    if (!training_champion(v->run, model, &file, &a, &version, err))
        return false;
    if (!version)
        return err_set(err, ERR_INVALID, "parameter \"vectors\": there is no model \"%s\" with a champion", model);
    if (!read_model(v, &a, &f, err))
        return false;
    uint64_t *keys = arena_alloc(v->arena, ((size_t)v->terms + 1) * sizeof *keys);
    struct str *texts = arena_alloc(v->arena, ((size_t)v->terms + 1) * sizeof *texts);
    float *rows = arena_zalloc(v->arena, ((size_t)v->terms * f.rank + 1) * sizeof *rows);
    for (uint32_t t = 0; t < v->terms; t++)
        keys[t] = doc_vectors_word(v, t)->key;
    *out_rows = rows;
    *out_dims = f.rank;
    return doc_vectors_terms(v, keys, v->terms, texts, err) && fill(v, &f, texts, rows, err);
}
