#include "base/zone.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { HEADER_BYTES = 44, TYPES_MAX = 256, RULE_HOURS_MAX = 167 };
#define DAY INT64_C(86400)
/* Offsets lie within RFC 9636's -25 to +26 hours; two changes of a zone are further apart than this. */
#define AROUND (26 * INT64_C(3600))

/* When a rule's half of the year begins, on the wall clock before it. */
struct rule_day {
    char kind; /* 'J': day 1-365, no leap day; 'N': day 0-365; 'M': month, week, weekday */
    int day, month, week, weekday;
    int64_t seconds; /* of that day; may be negative or beyond it */
};

struct rule {
    int32_t standard, summer;
    bool has_summer;
    struct rule_day begin, end; /* of summer */
};

struct zone {
    int64_t *at;     /* instants from which … */
    int32_t *offset; /* … the clock has this offset */
    size_t count;
    int32_t first;    /* before all of them */
    struct rule rule; /* behind the last one */
};

static bool damaged(const char *what, struct err *err)
{
    return err_set(err, ERR_INVALID, "not a time zone: %s", what);
}

/* ---- the footer: a rule in POSIX form ---- */

struct cursor {
    const char *p, *end;
};

static bool take(struct cursor *c, char wanted)
{
    if (c->p == c->end || *c->p != wanted)
        return false;
    c->p++;
    return true;
}

static bool take_number(struct cursor *c, int max, int *out)
{
    int n = 0;
    const char *from = c->p;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && n <= max)
        n = 10 * n + (*c->p++ - '0');
    *out = n;
    return c->p > from && n <= max;
}

/* "CET" or "<+0330>" */
static bool take_abbreviation(struct cursor *c)
{
    const char *from = c->p;
    if (take(c, '<')) {
        while (c->p < c->end && *c->p != '>')
            c->p++;
        return take(c, '>');
    }
    while (c->p < c->end && ((*c->p | 0x20) >= 'a' && (*c->p | 0x20) <= 'z'))
        c->p++;
    return c->p - from >= 3;
}

/* "-1", "3:30", "+167:00:00" */
static bool take_time(struct cursor *c, int64_t *out)
{
    int hours, minutes = 0, seconds = 0;
    bool negative = take(c, '-');
    if (!negative)
        (void)take(c, '+');
    if (!take_number(c, RULE_HOURS_MAX, &hours) || (take(c, ':') && !take_number(c, 59, &minutes)) ||
        (take(c, ':') && !take_number(c, 59, &seconds)))
        return false;
    *out = (negative ? -1 : 1) * (hours * INT64_C(3600) + minutes * 60 + seconds);
    return true;
}

static bool take_day(struct cursor *c, struct rule_day *d)
{
    d->seconds = 7200;
    d->kind = take(c, 'M') ? 'M' : take(c, 'J') ? 'J' : 'N';
    bool ok = d->kind == 'M'
                  ? take_number(c, 12, &d->month) && d->month && take(c, '.') && take_number(c, 5, &d->week) &&
                        d->week && take(c, '.') && take_number(c, 6, &d->weekday)
                  : take_number(c, 365, &d->day) && (d->kind == 'N' || d->day);
    return ok && (!take(c, '/') || take_time(c, &d->seconds));
}

