/* rollup.h - pure: what selects found on single days → what they are together: counts and sums added, the least and the greatest taken, the first and the
 * last day's. No database.
 *
 * A select gives columns. Some are keys; of each other one a measure says how its days are put together:
 *
 *   sum      added; null where no day has a value          count   added, 0 where no day has one (of whole numbers)
 *   min, max the least, the greatest                        days    on how many days there was a value
 *   first    of the earliest day that has a value           last    of the latest
 *   mean     one column's sum over another's: mean(spent/orders)
 *
 * Of the rows of one day no two have the same keys. Days are added in their order, so everything but a sum of `real` is exact, and that is the same for
 * the same days. NaN is no value. */
#pragma once
#include "base/buf.h"

enum { ROLLUP_COLUMNS_MAX = 40, ROLLUP_NAME_MAX = 63 };

enum rollup_type { ROLLUP_WHOLE, ROLLUP_REAL, ROLLUP_TEXT, ROLLUP_TIME, ROLLUP_DATE, ROLLUP_BOOL, ROLLUP_TYPE_COUNT };
extern const char *const rollup_type_names[ROLLUP_TYPE_COUNT]; /* as PostgreSQL has them */

enum rollup_how {
    ROLLUP_SUM,
    ROLLUP_MIN,
    ROLLUP_MAX,
    ROLLUP_COUNT,
    ROLLUP_MEAN,
    ROLLUP_FIRST,
    ROLLUP_LAST,
    ROLLUP_DAYS,
    ROLLUP_HOW_COUNT
};

struct rollup_column {
    struct str name;
    enum rollup_type type;
};
struct rollup_measure {
    struct str name;
    enum rollup_how how;
    uint32_t of, over;     /* numbers of columns; over: of a mean */
    enum rollup_type type; /* of what comes out */
};
struct rollup {
    struct rollup_column columns[ROLLUP_COLUMNS_MAX]; /* that are read of the select: keys, then what measures are of */
    uint32_t columns_count, keys_count;
    struct rollup_measure measures[ROLLUP_COLUMNS_MAX];
    uint32_t measures_count;
};

/* keys: "query,doc"; measures: "n:sum,last_at:max,price:mean(spent/orders)", or empty: every column that is no key is added. `found`: the
 * columns of the select. Errors name keys or measures and the column. */
bool rollup_make(struct str keys, struct str measures, const struct rollup_column *found, size_t found_count,
                 struct arena *arena, struct rollup *out, struct err *err) MUSTCHECK;
/* The number of the key of that name, or -1. */
int rollup_key(const struct rollup *r, struct str name);

struct rollup_value {
    bool null;
    int64_t i;    /* whole; µs, days since 2000; 0 or 1 */
    double d;     /* real */
    struct str s; /* text */
};

/* ---- one day ---- */

struct rollup_day;
struct rollup_day *rollup_day_new(const struct rollup *r);
void rollup_day_free(struct rollup_day *d);
/* One row, a value for each column. Texts are copied. ERR_INVALID: there was one with these keys. */
bool rollup_day_add(struct rollup_day *d, const struct rollup_value *row, struct err *err) MUSTCHECK;
/* The records in the order of their keys' bytes; hash: of the keys. */
typedef bool (*rollup_record_fn)(void *arg, struct str record, uint64_t hash, struct err *err);
bool rollup_day_each(const struct rollup_day *d, rollup_record_fn fn, void *arg, struct err *err) MUSTCHECK;

/* ---- many days ---- */

struct rollup_total;
struct rollup_total *rollup_total_new(const struct rollup *r);
void rollup_total_free(struct rollup_total *t);
/* The next record of a block; records of days in the order of days. */
bool rollup_total_add(struct rollup_total *t, struct str *block, struct err *err) MUSTCHECK;
/* Each group: a value for each key, then one for each measure. In the order of the keys' bytes. */
typedef bool (*rollup_row_fn)(void *arg, const struct rollup_value *row, struct err *err);
bool rollup_total_each(const struct rollup_total *t, rollup_row_fn fn, void *arg, struct err *err) MUSTCHECK;
