#include "base/clock.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic int64_t frozen_us;

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    int64_t us = atomic_load_explicit(&frozen_us, memory_order_relaxed);
    return us ? us : read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void clock_freeze(int64_t us)
{
    atomic_store(&frozen_us, us);
}

int32_t clock_day(int64_t us)
{
    int64_t day = us / US_PER_DAY;
    return (int32_t)(us % US_PER_DAY < 0 ? day - 1 : day);
}

/* Days from civil and back: H. Hinnant, "chrono-compatible low-level date algorithms" (the year starts in March). */
int32_t clock_day_of(int year, unsigned month, unsigned day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int)doe - 719468;
}

void clock_date(int32_t days, int *out_year, unsigned *out_month, unsigned *out_day)
{
    int32_t z = days + 719468;
    int era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *out_day = doy - (153 * mp + 2) / 5 + 1;
    *out_month = mp < 10 ? mp + 3 : mp - 9;
    *out_year = (int)yoe + era * 400 + (*out_month <= 2);
}

const char *clock_format_day(int32_t day, char text[CLOCK_TEXT_MAX])
{
    int y;
    unsigned m, d;
    clock_date(day, &y, &m, &d);
    (void)snprintf(text, CLOCK_TEXT_MAX, "%04d-%02u-%02u", y, m, d);
    return text;
}

const char *clock_format(int64_t us, char text[CLOCK_TEXT_MAX])
{
    int32_t day = clock_day(us);
    int64_t rest = us - (int64_t)day * US_PER_DAY;
    unsigned s = (unsigned)(rest / US_PER_SECOND), fraction = (unsigned)(rest % US_PER_SECOND);
    (void)clock_format_day(day, text);
    size_t n = strlen(text);
    int more = snprintf(text + n, CLOCK_TEXT_MAX - n, "T%02u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
    n += (size_t)more;
    if (fraction)
        (void)snprintf(text + n, CLOCK_TEXT_MAX - n, ".%06uZ", fraction);
    else
        (void)snprintf(text + n, CLOCK_TEXT_MAX - n, "Z");
    return text;
}

static bool digits(struct str *s, size_t n, unsigned *out)
{
    unsigned v = 0;
    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (unsigned)(s->p[i] - '0');
    }
    s->p += n;
    s->n -= n;
    *out = v;
    return true;
}

static bool eat(struct str *s, const char *any)
{
    if (!s->n || !s->p[0] || !strchr(any, s->p[0])) /* strchr finds the NUL */
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool parse_date(struct str *s, int32_t *out_day)
{
    static const unsigned char lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned y, m, d;
    if (!digits(s, 4, &y) || !eat(s, "-") || !digits(s, 2, &m) || !eat(s, "-") || !digits(s, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1 || d > lengths[m - 1])
        return false;
    if (m == 2 && d == 29 && (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)))
        return false;
    *out_day = clock_day_of((int)y, m, d);
    return true;
}

static bool parse_time(struct str *s, int64_t *out_us)
{
    unsigned h, m, sec = 0;
    if (!digits(s, 2, &h) || !eat(s, ":") || !digits(s, 2, &m))
        return false;
    if (eat(s, ":") && !digits(s, 2, &sec))
        return false;
    if (h > 23 || m > 59 || sec > 60)
        return false;
    int64_t us = ((int64_t)h * 3600 + (int64_t)m * 60 + sec) * US_PER_SECOND;
    if (eat(s, ".,")) {
        int64_t unit = US_PER_SECOND / 10;
        unsigned count = 0, digit;
        for (; count < 9 && digits(s, 1, &digit); count++, unit /= 10)
            us += unit * digit;
        if (count == 0)
            return false;
    }
    *out_us = us;
    return true;
}

static bool parse_zone(struct str *s, int64_t *out_us)
{
    unsigned h, m = 0;
    *out_us = 0;
    if (s->n == 0 || eat(s, "Zz"))
        return true;
    bool minus = s->p[0] == '-';
    if (!eat(s, "+-") || !digits(s, 2, &h))
        return false;
    (void)eat(s, ":");
    if (s->n && !digits(s, 2, &m))
        return false;
    if (h > 23 || m > 59)
        return false;
    int64_t us = ((int64_t)h * 3600 + (int64_t)m * 60) * US_PER_SECOND;
    *out_us = minus ? -us : us;
    return true;
}

bool clock_parse(struct str s, int64_t *out_us, struct err *err)
{
    struct str rest = s;
    int32_t day;
    int64_t us = 0, zone = 0;
    bool ok = parse_date(&rest, &day);
    if (ok && rest.n)
        ok = eat(&rest, "Tt ") && parse_time(&rest, &us) && parse_zone(&rest, &zone) && rest.n == 0;
    if (!ok)
        return err_set(err, ERR_INVALID, "\"%.*s\" is not an RFC 3339 time", s.n > 40 ? 40 : (int)s.n, s.p);
    *out_us = (int64_t)day * US_PER_DAY + us - zone;
    return true;
}

bool clock_from_number(double v, int64_t *out_us, struct err *err)
{
    double us = v >= 1e14 ? v : v >= 1e11 ? v * 1e3 : v * 1e6;
    if (!isfinite(v) || v < 0 || us > 4e15)
        return err_set(err, ERR_INVALID, "%g is not a time in seconds, milli- or microseconds", v);
    *out_us = (int64_t)llround(us);
    return true;
}
