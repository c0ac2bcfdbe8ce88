/* Reading and writing JSON as JavaScript does: keys in its order, numbers as doubles, the last of two equal keys. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assign/arena.h"
#include "assign/text.h"
#include "assign/value.h"

enum { NUMBER_ROOM = 64, FIRST_ROOM = 8, FEW = 16, EXACT_DIGITS = 15 };

struct reader {
    const char *at, *end, *start;
    struct assign_arena *arena;
    struct assign_error *e;
    unsigned depth;
};

static bool fail(struct reader *r, const char *what)
{
    (void)snprintf(r->e->text, sizeof r->e->text, "%s at byte %zu", what, (size_t)(r->at - r->start) + 1);
    return false;
}

static bool no_room(struct reader *r)
{
    return fail(r, "the arena gave no more memory");
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

/* ---- strings ---- */

static bool hex4(struct reader *r, uint32_t *out)
{
    uint32_t v = 0;
    if (r->end - r->at < 4)
        return fail(r, "an escape is cut off");
    for (int i = 0; i < 4; i++, r->at++) {
        char c = *r->at;
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0)
            return fail(r, "bad \\u escape");
        v = v << 4 | (uint32_t)digit;
    }
    *out = v;
    return true;
}

/* A lone surrogate has no UTF-8: it becomes U+FFFD. */
static bool unicode_escape(struct reader *r, char *out, size_t *n)
{
    uint32_t cp, low;
    if (!hex4(r, &cp))
        return false;
    if (cp >= 0xD800 && cp < 0xDC00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
        const char *before = r->at;
        r->at += 2;
        if (!hex4(r, &low))
            return false;
        if (low >= 0xDC00 && low < 0xE000)
            cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
        else
            r->at = before;
    }
    if (cp >= 0xD800 && cp < 0xE000)
        cp = 0xFFFD;
    *n += assign_encode(cp, out + *n);
    return true;
}

static bool unescape(struct reader *r, const char *from, size_t n, struct assign_text *out)
{
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char *p = assign_alloc(r->arena, n + 1);
    size_t k = 0;
    if (!p)
        return no_room(r);
    const char *stop = from + n;
    for (r->at = from; r->at < stop;) {
        if (*r->at != '\\') {
            p[k++] = *r->at++;
            continue;
        }
        const char *known = r->at + 1 < stop ? strchr(plain, r->at[1]) : NULL;
        if (known && *known) {
            p[k++] = meant[known - plain];
            r->at += 2;
            continue;
        }
        if (r->at[1] != 'u')
            return fail(r, "bad escape");
        r->at += 2;
        if (!unicode_escape(r, p, &k))
            return false;
    }
    *out = (struct assign_text){ p, k };
    return true;
}

/* Behind the opening quote. */
static bool read_string(struct reader *r, struct assign_text *out)
{
    const char *from = r->at;
    bool escapes = false;
    while (r->at < r->end && *r->at != '"') {
        if ((unsigned char)*r->at < 0x20)
            return fail(r, "a control character in a string");
        if (*r->at == '\\') {
            escapes = true;
            r->at++;
        }
        r->at++;
    }
    if (r->at >= r->end) {
        r->at = r->end;
        return fail(r, "a string does not end");
    }
    const char *close = r->at;
    if (escapes && !unescape(r, from, (size_t)(close - from), out))
        return false;
    if (!escapes)
        *out = (struct assign_text){ from, (size_t)(close - from) };
    r->at = close + 1;
    return true;
}

/* ---- numbers ---- */

static const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* The end of the number that begins here, or NULL. */
static const char *number_end(const char *p, const char *end)
{
    p += p < end && *p == '-';
    const char *from = p;
    p = digits(p, end);
    if (p == from || (*from == '0' && p - from > 1))
        return NULL;
    if (p < end && *p == '.') {
        from = ++p;
        p = digits(p, end);
        if (p == from)
            return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        from = p;
        p = digits(p, end);
        if (p == from)
            return NULL;
    }
    return p;
}

static double whole_number(const char *p, const char *end)
{
    bool minus = *p == '-';
    double v = 0;
    for (p += minus; p < end; p++)
        v = v * 10 + (*p - '0');
    return minus ? -v : v;
}

static bool read_number(struct reader *r, struct assign_value *out)
{
    const char *stop = number_end(r->at, r->end);
    if (!stop)
        return fail(r, "not a JSON value");
    size_t n = (size_t)(stop - r->at);
    out->type = ASSIGN_NUMBER;
    if (n <= EXACT_DIGITS && digits(r->at + (*r->at == '-'), stop) == stop) {
        out->number = whole_number(r->at, stop);
    } else {
        char room[NUMBER_ROOM], *text = n < sizeof room ? room : assign_alloc(r->arena, n + 1);
        if (!text)
            return no_room(r);
        memcpy(text, r->at, n);
        text[n] = '\0';
        out->number = strtod(text, NULL);
    }
    r->at = stop;
    return true;
}

