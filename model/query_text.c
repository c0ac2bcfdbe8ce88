#include "model/query_text.h"

#include "assign/text.h"

enum { BYTES_MAX = 4 }; /* of one character */

static bool is_space(uint32_t cp)
{
    return cp == ' ' || (cp >= '\t' && cp <= '\r') || cp == 0x85 || cp == 0xA0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F ||
           cp == 0x3000;
}

/* The next character of the text, in lower case; how many bytes it took. */
static size_t take(struct str raw, size_t at, uint32_t *out)
{
    unsigned char c = (unsigned char)raw.p[at];
    if (c < 0x80) {
        *out = c >= 'A' && c <= 'Z' ? c + 32U : c;
        return 1;
    }
    size_t n = assign_decode(raw.p + at, raw.n - at, out);
    *out = *out == 0x130 ? 'i' : assign_lower(*out);
    return n;
}

struct str query_text(struct str raw, char *out)
{
    size_t n = 0;
    bool space = false;
    for (size_t at = 0; at < raw.n;) {
        uint32_t cp;
        at += take(raw, at, &cp);
        if (is_space(cp)) {
            space = n > 0;
            continue;
        }
        if (n + space + BYTES_MAX > QUERY_TEXT_MAX)
            break;
        if (space)
            out[n++] = ' ';
        space = false;
        if (cp < 0x80)
            out[n++] = (char)cp;
        else
            n += assign_encode(cp, out + n);
    }
    return (struct str){ out, n };
}
