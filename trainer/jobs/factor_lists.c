#include "trainer/jobs/factor_lists.h"

#include <stdlib.h>

#include "trainer/jobs/model_file.h"
#include "trainer/kernels/factors/factors.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"

enum { METRICS_MAX = 64 << 10 };
static const char *const score[] = { "score" }, *const cosine[] = { "cosine" }, *const weight[] = { "weight" },
                         *const units[] = { "units" };

/* What the pass over units collected of one. */
struct unit {
    struct str text;
    const char *items, *seen; /* entries, which may lie askew */
    uint32_t items_count, seen_count, number;
};

struct making {
    const struct factor_lists *f;
    struct arena *arena;
    struct engine_result of_units;
    struct unit *units;   /* by number */
    struct unit **sorted; /* by text */
    size_t count;
    struct model_file file;
};

static struct factors_entry entry_at(const char *p, uint32_t i)
{
    struct factors_entry e;
    memcpy(&e, p + i * sizeof e, sizeof e);
    return e;
}

/* ---- passes ---- */

static bool pass(const struct factor_lists *f, const char *name, const char *kernel, bool by_item, uint32_t top,
                 const int *blobs, size_t blobs_count, struct engine_result *out, struct err *err)
{
    const struct matrix *m = f->m;
    const uint32_t count = by_item ? m->parts : m->ranges;
    struct engine_split *splits = arena_alloc(m->arena, count * sizeof *splits);
    for (uint32_t i = 0; i < count; i++)
        splits[i] = by_item ? matrix_part(m, i) : matrix_range(m, i);
    const struct engine_pass p = {
        .name = name,
        .kernel = kernel,
        .params = arena_printf(m->arena, "{\"rank\":%u,\"columns\":%u,\"top\":%u}", f->row_rank, f->rank, top),
        .splits = splits,
        .splits_count = count,
        .input_pass = by_item ? m->by_item_pass : m->pass,
        .blobs = blobs,
        .blobs_count = blobs_count,
    };
    return run_pass(m->run, &p, out, err);
}

/* ---- units ---- */

static bool take_entries(struct str *in, const char **out, uint32_t *count)
{
    if (!record_take(in, count, sizeof *count) || in->n / sizeof(struct factors_entry) < *count)
        return false;
    *out = in->p;
    in->p += *count * sizeof(struct factors_entry);
    in->n -= *count * sizeof(struct factors_entry);
    return true;
}

static int by_text(const void *a, const void *b)
{
    const struct unit *const *x = a, *const *y = b;
    return pair_text_compare((*x)->text, (*y)->text);
}

static bool read_units(struct making *k, struct err *err)
{
    k->units = arena_alloc(k->arena, (k->f->m->units + 1) * sizeof *k->units);
    k->sorted = arena_alloc(k->arena, (k->f->m->units + 1) * sizeof *k->sorted);
    for (uint32_t i = 0; i < k->of_units.count; i++)
        for (struct str in = buf_str(&k->of_units.parts[i]); in.n; k->count++) {
            struct unit *u = &k->units[k->count];
            if (k->count >= k->f->m->units || !record_take_text(&in, &u->text) ||
                !take_entries(&in, &u->items, &u->items_count) || !take_entries(&in, &u->seen, &u->seen_count))
                return err_set(err, ERR_SYSTEM, "the lists of range %u are damaged", i);
            k->sorted[k->count] = u;
        }
    if (k->count)
        qsort(k->sorted, k->count, sizeof *k->sorted, by_text);
    return true;
}

static void add_items(const struct making *k, struct lists_out *o, const char *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct factors_entry e = entry_at(entries, i);
        lists_add(o, k->f->m->item_texts[e.number], &e.value);
    }
}

static bool add_units(struct making *k, struct err *err)
{
    struct lists_out for_user, seen;
    lists_begin(&for_user, score, 1);
    lists_begin(&seen, weight, 1);
    for (size_t i = 0; i < k->count; i++) {
        const struct unit *u = k->sorted[i];
        lists_key(&for_user, u->text);
        add_items(k, &for_user, u->items, u->items_count);
        lists_key(&seen, u->text);
        add_items(k, &seen, u->seen, u->seen_count);
    }
    if (model_file_lists(&k->file, "items_for_user", &for_user, err))
        return model_file_lists(&k->file, "seen", &seen, err);
    lists_release(&seen);
    return false;
}

/* ---- items ---- */

typedef struct str (*name_fn)(const struct making *k, uint32_t number);

static struct str item_name(const struct making *k, uint32_t number)
{
    return k->f->m->item_texts[number];
}

static struct str unit_name(const struct making *k, uint32_t number)
{
    return k->units[number].text;
}

/* Lists of all items in their order, part by part. */
static bool add_by_item(struct making *k, const char *section, const char *const *column, name_fn name,
                        const struct engine_result *result, struct err *err)
{
    struct lists_out o;
    const char *entries;
    uint32_t item = 0, count;
    lists_begin(&o, column, 1);
    for (uint32_t i = 0; i < result->count; i++)
        for (struct str in = buf_str(&result->parts[i]); in.n; item++) {
            if (item >= k->f->m->items || !take_entries(&in, &entries, &count)) {
                lists_release(&o);
                return err_set(err, ERR_SYSTEM, "the lists of part %u are damaged", i);
            }
            lists_key(&o, k->f->m->item_texts[item]);
            for (uint32_t j = 0; j < count; j++) {
                struct factors_entry e = entry_at(entries, j);
                lists_add(&o, name(k, e.number), &e.value);
            }
        }
    return model_file_lists(&k->file, section, &o, err);
}