static bool parse_rule(struct str text, struct rule *out)
{
    struct cursor c = { text.p, text.p + text.n };
    int64_t west;
    *out = (struct rule){ 0 };
    if (!take_abbreviation(&c) || !take_time(&c, &west) || west < -AROUND || west > AROUND)
        return false;
    out->standard = out->summer = (int32_t)-west;
    if (c.p == c.end)
        return true;
    out->has_summer = true;
    if (!take_abbreviation(&c))
        return false;
    west -= 3600;
    if (c.p < c.end && *c.p != ',' && (!take_time(&c, &west) || west < -AROUND || west > AROUND))
        return false;
    out->summer = (int32_t)-west;
    return take(&c, ',') && take_day(&c, &out->begin) && take(&c, ',') && take_day(&c, &out->end) && c.p == c.end;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Wall seconds at which the rule's day comes in this year. */
static int64_t rule_wall(const struct rule_day *d, int year)
{
    int64_t january = clock_day_of(year, 1, 1);
    if (d->kind == 'N')
        return (january + d->day) * DAY + d->seconds;
    if (d->kind == 'J')
        return (january + d->day - 1 + (is_leap(year) && d->day > 59)) * DAY + d->seconds;
    int64_t first = clock_day_of(year, (unsigned)d->month, 1);
    int64_t next = d->month == 12 ? clock_day_of(year + 1, 1, 1) : clock_day_of(year, (unsigned)d->month + 1, 1);
    int64_t weekday = (first % 7 + 7 + 4) % 7; /* 1970-01-01 was a Thursday */
    int64_t day = first + (d->weekday - weekday + 7) % 7 + 7 * (d->week - 1);
    while (day >= next)
        day -= 7;
    return day * DAY + d->seconds;
}

static int year_of(int64_t at)
{
    int64_t day = at / DAY - (at % DAY < 0);
    int year = (int)(1970 + day / 366);
    while (clock_day_of(year + 1, 1, 1) <= day)
        year++;
    while (clock_day_of(year, 1, 1) > day)
        year--;
    return year;
}

static int32_t rule_offset(const struct rule *r, int64_t at)
{
    if (!r->has_summer)
        return r->standard;
    int year = year_of(at + r->standard);
    int64_t begin = rule_wall(&r->begin, year) - r->standard, end = rule_wall(&r->end, year) - r->summer;
    bool summer = begin < end ? at >= begin && at < end : at >= begin || at < end;
    return summer ? r->summer : r->standard;
}

/* ---- the file ---- */

static int64_t big_endian(const unsigned char *p, size_t n)
{
    uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

struct counts {
    size_t isut, isstd, leap, times, types, chars;
};

static bool read_header(const unsigned char *p, struct counts *out, struct err *err)
{
    size_t *fields[] = { &out->isut, &out->isstd, &out->leap, &out->times, &out->types, &out->chars };
    if (memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return damaged("no TZif file of version 2 or later", err);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        int64_t n = big_endian(p + 20 + 4 * i, 4);
        if (n < 0 || n > ZONE_FILE_MAX)
            return damaged("a count is out of range", err);
        *fields[i] = (size_t)n;
    }
    return (out->types > 0 && out->types <= TYPES_MAX) || damaged("it has no types", err);
}

static size_t block_bytes(const struct counts *n, size_t time_bytes)
{
    return n->times * (time_bytes + 1) + n->types * 6 + n->chars + n->leap * (time_bytes + 4) + n->isstd + n->isut;
}

static bool read_type(const unsigned char *types, size_t i, int32_t *out, struct err *err)
{
    int64_t offset = big_endian(types + 6 * i, 4);
    if (offset < -AROUND || offset > AROUND)
        return damaged("an offset is out of range", err);
    *out = (int32_t)offset;
    return true;
}

static bool read_times(struct zone *z, const unsigned char *p, const struct counts *n, struct err *err)
{
    const unsigned char *index = p + 8 * n->times, *types = index + n->times;
    z->at = mem_zalloc((n->times + 1) * sizeof *z->at);
    z->offset = mem_zalloc((n->times + 1) * sizeof *z->offset);
    if (!read_type(types, 0, &z->first, err))
        return false;
    for (size_t i = 0; i < n->times; i++) {
        z->at[i] = big_endian(p + 8 * i, 8);
        if (i && z->at[i] <= z->at[i - 1])
            return damaged("its transitions are not in order", err);
        if (index[i] >= n->types || !read_type(types, index[i], &z->offset[i], err))
            return damaged("a transition has a type that is not there", err);
    }
    z->count = n->times;
    return true;
}

static bool read_footer(struct zone *z, struct str rest, struct err *err)
{
    if (rest.n < 2 || rest.p[0] != '\n' || rest.p[rest.n - 1] != '\n')
        return damaged("its footer is missing", err);
    struct str rule = { rest.p + 1, rest.n - 2 };
    if (!rule.n) { /* nothing is known of later: as it was last */
        z->rule.standard = z->rule.summer = z->count ? z->offset[z->count - 1] : z->first;
        return true;
    }
    return parse_rule(rule, &z->rule) || damaged("its footer is no rule", err);
}

struct zone *zone_parse(struct str bytes, struct err *err)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    struct counts n;
    if (bytes.n < HEADER_BYTES || bytes.n > ZONE_FILE_MAX) {
        (void)damaged("its size is out of range", err);
        return NULL;
    }
    if (!read_header(p, &n, err))
        return NULL;
    size_t second = HEADER_BYTES + block_bytes(&n, 4); /* the same with 64 bits a time */
    if (bytes.n < second + HEADER_BYTES || !read_header(p + second, &n, err) ||
        bytes.n < second + HEADER_BYTES + block_bytes(&n, 8)) {
        (void)damaged("it is cut short", err);
        return NULL;
    }
    AUTO(zone_free) struct zone *z = mem_zalloc(sizeof *z);
    size_t end = second + HEADER_BYTES + block_bytes(&n, 8);
    if (!read_times(z, p + second + HEADER_BYTES, &n, err) ||
        !read_footer(z, (struct str){ bytes.p + end, bytes.n - end }, err))
        return NULL;
    return TAKE(z);
}

/* ---- by name ---- */

static bool is_name(struct str name)
{
    if (!name.n || name.n > ZONE_NAME_MAX || name.p[0] == '/')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (!c || !strchr("/_+-", c)))
            return false;
    }
    return true;
}

