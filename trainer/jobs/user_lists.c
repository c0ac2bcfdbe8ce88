#include "trainer/jobs/user_lists.h"

#include <inttypes.h>

#include "trainer/kernels/items/items.h"
#include "trainer/kernels/record.h"

#define BLOB_MAX ((size_t)8 << 30)
static const char *const user_columns[] = { "score" }, *const seen_columns[] = { "weight" };

struct unit_lists {
    struct lists_out likes, seen;
};

static bool read_entries(const struct matrix *m, struct str *in, struct lists_out *out)
{
    uint32_t count, item;
    float value;
    if (!record_take(in, &count, sizeof count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!record_take(in, &item, sizeof item) || !record_take(in, &value, sizeof value) || item >= m->items)
            return false;
        lists_add(out, m->item_texts[item], &value);
    }
    return true;
}

static bool read_unit(const struct matrix *m, struct str *in, struct unit_lists *out)
{
    struct str unit;
    if (!record_take_text(in, &unit))
        return false;
    lists_key(&out->likes, unit);
    if (!read_entries(m, in, &out->likes))
        return false;
    lists_key(&out->seen, unit);
    return read_entries(m, in, &out->seen);
}

static bool read_units(struct recommender_job *j, const struct engine_result *result, struct err *err)
{
    struct unit_lists out;
    bool ok = true;
    lists_begin(&out.likes, user_columns, COUNT_OF(user_columns));
    lists_begin(&out.seen, seen_columns, COUNT_OF(seen_columns));
    for (uint32_t r = 0; ok && r < result->count; r++)
        for (struct str in = buf_str(&result->parts[r]); ok && in.n;)
            ok = read_unit(&j->m, &in, &out) || err_set(err, ERR_SYSTEM, "the lists of range %u are damaged", r);
    ok = ok && model_file_lists(&j->file, "items_for_user", &out.likes, err) &&
         model_file_lists(&j->file, "seen", &out.seen, err);
    lists_release(&out.likes);
    lists_release(&out.seen);
    return ok;
}

static int lists_blob(struct recommender_job *j, const uint64_t *ends, const struct item_score *entries,
                      struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, BLOB_MAX);
    item_lists_write(&b, j->m.items, ends, entries);
    return buf_ok(&b, "the lists of similar items", err) ? engine_blob(j->run->engine, buf_str(&b), err) : -1;
}

bool user_lists_add(struct recommender_job *j, const uint64_t *ends, const struct item_score *entries, struct err *err)
{
    struct engine_result result;
    const int64_t top = run_whole(j->run, "user_top");
    const int blob = top ? lists_blob(j, ends, entries, err) : -1;
    if (blob < 0)
        return top == 0;
    const struct engine_pass pass = {
        .name = "users",
        .kernel = ITEM_LISTS_USERS_KERNEL,
        .params = arena_printf(&j->arena, "{\"top\":%" PRId64 "}", top),
        .splits = recommender_rows(j),
        .splits_count = j->m.ranges,
        .input_pass = j->m.pass,
        .blobs = &blob,
        .blobs_count = 1,
    };
    bool ran = run_pass(j->run, &pass, &result, err), ok = ran && read_units(j, &result, err);
    if (ran)
        engine_result_release(&result);
    engine_blob_drop(j->run->engine, blob);
    return ok;
}
