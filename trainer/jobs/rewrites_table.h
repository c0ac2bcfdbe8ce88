/* rewrites_table.h - the rules that are to be published: those of query_rewrites with review auto or approved, without circles.
 *
 * Rules of spelling, head_tail and query each say of a text what it is to become. Where these lead from a text back to itself ("a" → "b", "b" → "a"), nobody
 * can mean all of them: of each circle the rule that says least goes, which is the one of the lowest confidence that no person wrote or approved. A
 * circle of people's rules alone is theirs to mend: it is named, and nothing is published. */
#pragma once
#include "model/rewrite.h"
#include "trainer/jobs/job.h"

struct rewrites_table {
    struct rewrite_rule *rules; /* in the arena */
    size_t count;
    int64_t changed_us; /* when the last of them was changed; 0: there is none */
    size_t wrong;       /* left out, being none that model/rewrite.h takes; the run says which */
    size_t circles;     /* left out for one; the run says which */
    struct str circle;  /* of people's rules: "a" → "b" → "a"; {NULL, 0}: there is none */
};
/* min_confidence: of rules that no person wrote or approved. */
bool rewrites_table_read(struct run_context *run, double min_confidence, struct arena *arena,
                         struct rewrites_table *out, struct err *err) MUSTCHECK;
/* Pure: takes the weakest rule of each circle away, in place; decided[i]: a person wrote or approved rule i. *out_circle: of people's rules alone, or
 * {NULL, 0}. The rules that went are behind the new *count. */
void rewrites_break_circles(struct rewrite_rule *rules, bool *decided, size_t *count, struct arena *arena,
                            struct str *out_circle);
