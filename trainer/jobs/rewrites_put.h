/* rewrites_put.h - how jobs leave the rewrites of queries that they found: table query_rewrites (migration 0022, which says what the types do).
 *
 * A job that finds rewrites ends in: run_publish_begin, rewrites_put (once for each type), run_result, run_publish_end. New ones are inserted; those
 * that are known get the new figures; those that this job had found in an earlier run and no longer does are removed. What a person decided (approved,
 * denied, written by hand) keeps its review and its text, and is never removed.
 *
 * The order of the rows does not matter. Of rows with the same input and output, the one of the highest confidence counts. Texts are in the form of
 * model/query_text.h; a phrase's output is its input; only the output of remove_words may be empty. */
#pragma once
#include "trainer/jobs/job.h"

struct rewrite_row {
    struct str input, output;
    bool bidirectional;  /* of synonyms */
    double confidence;   /* 0 to 1; from 0.5 it is called medium, from 0.8 high */
    bool automatic;      /* it needs no review: auto, else pending */
    uint64_t searches;   /* that it would have changed, in the days that were read */
    struct str evidence; /* JSON object: why; its numbers and short texts are shown to who reviews, by their names */
};

struct rewrites_counts {
    uint64_t found, added, updated, unchanged;
    uint64_t decided; /* found again, and left as people had decided */
    uint64_t removed;
};

/* In the run's publishing transaction. ERR_INVALID names a row that breaks a rule. */
bool rewrites_put(struct run_context *run, const char *type, const struct rewrite_row *rows, size_t count,
                  struct rewrites_counts *out, struct err *err) MUSTCHECK;
