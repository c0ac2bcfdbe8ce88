#include "trainer/kernels/queries/query_record.h"

/* ---- writing ---- */

static void put_u64(struct buf *b, uint64_t v)
{
    record_put(b, &v, sizeof v);
}

static void put_list(struct buf *b, const struct query_list *l)
{
    record_put(b, &l->count, sizeof l->count);
    for (uint32_t i = 0; i < l->count; i++) {
        record_put_text(b, l->entries[i].text);
        put_u64(b, l->entries[i].count);
    }
}

void query_record_write(struct buf *out, const struct query_record *q)
{
    const size_t begin = record_begin(out);
    record_put_text(out, q->text);
    put_u64(out, q->searches);
    put_u64(out, q->zero_results);
    put_u64(out, q->clicks);
    put_u64(out, q->sessions);
    put_u64(out, q->units);
    for (int k = 0; k < QUERY_LIST_KIND_COUNT; k++)
        put_list(out, &q->lists[k]);
    record_end(out, begin);
}

/* ---- reading ---- */

static bool take_list(struct str *in, struct arena *arena, struct query_list *out)
{
    uint32_t count;
    if (!record_take(in, &count, sizeof count) || count > QUERY_LIST_MAX)
        return false;
    struct query_entry *entries = arena_alloc(arena, (count + 1) * sizeof *entries);
    for (uint32_t i = 0; i < count; i++)
        if (!record_take_text(in, &entries[i].text) || !record_take(in, &entries[i].count, sizeof entries[i].count))
            return false;
    *out = (struct query_list){ entries, count };
    return true;
}

static bool take_head(struct str *in, struct query_record *out)
{
    return record_take_text(in, &out->text) && record_take(in, &out->searches, sizeof out->searches) &&
           record_take(in, &out->zero_results, sizeof out->zero_results) &&
           record_take(in, &out->clicks, sizeof out->clicks) && record_take(in, &out->sessions, sizeof out->sessions) &&
           record_take(in, &out->units, sizeof out->units);
}

bool query_record_read(struct str *block, struct arena *arena, struct query_record *out, struct str *out_bytes)
{
    struct str left = *block, rest;
    *out = (struct query_record){ .searches = 0 };
    if (!record_take_whole(&left, &rest) || !take_head(&rest, out))
        return false;
    for (int k = 0; arena && k < QUERY_LIST_KIND_COUNT; k++)
        if (!take_list(&rest, arena, &out->lists[k]))
            return false;
    if (arena && rest.n)
        return false;
    if (out_bytes)
        *out_bytes = (struct str){ block->p, (size_t)(left.p - block->p) };
    *block = left;
    return true;
}
