#include "model/classifier.h"

#include <assert.h>
#include <endian.h>
#include <math.h>

#include "model/softmax.h"

static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "sections are used as they lie");

enum { VERSION = 1 };
/* Of weights of 32 bits divided by it no score is infinite: softmax() takes none that is. */
#define TEMPERATURE_MIN 1e-6
#define TEMPERATURE_MAX 1e6
struct head {
    uint32_t version, bits, chars_min, chars_max, words_max, classes, rows, label_bytes;
    double temperature;
};
static_assert(sizeof(struct head) == 40, "no padding");

static size_t bytes_of(const struct head *h)
{
    return sizeof *h + 8 * (size_t)h->classes + 4 * ((size_t)1 << h->bits) + 4 * (size_t)h->rows +
           4 * (size_t)h->rows * h->classes + h->label_bytes;
}

/* ---- writing ---- */

static void put_float(struct buf *b, double v)
{
    const float f = (float)v;
    buf_add(b, &f, sizeof f);
}

bool classifier_write(const struct classifier_parts *p, struct buf *out, struct err *err)
{
    struct head h = {
        VERSION, p->rules.bits, p->rules.chars_min, p->rules.chars_max, p->rules.words_max, p->classes, p->rows,
        0,       p->temperature
    };
    for (uint32_t k = 0; k < p->classes; k++)
        h.label_bytes += (uint32_t)p->labels[k].n;
    buf_add(out, &h, sizeof h);
    for (uint32_t k = 0, end = 0; k < p->classes; k++) {
        end += (uint32_t)p->labels[k].n;
        buf_add(out, &end, sizeof end);
    }
    for (uint32_t k = 0; k < p->classes; k++)
        put_float(out, p->bias[k]);
    buf_add(out, p->slots, sizeof *p->slots << p->rules.bits);
    buf_add(out, p->idf, sizeof *p->idf * p->rows);
    for (size_t i = 0; i < (size_t)p->rows * p->classes; i++)
        put_float(out, p->weights[i]);
    for (uint32_t k = 0; k < p->classes; k++)
        buf_add_str(out, p->labels[k]);
    return buf_ok(out, "the classifier", err);
}

/* ---- reading ---- */

static bool check_head(struct str s, struct head *h, struct err *err)
{
    if (s.n < sizeof *h)
        return err_set(err, ERR_INVALID, "section \"classifier\" has only %zu bytes", s.n);
    memcpy(h, s.p, sizeof *h);
    const struct classifier_rules rules = { h->bits, h->chars_min, h->chars_max, h->words_max };
    if (h->version != VERSION)
        return err_set(err, ERR_INVALID, "section \"classifier\" has version %u, not %d", h->version, VERSION);
    if (!classifier_rules_check(&rules, err))
        return err_prefix(err, "section \"classifier\": ");
    if (h->classes < 2 || h->classes > CLASSIFIER_CLASSES_MAX)
        return err_set(err, ERR_INVALID, "section \"classifier\" has %u classes, not 2 to %d", h->classes,
                       CLASSIFIER_CLASSES_MAX);
    if ((uint64_t)h->rows * h->classes > CLASSIFIER_CELLS_MAX || h->rows > UINT32_C(1) << h->bits ||
        h->label_bytes > CLASSIFIER_CLASSES_MAX * CLASSIFIER_LABEL_MAX || s.n != bytes_of(h))
        return err_set(err, ERR_INVALID, "section \"classifier\" has %zu bytes, which are not those of its parts", s.n);
    return (h->temperature >= TEMPERATURE_MIN && h->temperature <= TEMPERATURE_MAX) ||
           err_set(err, ERR_INVALID, "section \"classifier\" has temperature %g, not %g to %g", h->temperature,
                   TEMPERATURE_MIN, TEMPERATURE_MAX);
}

static bool check_labels(const struct classifier *c, uint32_t bytes, struct err *err)
{
    uint32_t from = 0;
    for (uint32_t k = 0; k < c->classes; from = c->label_ends[k++]) {
        const uint32_t end = c->label_ends[k];
        if (end <= from || end > bytes || end - from > CLASSIFIER_LABEL_MAX ||
            !str_is_utf8((struct str){ c->labels + from, end - from }))
            return err_set(err, ERR_INVALID, "section \"classifier\": label %u is damaged", k);
    }
    return from == bytes || err_set(err, ERR_INVALID, "section \"classifier\" has more labels than classes");
}

static bool all_finite(const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return false;
    return true;
}

static bool check_table(const struct classifier *c, struct err *err)
{
    for (size_t i = 0; i < (size_t)1 << c->table.bits; i++)
        if (c->table.slots[i] > c->table.rows)
            return err_set(err, ERR_INVALID, "section \"classifier\": bucket %zu has row %u of %u", i,
                           c->table.slots[i] - 1, c->table.rows);
    return (all_finite(c->bias, c->classes) && all_finite(c->table.idf, c->table.rows) &&
            all_finite(c->weights, (size_t)c->table.rows * c->classes)) ||
           err_set(err, ERR_INVALID, "section \"classifier\": a weight is not finite");
}

