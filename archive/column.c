#include "archive/column.h"

#include <assert.h>
#include <endian.h>
#include <math.h>

#include "base/hash.h"

enum encoding { PLAIN, DELTA, DICTIONARY, ARCHIVE_HAS_NULLS = 0x80 };
enum { VARINT_MAX = 10 };

const char *const archive_type_names[] = {
    [ARCHIVE_INT] = "int",   [ARCHIVE_TIME] = "time", [ARCHIVE_REAL] = "real",
    [ARCHIVE_TEXT] = "text", [ARCHIVE_JSON] = "json", [ARCHIVE_UUID] = "uuid",
};
static_assert(sizeof archive_type_names / sizeof *archive_type_names == ARCHIVE_TYPE_COUNT, "a name for every type");

static bool is_whole(enum archive_type type)
{
    return type == ARCHIVE_INT || type == ARCHIVE_TIME;
}

static bool is_text(enum archive_type type)
{
    return type == ARCHIVE_TEXT || type == ARCHIVE_JSON;
}

/* ---- ranges ---- */

uint64_t archive_range_key(enum archive_type type, const struct archive_value *v)
{
    uint64_t key = 0;
    if (is_whole(type))
        return (uint64_t)v->i;
    if (type == ARCHIVE_REAL) {
        memcpy(&key, &v->d, sizeof key);
        return key;
    }
    if (v->s.n)
        memcpy(&key, v->s.p, v->s.n < sizeof key ? v->s.n : sizeof key);
    return be64toh(key);
}

static bool real_less(double a, double b)
{
    return isnan(b) ? !isnan(a) : a < b;
}

static bool key_less(enum archive_type type, uint64_t a, uint64_t b)
{
    if (is_whole(type))
        return (int64_t)a < (int64_t)b;
    if (type == ARCHIVE_REAL) {
        double x, y;
        memcpy(&x, &a, sizeof x);
        memcpy(&y, &b, sizeof y);
        return real_less(x, y);
    }
    return a < b;
}

bool archive_range_holds(enum archive_type type, const struct archive_range *r, uint32_t rows, uint64_t key)
{
    return r->nulls < rows && !key_less(type, key, r->min) && !key_less(type, r->max, key);
}

static struct archive_range range_of(enum archive_type type, const struct archive_value *values, uint32_t rows)
{
    struct archive_range r = { 0 };
    for (uint32_t i = 0; i < rows; i++) {
        if (values[i].null) {
            r.nulls++;
            continue;
        }
        uint64_t key = archive_range_key(type, &values[i]);
        bool first = r.nulls == i;
        if (first || key_less(type, key, r.min))
            r.min = key;
        if (first || key_less(type, r.max, key))
            r.max = key;
    }
    return r;
}

/* ---- writing ---- */

static void put_varint(struct buf *b, uint64_t v)
{
    char bytes[VARINT_MAX];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (char)(v | 0x80);
    bytes[n++] = (char)v;
    buf_add(b, bytes, n);
}

static void put_text(struct buf *b, struct str s)
{
    put_varint(b, s.n);
    buf_add_str(b, s);
}

static void put_plain(struct buf *b, enum archive_type type, const struct archive_value *values, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i++) {
        if (values[i].null)
            continue;
        if (is_text(type)) {
            put_text(b, values[i].s);
        } else if (type == ARCHIVE_UUID) {
            assert(values[i].s.n == ARCHIVE_ID_BYTES);
            buf_add_str(b, values[i].s);
        } else {
            uint64_t bits = htole64(archive_range_key(type, &values[i]));
            buf_add(b, &bits, sizeof bits);
        }
    }
}

static void put_delta(struct buf *b, const struct archive_value *values, uint32_t rows)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < rows; i++) {
        if (values[i].null)
            continue;
        uint64_t d = (uint64_t)values[i].i - before;
        put_varint(b, d << 1 ^ (0 - (d >> 63)));
        before = (uint64_t)values[i].i;
    }
}

struct dictionary {
    const struct archive_value *values;
    uint32_t *slots; /* open addressing: place of a text's first value, plus 1; 0 empty */
    uint32_t *texts; /* places of the different texts, in the order of their first values */
    uint32_t *numbers;
    uint32_t count, mask;
};

