/* day_signals.h - the signals of a day and a range of buckets, as kernels read them: in the run's snapshot, wherever they lie. */
#pragma once
#include "archive/scan.h"
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/signals/typed_queries.h"

struct task;

struct day_signals {
    struct task *task;
    struct str archive; /* its folder; {NULL, 0}: none is known */
    struct day_split split;
    const struct archive_column *columns;
    size_t columns_count;
    int64_t before_us, behind_us; /* also those so long before and behind the day */
    const char *where;            /* see archive/scan.h */
};
/* Batch after batch; fn looks itself whether a row is one of those it asked for. */
bool day_signals_read(const struct day_signals *s, archive_batch_fn fn, void *arg, struct err *err) MUSTCHECK;

/* For `where`: `before`, then 'click', 'cart', then `behind`. Names of types have no quotes: jobs see to that. */
const char *day_signals_where(struct arena *arena, const char *before, const struct str *types, size_t count,
                              const char *behind);

static inline struct str text_at(const struct archive_vector *v, uint32_t row)
{
    return v->texts[v->codes[row]];
}

/* What is known of the different texts of a batch, by their codes: each is looked at once, when a row that counts has it. */
#define TEXT_UNKNOWN (INTERN_NONE - 1)
uint32_t *texts_unknown(const struct archive_vector *v, struct arena *arena);
/* The number of a row's text in the table, of at most so many bytes of it; INTERN_NONE: it is blank. */
uint32_t text_number(uint32_t *known, struct intern *table, size_t max, const struct archive_vector *v, uint32_t row);
/* The same of a query as it was typed. */
uint32_t query_number(uint32_t *known, struct typed_queries *queries, const struct archive_vector *v, uint32_t row);
