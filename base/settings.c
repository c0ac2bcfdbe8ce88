#include "base/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/nearest.h"

/* Limits of the configuration file and of a flag's or variable's name. */
enum { FILE_LIMIT_BYTES = 1 << 20, NAME_LIMIT = 80 };

#define CONFIG_FLAG "config"
#define CONFIG_ENV "EXPERIMENTD_CONFIG"

/* Values by type: text → the field of the settings struct. */

static bool set_text(struct str s, void *field, struct err *err)
{
    (void)err;
    char **text = field;
    mem_free(*text);
    *text = mem_strndup(s.n ? s.p : "", s.n);
    return true;
}

static bool set_u32(struct str s, void *field, struct err *err)
{
    return parse_u32(s, field, err);
}

static bool set_size(struct str s, void *field, struct err *err)
{
    return parse_size(s, field, err);
}

static bool set_double(struct str s, void *field, struct err *err)
{
    return parse_double(s, field, err);
}

static bool set_bool(struct str s, void *field, struct err *err)
{
    return parse_bool(s, field, err);
}

static const struct {
    const char *unit;
    double us;
} units[] = {
    { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { "m", 60e6 }, { "h", 3600e6 }, { "d", 86400e6 },
};

static bool set_seconds(struct str s, void *field, struct err *err)
{
    struct str number = s;
    while (number.n && number.p[number.n - 1] >= 'a' && number.p[number.n - 1] <= 'z')
        number.n--;
    struct str unit = { s.p + number.n, s.n - number.n };
    double us = unit.n ? 0 : (double)US_PER_SECOND, v;
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (str_eq_c(unit, units[i].unit))
            us = units[i].us;
    if (us == 0 || !parse_double(number, &v, NULL) || v < 0 || v * us > (double)(36500 * US_PER_DAY))
        return err_set(err, ERR_INVALID, "\"%.*s\" is not a time span (seconds, or a number with us, ms, s, m, h or d)",
                       s.n > 40 ? 40 : (int)s.n, s.p);
    *(int64_t *)field = (int64_t)(v * us + 0.5);
    return true;
}

static bool (*const setters[])(struct str s, void *field, struct err *err) = {
    [SETTING_TEXT] = set_text,     [SETTING_U32] = set_u32,   [SETTING_SIZE] = set_size,
    [SETTING_DOUBLE] = set_double, [SETTING_BOOL] = set_bool, [SETTING_SECONDS] = set_seconds,
};
static_assert(COUNT_OF(setters) == SETTING_TYPE_COUNT, "a setter for every type");

/* Everything that a load works on. */
struct loading {
    const struct setting *table;
    size_t count;
    char *into;
    int argc;
    char **argv;
    int from;
    const char *config; /* path of the file, NULL for none */
    char **rest;
    size_t rest_count;
};

static bool set_row(const struct loading *l, const struct setting *row, struct str value, struct err *err)
{
    return setters[row->type](value, l->into + row->offset, err);
}

/* "journal.max_bytes" → "journal-max-bytes" */
static const char *flag_name(const char *name, char text[NAME_LIMIT])
{
    size_t n = strlen(name);
    assert(n < NAME_LIMIT);
    for (size_t i = 0; i <= n; i++)
        text[i] = name[i] == '.' || name[i] == '_' ? '-' : name[i];
    return text;
}

/* "journal.max_bytes" → "EXPERIMENTD_JOURNAL_MAX_BYTES" */
static const char *env_name(const char *name, char text[NAME_LIMIT])
{
    size_t at = sizeof "EXPERIMENTD_" - 1, n = strlen(name);
    assert(at + n < NAME_LIMIT);
    memcpy(text, "EXPERIMENTD_", at);
    for (size_t i = 0; i <= n; i++) {
        char c = name[i];
        text[at + i] = c == '.' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    return text;
}

static const struct setting *find_row(const struct loading *l, struct str name)
{
    for (size_t i = 0; i < l->count; i++)
        if (str_eq_c(name, l->table[i].name))
            return &l->table[i];
    return NULL;
}

static const struct setting *find_flag(const struct loading *l, struct str flag)
{
    char text[NAME_LIMIT];
    for (size_t i = 0; i < l->count; i++)
        if (str_eq_c(flag, flag_name(l->table[i].name, text)))
            return &l->table[i];
    return NULL;
}

/* Says that a name is unknown, and which one was probably meant. `dashes` stands before the names. */
static bool unknown(const struct loading *l, struct str given, bool flags, struct err *err)
{
    const char *what = flags ? "flag" : "setting", *dashes = flags ? "--" : "";
    AUTO(mem_free) char *names = mem_alloc((l->count + 1) * NAME_LIMIT);
    const char *list[256];
    size_t n = 0;
    assert(l->count < COUNT_OF(list));
    for (; n < l->count; n++) {
        char *to = names + n * NAME_LIMIT;
        list[n] = flags ? flag_name(l->table[n].name, to) : l->table[n].name;
    }
    if (flags)
        list[n++] = CONFIG_FLAG;
    const char *meant = nearest_name(given, list, n);
    int shown = given.n > 60 ? 60 : (int)given.n;
    if (meant)
        return err_set(err, ERR_INVALID, "unknown %s \"%s%.*s\" (did you mean \"%s%s\"?)", what, dashes, shown, given.p,
                       dashes, meant);
    return err_set(err, ERR_INVALID, "unknown %s \"%s%.*s\"", what, dashes, shown, given.p);
}

/* One flag of the command line with its value. row is NULL for --config. */
struct flag {
    struct str name, value;
    const struct setting *row;
};

/* Reads the flag at argv[*at] and moves *at behind its value. */
static bool read_flag(const struct loading *l, int *at, struct flag *out, struct err *err)
{
    struct str text = str_of(l->argv[(*at)++] + 2);
    struct flag f = { .name = text };
    const char *equals = memchr(text.p, '=', text.n);
    if (equals)
        f.name.n = (size_t)(equals - text.p);
    f.row = find_flag(l, f.name);
    if (!f.row && !str_eq_c(f.name, CONFIG_FLAG))
        return unknown(l, f.name, true, err);
    if (equals)
        f.value = str_of(equals + 1);
    else if (f.row && f.row->type == SETTING_BOOL && !f.row->argument)
        f.value = STR("true");
    else if (*at < l->argc)
        f.value = str_of(l->argv[(*at)++]);
    else
        return err_set(err, ERR_INVALID, "flag \"--%.*s\" needs a value (%s)", STR_ARG(f.name),
                       f.row && f.row->argument ? f.row->argument : "FILE");
    *out = f;
    return true;
}

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* Goes over the command line: with `assign`, sets the rows and keeps the rest; without, only looks for --config. */
static bool read_arguments(struct loading *l, bool assign, struct err *err)
{
    bool flags_over = false;
    for (int at = l->from; at < l->argc;) {
        const char *arg = l->argv[at];
        if (!flags_over && strcmp(arg, "--") == 0) {
            flags_over = true;
            at++;
        } else if (flags_over || strncmp(arg, "--", 2) != 0 || is_help(arg)) {
            if (assign)
                l->rest[l->rest_count++] = l->argv[at];
            at++;
        } else {
            struct flag f = { .row = NULL };
            if (!read_flag(l, &at, &f, err))
                return false;
            if (!f.row)
                l->config = f.value.p;
            else if (assign && !set_row(l, f.row, f.value, err))
                return err_prefix(err, "flag \"--%.*s\": ", STR_ARG(f.name));
        }
    }
    return true;
}

static bool set_defaults(const struct loading *l, struct err *err)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct setting *row = &l->table[i];
        const char *text = row->fallback ? row->fallback : row->type == SETTING_TEXT ? "" : NULL;
        if (text && !set_row(l, row, str_of(text), err))
            return err_prefix(err, "default of \"%s\": ", row->name);
    }
    return true;
}

