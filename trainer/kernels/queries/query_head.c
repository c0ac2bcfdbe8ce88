#include "trainer/kernels/queries/query_head.h"

#include <stdlib.h>

#include "trainer/kernels/intern.h"
#include "trainer/kernels/pair_table.h"

/* ---- numbers of documents ---- */

struct numbering {
    struct intern docs;
    uint32_t *number; /* of each document, by the bytes of its text */
    uint32_t *sorted; /* the other way round */
};

static int by_text(const void *a, const void *b, void *arg)
{
    const struct intern *t = arg;
    return pair_text_compare(t->texts[*(const uint32_t *)a], t->texts[*(const uint32_t *)b]);
}

static void number_docs(struct numbering *n, const struct query_record *records, size_t count)
{
    intern_init(&n->docs);
    for (size_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < records[i].lists[QUERY_DOCS].count; k++)
            (void)intern_add(&n->docs, records[i].lists[QUERY_DOCS].entries[k].text);
    n->number = mem_alloc(((size_t)n->docs.count + 1) * sizeof *n->number);
    n->sorted = mem_alloc(((size_t)n->docs.count + 1) * sizeof *n->sorted);
    for (uint32_t i = 0; i < n->docs.count; i++)
        n->sorted[i] = i;
    qsort_r(n->sorted, n->docs.count, sizeof *n->sorted, by_text, &n->docs);
    for (uint32_t i = 0; i < n->docs.count; i++)
        n->number[n->sorted[i]] = i;
}

static void numbering_release(struct numbering *n)
{
    intern_release(&n->docs);
    mem_free(n->number);
    mem_free(n->sorted);
}

/* ---- rows ---- */

struct rows {
    struct query_head_entry *entries;
    uint64_t *ends;
    size_t count, room;
};

static void rows_add(struct rows *r, uint32_t number, uint64_t count)
{
    if (r->count == r->room) {
        r->room = r->room ? 2 * r->room : 4096;
        r->entries = mem_realloc(r->entries, r->room * sizeof *r->entries);
    }
    r->entries[r->count++] = (struct query_head_entry){ number, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX };
}

static void rows_release(struct rows *r)
{
    mem_free(r->entries);
    mem_free(r->ends);
}

static int by_record(const void *a, const void *b)
{
    return pair_text_compare(((const struct query_record *)a)->text, ((const struct query_record *)b)->text);
}

static struct rows docs_rows(const struct query_record *records, size_t count, struct numbering *n)
{
    struct rows r = { .ends = mem_alloc((count + 1) * sizeof *r.ends) };
    for (size_t i = 0; i < count; i++) {
        const struct query_list *l = &records[i].lists[QUERY_DOCS];
        for (uint32_t k = 0; k < l->count; k++)
            rows_add(&r, n->number[intern_add(&n->docs, l->entries[k].text)], l->entries[k].count);
        r.ends[i] = r.count;
    }
    return r;
}

static struct rows same_rows(const struct query_record *records, size_t count)
{
    struct rows r = { .ends = mem_alloc((count + 1) * sizeof *r.ends) };
    for (size_t i = 0; i < count; i++) {
        const struct query_list *l = &records[i].lists[QUERY_SAME];
        for (uint32_t k = 0; k < l->count; k++) {
            const struct query_record key = { .text = l->entries[k].text };
            const struct query_record *other = bsearch(&key, records, count, sizeof key, by_record);
            if (other)
                rows_add(&r, (uint32_t)(other - records), l->entries[k].count);
        }
        r.ends[i] = r.count;
    }
    return r;
}

/* ---- the other way round ---- */

struct posting {
    uint32_t doc, query, count;
};

static int by_doc_and_count(const void *a, const void *b)
{
    const struct posting *x = a, *y = b;
    if (x->doc != y->doc)
        return x->doc < y->doc ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->query < y->query ? -1 : x->query > y->query;
}

