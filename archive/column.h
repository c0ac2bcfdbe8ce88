/* column.h - pure: the values of one column of up to ARCHIVE_GROUP_ROWS rows as bytes, and back.
 *
 *   u8 encoding, with ARCHIVE_HAS_NULLS when some value is null | bitmap of the nulls, a bit a row, only then | the values that are not null:
 *   plain       whole numbers and reals: 8 bytes each, little-endian; ids: 16 bytes; texts: length as a varint, bytes
 *   delta       whole numbers: the difference to the one before, zigzag, as a varint
 *   dictionary  texts: u32 count, each different text as in plain, then for each value its number as a varint
 *
 * What is written depends on the values alone. What is read was written by others: every length is checked before it is used. */
#pragma once
#include "base/buf.h"

enum { ARCHIVE_GROUP_ROWS = 64 << 10, ARCHIVE_RAW_MAX = 256 << 20, ARCHIVE_ID_BYTES = 16 };

enum archive_type {
    ARCHIVE_INT,
    ARCHIVE_TIME, /* µs since 1970 */
    ARCHIVE_REAL,
    ARCHIVE_TEXT,
    ARCHIVE_JSON, /* its text */
    ARCHIVE_UUID, /* 16 bytes */
    ARCHIVE_TYPE_COUNT
};
extern const char *const archive_type_names[ARCHIVE_TYPE_COUNT];

struct archive_value {
    bool null;
    union {
        int64_t i;    /* INT, TIME */
        double d;     /* REAL */
        struct str s; /* TEXT, JSON, UUID */
    };
};

/* The values of a column as what reads many rows wants them: one array for each thing, nothing a value has to be asked for by type. */
struct archive_vector {
    const unsigned char *nulls; /* a byte a row, 1: null; NULL: no value is */
    union {
        const int64_t *ints;     /* INT, TIME; of a null 0 */
        const double *reals;     /* REAL; of a null NAN */
        const struct str *texts; /* TEXT, JSON, UUID: the different ones, and behind them {NULL, 0}, which a null has */
    };
    const uint32_t *
        codes; /* of texts: which of them each row has. Of equal texts the codes may differ; equal codes are equal texts */
    uint32_t texts_count;
};

/* Of the values that are not null: how many are, and the smallest and greatest, each in 8 bytes: the number's own; of texts and ids the
 * first 8 bytes, the first of them the most significant, so that they compare as the texts do. NaN counts as the greatest real. */
struct archive_range {
    uint32_t nulls;
    uint64_t min, max;
};
/* The 8 bytes of one value, for comparison by archive_range_holds. */
uint64_t archive_range_key(enum archive_type type, const struct archive_value *v);
/* False when a column of this range has no value of this key. */
bool archive_range_holds(enum archive_type type, const struct archive_range *r, uint32_t rows, uint64_t key);

/* ARCHIVE_RAW_MAX is the limit of out; buf_ok tells. */
void archive_column_encode(enum archive_type type, const struct archive_value *values, uint32_t rows, struct buf *out,
                           struct archive_range *out_range);
/* Lists lie in the arena, texts in the bytes. Errors say what is wrong with these. */
bool archive_column_decode(enum archive_type type, uint32_t rows, struct str bytes, struct arena *arena,
                           struct archive_vector *out, struct err *err) MUSTCHECK;
/* The same, value by value. */
bool archive_column_values(enum archive_type type, uint32_t rows, struct str bytes, struct arena *arena,
                           struct archive_value **out_values, struct err *err) MUSTCHECK;
struct archive_value archive_vector_value(enum archive_type type, const struct archive_vector *v, uint32_t row);
