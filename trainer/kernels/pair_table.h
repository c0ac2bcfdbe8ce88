/* pair_table.h - pure: pairs of texts (a unit and a document, a unit and a query), each with a value of one size.
 *
 * Open addressing over a list of entries; texts are copied, and a first text that is that of the pair before it is kept once: rows mostly come
 * by unit. Pairs have the numbers 0 … count-1 in the order in which they came; pair_table_sort gives them in an order that does not depend on
 * it. 40 bytes a pair, its texts, its value. */
#pragma once
#include "base/hash.h"
#include "base/mem.h"

struct pair_table;

struct pair_table *pair_table_new(size_t value_bytes);
void pair_table_free(struct pair_table *t);
DEFINE_AUTO(struct pair_table *, pair_table_free)

/* The pair's value, all zeros when it is new; valid until the next call. */
void *pair_table_at(struct pair_table *t, struct str first, struct str second);
/* The same by texts whose hashes are known: columns of many rows have few different texts. */
struct pair_text {
    struct str text;
    uint64_t hash;
};
static inline struct pair_text pair_text_of(struct str s)
{
    return (struct pair_text){ s, hash64(s) };
}
void *pair_table_at_hashed(struct pair_table *t, const struct pair_text *first, const struct pair_text *second);
size_t pair_table_count(const struct pair_table *t);
struct str pair_table_first(const struct pair_table *t, size_t number);
struct str pair_table_second(const struct pair_table *t, size_t number);
void *pair_table_value(const struct pair_table *t, size_t number);
/* A copy of a text that lives as long as the table. */
struct str pair_table_keep(struct pair_table *t, struct str text);
/* The numbers in the order of first texts, then second ones (bytes). The caller frees it. */
uint32_t *pair_table_sort(const struct pair_table *t);
/* As memcmp; of texts of which one begins with the other, the shorter one comes first. */
int pair_text_compare(struct str a, struct str b);
/* The same for qsort and bsearch, of what has a struct str as its first member. */
int pair_text_first(const void *a, const void *b);