static int by_number(const void *a, const void *b)
{
    const struct query_head_entry *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static struct posting *postings_of(const struct rows *docs, size_t queries)
{
    struct posting *p = mem_alloc((docs->count + 1) * sizeof *p);
    for (size_t q = 0, i = 0; q < queries; q++)
        for (; i < docs->ends[q]; i++)
            p[i] = (struct posting){ docs->entries[i].number, (uint32_t)q, docs->entries[i].count };
    qsort(p, docs->count, sizeof *p, by_doc_and_count);
    return p;
}

static struct rows queries_rows(const struct rows *docs, size_t queries, uint32_t docs_count, uint64_t *doc_clicks)
{
    struct rows r = { .ends = mem_alloc((docs_count + 1) * sizeof *r.ends) };
    struct posting *p = postings_of(docs, queries);
    for (size_t i = 0, d = 0; d < docs_count; d++) {
        size_t first = i, from = r.count;
        doc_clicks[d] = 0;
        for (; i < docs->count && p[i].doc == d; i++) {
            doc_clicks[d] += p[i].count;
            if (i - first < QUERY_HEAD_DOC_QUERIES)
                rows_add(&r, p[i].query, p[i].count);
        }
        qsort(r.entries + from, r.count - from, sizeof *r.entries, by_number);
        r.ends[d] = r.count;
    }
    mem_free(p);
    return r;
}

/* ---- writing ---- */

static void put(struct buf *b, const void *p, size_t n)
{
    static const char zeros[8];
    buf_add(b, p, n);
    buf_add(b, zeros, (8 - n % 8) % 8);
}

static void put_sums(struct buf *out, const struct query_record *records, size_t count, const struct rows *docs,
                     const uint64_t *doc_clicks)
{
    for (size_t q = 0, i = 0; q < count; q++) {
        struct query_head_sums s = { records[q].searches, records[q].clicks, records[q].sessions, 0 };
        for (; i < docs->ends[q]; i++)
            s.mass += doc_clicks[docs->entries[i].number];
        put(out, &s, sizeof s);
    }
}

static uint64_t put_query_ends(struct buf *out, const struct query_record *records, size_t count)
{
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        end += records[i].text.n;
        put(out, &end, sizeof end);
    }
    return end;
}

static uint64_t put_doc_ends(struct buf *out, const struct numbering *n)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < n->docs.count; i++) {
        end += n->docs.texts[n->sorted[i]].n;
        put(out, &end, sizeof end);
    }
    return end;
}

static void put_texts(struct buf *out, const struct query_record *records, size_t count, const struct numbering *n)
{
    for (size_t i = 0; i < count; i++)
        buf_add_str(out, records[i].text);
    for (uint32_t i = 0; i < n->docs.count; i++)
        buf_add_str(out, n->docs.texts[n->sorted[i]]);
}

static void write_all(const struct query_record *records, size_t count, uint64_t sessions, const struct numbering *n,
                      const struct rows *docs, const struct rows *same, const struct rows *queries,
                      const uint64_t *doc_clicks, struct buf *out)
{
    struct query_head_sizes z = { .queries = count,
                                  .docs = n->docs.count,
                                  .sessions = sessions,
                                  .entries = { docs->count, same->count, queries->count } };
    for (uint32_t i = 0; i < n->docs.count; i++)
        z.clicks += doc_clicks[i];
    put(out, &z, sizeof z);
    put_sums(out, records, count, docs, doc_clicks);
    z.text_bytes[0] = put_query_ends(out, records, count);
    z.text_bytes[1] = put_doc_ends(out, n);
    put(out, docs->ends, count * sizeof *docs->ends);
    put(out, same->ends, count * sizeof *same->ends);
    put(out, queries->ends, n->docs.count * sizeof *queries->ends);
    put(out, docs->entries, docs->count * sizeof *docs->entries);
    put(out, same->entries, same->count * sizeof *same->entries);
    put(out, queries->entries, queries->count * sizeof *queries->entries);
    put(out, doc_clicks, n->docs.count * sizeof *doc_clicks);
    put_texts(out, records, count, n);
    z.bytes = out->n;
    if (!out->failed)
        memcpy(out->p, &z, sizeof z);
}

bool query_head_write(const struct query_record *records, size_t count, uint64_t sessions, struct buf *out,
                      struct err *err)
{
    struct numbering n;
    number_docs(&n, records, count);
    uint64_t *doc_clicks = mem_alloc(((size_t)n.docs.count + 1) * sizeof *doc_clicks);
    struct rows docs = docs_rows(records, count, &n), same = same_rows(records, count),
                queries = queries_rows(&docs, count, n.docs.count, doc_clicks);
    buf_clear(out);
    write_all(records, count, sessions, &n, &docs, &same, &queries, doc_clicks, out);
    rows_release(&docs);
    rows_release(&same);
    rows_release(&queries);
    mem_free(doc_clicks);
    numbering_release(&n);
    return buf_ok(out, "the most searched queries", err);
}