static uint32_t number_of(struct dictionary *d, uint32_t row)
{
    struct str s = d->values[row].s;
    uint32_t at = (uint32_t)(hash64(s) >> 12) & d->mask;
    for (; d->slots[at]; at = (at + 1) & d->mask)
        if (str_eq(d->values[d->texts[d->slots[at] - 1]].s, s))
            return d->slots[at] - 1;
    d->texts[d->count++] = row;
    d->slots[at] = d->count;
    return d->count - 1;
}

/* False, and nothing is written, when most texts stand alone. */
static bool put_dictionary(struct buf *b, const struct archive_value *values, uint32_t rows, uint32_t nulls)
{
    struct dictionary d = { .values = values, .mask = 1 };
    while (d.mask < rows * 2)
        d.mask = d.mask << 1 | 1;
    d.slots = mem_zalloc(((size_t)d.mask + 1) * sizeof *d.slots);
    d.texts = mem_alloc((rows + 1) * sizeof *d.texts);
    d.numbers = mem_alloc((rows + 1) * sizeof *d.numbers);
    for (uint32_t i = 0; i < rows; i++)
        d.numbers[i] = values[i].null ? 0 : number_of(&d, i);
    bool worth = d.count <= (rows - nulls) / 2;
    uint32_t count = htole32(d.count);
    if (worth)
        buf_add(b, &count, sizeof count);
    for (uint32_t i = 0; worth && i < d.count; i++)
        put_text(b, values[d.texts[i]].s);
    for (uint32_t i = 0; worth && i < rows; i++)
        if (!values[i].null)
            put_varint(b, d.numbers[i]);
    mem_free(d.slots);
    mem_free(d.texts);
    mem_free(d.numbers);
    return worth;
}

static void put_nulls(struct buf *b, const struct archive_value *values, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i += 8) {
        unsigned byte = 0;
        for (uint32_t bit = 0; bit < 8 && i + bit < rows; bit++)
            byte |= (unsigned)values[i + bit].null << bit;
        buf_add_byte(b, (char)byte);
    }
}

void archive_column_encode(enum archive_type type, const struct archive_value *values, uint32_t rows, struct buf *out,
                           struct archive_range *out_range)
{
    size_t from = out->n;
    *out_range = range_of(type, values, rows);
    buf_add_byte(out, 0);
    if (out_range->nulls)
        put_nulls(out, values, rows);
    size_t data = out->n;
    enum encoding encoding = is_whole(type) ? DELTA : PLAIN;
    if (is_whole(type))
        put_delta(out, values, rows);
    else if (is_text(type) && put_dictionary(out, values, rows, out_range->nulls))
        encoding = DICTIONARY;
    else
        put_plain(out, type, values, rows);
    if (encoding == DELTA && !out->failed && out->n - data > (size_t)(rows - out_range->nulls) * 8) {
        out->n = data;
        encoding = PLAIN;
        put_plain(out, type, values, rows);
    }
    if (!out->failed)
        out->p[from] = (char)((unsigned)encoding | (out_range->nulls ? ARCHIVE_HAS_NULLS : 0));
}

/* ---- reading ---- */

static bool take(struct str *in, void *out, size_t n)
{
    if (in->n < n)
        return false;
    memcpy(out, in->p, n);
    in->p += n;
    in->n -= n;
    return true;
}

static bool take_varint_slowly(struct str *in, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < VARINT_MAX && i < in->n; i++) {
        uint64_t byte = (unsigned char)in->p[i];
        if (i == VARINT_MAX - 1 && byte > 1)
            return false;
        v |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            in->p += i + 1;
            in->n -= i + 1;
            *out = v;
            return true;
        }
    }
    return false;
}

/* The bits of eight varint bytes next to each other: seven of each. */
static uint64_t joined(uint64_t b)
{
    b = (b & 0x007f007f007f007f) | (b & 0x7f007f007f007f00) >> 1;
    b = (b & 0x00003fff00003fff) | (b & 0x3fff00003fff0000) >> 2;
    return (b & 0x000000000fffffff) | (b & 0x0fffffff00000000) >> 4;
}

