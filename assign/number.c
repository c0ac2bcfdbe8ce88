/* A number as JavaScript prints it, because SDKs hash numeric ids by that text. Source: ECMAScript, Number::toString, radix 10:
 * the fewest digits that read back as the same number, k of them, with value = 0.d1…dk · 10^n. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assign/assign.h"

enum { DIGITS_MAX = 17, PLAIN_MAX = 21, SMALLEST_PLAIN = -6 };

/* The digits of mantissa · 10^exponent, when they read back as v. */
static bool reads_back(uint64_t mantissa, int exponent, double v)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%" PRIu64 "e%d", mantissa, exponent);
    return strtod(text, NULL) == v;
}

/* Digits and n of v > 0. The nearest decimal of each length is tried, then the one above it: below a power of two doubles lie closer
 * together than above, so that the second may read back where the first does not (2^-140). */
static int shortest(double v, char digits[DIGITS_MAX + 1], int *out_n)
{
    for (int precision = 0;; precision++) {
        char text[40];
        (void)snprintf(text, sizeof text, "%.*e", precision, v);
        char *e = strchr(text, 'e');
        int exponent = (int)strtol(e + 1, NULL, 10);
        uint64_t mantissa = 0;
        for (const char *p = text; p < e; p++) /* steps over the decimal point, whatever the locale makes of it */
            if (*p >= '0' && *p <= '9')
                mantissa = mantissa * 10 + (uint64_t)(*p - '0');
        bool nearest = reads_back(mantissa, exponent - precision, v);
        if (!nearest && precision + 1 < DIGITS_MAX && !reads_back(++mantissa, exponent - precision, v))
            continue;
        int k = snprintf(digits, DIGITS_MAX + 1, "%" PRIu64, mantissa);
        *out_n = exponent + k - precision;
        return k;
    }
}

static int write_plain(char *out, size_t room, const char *digits, int k, int n)
{
    static const char zeros[] = "00000000000000000000000";
    if (n >= k)
        return snprintf(out, room, "%.*s%.*s", k, digits, n - k, zeros);
    if (n > 0)
        return snprintf(out, room, "%.*s.%.*s", n, digits, k - n, digits + n);
    return snprintf(out, room, "0.%.*s%.*s", -n, zeros, k, digits);
}

static int write_exponent(char *out, size_t room, const char *digits, int k, int n)
{
    if (k == 1)
        return snprintf(out, room, "%ce%+d", digits[0], n - 1);
    return snprintf(out, room, "%c.%.*se%+d", digits[0], k - 1, digits + 1, n - 1);
}

size_t assign_number_text(double v, char out[ASSIGN_NUMBER_TEXT_MAX])
{
    char digits[DIGITS_MAX + 1], *at = out;
    size_t room = ASSIGN_NUMBER_TEXT_MAX;
    int n;
    if (v < 0) {
        *at++ = '-';
        room--;
    }
    if (isnan(v) || v == 0)
        return (size_t)snprintf(out, room, "%s", v == 0 ? "0" : "NaN");
    if (isinf(v))
        return (size_t)(at - out) + (size_t)snprintf(at, room, "Infinity");
    int k = shortest(fabs(v), digits, &n);
    bool plain = n > SMALLEST_PLAIN && n <= PLAIN_MAX;
    int length = plain ? write_plain(at, room, digits, k, n) : write_exponent(at, room, digits, k, n);
    return (size_t)(at - out) + (size_t)length;
}