/* ---- arrays and objects ---- */

static bool read_value(struct reader *r, struct assign_value *out);

/* Room for one more; doubles, copying, in the arena. */
static void *grow(struct reader *r, void *list, uint32_t n, uint32_t *room, size_t size)
{
    if (n < *room)
        return list;
    uint32_t wider = *room ? *room * 2 : FIRST_ROOM;
    char *p = assign_alloc_array(r->arena, wider, size);
    if (!p) {
        (void)no_room(r);
        return NULL;
    }
    if (n)
        memcpy(p, list, n * size);
    *room = wider;
    return p;
}

static bool expect(struct reader *r, char c, const char *what)
{
    skip_space(r);
    if (r->at >= r->end || *r->at != c)
        return fail(r, what);
    r->at++;
    return true;
}

/* True, and steps over it, when the next byte is c. */
static bool next_is(struct reader *r, char c)
{
    skip_space(r);
    if (r->at >= r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool read_array(struct reader *r, struct assign_value *out)
{
    struct assign_value *items = NULL;
    uint32_t n = 0, room = 0;
    *out = (struct assign_value){ .type = ASSIGN_ARRAY };
    if (next_is(r, ']'))
        return true;
    do {
        items = grow(r, items, n, &room, sizeof *items);
        if (!items || !read_value(r, &items[n]))
            return false;
        n++;
    } while (next_is(r, ','));
    out->items = items;
    out->count = n;
    return expect(r, ']', "a list lacks \",\" or \"]\"");
}

/* A key that JavaScript takes for an array index: 0 … 2^32-2 without leading zeros. */
static bool is_index(struct assign_text key, uint64_t *out)
{
    uint64_t v = 0;
    if (key.n == 0 || key.n > 10 || (key.p[0] == '0' && key.n > 1))
        return false;
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] < '0' || key.p[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(key.p[i] - '0');
    }
    *out = v;
    return v < UINT32_MAX;
}

/* Indexes first, ascending; the rest stays in its order. Insertion sort: few objects have such keys, and they mostly come in order. */
static void order_members(struct assign_member *m, uint32_t n)
{
    uint32_t indexes = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t v, other;
        if (!is_index(m[i].key, &v))
            continue;
        struct assign_member moved = m[i];
        uint32_t at = indexes++;
        while (at > 0 && is_index(m[at - 1].key, &other) && other > v)
            at--;
        memmove(m + at + 1, m + at, (i - at) * sizeof *m);
        m[at] = moved;
    }
}

