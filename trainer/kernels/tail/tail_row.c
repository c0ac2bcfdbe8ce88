#include "trainer/kernels/tail/tail_row.h"

#include <assert.h>

#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"

enum { WHOLES = 13, REALS = 6 };

const char *const tail_class_names[] = { "head", "torso", "tail" };
static_assert(sizeof tail_class_names / sizeof *tail_class_names == TAIL_CLASS_COUNT, "one name a class");

void tail_row_write(struct buf *out, const struct tail_row *r)
{
    const struct tail_evidence *e = &r->evidence;
    const uint64_t wholes[WHOLES] = { r->reason,      r->searches,     r->zero_results, r->clicks,     r->head_searches,
                                      r->head_clicks, e->shared_words, e->words,        e->head_words, e->edits,
                                      e->shared_docs, e->next,         e->refused };
    const double reals[REALS] = {
        e->text, e->documents, e->sessions, e->confidence, e->click_rate, e->head_click_rate
    };
    record_put(out, wholes, sizeof wholes);
    record_put(out, reals, sizeof reals);
    record_put_text(out, r->text);
    record_put_text(out, r->head);
}

bool tail_row_read(struct str *in, struct tail_row *out)
{
    uint64_t w[WHOLES];
    double d[REALS];
    if (!record_take(in, w, sizeof w) || !record_take(in, d, sizeof d) || w[0] >= TAIL_REASON_COUNT)
        return false;
    *out = (struct tail_row){ .reason = (enum tail_reason)w[0],
                              .searches = w[1],
                              .zero_results = w[2],
                              .clicks = w[3],
                              .head_searches = w[4],
                              .head_clicks = w[5],
                              .evidence = { .shared_words = (uint32_t)w[6],
                                            .words = (uint32_t)w[7],
                                            .head_words = (uint32_t)w[8],
                                            .edits = (unsigned)w[9],
                                            .shared_docs = (uint32_t)w[10],
                                            .next = w[11],
                                            .refused = w[12] != 0,
                                            .text = d[0],
                                            .documents = d[1],
                                            .sessions = d[2],
                                            .confidence = d[3],
                                            .click_rate = d[4],
                                            .head_click_rate = d[5] } };
    return record_take_text(in, &out->text) && record_take_text(in, &out->head);
}

int tail_row_compare(const void *a, const void *b)
{
    const struct tail_row *x = a, *y = b;
    if (x->searches != y->searches)
        return x->searches > y->searches ? -1 : 1;
    return pair_text_compare(x->text, y->text);
}

size_t tail_rows_choose(struct tail_row *rows, size_t count, size_t top, size_t examples)
{
    size_t n = 0, rewritten = 0, seen[TAIL_REASON_COUNT] = { 0 };
    for (size_t i = 0; i < count; i++) {
        bool example = seen[rows[i].reason]++ < examples;
        bool used = rows[i].head.n && rewritten++ < top;
        if (example || used)
            rows[n++] = rows[i];
    }
    return n;
}

void tail_sum_add(struct tail_sum *s, const struct query_record *q)
{
    s->queries++;
    s->searches += q->searches;
    s->zero_results += q->zero_results;
    s->clicks += q->clicks;
}

static void add(struct tail_sum *s, const struct tail_sum *other)
{
    s->queries += other->queries;
    s->searches += other->searches;
    s->zero_results += other->zero_results;
    s->clicks += other->clicks;
}

void tail_counts_add(struct tail_counts *c, const struct tail_counts *other)
{
    for (int k = 0; k < TAIL_CLASS_COUNT; k++)
        for (int n = 0; n < TAIL_LENGTHS; n++)
            add(&c->lengths[k][n], &other->lengths[k][n]);
    for (int r = 0; r < TAIL_REASON_COUNT; r++) {
        add(&c->reasons[r], &other->reasons[r]);
        add(&c->rewritten[r], &other->rewritten[r]);
    }
    add(&c->seldom, &other->seldom);
}
