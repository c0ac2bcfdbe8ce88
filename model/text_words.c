#include "model/text_words.h"

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