/* Reads a whole file into b, which sets the limit. */
static bool read_file(const char *path, struct buf *b, struct err *err)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set_errno(err, "cannot open \"%s\"", path);
    char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(b, piece, n);
    bool bad = ferror(f) != 0;
    if (bad)
        err_set_errno(err, "cannot read \"%s\"", path);
    (void)fclose(f);
    return !bad && buf_ok(b, path, err);
}

static bool read_line(const struct loading *l, struct str line, struct err *err)
{
    line = str_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return true;
    const char *equals = memchr(line.p, '=', line.n);
    if (!equals)
        return err_set(err, ERR_INVALID, "not of the form \"name = value\"");
    struct str name = str_trim((struct str){ line.p, (size_t)(equals - line.p) });
    struct str value = str_trim((struct str){ equals + 1, line.n - (size_t)(equals + 1 - line.p) });
    const struct setting *row = find_row(l, name);
    if (!row)
        return unknown(l, name, false, err);
    if (!set_row(l, row, value, err))
        return err_prefix(err, "%s: ", row->name);
    return true;
}

static bool read_config(const struct loading *l, struct err *err)
{
    AUTO(buf_release) struct buf text;
    buf_init(&text, FILE_LIMIT_BYTES);
    if (!read_file(l->config, &text, err))
        return false;
    struct str rest = buf_str(&text), line;
    for (unsigned number = 1; str_split(&rest, '\n', &line); number++)
        if (!read_line(l, line, err))
            return err_prefix(err, "%s:%u: ", l->config, number);
    return true;
}

