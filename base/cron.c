#include "base/cron.h"

#include <stdlib.h>

#include "base/clock.h"

#define DAY INT64_C(86400)

/* ---- reading ---- */

struct field {
    const char *name;
    unsigned min, max;
    const char *names; /* three letters each, from min on; NULL: none */
};
enum { SECOND, MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, FIELD_COUNT };
static const struct field fields[FIELD_COUNT] = {
    [SECOND] = { "second", 0, 59, NULL },
    [MINUTE] = { "minute", 0, 59, NULL },
    [HOUR] = { "hour", 0, 23, NULL },
    [DAY_OF_MONTH] = { "day of month", 1, 31, NULL },
    [MONTH] = { "month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC" },
    [DAY_OF_WEEK] = { "day of week", 0, 7, "SUNMONTUEWEDTHUFRISAT" },
};

static const struct {
    const char *name, *text;
} nicknames[] = {
    { "@hourly", "0 * * * *" },  { "@daily", "0 0 * * *" },  { "@midnight", "0 0 * * *" }, { "@weekly", "0 0 * * 0" },
    { "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" },
};

static bool refuse(const struct field *f, struct str part, const char *why, struct err *err)
{
    return err_set(err, ERR_INVALID, "cron field \"%s\" has \"" STR_FMT "\", %s", f->name, STR_ARG(str_cut(part, 40)),
                   why);
}

static bool read_value(const struct field *f, struct str text, unsigned *out, struct err *err)
{
    uint32_t n;
    for (size_t i = 0; f->names && text.n == 3 && f->names[3 * i]; i++) {
        if (str_eq_nocase(text, (struct str){ f->names + 3 * i, 3 })) {
            *out = f->min + (unsigned)i;
            return true;
        }
    }
    if (text.n > 2 || !parse_u32(text, &n, NULL))
        return refuse(f, text, f->names ? "neither a number nor a name" : "not a number", err);
    if (n < f->min || n > f->max)
        return err_set(err, ERR_INVALID, "cron field \"%s\" has %u, outside %u to %u", f->name, n, f->min, f->max);
    *out = n;
    return true;
}

/* "8-18", "5", "*" */
static bool read_range(const struct field *f, struct str text, bool stepped, unsigned *low, unsigned *high,
                       struct err *err)
{
    struct str first, last = text;
    if (str_eq(text, STR("*")) || str_eq(text, STR("?"))) {
        *low = f->min;
        *high = f == &fields[DAY_OF_WEEK] ? 6 : f->max;
        return true;
    }
    (void)str_split(&last, '-', &first);
    if (!read_value(f, first, low, err))
        return false;
    if (first.n == text.n) {
        *high = stepped ? f == &fields[DAY_OF_WEEK] ? 6 : f->max : *low;
        return *high >= *low || refuse(f, text, "which is behind the last value of a step", err);
    }
    if (!read_value(f, last, high, err))
        return false;
    if (f == &fields[DAY_OF_WEEK] && *high == 0 && *low > 0)
        *high = 7; /* FRI-SUN */
    return *low <= *high || refuse(f, text, "a range that runs backwards", err);
}

static bool read_part(const struct field *f, struct str part, uint64_t *bits, struct err *err)
{
    struct str range, step = part;
    unsigned low, high;
    uint32_t by = 1;
    (void)str_split(&step, '/', &range);
    bool stepped = range.n < part.n;
    if (stepped && (!parse_u32(step, &by, NULL) || by == 0 || by > 60))
        return refuse(f, part, "whose step is not 1 to 60", err);
    if (!read_range(f, range, stepped, &low, &high, err))
        return false;
    for (unsigned v = low; v <= high; v += by)
        *bits |= UINT64_C(1) << v;
    return true;
}

/* "L" and "5L"; false: it is something else. */
static bool read_last(struct cron *c, size_t i, struct str part)
{
    unsigned weekday;
    if (i == DAY_OF_MONTH && (str_eq(part, STR("L")) || str_eq(part, STR("l"))))
        return c->last_day = true;
    if (i != DAY_OF_WEEK || part.n < 2 || (part.p[part.n - 1] | 0x20) != 'l' ||
        !read_value(&fields[i], (struct str){ part.p, part.n - 1 }, &weekday, NULL))
        return false;
    c->last_weekdays |= (uint8_t)(1u << weekday % 7);
    return true;
}

static bool read_field(struct cron *c, size_t i, struct str text, uint64_t *bits, struct err *err)
{
    struct str rest = text, part;
    bool any = text.p[0] == '*' || text.p[0] == '?';
    if (i == DAY_OF_MONTH)
        c->any_day = any;
    if (i == DAY_OF_WEEK)
        c->any_weekday = any;
    if (text.p[text.n - 1] == ',')
        return refuse(&fields[i], text, "a list with nothing in it", err);
    while (str_split(&rest, ',', &part))
        if (!read_last(c, i, part) && !read_part(&fields[i], part, bits, err))
            return false;
    return true;
}

static struct str expand(struct str text)
{
    for (size_t i = 0; i < COUNT_OF(nicknames); i++)
        if (str_eq_nocase(text, str_of(nicknames[i].name)))
            return str_of(nicknames[i].text);
    return text;
}

