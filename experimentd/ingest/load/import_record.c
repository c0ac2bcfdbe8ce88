#include "experimentd/ingest/load/import_record.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "experimentd/ingest/formats/native.h"
#include "experimentd/ingest/formats/ubi.h"

const char *const map_names[MAP_COUNT] = {
    [MAP_UNIT] = "unit",           [MAP_VARIANT] = "variant",
    [MAP_TIMESTAMP] = "timestamp", [MAP_SESSION] = "session",
    [MAP_QUERY_ID] = "query_id",   [MAP_QUERY] = "query",
    [MAP_RESULTS] = "results",     [MAP_CLICKS] = "clicks",
    [MAP_POSITION] = "position",   [MAP_CLICK_TIMESTAMP] = "click_timestamp",
};

/* ---- CSV, RFC 4180: quotes, doubled quotes, line ends inside quotes, CRLF, a byte order mark ---- */

static bool read_record(FILE *f, struct buf *raw, size_t *out_lines)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    bool quoted = false;
    *out_lines = 0;
    buf_clear(raw);
    do {
        n = getline(&line, &room, f);
        if (n <= 0)
            break;
        (*out_lines)++;
        buf_add(raw, line, (size_t)n);
        for (ssize_t i = 0; i < n; i++)
            quoted = line[i] == '"' ? !quoted : quoted;
    } while (quoted && !raw->failed);
    free(line);
    return raw->n > 0;
}

static bool split_field(struct str *rest, struct arena *arena, struct str *out, struct err *err)
{
    const char *p = rest->p, *end = rest->p + rest->n;
    if (p < end && *p == '"') {
        size_t n = 0;
        for (p++; p < end && !(*p == '"' && (p + 1 == end || p[1] != '"')); p++, n++)
            p += *p == '"';
        if (p == end)
            return err_set(err, ERR_INVALID, "a quoted field is not closed");
        p++;
        char *to = arena_alloc(arena, n + 1); /* not what is left of the record: records have many fields */
        const char *from = rest->p + 1;
        for (size_t i = 0; i < n; i++, from++) {
            from += *from == '"';
            to[i] = *from;
        }
        *out = (struct str){ to, n };
    } else {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma ? comma : end;
        *out = arena_str(arena, (struct str){ p, (size_t)(stop - p) });
        p = stop;
    }
    if (p < end && *p != ',')
        return err_set(err, ERR_INVALID, "there is text behind a closing quote");
    *rest = p < end ? (struct str){ p + 1, (size_t)(end - p - 1) } : (struct str){ NULL, 0 };
    return true;
}

bool csv_next(FILE *f, struct arena *arena, struct str *out_fields, size_t *out_count, size_t *out_lines,
              struct err *err)
{
    struct buf raw;
    bool ok;
    err->kind = ERR_NONE;
    buf_init(&raw, IMPORT_LINE_MAX);
    ok = read_record(f, &raw, out_lines) && buf_ok(&raw, "the record", err);
    struct str rest = buf_str(&raw);
    while (ok && rest.n && (rest.p[rest.n - 1] == '\n' || rest.p[rest.n - 1] == '\r'))
        rest.n--;
    if (ok && str_starts(rest, STR("\xEF\xBB\xBF")))
        rest = (struct str){ rest.p + 3, rest.n - 3 };
    for (*out_count = 0; ok && rest.p && *out_count < CSV_COLUMNS_MAX; (*out_count)++)
        ok = split_field(&rest, arena, &out_fields[*out_count], err);
    if (ok && rest.p)
        ok = err_set(err, ERR_INVALID, "the record has more than %d fields", CSV_COLUMNS_MAX);
    buf_release(&raw);
    return ok;
}

bool csv_map_header(struct csv_map *map, const struct str *header, size_t count, struct err *err)
{
    for (int m = 0; m < MAP_COUNT; m++) {
        map->index[m] = -1;
        for (size_t i = 0; map->columns[m] && i < count; i++)
            if (str_eq_c(str_trim(header[i]), map->columns[m]))
                map->index[m] = (int)i;
        if (map->columns[m] && map->index[m] < 0)
            return err_set(err, ERR_INVALID, "the file has no column \"%s\" (mapped to \"%s\")", map->columns[m],
                           map_names[m]);
    }
    if (map->index[MAP_UNIT] < 0 || map->index[MAP_TIMESTAMP] < 0)
        return err_set(err, ERR_INVALID, "a mapping must name the columns of \"unit\" and \"timestamp\"");
    if (map->index[MAP_VARIANT] >= 0 && !*map->experiment)
        return err_set(err, ERR_INVALID, "\"variant\" is mapped: name the experiment with --experiment KEY");
    return true;
}

