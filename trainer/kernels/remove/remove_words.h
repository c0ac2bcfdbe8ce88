/* remove_words.h - what the job "remove-words" and its kernels say to each other. All have the same params: JSON of struct remove_params.
 *
 * "remove_words.keys@1" reads records of queries; its data set, in parts by the text that is looked for: each query as it is, and for each word or few
 * words side by side, the query with what it would be without them.
 * "remove_words.cases@1" reads one part of all of these; its data set, in parts by word: where what stays is a query that is known, both with their counts.
 * "remove_words.judge@1" reads one part of all of these; it collects records of struct removal. */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/remove/removal.h"

#define REMOVE_KEYS_KERNEL "remove_words.keys@1"
#define REMOVE_CASES_KERNEL "remove_words.cases@1"
#define REMOVE_JUDGE_KERNEL "remove_words.judge@1"
extern const struct kernel kernel_remove_keys, kernel_remove_cases, kernel_remove_judge;

enum { REMOVE_QUERY_WORDS = 10 }; /* of a query that is looked at */

struct remove_params {
    uint64_t min_searches; /* of both queries */
    uint32_t max_words;    /* that are left out */
    struct removal_rules rules;
};
bool remove_params_write(const struct remove_params *p, struct arena *arena, struct str *out,
                         struct err *err) MUSTCHECK;
bool remove_params_read(struct str json, struct remove_params *out, struct err *err) MUSTCHECK;