static bool next_word(struct str *rest, struct str *out)
{
    while (rest->n && (*rest->p == ' ' || *rest->p == '\t'))
        *rest = (struct str){ rest->p + 1, rest->n - 1 };
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    *out = (struct str){ rest->p, n };
    *rest = (struct str){ rest->p + n, rest->n - n };
    return n > 0;
}

bool cron_parse(struct str text, struct cron *out, struct err *err)
{
    struct cron c = { 0 };
    struct str rest = expand(str_trim(text)), words[FIELD_COUNT + 1];
    uint64_t bits[FIELD_COUNT] = { [SECOND] = 1 };
    size_t count = 0;
    if (text.n > CRON_TEXT_MAX)
        return err_set(err, ERR_INVALID, "cron expression has %zu bytes, more than %d", text.n, CRON_TEXT_MAX);
    while (count <= FIELD_COUNT && next_word(&rest, &words[count]))
        count++;
    if (count != FIELD_COUNT && count != FIELD_COUNT - 1)
        return err_set(err, ERR_INVALID,
                       "cron expression \"" STR_FMT "\" has not 5 or 6 fields, nor is it a name like @daily",
                       STR_ARG(str_cut(text, 60)));
    size_t first = FIELD_COUNT - count;
    bits[SECOND] = first ? 1 : 0;
    for (size_t i = 0; i < count; i++)
        if (!read_field(&c, first + i, words[i], &bits[first + i], err))
            return false;
    c.seconds = bits[SECOND];
    c.minutes = bits[MINUTE];
    c.hours = (uint32_t)bits[HOUR];
    c.days = (uint32_t)bits[DAY_OF_MONTH];
    c.months = (uint32_t)bits[MONTH];
    c.weekdays = (uint8_t)((bits[DAY_OF_WEEK] | bits[DAY_OF_WEEK] >> 7) & 0x7f);
    struct zone *utc = zone_load(STR("UTC"), NULL);
    bool comes = cron_next(&c, utc, 0) != INT64_MAX;
    zone_free(utc);
    if (!comes)
        return err_set(err, ERR_INVALID, "cron expression \"" STR_FMT "\" names a day that never comes",
                       STR_ARG(str_cut(text, 60)));
    *out = c;
    return true;
}

/* ---- the next one ---- */

struct civil {
    int year;
    unsigned month, day; /* from 1 */
};

static struct civil civil_of(int64_t day)
{
    struct civil c;
    clock_date((int32_t)day, &c.year, &c.month, &c.day);
    return c;
}

static int64_t floor_day(int64_t wall)
{
    return wall / DAY - (wall % DAY < 0);
}

static unsigned month_days(struct civil at)
{
    struct civil next = at.month == 12 ? (struct civil){ at.year + 1, 1, 1 }
                                       : (struct civil){ at.year, at.month + 1, 1 };
    return (unsigned)(clock_day_of(next.year, next.month, 1) - clock_day_of(at.year, at.month, 1));
}

static bool day_matches(const struct cron *c, int64_t day)
{
    struct civil at = civil_of(day);
    if (!(c->months >> at.month & 1))
        return false;
    unsigned days = month_days(at), weekday = (unsigned)((day % 7 + 7 + 4) % 7);
    bool of_month = (c->days >> at.day & 1) || (c->last_day && at.day == days);
    bool of_week = (c->weekdays >> weekday & 1) || ((c->last_weekdays >> weekday & 1) && at.day + 7 > days);
    return c->any_day || c->any_weekday ? of_month && of_week : of_month || of_week;
}

/* The lowest bit at or above `from`; 64: none. */
static unsigned bit_from(uint64_t bits, unsigned from)
{
    uint64_t rest = from < 64 ? bits >> from << from : 0;
    return rest ? (unsigned)__builtin_ctzll(rest) : 64;
}

/* Of a day, the first second at or behind `from` that matches; -1: none. */
static int64_t second_of_day(const struct cron *c, int64_t from)
{
    unsigned h0 = (unsigned)(from / 3600), m0 = (unsigned)(from / 60 % 60), s0 = (unsigned)(from % 60);
    for (unsigned h = bit_from(c->hours, h0); h < 24; h = bit_from(c->hours, h + 1)) {
        unsigned m = bit_from(c->minutes, h == h0 ? m0 : 0);
        for (; m < 60; m = bit_from(c->minutes, m + 1)) {
            unsigned s = bit_from(c->seconds, h == h0 && m == m0 ? s0 : 0);
            if (s < 60)
                return h * INT64_C(3600) + m * INT64_C(60) + s;
        }
    }
    return -1;
}

/* The first wall at or behind `wall` that matches. */
static int64_t next_wall(const struct cron *c, int64_t wall, int64_t last_day)
{
    int64_t first = floor_day(wall);
    for (int64_t day = first; day <= last_day; day++) {
        int64_t at = day_matches(c, day) ? second_of_day(c, day == first ? wall - first * DAY : 0) : -1;
        if (at >= 0)
            return day * DAY + at;
    }
    return INT64_MAX;
}

int64_t cron_next(const struct cron *c, const struct zone *z, int64_t after)
{
    int64_t wall = after + zone_offset(z, after) + 1, last_day = floor_day(wall) + CRON_YEARS * 366;
    while ((wall = next_wall(c, wall, last_day)) != INT64_MAX) {
        int64_t at = zone_instant(z, wall);
        if (at > after)
            return at;
        wall++; /* it came already: clocks were set back since, or forward over it */
    }
    return INT64_MAX;
}