static bool read_file(int fd, struct buf *b)
{
    for (;;) {
        char *to = buf_reserve(b, 8192);
        ssize_t n = to ? read(fd, to, 8192) : -1;
        if (n <= 0)
            return n == 0;
        b->n += (size_t)n;
    }
}

struct zone *zone_load(struct str name, struct err *err)
{
    struct zone *z = NULL;
    struct stat st;
    if (str_eq(name, STR("UTC")))
        return mem_zalloc(sizeof *z);
    AUTO(mem_free) char *path = mem_printf("/usr/share/zoneinfo/" STR_FMT, STR_ARG(str_cut(name, ZONE_NAME_MAX)));
    AUTO(buf_release) struct buf b;
    buf_init(&b, ZONE_FILE_MAX + 8192);
    int fd = is_name(name) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read_file(fd, &b))
        z = zone_parse(buf_str(&b), err);
    if (fd >= 0)
        (void)close(fd);
    if (!z)
        (void)err_set(err, ERR_INVALID, "time zone \"" STR_FMT "\" is not known (IANA name, such as Europe/Berlin)",
                      STR_ARG(str_cut(name, ZONE_NAME_MAX)));
    return z;
}

void zone_free(struct zone *z)
{
    if (!z)
        return;
    mem_free(z->at);
    mem_free(z->offset);
    mem_free(z);
}

/* ---- instants and walls ---- */

int32_t zone_offset(const struct zone *z, int64_t at)
{
    size_t low = 0, high = z->count; /* the first transition behind `at` */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->at[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == z->count)
        return rule_offset(&z->rule, at);
    return low ? z->offset[low - 1] : z->first;
}

/* The instant in (low, high] from which the offset is no longer that of `low`. */
static int64_t change_between(const struct zone *z, int64_t low, int64_t high)
{
    int32_t before = zone_offset(z, low);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (zone_offset(z, middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

int64_t zone_instant(const struct zone *z, int64_t wall)
{
    int64_t early = wall - AROUND, late = wall + AROUND;
    int32_t before = zone_offset(z, early), after = zone_offset(z, late);
    if (zone_offset(z, wall - before) == before)
        return wall - before;
    if (zone_offset(z, wall - after) == after)
        return wall - after;
    return change_between(z, early, late);
}