static bool add_similar(struct making *k, struct err *err)
{
    const struct factor_lists *f = k->f;
    struct engine_result r;
    if (!pass(f, "similar items", FACTORS_SIMILAR_KERNEL, true, (uint32_t)run_whole(f->m->run, "num_similar"),
              &f->items_blob, 1, &r, err))
        return false;
    bool ok = add_by_item(k, "items_for_item", cosine, item_name, &r, err);
    engine_result_release(&r);
    return ok;
}

static bool add_users(struct making *k, struct err *err)
{
    const struct factor_lists *f = k->f;
    const int blobs[] = { f->units_blob, f->items_blob };
    uint32_t top = (uint32_t)run_whole(f->m->run, "num_users");
    struct engine_result r;
    if (top == 0)
        return true;
    if (!pass(f, "units for items", FACTORS_ITEMS_KERNEL, true, top, blobs, COUNT_OF(blobs), &r, err))
        return false;
    bool ok = add_by_item(k, "users_for_item", score, unit_name, &r, err);
    engine_result_release(&r);
    return ok;
}

/* ---- the rest ---- */

struct popular {
    uint32_t item, units;
};

static int by_units(const void *a, const void *b)
{
    const struct popular *x = a, *y = b;
    if (x->units != y->units)
        return x->units < y->units ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

static bool add_popular(struct making *k, struct err *err)
{
    const struct matrix *m = k->f->m;
    uint32_t top = (uint32_t)run_whole(m->run, "num_items");
    struct popular *all = arena_alloc(k->arena, (m->items + 1) * sizeof *all);
    struct lists_out o;
    for (uint32_t i = 0; i < m->items; i++)
        all[i] = (struct popular){ i, m->item_units[i] };
    qsort(all, m->items, sizeof *all, by_units);
    lists_begin(&o, units, 1);
    lists_key(&o, STR(""));
    for (uint32_t i = 0; i < m->items && i < top && all[i].units; i++) {
        const float n = (float)all[i].units;
        lists_add(&o, m->item_texts[all[i].item], &n);
    }
    return model_file_lists(&k->file, "popular", &o, err);
}

static bool add_factors(struct making *k, struct err *err)
{
    const struct factor_lists *f = k->f;
    const uint32_t items = f->m->items;
    float *vectors = arena_alloc(k->arena, (items * (size_t)f->rank + 1) * sizeof *vectors);
    float *biases = arena_alloc(k->arena, (items + 1) * sizeof *biases);
    for (uint32_t i = 0; i < items; i++) {
        memcpy(vectors + i * (size_t)f->rank, f->items + i * f->stride, f->rank * sizeof *vectors);
        biases[i] = f->row_rank > f->rank ? f->items[i * f->stride + f->rank] : 0;
    }
    const struct factors_out out = { .fold = f->fold,
                                     .rank = f->rank,
                                     .items = items,
                                     .texts = f->m->item_texts,
                                     .vectors = vectors,
                                     .biases = f->row_rank > f->rank ? biases : NULL,
                                     .alpha = f->alpha,
                                     .lambda = f->lambda };
    struct buf *b = model_file_section(&k->file);
    bool ok = factors_write(&out, b, err);
    artifact_add(&k->file.out, "factors", buf_str(b));
    return ok;
}

static bool make(struct making *k, struct training *t, struct err *err)
{
    const struct factor_lists *f = k->f;
    const int blobs[] = { f->units_blob, f->items_blob };
    return pass(f, "items for units", FACTORS_UNITS_KERNEL, false, (uint32_t)run_whole(f->m->run, "num_items"), blobs,
                COUNT_OF(blobs), &k->of_units, err) &&
           read_units(k, err) && add_units(k, err) && add_similar(k, err) && add_users(k, err) && add_popular(k, err) &&
           add_factors(k, err) && model_file_end(&k->file, f->m->run, t, err);
}

/* What the gate says, and the loss behind it. */
static void add_loss(struct buf *metrics, double loss)
{
    if (metrics->n > 2)
        metrics->p[metrics->n - 1] = ',';
    else {
        buf_clear(metrics);
        buf_add_byte(metrics, '{');
    }
    buf_add_c(metrics, "\"loss\":{\"value\":");
    buf_add_json_double(metrics, loss);
    buf_add_c(metrics, "}}");
}

static bool gate_and_publish(const struct factor_lists *f, struct training *t, double loss, struct err *err)
{
    AUTO(buf_release) struct buf metrics;
    struct gate_outcome gate;
    buf_init(&metrics, METRICS_MAX);
    if (!gate_recommender(f->m->run, f->m, t->file, &gate, &metrics, err))
        return false;
    add_loss(&metrics, loss);
    t->metrics = buf_str(&metrics);
    return buf_ok(&metrics, "the metrics", err) && training_publish(f->m->run, t, &gate, err);
}

bool factor_lists_publish(const struct factor_lists *f, uint64_t seed, double loss, struct err *err)
{
    const struct matrix *m = f->m;
    struct making k = { .f = f, .arena = m->arena };
    struct training t = { .model = training_model(m->run),
                          .from = m->from,
                          .until = m->until,
                          .eval_from = m->eval_from,
                          .eval_until = m->eval_until,
                          .days = m->days_count,
                          .seed = seed,
                          .rows = m->cells,
                          .units = m->units,
                          .items = m->items };
    model_file_begin(&k.file, "recommender");
    bool ok = make(&k, &t, err) && gate_and_publish(f, &t, loss, err);
    model_file_release(&k.file);
    engine_result_release(&k.of_units);
    return ok;
}
