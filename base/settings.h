/* settings.h - the settings table: one row is a setting's flag, environment variable, configuration line, check and help text.
 *
 * Row "journal.max_bytes" is the flag --journal-max-bytes, the variable EXPERIMENTD_JOURNAL_MAX_BYTES and the line
 * "journal.max_bytes = 10g" of the file. Flag over environment over file over default. `--help` is printed from the rows. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

enum setting_type {
    SETTING_TEXT,
    SETTING_U32,
    SETTING_SIZE,
    SETTING_DOUBLE,
    SETTING_BOOL,
    SETTING_SECONDS,
    SETTING_TYPE_COUNT
};

struct setting {
    const char *name; /* "journal.max_bytes" */
    enum setting_type
        type; /* TEXT: char * owned by the struct; U32: uint32_t; SIZE: uint64_t; DOUBLE; BOOL; SECONDS: int64_t µs */
    size_t offset;        /* in the program's settings struct */
    const char *fallback; /* default as text; NULL: empty text / 0 */
    bool reload;          /* takes effect on SIGHUP */
    const char *argument; /* "DIR", "HOST:PORT", for --help; NULL for a BOOL that needs none */
    const char *help;     /* one line */
};

/* Fills `into` from defaults, the file (--config FILE or EXPERIMENTD_CONFIG), the environment, and argv[from…]. Arguments that
 * are no flags, --help, -h and all behind "--" go to out_rest (count in *out_rest_count; room for argc). An unknown flag or key
 * is an error that names the nearest known one. On failure `into` is released. TIME values are seconds, or have a unit: 500ms. */
bool settings_load(const struct setting *table, size_t count, void *into, int argc, char **argv, int from,
                   char **out_rest, size_t *out_rest_count, struct err *err) MUSTCHECK;
void settings_print_help(const struct setting *table, size_t count, FILE *to);
void settings_release(const struct setting *table, size_t count, void *into);