/* Where an earlier member has this key, or n. With many members a table of hashes finds it. */
static uint32_t find_key(const struct assign_member *m, uint32_t n, struct assign_text key, const uint32_t *table,
                         uint32_t mask)
{
    if (table) {
        for (uint32_t at = assign_text_hash(key);; at++) {
            uint32_t k = table[at & mask];
            if (k == UINT32_MAX)
                return n;
            if (assign_text_equal(m[k].key, key))
                return k;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        if (assign_text_equal(m[i].key, key))
            return i;
    return n;
}

static void table_add(uint32_t *table, uint32_t mask, struct assign_text key, uint32_t k)
{
    uint32_t at = assign_text_hash(key);
    while (table[at & mask] != UINT32_MAX)
        at++;
    table[at & mask] = k;
}

/* Drops earlier members of the same key: their place stays, the last value counts. */
static bool drop_repeats(struct reader *r, struct assign_member *m, uint32_t *count)
{
    uint32_t n = *count, kept = 0, mask = 0, *table = NULL;
    if (n > FEW) {
        for (mask = 64; mask < n * 2;)
            mask *= 2;
        table = assign_alloc_array(r->arena, mask, sizeof *table);
        if (!table)
            return no_room(r);
        memset(table, 0xFF, mask * sizeof *table);
        mask--;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t there = find_key(m, kept, m[i].key, table, mask);
        m[there].value = m[i].value;
        if (there < kept)
            continue;
        m[kept].key = m[i].key;
        if (table)
            table_add(table, mask, m[i].key, kept);
        kept++;
    }
    *count = kept;
    return true;
}

static bool read_object(struct reader *r, struct assign_value *out)
{
    struct assign_member *members = NULL;
    uint32_t n = 0, room = 0;
    *out = (struct assign_value){ .type = ASSIGN_OBJECT };
    if (next_is(r, '}'))
        return true;
    do {
        members = grow(r, members, n, &room, sizeof *members);
        if (!members || !expect(r, '"', "a key is missing") || !read_string(r, &members[n].key) ||
            !expect(r, ':', "a key lacks \":\"") || !read_value(r, &members[n].value))
            return false;
        n++;
    } while (next_is(r, ','));
    if (!drop_repeats(r, members, &n))
        return false;
    order_members(members, n);
    out->members = members;
    out->count = n;
    return expect(r, '}', "an object lacks \",\" or \"}\"");
}

static bool read_word(struct reader *r, const char *word, struct assign_value v, struct assign_value *out)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
        return fail(r, "not a JSON value");
    r->at += n;
    *out = v;
    return true;
}

static bool read_nested(struct reader *r, struct assign_value *out)
{
    bool object = *r->at++ == '{';
    if (++r->depth > ASSIGN_DEPTH_MAX)
        return fail(r, "nested too deep");
    bool ok = object ? read_object(r, out) : read_array(r, out);
    r->depth--;
    return ok;
}

static bool read_value(struct reader *r, struct assign_value *out)
{
    skip_space(r);
    *out = (struct assign_value){ 0 };
    switch (r->at < r->end ? *r->at : '\0') {
    case '{':
    case '[':
        return read_nested(r, out);
    case '"':
        r->at++;
        out->type = ASSIGN_STRING;
        return read_string(r, &out->text);
    case 't':
        return read_word(r, "true", (struct assign_value){ .type = ASSIGN_BOOL, .boolean = true }, out);
    case 'f':
        return read_word(r, "false", (struct assign_value){ .type = ASSIGN_BOOL }, out);
    case 'n':
        return read_word(r, "null", (struct assign_value){ .type = ASSIGN_NULL }, out);
    default:
        return read_number(r, out);
    }
}

bool assign_json_read(const char *json, size_t n, struct assign_arena *arena, struct assign_value *out,
                      struct assign_error *e)
{
    struct reader r = { json, json + n, json, arena, e, 0 };
    struct assign_value v;
    if (!read_value(&r, &v))
        return false;
    skip_space(&r);
    if (r.at < r.end)
        return fail(&r, "something follows the JSON value");
    *out = v;
    return true;
}

/* ---- writing ---- */

struct writer {
    char *out;
    size_t room, n;
};

static void put(struct writer *w, const char *p, size_t n)
{
    if (w->n + 1 < w->room) {
        size_t fits = w->room - 1 - w->n;
        memcpy(w->out + w->n, p, n < fits ? n : fits);
    }
    w->n += n;
}

static void put_string(struct writer *w, struct assign_text t)
{
    static const char special[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    put(w, "\"", 1);
    for (size_t i = 0; i < t.n; i++) {
        unsigned char c = (unsigned char)t.p[i];
        const char *s = c < 0x80 && c ? strchr(special, c) : NULL;
        if (s) {
            char escape[] = { '\\', letter[s - special] };
            put(w, escape, 2);
        } else if (c < 0x20) {
            char escape[8];
            put(w, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
        } else {
            put(w, &t.p[i], 1);
        }
    }
    put(w, "\"", 1);
}

static void put_number(struct writer *w, double v)
{
    char text[ASSIGN_NUMBER_TEXT_MAX];
    if (isfinite(v))
        put(w, text, assign_number_text(v, text));
    else
        put(w, "null", 4);
}

static void put_value(struct writer *w, const struct assign_value *v);

static void put_items(struct writer *w, const struct assign_value *v)
{
    bool object = v->type == ASSIGN_OBJECT;
    put(w, object ? "{" : "[", 1);
    for (uint32_t i = 0; i < v->count; i++) {
        if (i)
            put(w, ",", 1);
        if (object) {
            put_string(w, v->members[i].key);
            put(w, ":", 1);
        }
        put_value(w, object ? &v->members[i].value : &v->items[i]);
    }
    put(w, object ? "}" : "]", 1);
}

static void put_value(struct writer *w, const struct assign_value *v)
{
    switch (v->type) {
    case ASSIGN_MISSING:
    case ASSIGN_NULL:
        put(w, "null", 4);
        return;
    case ASSIGN_BOOL:
        put(w, v->boolean ? "true" : "false", v->boolean ? 4 : 5);
        return;
    case ASSIGN_NUMBER:
        put_number(w, v->number);
        return;
    case ASSIGN_STRING:
        put_string(w, v->text);
        return;
    case ASSIGN_ARRAY:
    case ASSIGN_OBJECT:
        put_items(w, v);
    }
}

size_t assign_json_write(const struct assign_value *v, char *out, size_t room)
{
    struct writer w = { out, room, 0 };
    put_value(&w, v);
    if (room)
        out[w.n < room ? w.n : room - 1] = '\0';
    return w.n;
}
