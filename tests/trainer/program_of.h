/* program_of.h - a program from the texts of definitions. */
#pragma once
#include <criterion/criterion.h>

#include "trainer/kernels/program.h"

/* In an arena that lives as long as the test. */
static inline struct arena *program_arena(void)
{
    static struct arena arena;
    if (!arena.first_bytes)
        arena_init(&arena, 1 << 14);
    return &arena;
}

static inline struct program program_of(const char *const *texts, size_t count)
{
    struct metric_def defs[32];
    struct program p;
    struct err err;
    cr_assert(count <= COUNT_OF(defs));
    for (size_t i = 0; i < count; i++)
        cr_assert(metric_parse(str_of(texts[i]), program_arena(), &defs[i], &err), "%s", err.text);
    cr_assert(program_make(defs, count, program_arena(), &p, &err), "%s", err.text);
    return p;
}
#define PROGRAM_OF(texts) program_of((texts), COUNT_OF(texts))

/* Those that the first version had. */
static const char *const first_metrics[] = {
    "{\"key\": \"ctr\", \"kind\": \"proportion\", \"covariate_days\": 0, \"numerator\": {\"of\": \"signals\", "
    "\"type\": \"click\"}}",
    "{\"key\": \"clicks_per_unit\", \"kind\": \"mean\", \"covariate_days\": 0, \"numerator\": {\"of\": \"signals\", "
    "\"type\": \"click\"}}",
    "{\"key\": \"clicks_per_query\", \"kind\": \"ratio\", \"covariate_days\": 0, \"numerator\": {\"of\": \"signals\", "
    "\"type\": \"click\"},"
    " \"denominator\": {\"of\": \"queries\"}}",
    "{\"key\": \"mrr\", \"kind\": \"ratio\", \"covariate_days\": 0, \"numerator\": {\"of\": \"queries\", \"that\": "
    "\"reciprocal_rank\"},"
    " \"denominator\": {\"of\": \"queries\"}}",
    "{\"key\": \"zero_result_rate\", \"kind\": \"ratio\", \"covariate_days\": 0,"
    " \"numerator\": {\"of\": \"queries\", \"that\": \"zero_results\"},"
    " \"denominator\": {\"of\": \"queries\", \"that\": \"known_results\"}}",
    "{\"key\": \"time_to_first_click\", \"kind\": \"ratio\", \"covariate_days\": 0,"
    " \"numerator\": {\"of\": \"queries\", \"that\": \"seconds_to_first_click\"},"
    " \"denominator\": {\"of\": \"queries\", \"that\": \"timed\"}}",
};
/* Their facts, in the order of the program. */
enum {
    F_CLICKS,
    F_QUERIES,
    F_RECIPROCAL_RANKS,
    F_ZERO_QUERIES,
    F_KNOWN_QUERIES,
    F_SECONDS,
    F_TIMED_QUERIES,
    FIRST_FACTS
};
/* Their places. */
enum { M_CTR, M_CLICKS_PER_UNIT, M_CLICKS_PER_QUERY, M_MRR, M_ZERO_RESULT_RATE, M_TIME_TO_FIRST_CLICK, FIRST_METRICS };
