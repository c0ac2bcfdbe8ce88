#include "assign/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assign/arena.h"
#include "assign/text.h"

enum { NUMBER_ROOM = 512 };

const struct assign_value assign_null = { .type = ASSIGN_NULL };

const struct assign_value *assign_member(const struct assign_value *object, const char *key, size_t key_n)
{
    if (!object || object->type != ASSIGN_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->count; i++) { /* of an empty one, members is NULL */
        const struct assign_member *m = &object->members[i];
        if (m->key.n == key_n && assign_same_bytes(m->key.p, key, key_n))
            return &m->value;
    }
    return NULL;
}

const struct assign_value *assign_member_c(const struct assign_value *object, const char *key)
{
    return assign_member(object, key, strlen(key));
}

struct assign_text assign_member_text(const struct assign_value *object, const char *key)
{
    const struct assign_value *v = assign_member_c(object, key);
    return v && v->type == ASSIGN_STRING ? v->text : (struct assign_text){ NULL, 0 };
}

bool assign_member_truthy(const struct assign_value *object, const char *key)
{
    return assign_truthy(assign_member_c(object, key));
}

bool assign_truthy(const struct assign_value *v)
{
    if (!v)
        return false;
    switch (v->type) {
    case ASSIGN_MISSING:
    case ASSIGN_NULL:
        return false;
    case ASSIGN_BOOL:
        return v->boolean;
    case ASSIGN_NUMBER:
        return v->number != 0 && !isnan(v->number);
    case ASSIGN_STRING:
        return v->text.n > 0;
    case ASSIGN_ARRAY:
    case ASSIGN_OBJECT:
        return true;
    }
    return false;
}

/* ---- equality ---- */

static bool same_members(const struct assign_value *a, const struct assign_value *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (!assign_text_equal(a->members[i].key, b->members[i].key) ||
            !assign_same_json(&a->members[i].value, &b->members[i].value))
            return false;
    return true;
}

bool assign_same_json(const struct assign_value *a, const struct assign_value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case ASSIGN_MISSING:
    case ASSIGN_NULL:
        return true;
    case ASSIGN_BOOL:
        return a->boolean == b->boolean;
    case ASSIGN_NUMBER:
        return a->number == b->number;
    case ASSIGN_STRING:
        return assign_text_equal(a->text, b->text);
    case ASSIGN_OBJECT:
        return a->count == b->count && same_members(a, b);
    case ASSIGN_ARRAY:
        break;
    }
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++)
        same = assign_same_json(&a->items[i], &b->items[i]);
    return same;
}

bool assign_strict_equal(const struct assign_value *a, const struct assign_value *b)
{
    return a->type == b->type && a->type != ASSIGN_ARRAY && a->type != ASSIGN_OBJECT && assign_same_json(a, b);
}

/* ---- text ---- */

/* Array.prototype.toString: elements joined by commas, null as nothing. */
static bool list_text(const struct assign_value *v, struct assign_arena *a, struct assign_text *out)
{
    struct assign_text *parts = assign_alloc_array(a, (size_t)v->count * 2 + 1, sizeof *parts);
    size_t n = 0;
    if (!parts)
        return false;
    for (uint32_t i = 0; i < v->count; i++) {
        if (i)
            parts[n++] = ASSIGN_TEXT(",");
        parts[n] = ASSIGN_TEXT("");
        if (v->items[i].type > ASSIGN_NULL && !assign_to_text(&v->items[i], a, &parts[n]))
            return false;
        n++;
    }
    return assign_text_join(parts, n, a, out);
}

static bool number_text(double v, struct assign_arena *a, struct assign_text *out)
{
    char text[ASSIGN_NUMBER_TEXT_MAX];
    return assign_text_copy((struct assign_text){ text, assign_number_text(v, text) }, a, out);
}

bool assign_to_text(const struct assign_value *v, struct assign_arena *a, struct assign_text *out)
{
    switch (v ? v->type : ASSIGN_MISSING) {
    case ASSIGN_MISSING:
        *out = ASSIGN_TEXT("undefined");
        return true;
    case ASSIGN_NULL:
        *out = ASSIGN_TEXT("null");
        return true;
    case ASSIGN_BOOL:
        *out = v->boolean ? ASSIGN_TEXT("true") : ASSIGN_TEXT("false");
        return true;
    case ASSIGN_NUMBER:
        return number_text(v->number, a, out);
    case ASSIGN_STRING:
        *out = v->text;
        return true;
    case ASSIGN_ARRAY:
        return list_text(v, a, out);
    case ASSIGN_OBJECT:
        *out = ASSIGN_TEXT("[object Object]");
        return true;
    }
    return false;
}