/* Most are of one or two bytes, instants of six: all at once where eight bytes are there to be looked at. */
static inline bool take_varint(struct str *in, uint64_t *out)
{
    uint64_t word, last;
    if (in->n && (unsigned char)in->p[0] < 0x80) {
        *out = (unsigned char)*in->p++;
        in->n--;
        return true;
    }
    if (in->n < sizeof word)
        return take_varint_slowly(in, out);
    memcpy(&word, in->p, sizeof word);
    word = le64toh(word);
    last = ~word & 0x8080808080808080; /* bytes behind which none follows */
    if (!last)
        return take_varint_slowly(in, out);
    unsigned bytes = (unsigned)__builtin_ctzll(last) / 8 + 1;
    *out = joined(word & ~UINT64_C(0) >> (64 - 8 * bytes));
    in->p += bytes;
    in->n -= bytes;
    return true;
}

static bool take_bytes(struct str *in, uint64_t n, struct str *out)
{
    if (in->n < n)
        return false;
    *out = (struct str){ in->p, (size_t)n };
    in->p += n;
    in->n -= (size_t)n;
    return true;
}

static bool take_text(struct str *in, struct str *out)
{
    uint64_t n;
    return take_varint(in, &n) && take_bytes(in, n, out);
}

/* What a column is read from. */
struct source {
    struct str in;
    enum archive_type type;
    enum encoding encoding;
    uint32_t rows;
    struct arena *arena;
    const unsigned char *nulls; /* as in struct archive_vector */
};

static bool is_null(const struct source *s, uint32_t row)
{
    return s->nulls && s->nulls[row];
}

static bool damaged(const struct source *s, uint32_t row, struct err *err)
{
    return err_set(err, ERR_INVALID, "value %u of %u is damaged", row, s->rows);
}

static bool take_nulls(struct source *s, struct err *err)
{
    struct str bits;
    if (!take_bytes(&s->in, (s->rows + 7) / 8, &bits))
        return err_set(err, ERR_INVALID, "its bitmap of nulls is cut off");
    unsigned char *nulls = arena_alloc(s->arena, (size_t)s->rows + 1);
    for (uint32_t i = 0; i < s->rows; i++)
        nulls[i] = (unsigned char)bits.p[i / 8] >> (i % 8) & 1;
    s->nulls = nulls;
    return true;
}

static bool open_source(struct source *s, struct err *err)
{
    unsigned char head;
    if (!take(&s->in, &head, 1))
        return err_set(err, ERR_INVALID, "it is empty");
    s->encoding = (enum encoding)(head & 0x7f);
    bool known = s->encoding == PLAIN || (s->encoding == DELTA && is_whole(s->type)) ||
                 (s->encoding == DICTIONARY && is_text(s->type));
    if (!known)
        return err_set(err, ERR_INVALID, "encoding %u is not one of type %s", head & 0x7fu,
                       archive_type_names[s->type]);
    return !(head & ARCHIVE_HAS_NULLS) || take_nulls(s, err);
}

static bool read_deltas(struct source *s, int64_t *out, struct err *err)
{
    uint64_t before = 0, d;
    for (uint32_t i = 0; i < s->rows; i++) {
        if (is_null(s, i)) {
            out[i] = 0;
            continue;
        }
        if (!take_varint(&s->in, &d))
            return damaged(s, i, err);
        before += d >> 1 ^ (0 - (d & 1));
        out[i] = (int64_t)before;
    }
    return true;
}

static bool take_u64(struct str *in, uint64_t *out)
{
    if (!take(in, out, sizeof *out))
        return false;
    *out = le64toh(*out);
    return true;
}

static bool read_ints(struct source *s, struct archive_vector *out, struct err *err)
{
    int64_t *ints = arena_alloc(s->arena, ((size_t)s->rows + 1) * sizeof *ints);
    out->ints = ints;
    if (s->encoding == DELTA)
        return read_deltas(s, ints, err);
    for (uint32_t i = 0; i < s->rows; i++) {
        uint64_t bits = 0;
        if (!is_null(s, i) && !take_u64(&s->in, &bits))
            return damaged(s, i, err);
        ints[i] = (int64_t)bits;
    }
    return true;
}

static bool read_reals(struct source *s, struct archive_vector *out, struct err *err)
{
    double *reals = arena_alloc(s->arena, ((size_t)s->rows + 1) * sizeof *reals);
    out->reals = reals;
    for (uint32_t i = 0; i < s->rows; i++) {
        uint64_t bits;
        reals[i] = (double)NAN;
        if (is_null(s, i))
            continue;
        if (!take_u64(&s->in, &bits))
            return damaged(s, i, err);
        memcpy(&reals[i], &bits, sizeof bits);
    }
    return true;
}

