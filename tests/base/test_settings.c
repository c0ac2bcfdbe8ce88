#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/settings.h"

struct sample {
    char *listen, *note;
    uint32_t threads;
    uint64_t journal_max;
    double level;
    bool open_page, sync;
    int64_t drain_us;
};

static const struct setting table[] = {
    { "listen", SETTING_TEXT, offsetof(struct sample, listen), "127.0.0.1:8080", false, "HOST:PORT",
      "address of the page" },
    { "note", SETTING_TEXT, offsetof(struct sample, note), NULL, false, NULL, "free text" },
    { "threads", SETTING_U32, offsetof(struct sample, threads), "4", false, "N", "worker threads" },
    { "journal.max_bytes", SETTING_SIZE, offsetof(struct sample, journal_max), "10g", true, "SIZE",
      "limit of the journal" },
    { "level", SETTING_DOUBLE, offsetof(struct sample, level), "0.95", true, NULL, "confidence level" },
    { "page.open", SETTING_BOOL, offsetof(struct sample, open_page), "false", false, NULL, "page without a key" },
    { "sync", SETTING_BOOL, offsetof(struct sample, sync), "on", false, "on|off", "sync to disk" },
    { "drain_delay", SETTING_SECONDS, offsetof(struct sample, drain_us), "2", false, "TIME", "wait before closing" },
};

static struct sample s;
static char *rest[16];
static size_t rest_count;
static struct err err;

#define LOAD(...) \
    load((char *[]){ "program", "serve", __VA_ARGS__ }, sizeof((char *[]){ "", "", __VA_ARGS__ }) / sizeof(char *))

static bool load(char **argv, size_t argc)
{
    return settings_load(table, COUNT_OF(table), &s, (int)argc, argv, 2, rest, &rest_count, &err);
}

static void release(void)
{
    settings_release(table, COUNT_OF(table), &s);
}

#define REFUSED(expected, ...)                          \
    do {                                                \
        cr_assert(not(LOAD(__VA_ARGS__)));              \
        cr_assert(eq(int, (int)err.kind, ERR_INVALID)); \
        cr_assert(eq(str, err.text, expected));         \
        cr_assert(s.listen == NULL);                    \
    } while (0)

Test(settings, defaults_fill_every_type)
{
    cr_assert(LOAD("x"), "%s", err.text);
    cr_assert(eq(str, s.listen, "127.0.0.1:8080"));
    cr_assert(eq(str, s.note, ""));
    cr_assert(eq(u32, s.threads, 4));
    cr_assert(eq(u64, s.journal_max, UINT64_C(10) << 30));
    cr_assert(eq(dbl, s.level, 0.95));
    cr_assert(not(s.open_page));
    cr_assert(s.sync);
    cr_assert(eq(i64, s.drain_us, 2000000));
    release();
}

Test(settings, flags_take_their_value_behind_a_space_or_an_equals_sign)
{
    cr_assert(LOAD("--threads", "8", "--journal-max-bytes=64k", "--page-open", "first", "--sync", "off", "--note=a=b",
                   "--drain-delay", "500ms", "second"),
              "%s", err.text);
    cr_assert(eq(u32, s.threads, 8));
    cr_assert(eq(u64, s.journal_max, 65536));
    cr_assert(s.open_page);
    cr_assert(not(s.sync));
    cr_assert(eq(str, s.note, "a=b"));
    cr_assert(eq(i64, s.drain_us, 500000));
    cr_assert(eq(sz, rest_count, 2));
    cr_assert(eq(str, rest[0], "first"));
    cr_assert(eq(str, rest[1], "second"));
    release();
}

Test(settings, help_and_what_stands_behind_two_dashes_are_arguments)
{
    cr_assert(LOAD("--help", "-h", "--", "--threads", "x"), "%s", err.text);
    cr_assert(eq(sz, rest_count, 4));
    cr_assert(eq(str, rest[2], "--threads"));
    cr_assert(eq(u32, s.threads, 4));
    release();
}

