#include "base/number.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MIN = 15, DIGITS_MAX = 17 };
/* Half the distance of two neighbouring doubles is at most 11.1 units of a 17th digit; the 17 digits are half a unit off themselves. */
#define REACH 12
/* Below, whole numbers have 15 digits or fewer. */
#define WHOLE_MAX 1e15

/* ±m 10^(exponent - digits + 1), m of so many digits. */
struct decimal {
    bool negative;
    uint64_t m;
    int digits, exponent;
};

static size_t put_u64(char *out, uint64_t v)
{
    char back[24];
    size_t n = 0;
    do {
        back[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (size_t i = 0; i < n; i++)
        out[i] = back[n - 1 - i];
    return n;
}

static size_t put_zeros(char *out, int n)
{
    memset(out, '0', n > 0 ? (size_t)n : 0);
    return n > 0 ? (size_t)n : 0;
}

/* d.ddde-05 */
static size_t put_exponent(char *out, const char *digits, size_t n, int exponent)
{
    size_t at = 0;
    out[at++] = digits[0];
    if (n > 1) {
        out[at++] = '.';
        memcpy(out + at, digits + 1, n - 1);
        at += n - 1;
    }
    out[at++] = 'e';
    out[at++] = exponent < 0 ? '-' : '+';
    if (abs(exponent) < 10)
        out[at++] = '0';
    return at + put_u64(out + at, (uint64_t)abs(exponent));
}

static size_t put_fixed(char *out, const char *digits, size_t n, int exponent)
{
    size_t at = 0, whole = exponent < 0 ? 0 : (size_t)exponent + 1;
    if (exponent < 0) {
        memcpy(out, "0.", 2);
        at = 2 + put_zeros(out + 2, -exponent - 1);
        memcpy(out + at, digits, n);
        return at + n;
    }
    memcpy(out, digits, n < whole ? n : whole);
    at = n < whole ? n + put_zeros(out + n, (int)(whole - n)) : whole;
    if (n > whole) {
        out[at++] = '.';
        memcpy(out + at, digits + whole, n - whole);
        at += n - whole;
    }
    return at;
}

static size_t put_decimal(char out[NUMBER_TEXT_MAX], const struct decimal *d)
{
    char digits[24];
    size_t n = put_u64(digits, d->m), at = d->negative;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    out[0] = '-';
    bool far = d->exponent < -4 || d->exponent >= d->digits;
    at += (far ? put_exponent : put_fixed)(out + at, digits, n, d->exponent);
    out[at] = '\0';
    return at;
}

/* As printf rounds it, to so many digits. */
static struct decimal printed(double v, int digits)
{
    char text[NUMBER_TEXT_MAX];
    (void)snprintf(text, sizeof text, "%.*e", digits - 1, v);
    const char *p = text + (text[0] == '-');
    struct decimal d = { .negative = text[0] == '-', .digits = digits };
    for (; *p != 'e'; p++)
        if (*p != '.')
            d.m = d.m * 10 + (uint64_t)(*p - '0');
    d.exponent = (int)strtol(p + 1, NULL, 10);
    return d;
}

/* The 17 digits rounded to fewer; false: too far from v to be read as v. */
static bool rounded(const struct decimal *all, double v, int digits, struct decimal *out)
{
    uint64_t scale = digits == 15 ? 100 : 10, last = all->m % scale, kept = all->m / scale + (last >= scale / 2);
    uint64_t off = last >= scale / 2 ? scale - last : last;
    if (off > REACH)
        return false;
    if (last == scale / 2) { /* perhaps the 17 digits were rounded up to it */
        *out = printed(v, digits);
        return true;
    }
    *out = (struct decimal){ all->negative, kept, digits, all->exponent };
    if (kept == (digits == 15 ? UINT64_C(1000000000000000) : UINT64_C(10000000000000000))) {
        out->m /= 10;
        out->exponent++;
    }
    return true;
}

static size_t whole_text(double v, char out[NUMBER_TEXT_MAX])
{
    size_t at = signbit(v) ? 1 : 0;
    out[0] = '-';
    at += put_u64(out + at, (uint64_t)fabs(v));
    out[at] = '\0';
    return at;
}

size_t number_text(double v, char out[NUMBER_TEXT_MAX])
{
    if (fabs(v) < WHOLE_MAX && v == trunc(v))
        return whole_text(v, out);
    struct decimal all = printed(v, DIGITS_MAX), d;
    for (int digits = DIGITS_MIN; digits < DIGITS_MAX; digits++) {
        if (fabs(v) < DBL_MIN) /* few digits tell it from its neighbours */
            d = printed(v, digits);
        else if (!rounded(&all, v, digits, &d))
            continue;
        size_t n = put_decimal(out, &d);
        if (strtod(out, NULL) == v)
            return n;
    }
    return put_decimal(out, &all);
}

/* ---- reading ---- */

enum { FIVES = 28, TENS_EXACT = 22 };
static const uint64_t fives[FIVES] = { /* 5^k, below 2^63 */
                                       1,
                                       5,
                                       25,
                                       125,
                                       625,
                                       3125,
                                       15625,
                                       78125,
                                       390625,
                                       1953125,
                                       9765625,
                                       48828125,
                                       244140625,
                                       1220703125,
                                       6103515625,
                                       30517578125,
                                       152587890625,
                                       762939453125,
                                       3814697265625,
                                       19073486328125,
                                       95367431640625,
                                       476837158203125,
                                       2384185791015625,
                                       11920928955078125,
                                       59604644775390625,
                                       298023223876953125,
                                       1490116119384765625,
                                       7450580596923828125
};
/* Below, every whole number is a double. */
#define DOUBLE_WHOLE (UINT64_C(1) << 53)

/* m / 5^k / 2^k. The quotient has 63 bits or more, and its last bit says whether anything is left: rounding it to 53 rounds the true value. */
static double divided(uint64_t m, int k)
{
    int up = __builtin_clzll(m), down = __builtin_clzll(fives[k]);
    uint64_t top = m << up, bottom = fives[k] << down;
    __extension__ unsigned __int128 wide = (unsigned __int128)top << 63;
    uint64_t quotient = (uint64_t)(wide / bottom);
    if ((uint64_t)(wide % bottom))
        quotient |= 1;
    uint64_t scale = (uint64_t)(1023 + down - up - 63 - k) << 52; /* 2^…, as the bits of a double */
    double power;
    memcpy(&power, &scale, sizeof power);
    return (double)quotient * power;
}

bool number_of_decimal(uint64_t m, int exponent, double *out)
{
    if (m == 0) {
        *out = 0;
        return true;
    }
    if (exponent == 0 || (exponent > 0 && exponent <= TENS_EXACT && m <= DOUBLE_WHOLE)) {
        double ten = exponent ? (double)fives[exponent] * (double)(UINT64_C(1) << exponent) : 1; /* exact up to 10^22 */
        *out = (double)m * ten;
        return true;
    }
    if (exponent > 0 || exponent <= -FIVES)
        return false;
    if (m <= DOUBLE_WHOLE && -exponent <= TENS_EXACT) { /* both are exact, so their quotient is the nearest */
        *out = (double)m / ((double)fives[-exponent] * (double)(UINT64_C(1) << -exponent));
        return true;
    }
    *out = divided(m, -exponent);
    return true;
}
