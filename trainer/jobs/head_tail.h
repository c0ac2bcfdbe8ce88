/* head_tail.h - what the job "head-tail" has found, and its report. */
#pragma once
#include "trainer/jobs/query_passes.h"
#include "trainer/jobs/rewrites_put.h"
#include "trainer/kernels/tail/tail.h"

struct head_tail_word {
    struct str text;
    uint64_t queries, searches, traffic;
};

struct head_tail {
    struct run_context *run;
    struct arena arena;
    struct query_log log;
    struct tail_params params;
    struct traffic traffic;
    struct head_tail_word *words; /* most traffic first, of as much by text */
    size_t words_count;
    struct query_record *heads; /* most traffic first, of as much by text */
    size_t heads_count;
    uint64_t heads_left; /* that max_head leaves out */
    struct buf head_bytes, word_bytes;
    struct tail_counts counts;
    struct tail_row *rows; /* most searches first */
    size_t rows_count;
    struct buf *row_bytes; /* what rows borrow from */
    uint32_t row_bytes_count;
};

/* The report (docs/head-tail.md) as a JSON object. */
bool head_tail_report(struct head_tail *h, const struct rewrites_counts *rewrites, struct buf *out,
                      struct err *err) MUSTCHECK;
/* Why a rewriting, for who reviews it. */
struct str head_tail_evidence(struct head_tail *h, const struct tail_row *row, struct err *err);
