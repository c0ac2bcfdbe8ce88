/* lists.h - a section of an artifact that gives for a key a ranked list of entries: items for a user, queries for a query, boosts.
 *
 *   u32 version | u32 columns | u32 keys | u32 entries | u32 texts | u32 slots (a power of two) | u64 bytes of text | char name[24] of each column
 *   u64 end of each text | u32 text of each key | u32 end of each key's entries | u32 slots: 1 + number of a key, 0 when free
 *   u32 text of each entry | f32 values of each entry | text
 *
 * All numbers are little-endian and may lie anywhere: nothing relies on alignment. Keys and entries are texts (UTF-8), each stored once. A key
 * is found by hash64 of its text, with linear probing. The bytes follow from what was given and its order. Sizes: 8 bytes a text, 16 a key,
 * 4 + 4 × columns an entry, and the texts. Pure. */
#pragma once
#include "base/buf.h"

#define LISTS_BYTES_MAX ((size_t)16 << 30)
enum { LISTS_COLUMNS_MAX = 8, LISTS_COLUMN_NAME = 24 };

struct lists_out {
    struct str columns[LISTS_COLUMNS_MAX];
    uint32_t columns_count, keys, entries, texts;
    struct buf text, text_ends, key_texts, key_ends, entry_texts, values;
    uint32_t *table; /* texts by their hash: 1 + number of a text, 0 when free */
    uint64_t table_room;
    struct err wrong; /* the first thing that was wrong; lists_end says it */
};
/* Columns are names of the values of an entry, a-z, 0-9 and _ ("score"; "support", "confidence", "lift"); the first one ranks. Names are
 * borrowed until lists_end. */
void lists_begin(struct lists_out *o, const char *const *columns, size_t columns_count);
/* Each key once; in which order is the caller's, and the bytes depend on it: give them sorted. */
void lists_key(struct lists_out *o, struct str key);
/* To the last key; best first: the order is kept. `values`: as many as there are columns. */
void lists_add(struct lists_out *o, struct str entry, const float *values);
/* Appends the section to `out`, which the caller limits. Fails when a key stood twice, a text is not UTF-8, a value is not finite, or it does
 * not fit. Releases `o` in every case. */
bool lists_end(struct lists_out *o, struct buf *out, struct err *err) MUSTCHECK;
void lists_release(struct lists_out *o); /* gives up; also behind lists_end */

struct lists {
    struct str section;
    uint32_t columns, keys, entries, texts, slots;
    const char *names, *text_ends, *key_texts, *key_ends, *slot_keys, *entry_texts, *values, *text;
};
struct lists_row {
    uint32_t first, count; /* entries [first, first + count) */
};
/* Borrows the bytes. Every offset is checked once, so that nothing below can leave them. */
bool lists_read(struct str section, struct lists *out, struct err *err) MUSTCHECK;
bool lists_find(const struct lists *l, struct str key, struct lists_row *out);
struct str lists_entry(const struct lists *l, uint32_t i);
/* Number of the entry's text, below l->texts: equal numbers, equal texts. */
uint32_t lists_entry_id(const struct lists *l, uint32_t i);
float lists_value(const struct lists *l, uint32_t i, uint32_t column);
struct str lists_text(const struct lists *l, uint32_t id);
/* Name of column i, below l->columns; the number of the column of a name, or -1. */
struct str lists_column(const struct lists *l, uint32_t i);
int lists_column_named(const struct lists *l, const char *name);
/* Key n in the order in which they were given; false behind the last one. */
bool lists_key_at(const struct lists *l, uint32_t n, struct str *out_key, struct lists_row *out_row);
