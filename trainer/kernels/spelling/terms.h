/* terms.h - pure: words and phrases of queries, with what is known of them: how often they are searched and clicked, what stands beside them, and what
 * stood in their place in the next search of the same session.
 *
 * A term is one to `longest` words in a row; one that comes twice in a query counts once. In its place: where two searches in a row differ in one or two
 * words in the same place, and these are at most TERMS_NEXT_DISTANCE edits apart. All numbers are whole, so the order of queries does not matter.
 *
 *   u32 bytes behind it | text | u64 searches, clicks, zero results | of each list: u32 entries, of each: text, u64 count */
#pragma once
#include "base/mem.h"
#include "trainer/kernels/queries/query_record.h"

enum { TERMS_LONGEST = 3, TERMS_LIST_MAX = 16, TERMS_NEXT_DISTANCE = 4 };

struct term_counts {
    uint64_t searches, clicks, zero_results;
};
enum term_list_kind { TERM_BEFORE, TERM_BEHIND, TERM_NEXT, TERM_LIST_KIND_COUNT };
struct term_record {
    struct str text;
    struct term_counts counts;
    struct query_list lists[TERM_LIST_KIND_COUNT]; /* best first; of one word: what stands before and behind it */
};

/* How many words it has. */
uint32_t term_words(struct str text);

struct terms;
struct terms *terms_new(uint32_t longest, bool with_lists);
void terms_free(struct terms *t);
DEFINE_AUTO(struct terms *, terms_free)
void terms_add_query(struct terms *t, const struct query_record *q);
void terms_add_record(struct terms *t, const struct term_record *r);
/* All terms, sorted by text (bytes); lists have at most `list_max` entries, texts are borrowed. */
typedef bool (*term_fn)(void *arg, const struct term_record *r, struct err *err);
bool terms_finish(const struct terms *t, uint32_t list_max, term_fn fn, void *arg, struct err *err) MUSTCHECK;

void term_record_write(struct buf *out, const struct term_record *r);
/* Takes the next record off *block; texts are borrowed, lists lie in the arena. False: it is damaged. */
bool term_record_read(struct str *block, struct arena *arena, struct term_record *out);