bool assign_to_key(const struct assign_value *v, struct assign_arena *a, struct assign_text *out)
{
    if (v->type == ASSIGN_STRING) {
        *out = v->text;
        return true;
    }
    size_t n = assign_json_write(v, NULL, 0);
    char *p = assign_alloc(a, n + 1);
    if (!p)
        return false;
    (void)assign_json_write(v, p, n + 1);
    *out = (struct assign_text){ p, n };
    return true;
}

/* ---- numbers ---- */

/* What JavaScript trims: white space and line ends of Unicode. Length of the one at p, or 0. */
static size_t space_at(const char *p, size_t n)
{
    uint32_t cp;
    size_t len = assign_decode(p, n, &cp);
    bool space = (cp >= 9 && cp <= 13) || cp == ' ' || cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) ||
                 cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000 || cp == 0xFEFF;
    return space ? len : 0;
}

static struct assign_text trim(struct assign_text t)
{
    size_t n;
    while (t.n && (n = space_at(t.p, t.n)) > 0)
        t = (struct assign_text){ t.p + n, t.n - n };
    while (t.n) {
        size_t back = 1;
        while (back < t.n && back < 4 && ((unsigned char)t.p[t.n - back] & 0xC0) == 0x80)
            back++;
        if (space_at(t.p + t.n - back, back) != back)
            break;
        t.n -= back;
    }
    return t;
}

static double radix_number(struct assign_text t, unsigned radix)
{
    double v = 0;
    for (size_t i = 0; i < t.n; i++) {
        char c = t.p[i];
        unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0')
                     : (c | 32) >= 'a'    ? (unsigned)((c | 32) - 'a' + 10)
                                          : 99;
        if (d >= radix)
            return NAN;
        v = v * radix + d;
    }
    return t.n ? v : NAN;
}

/* StrDecimalLiteral: digits with at most one point and an exponent; "5." and ".5" are numbers, "." is none. */
static bool is_decimal(const char *p, size_t n)
{
    size_t i = n && (p[0] == '+' || p[0] == '-'), digits = 0;
    for (; i < n && p[i] >= '0' && p[i] <= '9'; i++)
        digits++;
    if (i < n && p[i] == '.')
        for (i++; i < n && p[i] >= '0' && p[i] <= '9'; i++)
            digits++;
    if (!digits)
        return false;
    if (i < n && (p[i] | 32) == 'e') {
        i++;
        i += i < n && (p[i] == '+' || p[i] == '-');
        size_t from = i;
        while (i < n && p[i] >= '0' && p[i] <= '9')
            i++;
        if (i == from)
            return false;
    }
    return i == n;
}

double assign_text_number(struct assign_text t)
{
    char room[NUMBER_ROOM];
    t = trim(t);
    if (t.n == 0)
        return 0;
    if (t.n > 2 && t.p[0] == '0' && strchr("xXoObB", t.p[1]))
        return radix_number((struct assign_text){ t.p + 2, t.n - 2 }, (t.p[1] | 32) == 'x'   ? 16
                                                                      : (t.p[1] | 32) == 'o' ? 8
                                                                                             : 2);
    bool sign = t.p[0] == '+' || t.p[0] == '-';
    if (assign_text_equal((struct assign_text){ t.p + sign, t.n - sign }, ASSIGN_TEXT("Infinity")))
        return t.p[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    if (t.n >= sizeof room || !is_decimal(t.p, t.n))
        return NAN;
    memcpy(room, t.p, t.n);
    room[t.n] = '\0';
    return strtod(room, NULL);
}

bool assign_to_number(const struct assign_value *v, struct assign_arena *a, double *out)
{
    struct assign_text t;
    switch (v->type) {
    case ASSIGN_NULL:
        *out = 0;
        return true;
    case ASSIGN_BOOL:
        *out = v->boolean;
        return true;
    case ASSIGN_NUMBER:
        *out = v->number;
        return true;
    case ASSIGN_STRING:
        *out = assign_text_number(v->text);
        return true;
    case ASSIGN_ARRAY:
        if (!assign_to_text(v, a, &t))
            return false;
        *out = assign_text_number(t);
        return true;
    case ASSIGN_MISSING:
    case ASSIGN_OBJECT:
        break;
    }
    *out = NAN;
    return true;
}

static bool primitive_text(const struct assign_value *v)
{
    return v->type == ASSIGN_STRING || v->type == ASSIGN_ARRAY || v->type == ASSIGN_OBJECT;
}

bool assign_relate(const struct assign_value *a, const struct assign_value *b, struct assign_arena *arena, int *out)
{
    double x, y;
    if (primitive_text(a) && primitive_text(b)) {
        struct assign_text s, t;
        if (!assign_to_text(a, arena, &s) || !assign_to_text(b, arena, &t))
            return false;
        *out = assign_text_compare(s, t);
        return true;
    }
    if (!assign_to_number(a, arena, &x) || !assign_to_number(b, arena, &y))
        return false;
    *out = isnan(x) || isnan(y) ? 2 : (x > y) - (x < y);
    return true;
}