Test(settings, wrong_flags_are_told)
{
    REFUSED("unknown flag \"--thread\" (did you mean \"--threads\"?)", "--thread", "8");
    REFUSED("unknown flag \"--journal.max_bytes\" (did you mean \"--journal-max-bytes\"?)", "--journal.max_bytes=1");
    REFUSED("unknown flag \"--quux\"", "--quux");
    REFUSED("flag \"--threads\" needs a value (N)", "--threads");
    REFUSED("flag \"--threads\": \"-1\" is not a whole number", "--threads=-1");
    REFUSED("flag \"--page-open\": \"perhaps\" is not true or false", "--page-open=perhaps");
    REFUSED("flag \"--level\": \"\" is not a number", "--level=");
    REFUSED("flag \"--drain-delay\": \"-5s\" is not a time span (seconds, or a number with us, ms, s, m, h or d)",
            "--drain-delay=-5s");
}

/* A configuration file with these contents; the path lives as long as the test. */
static char *config(const char *text)
{
    static char path[] = "/tmp/expd-settings.XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return path;
}

Test(settings, flag_over_environment_over_file_over_default)
{
    char *path = config("# comment\n\n threads = 1 \nnote=from file\r\nlevel = 0.5\njournal.max_bytes=1m");
    setenv("EXPERIMENTD_THREADS", "2", 1);
    setenv("EXPERIMENTD_JOURNAL_MAX_BYTES", "2m", 1);
    setenv("EXPERIMENTD_SOMETHING_ELSE", "ignored", 1);
    cr_assert(LOAD("--threads", "3", "--config", path), "%s", err.text);
    unlink(path);
    cr_assert(eq(u32, s.threads, 3));
    cr_assert(eq(u64, s.journal_max, 2 << 20));
    cr_assert(eq(str, s.note, "from file"));
    cr_assert(eq(dbl, s.level, 0.5));
    cr_assert(eq(str, s.listen, "127.0.0.1:8080"));
    release();
}

Test(settings, errors_of_the_file_name_file_and_line)
{
    char expected[128], *path = config("threads = 1\n\njournal.maxbytes = 3\n");
    (void)snprintf(expected, sizeof expected,
                   "%s:3: unknown setting \"journal.maxbytes\" (did you mean \"journal.max_bytes\"?)", path);
    setenv("EXPERIMENTD_CONFIG", path, 1);
    REFUSED(expected, "x");
    unlink(path);
}

Test(settings, a_bad_value_or_line_of_the_file_is_told)
{
    char expected[128], *path = config("threads = many\n");
    (void)snprintf(expected, sizeof expected, "%s:1: threads: \"many\" is not a whole number", path);
    REFUSED(expected, "--config", path);
    FILE *f = fopen(path, "w");
    (void)fputs("just words\n", f);
    (void)fclose(f);
    (void)snprintf(expected, sizeof expected, "%s:1: not of the form \"name = value\"", path);
    REFUSED(expected, "--config", path);
    unlink(path);
    cr_assert(not(LOAD("--config", path)));
    cr_assert(eq(int, (int)err.kind, ERR_SYSTEM));
}

Test(settings, a_bad_variable_is_told)
{
    setenv("EXPERIMENTD_LEVEL", "high", 1);
    REFUSED("environment variable EXPERIMENTD_LEVEL: \"high\" is not a number", "x");
}

Test(settings, help_shows_every_row_aligned)
{
    char *text = NULL, *line, *at;
    size_t n = 0, rows = 0;
    FILE *f = open_memstream(&text, &n);
    settings_print_help(table, COUNT_OF(table), f);
    (void)fclose(f);
    cr_assert(strstr(text, "  --journal-max-bytes SIZE  limit of the journal\n") != NULL, "%s", text);
    cr_assert(strstr(text, "[EXPERIMENTD_JOURNAL_MAX_BYTES; default 10g; reloaded on SIGHUP]\n") != NULL, "%s", text);
    for (at = text; (line = strsep(&at, "\n")) && *line; rows++)
        cr_assert(strlen(line) > 28 && line[27] == ' ' && line[28] != ' ', "%s", line);
    cr_assert(eq(sz, rows, 2 * COUNT_OF(table) + 2));
    free(text);
}
