/* types_tail.h - parameters of the jobs that look for rewritings of queries in what users did: head-tail, synonyms, remove-words. Included by types.c alone, whose
 * macros it uses. */
#pragma once

/* Of jobs that find rewritings of queries. */
#define LENGTH_SCALE                                                                                                 \
    {                                                                                                                \
        .name = "length_scale", .type = JOB_REAL, .fallback = "5", .min = 1, .max = 100, .unit = "characters",       \
        .help =                                                                                                      \
            "a word is taken for another one with one edit for so many characters, at most two, and none in numbers" \
    }
#define AUTO_CONFIDENCE                                                                   \
    {                                                                                     \
        .name = "auto_confidence", .type = JOB_REAL, .fallback = "0", .min = 0, .max = 1, \
        .help = "from this on they need no review; 0: all of them do"                     \
    }
#define MIN_SIGNALS                                                                                             \
    {                                                                                                           \
        .name = "min_signals", .type = JOB_WHOLE, .fallback = "1000", .min = 1, .max = 1e12, .unit = "signals", \
        .help = "with fewer searches and clicks there is nothing to learn from, and the run fails"              \
    }

static const char *const tail_traffic[] = { "clicks", "searches", NULL };
static const struct job_param head_tail_params[] = {
    AS_OF,
    DAYS("90"),
    { .name = "traffic",
      .type = JOB_CHOICE,
      .fallback = "clicks",
      .choices = tail_traffic,
      .help = "what a query of the head has much of" },
    { .name = "head",
      .type = JOB_REAL,
      .fallback = "-1",
      .min = -1,
      .max = 1e9,
      .help = "-1: queries above the mean traffic; up to 1: this share of the queries; above: so many" },
    { .name = "tail",
      .type = JOB_REAL,
      .fallback = "-1",
      .min = -1,
      .max = 1e9,
      .help = "-1: queries not above the mean of those outside the head; up to 1: this share of the queries; above: so "
              "many" },
    { .name = "max_head",
      .type = JOB_WHOLE,
      .fallback = "20000",
      .min = 1,
      .max = 1000000,
      .unit = "queries",
      .help = "of the head, those of most traffic: every worker holds them" },
    { .name = "min_searches",
      .type = JOB_WHOLE,
      .fallback = "5",
      .min = 1,
      .max = 1e9,
      .unit = "searches",
      .help = "a tail query that was searched less is counted, but not looked into" },
    { .name = "min_chars",
      .type = JOB_WHOLE,
      .fallback = "2",
      .min = 1,
      .max = 64,
      .unit = "characters",
      .help = "nor is a shorter one" },
    { .name = "rare_queries",
      .type = JOB_WHOLE,
      .fallback = "3",
      .min = 1,
      .max = 1e9,
      .unit = "queries",
      .help = "a word that fewer queries have is rare" },
    LENGTH_SCALE,
    { .name = "rewrite", .type = JOB_BOOLEAN, .fallback = "true", .help = "look for queries to rewrite them to" },
    { .name = "min_confidence",
      .type = JOB_REAL,
      .fallback = "0.5",
      .min = 0,
      .max = 1,
      .help = "of a rewriting, from texts, clicked documents and sessions" },
    { .name = "min_clicks",
      .type = JOB_WHOLE,
      .fallback = "5",
      .min = 1,
      .max = 1e9,
      .unit = "clicks",
      .help = "a tail query with so many is rewritten only where its clicks go, too" },
    { .name = "min_overlap",
      .type = JOB_REAL,
      .fallback = "0.1",
      .min = 0,
      .max = 1,
      .help = "the least that they have to: Σ over documents of the lesser share of clicks" },
    { .name = "level",
      .type = JOB_REAL,
      .fallback = "0.95",
      .min = 0.5,
      .max = 1,
      .open = true,
      .help = "of the test whether searches of a head end in clicks less often than those of the tail query" },
    { .name = "top",
      .type = JOB_WHOLE,
      .fallback = "10000",
      .min = 0,
      .max = 1000000,
      .unit = "rewritings",
      .help = "those of most searches" },
    AUTO_CONFIDENCE,
    { .name = "report_rows",
      .type = JOB_WHOLE,
      .fallback = "100",
      .min = 0,
      .max = 200,
      .unit = "rows",
      .help = "of each table of the report" },
    MIN_SIGNALS,
    SESSION_GAP,
    CLICK_TYPES,
    RANGES,
    FULL,
};