/* The field's text, or {NULL, 0} when it is not mapped, empty, or one of the texts for "missing". */
static struct str cell(const struct csv_map *map, enum map_field m, const struct str *fields, size_t count)
{
    if (map->index[m] < 0 || (size_t)map->index[m] >= count)
        return (struct str){ NULL, 0 };
    struct str s = str_trim(fields[map->index[m]]);
    for (size_t i = 0; i < map->missing_count; i++)
        if (str_eq_c(s, map->missing[i]))
            return (struct str){ NULL, 0 };
    return s.n ? s : (struct str){ NULL, 0 };
}

/* "20160303122e3" is 20160303122000: R and spreadsheets write long whole numbers so, also where they are times. */
static void expand_exponent(char text[64])
{
    char *e = strchr(text, 'e');
    uint32_t zeros;
    if (!e || strspn(text, "0123456789") != (size_t)(e - text) || !parse_u32(str_of(e + 1), &zeros, NULL))
        return;
    if (zeros < 64 - (size_t)(e - text)) {
        memset(e, '0', zeros);
        e[zeros] = '\0';
    }
}

bool import_time(const char *format, struct str s, int64_t *out, struct err *err)
{
    struct tm tm = { 0 };
    double number;
    char text[64];
    if (!*format)
        return parse_double(s, &number, NULL) ? clock_from_number(number, out, err) : clock_parse(s, out, err);
    bool fits = s.n < sizeof text;
    memcpy(text, s.p, fits ? s.n : 0);
    text[fits ? s.n : 0] = '\0';
    expand_exponent(text);
    const char *end = fits ? strptime(text, format, &tm) : NULL;
    if (!end || *end)
        return err_set(err, ERR_INVALID, "\"%.*s\" does not fit the format %s", (int)(s.n > 40 ? 40 : s.n), s.p,
                       format);
    *out = (int64_t)timegm(&tm) * US_PER_SECOND;
    return true;
}

static bool parse_time(const struct csv_map *map, enum map_field m, struct str s, int64_t *out, struct err *err)
{
    return import_time(map->timestamp_format, s, out, err) || err_prefix(err, "column \"%s\": ", map->columns[m]);
}

static bool parse_count(const struct csv_map *map, enum map_field m, struct str s, double *out, struct err *err)
{
    if (!parse_double(s, out, err))
        return err_prefix(err, "column \"%s\": ", map->columns[m]);
    if (*out < 0 || *out != floor(*out))
        return err_set(err, ERR_INVALID, "column \"%s\": %g is not a count", map->columns[m], *out);
    return true;
}

/* The row's clicks: the first with its position, the others at unknown places. */
static bool add_clicks(const struct csv_map *map, const struct str *fields, size_t count, const struct signal *like,
                       struct import_record *out, struct err *err)
{
    struct str clicks = cell(map, MAP_CLICKS, fields, count), position = cell(map, MAP_POSITION, fields, count);
    struct str when = cell(map, MAP_CLICK_TIMESTAMP, fields, count);
    double n = 0, at = 0;
    int64_t at_us = like->at_us;
    if (clicks.p ? !parse_count(map, MAP_CLICKS, clicks, &n, err) : false)
        return false;
    if (n > IMPORT_CLICKS_MAX)
        return err_set(err, ERR_INVALID, "column \"%s\": %g clicks in one row, more than %d", map->columns[MAP_CLICKS],
                       n, IMPORT_CLICKS_MAX);
    if (position.p && (!parse_count(map, MAP_POSITION, position, &at, err) || at < 1 || at > INT32_MAX))
        return err_set(err, ERR_INVALID, "column \"%s\": a position must be a whole number from 1",
                       map->columns[MAP_POSITION]);
    if (when.p && !parse_time(map, MAP_CLICK_TIMESTAMP, when, &at_us, err))
        return false;
    if (!clicks.p && position.p)
        n = 1;
    for (size_t i = 0; i < (size_t)n; i++) {
        struct signal *s = &out->signals[out->signals_count++];
        *s = *like;
        s->type = STR("click");
        s->value = NAN;
        s->at_us = at_us;
        s->position = i == 0 ? (int32_t)at : SIGNAL_POSITION_NONE;
    }
    return true;
}

bool import_record_check(struct import_record *out, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < out->signals_count; i++)
        if (!signal_check(&out->signals[i], arena, err))
            return false;
    return !out->has_exposure || exposure_check(&out->exposure, err);
}