/* ---- reading ---- */

/* NULL: there are not so many. */
static const void *take(struct str *in, uint64_t count, size_t size)
{
    const char *p = in->p;
    if (count > in->n / size)
        return NULL;
    *in = (struct str){ p + count * size, in->n - (size_t)count * size };
    return p;
}

static bool are_ends(const uint64_t *ends, uint64_t count, uint64_t limit)
{
    uint64_t last = 0;
    for (uint64_t i = 0; i < count; last = ends[i++])
        if (ends[i] < last || ends[i] > limit)
            return false;
    return true;
}

static bool are_below(const struct query_head_entry *e, uint64_t count, uint64_t limit)
{
    for (uint64_t i = 0; i < count; i++)
        if (e[i].number >= limit)
            return false;
    return true;
}

static bool take_all(struct str in, struct query_head *h)
{
    const struct query_head_sizes *z = &h->sizes;
    return (h->sums = take(&in, z->queries, sizeof *h->sums)) &&
           (h->query_ends = take(&in, z->queries, sizeof *h->query_ends)) &&
           (h->doc_ends = take(&in, z->docs, sizeof *h->doc_ends)) &&
           (h->docs_ends = take(&in, z->queries, sizeof *h->docs_ends)) &&
           (h->same_ends = take(&in, z->queries, sizeof *h->same_ends)) &&
           (h->queries_ends = take(&in, z->docs, sizeof *h->queries_ends)) &&
           (h->docs = take(&in, z->entries[0], sizeof *h->docs)) &&
           (h->same = take(&in, z->entries[1], sizeof *h->same)) &&
           (h->queries = take(&in, z->entries[2], sizeof *h->queries)) &&
           (h->doc_clicks = take(&in, z->docs, sizeof *h->doc_clicks)) &&
           (h->query_text = take(&in, z->text_bytes[0], 1)) && (h->doc_text = take(&in, z->text_bytes[1], 1)) &&
           in.n == 0;
}

static bool is_sound(const struct query_head *h)
{
    const struct query_head_sizes *z = &h->sizes;
    return are_ends(h->query_ends, z->queries, z->text_bytes[0]) && are_ends(h->doc_ends, z->docs, z->text_bytes[1]) &&
           are_ends(h->docs_ends, z->queries, z->entries[0]) && are_ends(h->same_ends, z->queries, z->entries[1]) &&
           are_ends(h->queries_ends, z->docs, z->entries[2]) && are_below(h->docs, z->entries[0], z->docs) &&
           are_below(h->same, z->entries[1], z->queries) && are_below(h->queries, z->entries[2], z->queries);
}

bool query_head_read(struct str blob, struct query_head *out, struct err *err)
{
    struct str rest = blob;
    struct query_head h;
    if ((uintptr_t)blob.p % 8 || !record_take(&rest, &h.sizes, sizeof h.sizes) || h.sizes.bytes != blob.n ||
        h.sizes.queries >= UINT32_MAX || h.sizes.docs >= UINT32_MAX || !take_all(rest, &h) || !is_sound(&h))
        return err_set(err, ERR_INVALID, "the most searched queries are damaged");
    *out = h;
    return true;
}

static struct str text_of(const char *texts, const uint64_t *ends, uint32_t i)
{
    uint64_t from = i ? ends[i - 1] : 0;
    return (struct str){ texts + from, (size_t)(ends[i] - from) };
}

static struct query_head_row row_of(const struct query_head_entry *entries, const uint64_t *ends, uint32_t i)
{
    uint64_t from = i ? ends[i - 1] : 0;
    return (struct query_head_row){ entries + from, (uint32_t)(ends[i] - from) };
}

struct str query_head_query(const struct query_head *h, uint32_t query)
{
    return text_of(h->query_text, h->query_ends, query);
}

struct str query_head_doc(const struct query_head *h, uint32_t doc)
{
    return text_of(h->doc_text, h->doc_ends, doc);
}

struct query_head_row query_head_docs(const struct query_head *h, uint32_t query)
{
    return row_of(h->docs, h->docs_ends, query);
}

struct query_head_row query_head_same(const struct query_head *h, uint32_t query)
{
    return row_of(h->same, h->same_ends, query);
}

struct query_head_row query_head_queries(const struct query_head *h, uint32_t doc)
{
    return row_of(h->queries, h->queries_ends, doc);
}
