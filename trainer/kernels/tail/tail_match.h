/* tail_match.h - pure: why a query is in the tail, and which query of the head it may be rewritten to.
 *
 * How alike two queries are is asked of three witnesses that know nothing of each other:
 *
 *   text      2 Σ w(shared words) / (Σ w(tail's words) + Σ w(head's words)), w = ln(1 + queries / queries with the word); a word that is d edits away or
 *             only begun weighs what the head's does, and counts as the share of its characters that is right; or, when spaces do not count, 1 - edits / characters, if that is more
 *   documents Σ over documents min(share of the tail's clicks, share of the head's), times n / (n + 2) of the tail's n clicks
 *   sessions  how often the head's query was the next one in a session, over how often any was, plus 2
 *
 *   confidence = 1 - (1 - TEXT · text) (1 - DOCS · documents) (1 - SESSIONS · sessions)
 *
 * A head is refused when it asks for a number that the tail does not; when the tail has clicks enough of its own and they go elsewhere; and when its
 * share of searches with clicks is lower than the tail's, and not by chance. */
#pragma once
#include "trainer/kernels/tail/tail_heads.h"

#define TAIL_TEXT 0.6
#define TAIL_TEXT_LEAST 0.25 /* below, two texts have nothing to do with each other */
#define TAIL_DOCUMENTS 0.7
#define TAIL_SESSIONS 0.7

/* Why, as the words of the tail stand beside those of the head that it is rewritten to, or, without one, that is most like it. */
enum tail_reason {
    TAIL_SPELLING,       /* the head's words but for edits, or but for spaces */
    TAIL_NUMBER_UNIT,    /* the head's words, and a number or unit */
    TAIL_RE_ORDERING,    /* the head's words in another order */
    TAIL_UNFINISHED,     /* its last word only begins one of the head's */
    TAIL_MISSING_WORDS,  /* some of the head's words, no others */
    TAIL_RARE_TERM,      /* a word that few queries have */
    TAIL_EXTRA_WORDS,    /* the head's words, and more, all of them known */
    TAIL_RE_WORDING,     /* known words in the place of some of the head's */
    TAIL_OTHER_SPECIFIC, /* no head is like it: known words, put together as nobody else does */
    TAIL_REASON_COUNT
};
extern const char *const tail_reason_names[TAIL_REASON_COUNT];

struct tail_rules {
    double length_scale;   /* of words_edits */
    double min_confidence; /* of a rewriting */
    double min_overlap;    /* of documents, where the tail has min_clicks */
    uint64_t min_clicks;   /* of a tail query, for its clicks to be able to refuse a head */
    double z;              /* a normal quantile: how much worse a head may be by chance */
};

struct tail_evidence {
    double text, documents, sessions; /* 0 … 1 */
    double confidence;
    uint32_t shared_words, words, head_words;
    unsigned edits; /* over all words that differ, or of the whole */
    uint32_t shared_docs;
    uint64_t next; /* how often the head came next */
    double click_rate, head_click_rate;
    bool refused;
};
struct tail_match {
    enum tail_reason reason;
    uint32_t head;                 /* UINT32_MAX: none */
    struct tail_evidence evidence; /* for it */
};
/* The tail query itself is never its head. */
struct tail_match tail_match(const struct tail_heads *h, const struct tail_rules *rules, const struct query_record *q);
/* A share of searches with a click: clicks beyond one a search do not count. */
double tail_click_rate(const struct query_record *q);
