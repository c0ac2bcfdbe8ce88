/* judge.h - pure: from what clicks say to a judgment set: grades on a scale, people's judgments beside them, and how far both agree.
 *
 *   linear     max_grade · min(1, value / top)
 *   quantile   of the values in order, floor((K + 1) · share that is lower), K = max_grade rounded: as many documents in each grade
 *   raw        the value
 *
 * Where a person has judged, that counts; grades of another scale are brought to this one. Rows come by query and document. */
#pragma once
#include "trainer/jobs/clicked.h"
#include "trainer/jobs/judgments_read.h"

enum judge_scale { JUDGE_LINEAR, JUDGE_QUANTILE, JUDGE_RAW };
enum { JUDGE_GRADES_MAX = 11 }; /* kappa and its table: of whole grades from 0 to at most 10 */

struct judge_rules {
    enum judge_scale scale;
    double max_grade; /* raw: what no grade may pass */
    double
        top; /* linear: the value that has the highest grade; 0: 1, or for coec the 99th percentile of what there is */
    bool whole;      /* grades are rounded, halves away from 0 */
    bool relative;   /* values are not shares of 1: coec */
    double conflict; /* grades that differ by so much are told of */
    size_t conflicts_told;
};
/* Sorts them by query and document, gives each its grade; *out_top: what `top` came to. */
void judge_grades(struct click_judgeds *j, const struct judge_rules *rules, double *out_top);

struct judge_row {
    struct str query, doc;              /* as the set is to have them */
    double grade, confidence, evidence; /* NAN: not known */
    bool human;
    struct str judge; /* who; or {NULL, 0} */
};
struct judge_conflict {
    struct str query, doc;
    double human, clicks, confidence;
};
struct judged_set {
    struct judge_row *rows; /* by query and document */
    size_t count, room;
    uint64_t human, clicks, both, conflicts;
    uint64_t kept;               /* that people put into the set itself */
    struct judge_conflict *told; /* of the conflicts: the widest apart, then the surest */
    size_t told_count, told_room;
    uint64_t table[JUDGE_GRADES_MAX * JUDGE_GRADES_MAX]; /* [person's · grades + clicks'] */
    size_t grades;                                       /* 0: the scale has too many */
    bool has_kappa, has_tau;
    double kappa, tau; /* tau: of people's grades and the values of clicks, within queries */
};
/* human, own: sets that people judged; own: the one that is made anew, of which only what was put in one by one counts, and comes first. NULL: none. Their
 * texts are borrowed. What `own` keeps by itself is not among the rows. */
void judge_merge(const struct click_judgeds *j, const struct judgment_set *human, const struct judgment_set *own,
                 const struct judge_rules *rules, struct judged_set *out);
void judged_set_release(struct judged_set *s);
