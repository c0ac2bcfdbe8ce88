/* synonyms.h - what the job "synonyms" and its kernels say to each other. All have the same params: JSON of struct synonyms_params.
 *
 * "synonyms.reach@1" reads records of queries and collects of each document: u64 hash, u64 clicks, by hash.
 * "synonyms.documents@1" reads them with a blob of the same over all parts; its data set, in parts by document: records of struct synonyms_click.
 * "synonyms.pairs@1" reads one part of all of these, with a blob of what is known of words (synonyms_known); its data set, in parts by pair of words: records
 * of struct synonym_evidence.
 * "synonyms.score@1" reads one part of all of these; it collects records of struct synonym. */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/synonyms/slot.h"
#include "trainer/kernels/synonyms/synonym_pairs.h"

#define SYNONYMS_REACH_KERNEL "synonyms.reach@1"
#define SYNONYMS_DOCUMENTS_KERNEL "synonyms.documents@1"
#define SYNONYMS_PAIRS_KERNEL "synonyms.pairs@1"
#define SYNONYMS_SCORE_KERNEL "synonyms.score@1"
extern const struct kernel kernel_synonyms_reach, kernel_synonyms_documents, kernel_synonyms_pairs,
    kernel_synonyms_score;

enum { SYNONYMS_WORDS_MAX = 8 }; /* of a query that is looked at */

struct synonyms_params {
    uint64_t min_clicks;   /* of a query */
    uint32_t max_words;    /* of a synonym */
    uint32_t per_document; /* queries, those of most clicks */
    bool beginnings;       /* also of texts of which one begins the other */
    bool whole_queries;    /* also those that have no word in common */
    double length_scale;
    uint64_t all_clicks; /* of the log */
    struct synonym_rules rules;
};
bool synonyms_params_write(const struct synonyms_params *p, struct arena *arena, struct str *out,
                           struct err *err) MUSTCHECK;
bool synonyms_params_read(struct str json, struct synonyms_params *out, struct err *err) MUSTCHECK;

/* A query's clicks on one document. */
struct synonyms_click {
    struct str doc, query;
    uint64_t clicks, all, reach, searches; /* all: of the query on any; reach: of everybody on any of the query's */
};
void synonyms_click_write(struct buf *out, const struct synonyms_click *c);
bool synonyms_click_read(struct str *in, struct synonyms_click *out);

/* Clicks by document, sorted by hash: the bytes of an array. */
struct synonyms_reach {
    uint64_t doc, clicks;
};
uint64_t synonyms_reach_of(struct str blob, struct str doc);

/* What is known of words: phrases, which are not cut, and pairs of which the first is the second, misspelled. As bytes: u32 phrases, each a text, then texts two by
 * two. */
struct synonyms_known {
    struct intern phrases;
    struct intern misspelled; /* of each pair its texts, with a unit separator between them */
    struct intern wrong;      /* the misspelled one of each */
};
bool synonyms_known_read(struct synonyms_known *k, struct str bytes, struct err *err) MUSTCHECK;
void synonyms_known_release(struct synonyms_known *k);
/* The query, or one of its words, is known to be misspelled: what it leads to is the right one's to say. */
bool synonyms_known_wrong(const struct synonyms_known *k, struct str query);
bool synonyms_known_misspelled(const struct synonyms_known *k, struct str a, struct str b);
