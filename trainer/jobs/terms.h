/* terms.h - words and phrases of the searches of some days, and dictionaries that people brought: what the jobs "spelling" and "phrases" begin with.
 *
 * Two passes behind a query log: its queries → terms in parts → each term once (kernels/spelling/spelling.h). */
#pragma once
#include "trainer/jobs/query_log.h"
#include "trainer/kernels/spelling/spelling.h"

struct term_seen {
    struct str text;
    struct term_counts counts;
};
struct term_table {
    struct run_context *run;
    struct engine_result result; /* texts are borrowed from it */
    struct term_seen *terms;     /* with at least min_searches, sorted by text (bytes) */
    size_t count;
    struct terms_seen all; /* those with fewer, too */
    int pass;              /* data set: a split of one part for each part of the query log, records of `terms` */
    uint32_t parts;
};
/* Release it in any case. */
bool term_table_open(struct term_table *t, struct query_log *q, const struct terms_params *params,
                     struct err *err) MUSTCHECK;
void term_table_release(struct term_table *t);
/* NULL: it is not there. */
const struct term_seen *term_table_find(const struct term_table *t, struct str text);

struct dictionary_word {
    struct str text;
    uint64_t count;
};
struct dictionary_words {
    struct dictionary_word *words; /* sorted by text (bytes) */
    size_t count;
    int64_t version;
};
/* The dictionary of parameter "dictionary", in the arena; without that parameter an empty one. */
bool dictionary_load(struct run_context *run, struct arena *arena, struct dictionary_words *out,
                     struct err *err) MUSTCHECK;
