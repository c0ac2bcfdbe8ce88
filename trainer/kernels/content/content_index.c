#include "trainer/kernels/content/content_index.h"

#include "trainer/kernels/items/best.h"

static const uint64_t *ends_before(const uint64_t *ends, uint32_t i)
{
    static const uint64_t none = 0;
    return i ? &ends[i - 1] : &none;
}

/* Entries by term: counted, then each put behind those of earlier documents. */
static void turn(uint32_t documents, uint32_t terms, const uint64_t *ends, const struct content_entry *entries,
                 uint64_t *term_ends, struct content_entry *by_term)
{
    uint64_t *next = mem_zalloc(((size_t)terms + 1) * sizeof *next), all = documents ? ends[documents - 1] : 0;
    for (uint64_t i = 0; i < all; i++)
        next[entries[i].number + 1]++;
    for (uint32_t t = 0; t < terms; t++) {
        next[t + 1] += next[t];
        term_ends[t] = next[t + 1];
    }
    for (uint32_t d = 0; d < documents; d++)
        for (uint64_t i = *ends_before(ends, d); i < ends[d]; i++)
            by_term[next[entries[i].number]++] = (struct content_entry){ d, entries[i].weight };
    mem_free(next);
}

void content_index_write(struct buf *b, uint32_t documents, uint32_t terms, const uint64_t *ends,
                         const struct content_entry *entries)
{
    const uint32_t head[] = { documents, terms };
    const uint64_t all = documents ? ends[documents - 1] : 0;
    uint64_t *term_ends = mem_zalloc(((size_t)terms + 1) * sizeof *term_ends);
    struct content_entry *by_term = mem_alloc((all + 1) * sizeof *by_term);
    turn(documents, terms, ends, entries, term_ends, by_term);
    buf_add(b, head, sizeof head);
    buf_add(b, ends, documents * sizeof *ends);
    buf_add(b, term_ends, terms * sizeof *term_ends);
    buf_add(b, entries, all * sizeof *entries);
    buf_add(b, by_term, all * sizeof *by_term);
    mem_free(term_ends);
    mem_free(by_term);
}

bool content_index_read(struct str blob, struct content_index *out, struct err *err)
{
    uint32_t head[2];
    if (blob.n < sizeof head)
        return err_set(err, ERR_INVALID, "the index of documents has %zu bytes", blob.n);
    memcpy(head, blob.p, sizeof head);
    *out = (struct content_index){ .documents = head[0], .terms = head[1] };
    size_t ends = ((size_t)head[0] + head[1]) * sizeof(uint64_t);
    if (blob.n < sizeof head + ends)
        return err_set(err, ERR_INVALID, "the index of documents has %zu bytes", blob.n);
    out->document_ends = (const void *)(blob.p + sizeof head);
    out->term_ends = out->document_ends + head[0];
    uint64_t all = *ends_before(out->document_ends, head[0]);
    out->by_document = (const void *)(blob.p + sizeof head + ends);
    out->by_term = out->by_document + all;
    return blob.n == sizeof head + ends + 2 * all * sizeof *out->by_document ||
           err_set(err, ERR_INVALID, "the index of documents has %zu bytes", blob.n);
}

void content_scores_init(struct content_scores *s, const struct content_index *index, struct arena *arena)
{
    *s = (struct content_scores){ .scores = arena_zalloc(arena, ((size_t)index->documents + 1) * sizeof *s->scores),
                                  .touched = arena_alloc(arena, ((size_t)index->documents + 1) * sizeof *s->touched) };
}

static void add_term(struct content_scores *s, const struct content_index *index, const struct content_entry *e)
{
    for (uint64_t i = *ends_before(index->term_ends, e->number); i < index->term_ends[e->number]; i++) {
        const struct content_entry *other = &index->by_term[i];
        if (s->scores[other->number] == 0)
            s->touched[s->touched_count++] = other->number;
        s->scores[other->number] += (double)e->weight * (double)other->weight;
    }
}

void content_scores_best(struct content_scores *s, const struct content_index *index, uint32_t document,
                         double min_score, struct best *out)
{
    best_clear(out);
    for (uint64_t i = *ends_before(index->document_ends, document); i < index->document_ends[document]; i++)
        add_term(s, index, &index->by_document[i]);
    for (uint32_t i = 0; i < s->touched_count; i++) {
        const uint32_t other = s->touched[i];
        if (other != document && s->scores[other] >= min_score)
            best_add(out, s->scores[other], other, 0);
        s->scores[other] = 0;
    }
    s->touched_count = 0;
    best_sort(out);
}
