/* head.h - pure: the words and phrases that others are corrected to, with their counts, in one block of bytes that workers map; and which of them are
 * near to a text.
 *
 * Near is found by symmetric deletion (Wolf Garbe's SymSpell): two words at distance d share a form that is made of either by leaving out at most d of
 * its first HEAD_PREFIX letters. All such forms of all terms lie in a hash table; a text is looked up under its own. Terms that sound the same
 * (sound.h) are found under their key. What is found is checked by its distance, so that a hash never decides.
 *
 * Size: with distance 3 at most 64 forms a term and one key, each of 4 bytes, and as many for the table: some 520 bytes a term; with distance 2, 240.
 * Terms are numbered in the order in which they were added: give them sorted.
 *
 *   u32 magic, distance, terms, entries, slots_log2, text_bytes | u64 traffic, dictionary | u32 text_at[terms + 1] | u32 masks[terms] |
 *   u64 searches[terms] | u64 clicks[terms] | u64 listed[terms] | u32 slot_at[slots + 1] | u32 entries[] | texts        (each at a multiple of 8) */
#pragma once
#include "base/buf.h"
#include "trainer/kernels/spelling/letters.h"

enum { HEAD_PREFIX = 7, HEAD_DISTANCE_MAX = 3, HEAD_TERMS_MAX = 2000000 };

struct head_term {
    struct str text;
    uint64_t searches, clicks; /* with this word or phrase */
    uint64_t listed;           /* its count in the dictionary; 0: not listed */
};

struct head_out {
    struct arena arena;
    struct head_term *terms;
    uint32_t count, room, distance;
};
void head_begin(struct head_out *o, uint32_t distance);
void head_release(struct head_out *o);
/* Terms that letters_of refuses are left out. */
void head_add(struct head_out *o, const struct head_term *term);
bool head_end(struct head_out *o, struct buf *out, struct err *err) MUSTCHECK;

struct head {
    uint32_t distance, terms, slots_log2;
    uint64_t traffic, dictionary; /* sums over terms of one word */
    const uint32_t *text_at, *masks, *slot_at, *entries;
    const uint64_t *searches, *clicks, *listed;
    struct str texts;
};
/* Checks every offset once; the bytes are borrowed. */
bool head_read(struct str bytes, struct head *out, struct err *err) MUSTCHECK;
struct head_term head_term(const struct head *h, uint32_t i);
/* The number of the term with this text; false: there is none. */
bool head_find(const struct head *h, struct str text, uint32_t *out);

struct head_near {
    uint32_t term, distance;
};
struct head_search {
    const struct head *head;
    uint32_t *seen, stamp; /* of each term: in which search it was met */
    struct head_near *found;
    uint32_t count, room;
};
void head_search_init(struct head_search *s, const struct head *h);
void head_search_release(struct head_search *s);
/* Terms at a distance of at most `most` (not more than the head's), and those that sound the same at a distance of at most `most_alike`; by number.
 * The text itself is not among them. */
void head_near(struct head_search *s, const struct letters *text, uint32_t most, uint32_t most_alike);
