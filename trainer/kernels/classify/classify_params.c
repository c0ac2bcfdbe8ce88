#include <stddef.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/kernels/classify/classify.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"

enum { JSON_MAX = 16384 };
#define OTHER_HASH UINT64_C(0xD6E8FEB86659FD93)

enum type { TEXT, WHOLE, REAL, FLAG };
struct field {
    const char *name;
    enum type type;
    size_t at;
};
#define FIELD(name, type, member)                            \
    {                                                        \
        name, type, offsetof(struct classify_params, member) \
    }
static const struct field fields[] = {
    FIELD("set", TEXT, set),
    FIELD("bits", WHOLE, rules.bits),
    FIELD("chars_min", WHOLE, rules.chars_min),
    FIELD("chars_max", WHOLE, rules.chars_max),
    FIELD("words_max", WHOLE, rules.words_max),
    FIELD("holdout", REAL, holdout),
    FIELD("calibration", REAL, calibration),
    FIELD("by_weight", FLAG, by_weight),
    FIELD("classes", WHOLE, classes),
    FIELD("rows", WHOLE, rows),
    FIELD("low", REAL, low),
    FIELD("step", REAL, step),
    FIELD("temperatures", WHOLE, temperatures),
    FIELD("champion", FLAG, champion),
};

bool classify_params_read(struct str json, struct arena *arena, struct classify_params *out, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return false;
    *out = (struct classify_params){ .classes = 0 };
    json_reader_open(&r, root, "params");
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct field *f = &fields[i];
        char *at = (char *)out + f->at;
        int64_t whole = 0;
        if (f->type == TEXT)
            (void)json_get_str(&r, f->name, JSON_REQUIRED, (struct str *)(void *)at, arena);
        else if (f->type == REAL)
            (void)json_get_double(&r, f->name, JSON_REQUIRED, (double *)(void *)at);
        else if (f->type == FLAG)
            (void)json_get_bool(&r, f->name, JSON_REQUIRED, (bool *)at);
        else if (json_get_i64(&r, f->name, JSON_REQUIRED, &whole))
            *(uint32_t *)(void *)at = (uint32_t)whole;
    }
    return json_reader_close(&r, err) && classifier_rules_check(&out->rules, err);
}

bool classify_params_write(const struct classify_params *p, struct arena *arena, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct field *f = &fields[i];
        const char *at = (const char *)p + f->at;
        if (f->type == TEXT)
            jsonw_str(&w, f->name, *(const struct str *)(const void *)at);
        else if (f->type == REAL)
            jsonw_double(&w, f->name, *(const double *)(const void *)at);
        else if (f->type == FLAG)
            jsonw_bool(&w, f->name, *(const bool *)at);
        else
            jsonw_i64(&w, f->name, *(const uint32_t *)(const void *)at);
    }
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

/* ---- parts ---- */

static uint64_t hash_of(const struct classifier_text *t)
{
    return hash64((struct str){ t->text, t->n });
}

enum classify_part classify_part_of(const struct classify_params *p, const struct classifier_text *t)
{
    const double u = (double)(hash_of(t) >> 11) * 0x1p-53;
    return u < p->holdout ? CLASSIFY_JUDGE : u < p->holdout + p->calibration ? CLASSIFY_CALIBRATE : CLASSIFY_TRAIN;
}

uint32_t classify_group_of(const struct classifier_text *t, uint32_t groups)
{
    return (uint32_t)((hash_of(t) * OTHER_HASH >> 32) % groups);
}

/* ---- labels ---- */

bool classify_labels_read(struct str blob, struct arena *arena, struct classify_labels *out, struct err *err)
{
    struct str *labels = arena_alloc(arena, CLASSIFIER_CLASSES_MAX * sizeof *labels);
    for (*out = (struct classify_labels){ labels, 0 }; blob.n; out->count++)
        if (out->count == CLASSIFIER_CLASSES_MAX || !record_take_text(&blob, &labels[out->count]))
            return err_set(err, ERR_SYSTEM, "the labels are damaged");
    return true;
}

uint32_t classify_label_find(const struct classify_labels *l, struct str label)
{
    uint32_t low = 0, high = l->count;
    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;
        const int d = pair_text_compare(l->labels[mid], label);
        if (d == 0)
            return mid;
        if (d < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return UINT32_MAX;
}

/* ---- the table ---- */

void classify_table_write(const struct classifier_table *t, const double *class_weights, uint32_t classes,
                          struct buf *out)
{
    record_put(out, &t->bits, sizeof t->bits);
    record_put(out, &t->rows, sizeof t->rows);
    record_put(out, class_weights, classes * sizeof *class_weights);
    record_put(out, t->slots, sizeof *t->slots << t->bits);
    record_put(out, t->idf, t->rows * sizeof *t->idf);
}

bool classify_table_read(struct str blob, uint32_t classes, struct classifier_table *out,
                         const double **out_class_weights, struct err *err)
{
    struct classifier_table t = { .rows = 0 };
    if (!record_take(&blob, &t.bits, sizeof t.bits) || !record_take(&blob, &t.rows, sizeof t.rows) ||
        t.bits > CLASSIFIER_BITS_MAX ||
        blob.n != classes * sizeof(double) + (sizeof *t.slots << t.bits) + t.rows * sizeof *t.idf)
        return err_set(err, ERR_SYSTEM, "the table of buckets is damaged");
    *out_class_weights = (const double *)(const void *)blob.p;
    t.slots = (const uint32_t *)(const void *)(blob.p + classes * sizeof(double));
    t.idf = (const float *)(const void *)(t.slots + ((size_t)1 << t.bits));
    *out = t;
    return true;
}