bool classifier_open(const struct artifact *a, struct classifier *out, struct err *err)
{
    const struct str s = artifact_section(a, "classifier");
    struct head h;
    if (!s.p)
        return err_set(err, ERR_INVALID, "the artifact has no section \"classifier\"");
    if (!check_head(s, &h, err))
        return false;
    struct classifier c = { .rules = { h.bits, h.chars_min, h.chars_max, h.words_max },
                            .temperature = h.temperature,
                            .classes = h.classes };
    if ((uintptr_t)s.p % sizeof(uint32_t) != 0)
        return err_set(err, ERR_INVALID, "section \"classifier\" lies askew");
    c.label_ends = (const uint32_t *)(const void *)(s.p + sizeof h);
    c.bias = (const float *)(const void *)(c.label_ends + h.classes);
    c.table = (struct classifier_table){ .bits = h.bits, .rows = h.rows };
    c.table.slots = (const uint32_t *)(const void *)(c.bias + h.classes);
    c.table.idf = (const float *)(const void *)(c.table.slots + ((size_t)1 << h.bits));
    c.weights = c.table.idf + h.rows;
    c.labels = (const char *)(c.weights + (size_t)h.rows * h.classes);
    if (!check_labels(&c, h.label_bytes, err) || !check_table(&c, err))
        return false;
    *out = c;
    return true;
}

struct str classifier_label(const struct classifier *c, uint32_t class)
{
    const uint32_t from = class ? c->label_ends[class - 1] : 0;
    return (struct str){ c->labels + from, c->label_ends[class] - from };
}

/* ---- answering ---- */

void classifier_predict(const struct classifier *c, struct str text, struct classifier_work *w)
{
    classifier_read(&c->rules, text, &w->text);
    w->features_count = classifier_vector(&c->table, &w->text, w->features);
    for (uint32_t k = 0; k < c->classes; k++)
        w->p[k] = (double)c->bias[k];
    for (uint32_t i = 0; i < w->features_count; i++) {
        const float *row = c->weights + (size_t)w->features[i].id * c->classes;
        const double v = w->features[i].value;
        for (uint32_t k = 0; k < c->classes; k++)
            w->p[k] += v * (double)row[k];
    }
    for (uint32_t k = 0; k < c->classes; k++)
        w->p[k] /= c->temperature;
    (void)softmax(w->p, c->classes);
}

uint32_t classifier_best(const struct classifier *c, const struct classifier_work *w, uint32_t n,
                         struct classifier_best *out)
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < c->classes; k++) {
        if (count == n && (n == 0 || w->p[k] <= out[n - 1].p))
            continue;
        uint32_t at = count < n ? count++ : n - 1;
        for (; at > 0 && out[at - 1].p < w->p[k]; at--)
            out[at] = out[at - 1];
        out[at] = (struct classifier_best){ k, w->p[k] };
    }
    return count;
}

static double weight_of(const struct classifier *c, uint32_t row, uint32_t class)
{
    const float *weights = c->weights + (size_t)row * c->classes;
    double mean = 0;
    for (uint32_t k = 0; k < c->classes; k++)
        mean += (double)weights[k];
    return (double)weights[class] - mean / c->classes;
}

static const struct classifier_feature *find(const struct classifier_work *w, uint32_t row)
{
    for (uint32_t i = 0; i < w->features_count; i++)
        if (w->features[i].id == row)
            return &w->features[i];
    return NULL;
}

static bool is_first(const struct classifier_text *t, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (t->grams[j].bucket == t->grams[i].bucket)
            return false;
    return true;
}

/* N-grams that share a bucket are told as the first of them. */
uint32_t classifier_explain(const struct classifier *c, const struct classifier_work *w, uint32_t class, uint32_t n,
                            struct classifier_why *out)
{
    const struct classifier_text *t = &w->text;
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->grams_count && n; i++) {
        const uint32_t slot = c->table.slots[t->grams[i].bucket];
        const struct classifier_feature *f = slot && is_first(t, i) ? find(w, slot - 1) : NULL;
        if (!f)
            continue;
        const struct classifier_why why = { { t->text + t->grams[i].at, t->grams[i].n },
                                            t->grams[i].word,
                                            f->value * weight_of(c, f->id, class) / c->temperature };
        if (count == n && fabs(why.weight) <= fabs(out[n - 1].weight))
            continue;
        uint32_t at = count < n ? count++ : n - 1;
        for (; at > 0 && fabs(out[at - 1].weight) < fabs(why.weight); at--)
            out[at] = out[at - 1];
        out[at] = why;
    }
    return count;
}
