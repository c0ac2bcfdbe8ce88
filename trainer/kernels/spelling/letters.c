#include "trainer/kernels/spelling/letters.h"

#include "assign/text.h"

/* ---- words ---- */

bool letters_of(struct str text, struct letters *out)
{
    uint32_t n = 0;
    for (size_t at = 0; at < text.n; n++) {
        uint32_t letter;
        size_t bytes = assign_decode(text.p + at, text.n - at, &letter);
        bool bad = letter == 0 || (letter == 0xFFFD && bytes == 1);
        if (n == LETTERS_MAX || bad)
            return false;
        out->at[n] = letter;
        at += bytes;
    }
    out->n = n;
    return n > 0;
}

/* ---- bases ---- */

/* Of U+00E0 … U+00FF, and of U+0100 … U+017F. */
static const char base_latin_1[] = "aaaaaaaceeeeiiiidnooooo?ouuuuy?y";
static const char base_latin_a[] =
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnooooooooo"
    "rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

char letter_base(uint32_t letter)
{
    char c = '?';
    if (letter >= 'a' && letter <= 'z')
        return (char)letter;
    if (letter >= 0xE0 && letter <= 0xFF)
        c = base_latin_1[letter - 0xE0];
    else if (letter >= 0x100 && letter <= 0x17F)
        c = base_latin_a[letter - 0x100];
    else if (letter == 0xDF)
        c = 's';
    return c == '?' ? 0 : c;
}

bool letter_is_vowel(uint32_t letter)
{
    char c = letter_base(letter);
    return c && strchr("aeiouy", c);
}

bool letter_is_digit(uint32_t letter)
{
    static const uint32_t zeros[] = { '0', 0x660, 0x6F0, 0x966, 0xFF10 };
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        if (letter >= zeros[i] && letter < zeros[i] + 10)
            return true;
    return false;
}

/* ---- keys and sounds ---- */

static const char *const near_keys[26] = {
    ['a' - 'a'] = "qwsz", ['b' - 'a'] = "vghn",   ['c' - 'a'] = "xdfv",   ['d' - 'a'] = "serfcx",
    ['e' - 'a'] = "wsdr", ['f' - 'a'] = "drtgvc", ['g' - 'a'] = "ftyhbv", ['h' - 'a'] = "gyujnb",
    ['i' - 'a'] = "ujko", ['j' - 'a'] = "huikmn", ['k' - 'a'] = "jiolm",  ['l' - 'a'] = "kop",
    ['m' - 'a'] = "njk",  ['n' - 'a'] = "bhjm",   ['o' - 'a'] = "iklp",   ['p' - 'a'] = "ol",
    ['q' - 'a'] = "wa",   ['r' - 'a'] = "edft",   ['s' - 'a'] = "awedxz", ['t' - 'a'] = "rfgy",
    ['u' - 'a'] = "yhji", ['v' - 'a'] = "cfgb",   ['w' - 'a'] = "qase",   ['x' - 'a'] = "zsdc",
    ['y' - 'a'] = "tghu", ['z' - 'a'] = "asx",
};
static const char *const alike[] = { "ckqx", "sczx", "gj", "fv", "dt", "bp", "mn", "vw" };

bool letters_near(uint32_t a, uint32_t b)
{
    char x = letter_base(a), y = letter_base(b);
    return x && y && strchr(near_keys[x - 'a'], y);
}

bool letters_alike(uint32_t a, uint32_t b)
{
    char x = letter_base(a), y = letter_base(b);
    for (size_t i = 0; x && y && i < sizeof alike / sizeof *alike; i++)
        if (strchr(alike[i], x) && strchr(alike[i], y))
            return true;
    return false;
}

uint32_t letters_mask(const struct letters *w)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        char c = letter_base(w->at[i]);
        mask |= 1U << (c && w->at[i] < 0x80 ? (unsigned)(c - 'a') : 26 + w->at[i] % 6);
    }
    return mask;
}

static uint32_t next_digit(const struct letters *w, uint32_t *at)
{
    while (*at < w->n && !letter_is_digit(w->at[*at]))
        (*at)++;
    return *at < w->n ? w->at[(*at)++] : 0;
}

bool letters_same_digits(const struct letters *a, const struct letters *b)
{
    uint32_t i = 0, j = 0, x, y;
    do {
        x = next_digit(a, &i);
        y = next_digit(b, &j);
    } while (x && x == y);
    return x == y;
}
