#include "trainer/kernels/words.h"

#include <string.h>

#include "assign/text.h"

enum { EDITS_MAX = 2 };

static const char *const units[] = { "mm",    "cm",    "m",    "km",    "in",   "inch", "inches", "ft",  "foot", "feet",
                                     "yd",    "g",     "kg",   "mg",    "lb",   "lbs",  "oz",     "ml",  "cl",   "l",
                                     "litre", "liter", "gal",  "gb",    "tb",   "mb",   "mhz",    "ghz", "hz",   "w",
                                     "kw",    "v",     "volt", "volts", "a",    "amp",  "amps",   "mah", "ah",   "hp",
                                     "psi",   "px",    "dpi",  "pcs",   "pack", "x",    "%" };

/* ---- words ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool belongs(struct str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    if (c >= 0x80 || is_digit((char)c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    if (c == '+' || c == '#' || c == '&' || c == '%')
        return true;
    return (c == '.' || c == ',') && i > 0 && i + 1 < s.n && is_digit(s.p[i - 1]) && is_digit(s.p[i + 1]);
}

void words_split(struct str query, struct words *out)
{
    out->count = 0;
    for (size_t i = 0; i < query.n && out->count < WORDS_MAX;) {
        size_t from = i;
        while (i < query.n && belongs(query, i))
            i++;
        if (i > from)
            out->texts[out->count++] = (struct str){ query.p + from, i - from };
        else
            i++;
    }
}

void words_split_spaces(struct str query, struct words *out)
{
    struct str word;
    out->count = 0;
    while (out->count < WORDS_MAX && str_split(&query, ' ', &word))
        if (word.n)
            out->texts[out->count++] = word;
}

struct str words_squash(const struct words *w, char *out)
{
    size_t n = 0;
    for (uint32_t i = 0; i < w->count && n + w->texts[i].n <= QUERY_TEXT_MAX; i++) {
        memcpy(out + n, w->texts[i].p, w->texts[i].n);
        n += w->texts[i].n;
    }
    return (struct str){ out, n };
}

size_t words_chars(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

bool words_have_digit(struct str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (is_digit(word.p[i]))
            return true;
    return false;
}

static bool is_unit(struct str word)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (str_eq_c(word, units[i]))
            return true;
    return false;
}

bool words_measure(const struct words *w, uint32_t i)
{
    if (words_have_digit(w->texts[i]))
        return true;
    bool beside = (i > 0 && words_have_digit(w->texts[i - 1])) ||
                  (i + 1 < w->count && words_have_digit(w->texts[i + 1]));
    return beside && is_unit(w->texts[i]);
}

/* ---- distance ---- */

static bool decode(struct str s, uint32_t *out, size_t *out_count)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        if (n == WORDS_CHARS_MAX)
            return false;
        i += assign_decode(s.p + i, s.n - i, &out[n++]);
    }
    *out_count = n;
    return true;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Rows: of the text before the last one, of the last one, and the one that is filled. Once two rows lie above the limit, all that follow do. */
static unsigned align(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, unsigned limit)
{
    unsigned rows[3][WORDS_CHARS_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2], last_least = 0;
    for (size_t j = 0; j <= nb; j++)
        last[j] = before[j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned now_least = now[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            now[j] = least(least(last[j] + 1, now[j - 1] + 1), last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
            now_least = least(now_least, now[j]);
        }
        if (now_least > limit && last_least > limit)
            return limit + 1;
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
        last_least = now_least;
    }
    return last[nb];
}

unsigned words_distance(struct str a, struct str b, unsigned limit)
{
    uint32_t x[WORDS_CHARS_MAX], y[WORDS_CHARS_MAX];
    size_t nx, ny;
    if (limit == 0 || str_eq(a, b))
        return str_eq(a, b) ? 0 : 1;
    if (!decode(a, x, &nx) || !decode(b, y, &ny) || nx > ny + limit || ny > nx + limit)
        return limit + 1;
    return least(align(x, nx, y, ny, limit), limit + 1);
}

unsigned words_edits(struct str s, double scale)
{
    size_t n = words_chars(s);
    double edits = scale > 0 ? (double)n / scale : 0;
    if (words_have_digit(s) || n > WORDS_CHARS_MAX)
        return 0;
    return edits >= EDITS_MAX ? EDITS_MAX : (unsigned)edits;
}