bool csv_record(const struct csv_map *map, const struct str *fields, size_t count, int64_t now_us, struct arena *arena,
                struct import_record *out, struct err *err)
{
    struct signal s = { .received_us = now_us, .value = NAN, .type = STR("request") };
    struct str when = cell(map, MAP_TIMESTAMP, fields, count), results = cell(map, MAP_RESULTS, fields, count);
    struct str variant = cell(map, MAP_VARIANT, fields, count);
    out->signals_count = 0;
    out->has_exposure = false;
    s.unit = cell(map, MAP_UNIT, fields, count);
    s.session = cell(map, MAP_SESSION, fields, count);
    s.query_id = cell(map, MAP_QUERY_ID, fields, count);
    s.query = cell(map, MAP_QUERY, fields, count);
    if (!s.unit.p)
        return err_set(err, ERR_INVALID, "column \"%s\" is empty: whose row is it", map->columns[MAP_UNIT]);
    if (!when.p)
        return err_set(err, ERR_INVALID, "column \"%s\" is empty", map->columns[MAP_TIMESTAMP]);
    if (!parse_time(map, MAP_TIMESTAMP, when, &s.at_us, err))
        return false;
    if (results.p && !parse_count(map, MAP_RESULTS, results, &s.value, err))
        return false;
    if (results.p || map->index[MAP_RESULTS] < 0)
        out->signals[out->signals_count++] = s; /* a row without a result page is no query */
    if (variant.p) {
        out->exposure = (struct exposure){
            .at_us = s.at_us, .experiment = str_of(map->experiment), .variant = variant, .unit = s.unit
        };
        out->has_exposure = true;
    }
    return add_clicks(map, fields, count, &s, out, err) && import_record_check(out, arena, err);
}

/* ---- NDJSON ---- */

static bool read_exposure(json_t *in, int64_t now_us, struct arena *arena, struct import_record *out, struct err *err)
{
    struct json_reader r;
    struct str type, timestamp = { NULL, 0 };
    struct exposure *e = &out->exposure;
    json_t *attributes = NULL;
    *e = (struct exposure){ .at_us = now_us };
    json_reader_open(&r, in, "exposure");
    (void)json_get_str(&r, "type", JSON_REQUIRED, &type, arena);
    (void)json_get_str(&r, "experiment", JSON_REQUIRED, &e->experiment, arena);
    (void)json_get_str(&r, "variant", JSON_REQUIRED, &e->variant, arena);
    (void)json_get_str(&r, "unit", JSON_REQUIRED, &e->unit, arena);
    (void)json_get_str(&r, "timestamp", JSON_REQUIRED, &timestamp, arena);
    (void)json_get_object(&r, "attributes", JSON_OPTIONAL, &attributes);
    e->attributes = lenient_object(attributes, arena);
    out->has_exposure = true;
    return json_reader_close(&r, err) && clock_parse(timestamp, &e->at_us, err) && exposure_check(e, err);
}

bool ndjson_record(struct str line, int64_t now_us, struct arena *arena, struct import_record *out, struct err *err)
{
    out->has_exposure = false;
    out->signals_count = 0;
    if (memmem(line.p, line.n, "\"exposure\"", 10)) {
        json_auto_t *root = json_parse(line, err);
        if (!root)
            return false;
        const char *type = json_string_value(json_object_get(root, "type"));
        if (type && strcmp(type, "exposure") == 0)
            return read_exposure(root, now_us, arena, out, err);
    }
    out->signals_count = 1;
    return native_parse(line, now_us, arena, &out->signals[0], err);
}

struct ubi_line {
    struct import_record *out;
    struct err *err;
    bool ok;
};

static bool on_ubi(void *arg, size_t index, const json_t *json, const struct foreign_event *in, const struct err *err)
{
    struct ubi_line *line = arg;
    (void)index;
    (void)json;
    line->ok = in != NULL;
    if (!in) {
        *line->err = *err;
        return true;
    }
    memcpy(line->out->signals, in->signals, in->signals_count * sizeof *in->signals);
    line->out->signals_count = in->signals_count;
    line->out->has_exposure = in->has_exposure;
    line->out->exposure = in->exposure;
    return true;
}

bool ubi_record(struct str line, int64_t now_us, struct arena *arena, struct import_record *out, bool *out_skip,
                struct err *err)
{
    struct ubi_line to = { .out = out, .err = err };
    struct str trimmed = str_trim(line);
    *out_skip = str_starts(trimmed, STR("{\"index\"")) || str_starts(trimmed, STR("{ \"index\"")) ||
                str_starts(trimmed, STR("{\"create\"")) || str_starts(trimmed, STR("{ \"create\""));
    out->signals_count = 0;
    out->has_exposure = false;
    if (*out_skip)
        return true;
    return ubi_read(line, UBI_EITHER, now_us, arena, on_ubi, &to, err) && to.ok;
}
