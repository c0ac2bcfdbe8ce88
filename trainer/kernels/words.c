#include "trainer/kernels/words.h"

#include <string.h>

#include "trainer/kernels/spelling/distance.h"

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

static bool read(struct str s, struct letters *out)
{
    out->n = 0;
    return s.n == 0 || letters_of(s, out);
}

unsigned words_distance(struct str a, struct str b, unsigned limit)
{
    struct letters x, y;
    if (limit == 0 || str_eq(a, b))
        return str_eq(a, b) ? 0 : 1;
    return read(a, &x) && read(b, &y) ? letters_distance(&x, &y, limit) : limit + 1;
}

unsigned words_edits(struct str s, double scale)
{
    size_t n = words_chars(s);
    double edits = scale > 0 ? (double)n / scale : 0;
    if (words_have_digit(s) || n > WORDS_CHARS_MAX)
        return 0;
    return edits >= EDITS_MAX ? EDITS_MAX : (unsigned)edits;
}