/* Variables of other programs that share the prefix are none of ours, so an unknown one is no error. */
static bool read_environment(const struct loading *l, struct err *err)
{
    char name[NAME_LIMIT];
    for (size_t i = 0; i < l->count; i++) {
        const char *value = getenv(env_name(l->table[i].name, name));
        if (value && !set_row(l, &l->table[i], str_of(value), err))
            return err_prefix(err, "environment variable %s: ", name);
    }
    return true;
}

static void clear(const struct loading *l)
{
    static const size_t sizes[] = {
        [SETTING_TEXT] = sizeof(char *),   [SETTING_U32] = sizeof(uint32_t), [SETTING_SIZE] = sizeof(uint64_t),
        [SETTING_DOUBLE] = sizeof(double), [SETTING_BOOL] = sizeof(bool),    [SETTING_SECONDS] = sizeof(int64_t),
    };
    static_assert(COUNT_OF(sizes) == SETTING_TYPE_COUNT, "a size for every type");
    for (size_t i = 0; i < l->count; i++)
        memset(l->into + l->table[i].offset, 0, sizes[l->table[i].type]);
}

bool settings_load(const struct setting *table, size_t count, void *into, int argc, char **argv, int from,
                   char **out_rest, size_t *out_rest_count, struct err *err)
{
    struct loading l = { .table = table,
                         .count = count,
                         .into = into,
                         .argc = argc,
                         .argv = argv,
                         .from = from,
                         .config = getenv(CONFIG_ENV),
                         .rest = out_rest };
    clear(&l);
    bool ok = read_arguments(&l, false, err) && set_defaults(&l, err) && (!l.config || read_config(&l, err)) &&
              read_environment(&l, err) && read_arguments(&l, true, err);
    if (!ok) {
        settings_release(table, count, into);
        return false;
    }
    *out_rest_count = l.rest_count;
    return true;
}

void settings_release(const struct setting *table, size_t count, void *into)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].type != SETTING_TEXT)
            continue;
        char **text = (char **)(void *)((char *)into + table[i].offset);
        mem_free(*text);
        *text = NULL;
    }
}

/* "--journal-max-bytes SIZE" */
static int print_flag(FILE *to, const char *flag, const char *argument)
{
    return fprintf(to, "  --%s%s%s", flag, argument ? " " : "", argument ? argument : "");
}

static const char *argument_of(const struct setting *row)
{
    static const char *const by_type[] = {
        [SETTING_TEXT] = "TEXT", [SETTING_U32] = "N",   [SETTING_SIZE] = "SIZE",
        [SETTING_DOUBLE] = "X",  [SETTING_BOOL] = NULL, [SETTING_SECONDS] = "TIME",
    };
    return row->argument ? row->argument : by_type[row->type];
}

void settings_print_help(const struct setting *table, size_t count, FILE *to)
{
    char text[NAME_LIMIT];
    size_t width = sizeof "--" CONFIG_FLAG " FILE";
    for (size_t i = 0; i < count; i++) {
        const char *argument = argument_of(&table[i]);
        size_t n = strlen(flag_name(table[i].name, text)) + 2 + (argument ? strlen(argument) + 1 : 0);
        width = n > width ? n : width;
    }
    int column = (int)width + 4;
    int used = print_flag(to, CONFIG_FLAG, "FILE");
    (void)fprintf(to, "%*sfile of lines \"name = value\"; flags and environment go before it\n", column - used, "");
    (void)fprintf(to, "%*s[%s]\n", column, "", CONFIG_ENV);
    for (size_t i = 0; i < count; i++) {
        const struct setting *row = &table[i];
        used = print_flag(to, flag_name(row->name, text), argument_of(row));
        (void)fprintf(to, "%*s%s\n%*s[%s", column - used, "", row->help, column, "", env_name(row->name, text));
        if (row->fallback && *row->fallback)
            (void)fprintf(to, "; default %s", row->fallback);
        (void)fprintf(to, "%s]\n", row->reload ? "; reloaded on SIGHUP" : "");
    }
}
