#include "trainer/kernels/spelling/sound.h"

/* The word without accents, between NULs; what is no letter is a NUL, too, and begins the word anew. */
struct plain {
    char text[LETTERS_MAX + 4];
    uint32_t n;
};

static bool is_in(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool vowel(char c)
{
    return is_in(c, "aeiou");
}

static bool soft(char c) /* what makes a c or g before it soft */
{
    return is_in(c, "eiy");
}

static void put(struct letters *out, char c)
{
    if (out->n < LETTERS_MAX && (out->n == 0 || out->at[out->n - 1] != (uint32_t)c))
        out->at[out->n++] = (uint32_t)c;
}

/* ---- letters with rules: p points at the letter; p[-1] and p[1] … p[3] can be read. Returns how many letters it took. ---- */

static uint32_t sound_c(const char *p, struct letters *out)
{
    if (p[1] == 'h') {
        put(out, p[-1] == 's' ? 'k' : 'x');
        return 2;
    }
    if (p[1] == 'i' && p[2] == 'a') {
        put(out, 'x');
        return 1;
    }
    put(out, soft(p[1]) ? 's' : 'k');
    return p[1] == 'k' || (p[1] == 'c' && !soft(p[2])) ? 2 : 1;
}

static uint32_t sound_d(const char *p, struct letters *out)
{
    if (p[1] == 'g' && soft(p[2])) {
        put(out, 'j');
        return 2;
    }
    put(out, 't');
    return 1;
}

static uint32_t sound_g(const char *p, struct letters *out)
{
    if (p[1] == 'h') { /* ghost; rough, through: not heard, or as f by ear only */
        if (!p[-1])
            put(out, 'k');
        return 2;
    }
    if (p[1] == 'n' && (!p[2] || (p[2] == 'e' && p[3] == 'd')))
        return 1;
    put(out, soft(p[1]) && p[-1] != 'g' ? 'j' : 'k');
    return p[1] == 'g' ? 2 : 1;
}

static uint32_t sound_s(const char *p, struct letters *out)
{
    if (p[1] == 'h') {
        put(out, 'x');
        return 2;
    }
    if (p[1] == 'i' && is_in(p[2], "oa")) {
        put(out, 'x');
        return 1;
    }
    put(out, 's');
    return p[1] == 'c' && soft(p[2]) ? 2 : 1;
}

static uint32_t sound_t(const char *p, struct letters *out)
{
    if (p[1] == 'h') {
        put(out, '0');
        return 2;
    }
    if (p[1] == 'i' && is_in(p[2], "oa"))
        put(out, 'x');
    else if (!(p[1] == 'c' && p[2] == 'h'))
        put(out, 't');
    return 1;
}

static uint32_t sound_of(const char *p, struct letters *out)
{
    switch (*p) {
    case 'b':
        if (!(p[-1] == 'm' && !p[1]))
            put(out, 'p');
        return 1;
    case 'c':
        return sound_c(p, out);
    case 'd':
        return sound_d(p, out);
    case 'f':
    case 'v':
        put(out, 'f');
        return 1;
    case 'g':
        return sound_g(p, out);
    case 'p':
        put(out, p[1] == 'h' ? 'f' : 'p');
        return p[1] == 'h' ? 2 : 1;
    case 'k':
    case 'q':
        put(out, 'k');
        return 1;
    case 's':
        return sound_s(p, out);
    case 'z':
        put(out, 's');
        return 1;
    case 't':
        return sound_t(p, out);
    case 'x':
        put(out, 'k');
        put(out, 's');
        return 1;
    case 'w':
        if (vowel(p[1]))
            put(out, 'w');
        return 1;
    case 'h': /* heard before a vowel at the beginning only */
        if (!p[-1] && vowel(p[1]))
            put(out, 'h');
        return 1;
    default:
        if (!is_in(*p, "aeiouy"))
            put(out, *p);
        return 1;
    }
}

/* What is not heard at the beginning, and how a word begins that has a vowel there. */
static uint32_t begin(const char *p, struct letters *out)
{
    if ((is_in(p[0], "kgp") && p[1] == 'n') || (p[0] == 'w' && p[1] == 'r') || (p[0] == 'p' && p[1] == 's'))
        return 1;
    if (p[0] == 'x') {
        put(out, 's');
        return 1;
    }
    if (p[0] == 'w' && p[1] == 'h') {
        put(out, 'w');
        return 2;
    }
    if (vowel(p[0])) {
        put(out, 'a');
        return 1;
    }
    return 0;
}

static bool plain_of(const struct letters *word, struct plain *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < word->n; i++) {
        char base = letter_base(word->at[i]);
        if (!base && word->at[i] >= 0x80)
            return false;
        out->text[++out->n] = base;
    }
    return true;
}

void sound_key(const struct letters *word, struct letters *out)
{
    struct plain w;
    out->n = 0;
    if (!plain_of(word, &w)) {
        for (uint32_t i = 0; i < word->n; i++)
            if (i == 0 || word->at[i] != word->at[i - 1])
                out->at[out->n++] = word->at[i];
        return;
    }
    for (uint32_t i = 1; i <= w.n;) {
        const char *p = w.text + i;
        uint32_t taken = !*p ? 1 : p[-1] ? 0 : begin(p, out);
        i += taken ? taken : sound_of(p, out);
    }
}
