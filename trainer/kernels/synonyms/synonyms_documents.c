/* "synonyms.reach@1": how much each document is clicked; "synonyms.documents@1": a query's clicks, document by document. */
#include <stdlib.h>

#include "base/hash.h"
#include "trainer/kernels/queries/query_each.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/synonyms/synonyms.h"

enum { CLICK_MAX = 16 << 10 };

static uint64_t clicks_of(const struct query_list *docs)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < docs->count; i++)
        sum += docs->entries[i].count;
    return sum;
}

/* ---- reach ---- */

struct reaching {
    struct intern docs;
    uint64_t *clicks; /* of each */
    uint32_t room;
};

static bool add_reach(void *arg, const struct query_record *q, struct str bytes, struct err *err)
{
    struct reaching *r = arg;
    (void)bytes;
    (void)err;
    for (uint32_t i = 0; i < q->lists[QUERY_DOCS].count; i++) {
        uint32_t doc = intern_add(&r->docs, q->lists[QUERY_DOCS].entries[i].text);
        if (doc >= r->room) {
            uint32_t was = r->room;
            r->room = r->room ? 2 * r->room : 4096;
            r->clicks = mem_realloc(r->clicks, r->room * sizeof *r->clicks);
            memset(r->clicks + was, 0, (r->room - was) * sizeof *r->clicks);
        }
        r->clicks[doc] += q->lists[QUERY_DOCS].entries[i].count;
    }
    return true;
}

static int by_hash(const void *a, const void *b)
{
    const struct synonyms_reach *x = a, *y = b;
    return x->doc < y->doc ? -1 : x->doc > y->doc;
}

static bool collect_reach(struct task *t, const struct reaching *r, struct err *err)
{
    struct synonyms_reach *list = mem_alloc(((size_t)r->docs.count + 1) * sizeof *list);
    for (uint32_t i = 0; i < r->docs.count; i++)
        list[i] = (struct synonyms_reach){ hash64(r->docs.texts[i]), r->clicks[i] };
    if (r->docs.count)
        qsort(list, r->docs.count, sizeof *list, by_hash);
    bool ok = task_collect(t, (struct str){ (const char *)list, r->docs.count * sizeof *list }, err);
    mem_free(list);
    return ok;
}

static bool run_reach(struct task *t, struct err *err)
{
    struct reaching r = { .room = 0 };
    intern_init(&r.docs);
    bool ok = query_each(t, add_reach, &r, err) && collect_reach(t, &r, err);
    intern_release(&r.docs);
    mem_free(r.clicks);
    return ok;
}

/* ---- documents ---- */

struct spreading {
    struct task *task;
    struct synonyms_params params;
    struct buf record;
};

static bool spread_clicks(void *arg, const struct query_record *q, struct str bytes, struct err *err)
{
    struct spreading *s = arg;
    const struct query_list *docs = &q->lists[QUERY_DOCS];
    struct words w;
    struct synonyms_click c = { .query = q->text, .all = clicks_of(docs), .searches = q->searches };
    (void)bytes;
    words_split_spaces(q->text, &w);
    if (c.all < s->params.min_clicks || c.all == 0 || w.count == 0 || w.count > SYNONYMS_WORDS_MAX)
        return true;
    for (uint32_t i = 0; i < docs->count; i++)
        c.reach += synonyms_reach_of(task_blob(s->task, 0), docs->entries[i].text);
    for (uint32_t i = 0; i < docs->count; i++) {
        c.doc = docs->entries[i].text;
        c.clicks = docs->entries[i].count;
        buf_clear(&s->record);
        synonyms_click_write(&s->record, &c);
        uint32_t part = (uint32_t)(hash64(c.doc) % task_parts(s->task));
        if (!buf_ok(&s->record, "clicks of a query", err) || !task_emit(s->task, part, buf_str(&s->record), err))
            return false;
    }
    return true;
}

static bool run_documents(struct task *t, struct err *err)
{
    struct spreading s = { .task = t };
    if (!synonyms_params_read(task_params(t), &s.params, err))
        return false;
    buf_init(&s.record, CLICK_MAX);
    bool ok = query_each(t, spread_clicks, &s, err);
    buf_release(&s.record);
    return ok;
}

const struct kernel kernel_synonyms_reach = { SYNONYMS_REACH_KERNEL, run_reach };
const struct kernel kernel_synonyms_documents = { SYNONYMS_DOCUMENTS_KERNEL, run_documents };
