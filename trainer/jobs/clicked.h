/* clicked.h - pure: what documents are worth to who searches, from what searches were shown and what was clicked (serp_log.h), by classic formulas.
 *
 *   coec         clicks over expected clicks: (c + k) / (Σ_p n_p · ctr_p + k), n_p searches that showed it at position p, ctr_p the share of clicks that all
 *                that is shown at p gets, k pseudo clicks as expected
 *   coec, srw    as the Search Relevance Workbench computes it, defects included: c / (ctr_r · n), r the best position ever and n all showings, 0 when
 *                ctr_r is 0, and at the last position, whose ctr it does not compute; no smoothing; rounded to 3 digits as it prints it
 *   click_skip   (c + k · m) / (c + s + k): s counts searches with a click in which it stood at or above the lowest click and was not clicked, m is the
 *                share of clicks among all of both
 *
 * Confidence is 1 minus the width of Wilson's 95 % interval of c among the showings (coec) or among c + s. What is not known is not there. */
#pragma once
#include "trainer/jobs/serp_log.h"

enum click_formula { CLICKED_COEC, CLICKED_COEC_SRW, CLICKED_SKIP };

struct click_judged {
    struct str query, doc; /* in the form of queries; borrowed */
    double value, confidence, evidence;
    double grade; /* grades_of (judge.h) */
};
struct click_judgeds {
    struct click_judged *items;
    size_t count, room;
    uint64_t too_little; /* left out: less evidence */
};
void click_judgeds_add(struct click_judgeds *j, const struct click_judged *one);
void click_judgeds_release(struct click_judgeds *j);

struct click_totals {
    uint64_t shown[SERP_DOCS_MAX], clicked[SERP_DOCS_MAX]; /* by position from 0 */
    uint64_t clicks, skips;
};
/* Of all queries; searches that are held out do not count. */
void clicked_totals(const struct serp_query *queries, size_t count, struct click_totals *out);
/* Documents with at least so much evidence: showings, or clicks and skips. positions: where lists were cut. */
struct click_rules {
    enum click_formula formula;
    double prior, min_evidence;
    uint32_t positions;
};
void clicked_judge(const struct serp_query *q, const struct click_totals *totals, const struct click_rules *rules,
                   struct click_judgeds *out);