static bool read_dictionary(struct source *s, struct archive_vector *out, struct err *err)
{
    uint32_t count;
    if (!take(&s->in, &count, sizeof count) || (count = le32toh(count)) > s->rows)
        return err_set(err, ERR_INVALID, "its dictionary is damaged");
    struct str *texts = arena_alloc(s->arena, ((size_t)count + 1) * sizeof *texts);
    uint32_t *codes = arena_alloc(s->arena, ((size_t)s->rows + 1) * sizeof *codes);
    for (uint32_t i = 0; i < count; i++)
        if (!take_text(&s->in, &texts[i]))
            return err_set(err, ERR_INVALID, "its dictionary is damaged");
    texts[count] = (struct str){ NULL, 0 };
    for (uint32_t i = 0; i < s->rows; i++) {
        uint64_t code = count;
        if (!is_null(s, i) && (!take_varint(&s->in, &code) || code >= count))
            return damaged(s, i, err);
        codes[i] = (uint32_t)code;
    }
    out->texts = texts;
    out->codes = codes;
    out->texts_count = count;
    return true;
}

static bool read_texts(struct source *s, struct archive_vector *out, struct err *err)
{
    uint32_t count = 0;
    struct str *texts = arena_alloc(s->arena, ((size_t)s->rows + 1) * sizeof *texts);
    uint32_t *codes = arena_alloc(s->arena, ((size_t)s->rows + 1) * sizeof *codes);
    for (uint32_t i = 0; i < s->rows; i++) {
        codes[i] = UINT32_MAX;
        if (is_null(s, i))
            continue;
        if (s->type == ARCHIVE_UUID ? !take_bytes(&s->in, ARCHIVE_ID_BYTES, &texts[count])
                                    : !take_text(&s->in, &texts[count]))
            return damaged(s, i, err);
        codes[i] = count++;
    }
    for (uint32_t i = 0; s->nulls && i < s->rows; i++)
        codes[i] = codes[i] == UINT32_MAX ? count : codes[i];
    texts[count] = (struct str){ NULL, 0 };
    out->texts = texts;
    out->codes = codes;
    out->texts_count = count;
    return true;
}

static bool read_values(struct source *s, struct archive_vector *out, struct err *err)
{
    if (is_whole(s->type))
        return read_ints(s, out, err);
    if (s->type == ARCHIVE_REAL)
        return read_reals(s, out, err);
    return s->encoding == DICTIONARY ? read_dictionary(s, out, err) : read_texts(s, out, err);
}

bool archive_column_decode(enum archive_type type, uint32_t rows, struct str bytes, struct arena *arena,
                           struct archive_vector *out, struct err *err)
{
    struct source s = { .in = bytes, .type = type, .rows = rows, .arena = arena };
    struct archive_vector v = { 0 };
    if (!open_source(&s, err) || !read_values(&s, &v, err))
        return false;
    if (s.in.n)
        return err_set(err, ERR_INVALID, "%zu bytes are left behind its %u values", s.in.n, rows);
    v.nulls = s.nulls;
    *out = v;
    return true;
}

struct archive_value archive_vector_value(enum archive_type type, const struct archive_vector *v, uint32_t row)
{
    if (v->nulls && v->nulls[row])
        return (struct archive_value){ .null = true };
    if (is_whole(type))
        return (struct archive_value){ .i = v->ints[row] };
    if (type == ARCHIVE_REAL)
        return (struct archive_value){ .d = v->reals[row] };
    return (struct archive_value){ .s = v->texts[v->codes[row]] };
}

bool archive_column_values(enum archive_type type, uint32_t rows, struct str bytes, struct arena *arena,
                           struct archive_value **out_values, struct err *err)
{
    struct archive_vector v;
    if (!archive_column_decode(type, rows, bytes, arena, &v, err))
        return false;
    struct archive_value *values = arena_alloc(arena, ((size_t)rows + 1) * sizeof *values);
    for (uint32_t i = 0; i < rows; i++)
        values[i] = archive_vector_value(type, &v, i);
    *out_values = values;
    return true;
}
