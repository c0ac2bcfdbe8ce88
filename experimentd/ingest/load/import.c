#include "experimentd/ingest/load/import.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/migrate.h"
#include "base/settings.h"
#include "experimentd/ingest/load/day_notes.h"
#include "experimentd/ingest/load/import_parts.h"
#include "experimentd/marks/rules.h"

enum { MAP_TEXT_MAX = 64 << 10 };

#define AT(field) offsetof(struct import_settings, field)

static const struct setting import_table[] = {
    { "data_dir", SETTING_TEXT, AT(data_dir), NULL, false, "DIR", "the server's data directory" },
    { "database_url", SETTING_TEXT, AT(database_url), NULL, false, "URL",
      "PostgreSQL, when it is not the private one of DIR" },
    { "pg.user", SETTING_TEXT, AT(pg_user), "postgres", false, "USER",
      "who runs the private PostgreSQL when started as root" },
    { "pg.bin_dir", SETTING_TEXT, AT(pg_bin_dir), NULL, false, "DIR", "where initdb and postgres are; default: found" },
    { "experiment", SETTING_TEXT, AT(experiment), NULL, false, "KEY",
      "experiment that the log's variants belong to; made (stopped, origin imported) when it is not there" },
    { "weights", SETTING_TEXT, AT(weights), NULL, false, "A=W,B=W", "planned weights of its variants; default equal" },
    { "map", SETTING_TEXT, AT(map), NULL, false, "FIELD=COLUMN,…",
      "csv: which column holds what; may be given several times" },
    { "mapping", SETTING_TEXT, AT(mapping), NULL, false, "FILE",
      "csv: the same, one \"field = column\" a line; table: the JSON document" },
    { "missing", SETTING_TEXT, AT(missing), "NA,NULL", false, "TEXTS",
      "csv: texts that stand for no value, comma between" },
    { "timestamp_format", SETTING_TEXT, AT(timestamp_format), NULL, false, "FORMAT",
      "csv: as for strptime, in UTC; default: RFC 3339 or a number" },
    { DIMENSIONS_SETTING, SETTING_TEXT, AT(exposure_dimensions), DIMENSIONS_DEFAULT, false, "NAMES", DIMENSIONS_HELP },
    { "rejects", SETTING_TEXT, AT(rejects), NULL, false, "FILE",
      "where lines go that cannot be taken; default FILE.rejects" },
};

static const char *const format_names[FORMAT_COUNT] = { "ndjson", "ubi", "csv", "table" };

/* ---- starting ---- */

static bool map_pair(struct csv_map *map, struct str pair, struct err *err)
{
    struct str name;
    struct str rest = pair;
    if (!str_split(&rest, '=', &name) || !rest.n)
        return err_set(err, ERR_INVALID, "mapping \"%.*s\" is not FIELD=COLUMN", (int)pair.n, pair.p);
    for (int m = 0; m < MAP_COUNT; m++) {
        if (str_eq_c(str_trim(name), map_names[m])) {
            mem_free(map->columns[m]);
            map->columns[m] = mem_strndup(str_trim(rest).p, str_trim(rest).n);
            return true;
        }
    }
    struct buf known;
    buf_init(&known, 1024);
    for (int m = 0; m < MAP_COUNT; m++)
        buf_addf(&known, "%s%s", m ? ", " : "", map_names[m]);
    err_set(err, ERR_INVALID, "mapping: field \"%.*s\" is not one of %s", (int)name.n, name.p, known.p);
    buf_release(&known);
    return false;
}

static bool map_pairs(struct csv_map *map, struct str text, char separator, struct err *err)
{
    struct str pair;
    while (text.n && str_split(&text, separator, &pair)) {
        pair = str_trim(pair);
        if (pair.n && pair.p[0] != '#' && !map_pair(map, pair, err))
            return false;
    }
    return true;
}

static bool read_mapping(struct import *im, struct err *err)
{
    char piece[MAP_TEXT_MAX];
    struct buf all;
    size_t n;
    if (!*im->settings.mapping)
        return true;
    FILE *f = fopen(im->settings.mapping, "re");
    if (!f)
        return err_set_errno(err, "cannot read \"%s\"", im->settings.mapping);
    buf_init(&all, TABLE_BYTES_MAX);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(&all, piece, n);
    (void)fclose(f);
    im->mapping = arena_str(&im->kept, buf_str(&all));
    bool ok = buf_ok(&all, im->settings.mapping, err);
    buf_release(&all);
    return ok;
}

static bool read_table_map(struct import *im, struct err *err)
{
    const struct import_settings *s = &im->settings;
    if (!im->mapping.n)
        return err_set(err, ERR_INVALID, "give --mapping FILE, a JSON document that says what the columns are");
    bool ok = table_read(im->mapping, s->experiment, s->timestamp_format, s->missing, &im->table, err) &&
              (!im->table.experiment || import_experiment_spec(im->table.experiment, &im->kept, &im->spec, err)) &&
              (!im->table.metrics || import_metrics_spec(im->table.metrics, &im->kept, &im->metrics, err));
    return ok || err_prefix(err, "\"%s\": ", s->mapping);
}

static bool read_csv_map(struct import *im, struct err *err)
{
    struct str rest = str_of(im->settings.missing), text;
    while (rest.n && im->map.missing_count < COUNT_OF(im->map.missing) && str_split(&rest, ',', &text))
        im->map.missing[im->map.missing_count++] = mem_strndup(text.p, text.n);
    im->map.experiment = im->settings.experiment;
    im->map.timestamp_format = im->settings.timestamp_format;
    if (!map_pairs(&im->map, im->mapping, '\n', err))
        return err_prefix(err, "\"%s\": ", im->settings.mapping);
    return map_pairs(&im->map, str_of(im->settings.map), ',', err);
}

static bool read_map(struct import *im, struct err *err)
{
    return read_mapping(im, err) && (im->format == FORMAT_TABLE ? read_table_map(im, err) : read_csv_map(im, err));
}

static bool open_file(struct import *im, struct err *err)
{
    crypto_generichash_state state;
    unsigned char piece[65536];
    struct stat st;
    size_t n;
    im->file = fopen(im->name, "re");
    if (!im->file || fstat(fileno(im->file), &st) != 0)
        return err_set_errno(err, "cannot read \"%s\"", im->name);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "\"%s\" is not a file", im->name);
    im->file_bytes = st.st_size;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof im->hash);
    while ((n = fread(piece, 1, sizeof piece, im->file)) > 0)
        (void)crypto_generichash_update(&state, piece, n);
    const char *parts[] = { format_names[im->format], im->settings.experiment, im->settings.missing,
                            im->settings.timestamp_format };
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        assert(parts[i]);
        (void)crypto_generichash_update(&state, (const unsigned char *)parts[i], strlen(parts[i]) + 1);
    }
    if (im->format == FORMAT_TABLE)
        (void)crypto_generichash_update(&state, (const unsigned char *)im->mapping.p, im->mapping.n);
    for (int m = 0; m < MAP_COUNT; m++)
        if (im->map.columns[m])
            (void)crypto_generichash_update(&state, (const unsigned char *)im->map.columns[m],
                                            strlen(im->map.columns[m]) + 1);
    (void)crypto_generichash_final(&state, im->hash, sizeof im->hash);
    (void)sodium_bin2hex(im->hash_hex, sizeof im->hash_hex, im->hash, sizeof im->hash);
    rewind(im->file);
    return true;
}

static bool open_database(struct import *im, struct err *err)
{
    struct pgcluster_options options = {
        .data_dir = im->settings.data_dir,
        .pg_user = im->settings.pg_user,
        .bin_dir = *im->settings.pg_bin_dir ? im->settings.pg_bin_dir : NULL,
        .shared_buffers_mb = 128,
    };
    const char *given = *im->settings.database_url ? im->settings.database_url : NULL;
    int applied;
    if (!given && !*im->settings.data_dir)
        return err_set(err, ERR_INVALID, "give --data-dir DIR or --database-url URL");
    AUTO(mem_free) char *url = pgcluster_connect(&options, given, &im->cluster, err);
    if (!url)
        return false;
    struct pg *first = pg_open(url, "experimentd import", NULL, 0, err);
    bool ok = first && migrate_run(first, migrations, &applied, err);
    pg_close(first);
    struct pg_stmt statements[STMT_COUNT];
    memcpy(statements, import_statements, sizeof import_statements);
    memcpy(statements + OWN_COUNT, import_experiment_statements, sizeof *statements * IMPORT_EXPERIMENT_STATEMENTS);
    im->pg = ok ? pg_open(url, "experimentd import", statements, STMT_COUNT, err) : NULL;
    if (!im->pg)
        return false;
    rows_loader_init(&im->rows, im->pg, DAY_NOTES_IMPORT, MARKS_PER_MINUTE_DEFAULT);
    return true;
}

static bool read_position(struct import *im, bool *out_done, struct err *err)
{
    const char *params[] = { im->hash_hex };
    AUTO(pg_result_free) PGresult *r = pg_run(im->pg, &import_statements[POSITION_READ], params, err);
    *out_done = false;
    if (!r || PQntuples(r) == 0)
        return r != NULL;
    im->resumed = (uint64_t)pg_get_i64(r, 0, 0);
    im->signals = (uint64_t)pg_get_i64(r, 0, 1);
    im->exposures = (uint64_t)pg_get_i64(r, 0, 2);
    im->rejected = (uint64_t)pg_get_i64(r, 0, 3);
    *out_done = pg_get_bool(r, 0, 4);
    return true;
}

static bool import_file(struct import *im, struct err *err)
{
    bool done;
    im->position = im->line = im->signals = im->exposures = im->rejected = im->resumed = 0;
    if (!open_file(im, err) || !read_position(im, &done, err))
        return false;
    if (done) {
        (void)fprintf(stderr, "\"%s\" was imported before with this mapping: nothing to do\n", im->name);
        return true;
    }
    if (im->resumed)
        (void)fprintf(stderr, "going on behind record %" PRIu64 ", where an earlier import ended\n", im->resumed);
    im->started_us = clock_mono_us();
    bool ok = import_readers[im->format](im, err) && import_flush(im, true, err);
    import_tell(im, true);
    return ok;
}

static void close_file(struct import *im)
{
    if (im->rejected)
        (void)fprintf(stderr, "%" PRIu64 " lines were rejected: see %s\n", im->rejected, im->rejects_path);
    if (im->file)
        (void)fclose(im->file);
    if (im->rejects)
        (void)fclose(im->rejects);
    mem_free(im->rejects_path);
    im->file = im->rejects = NULL;
    im->rejects_path = NULL;
}

static bool run(struct import *im, uint64_t *out_rejected, struct err *err)
{
    bool ok = read_map(im, err) && open_database(im, err);
    im->batch.signals = mem_alloc(ROWS_MAX * sizeof *im->batch.signals);
    im->batch.exposures = mem_alloc(ROWS_MAX * sizeof *im->batch.exposures);
    im->record = mem_alloc(sizeof *im->record);
    im->terminal = isatty(STDERR_FILENO);
    for (size_t i = 0; ok && i < im->names_count; i++) {
        im->name = im->names[i];
        im->rejects_path = *im->settings.rejects ? mem_strdup(im->settings.rejects)
                                                 : mem_printf("%s.rejects", im->name);
        ok = import_file(im, err);
        *out_rejected += im->rejected;
        close_file(im);
    }
    return ok;
}

static void release(struct import *im)
{
    if (im->pg)
        rows_loader_release(&im->rows);
    pg_close(im->pg);
    if (im->cluster)
        pgcluster_stop(im->cluster);
    table_release(&im->table);
    for (int m = 0; m < MAP_COUNT; m++)
        mem_free(im->map.columns[m]);
    for (size_t i = 0; i < im->map.missing_count; i++)
        mem_free(im->map.missing[i]);
    mem_free(im->batch.signals);
    mem_free(im->batch.exposures);
    mem_free(im->record);
    mem_free(im->names);
    arena_release(&im->arena);
    arena_release(&im->kept);
    settings_release(import_table, COUNT_OF(import_table), &im->settings);
}

static void print_help(void)
{
    (void)puts("usage: experimentd import FORMAT FILE... --data-dir DIR [options]\n\n"
               "FORMAT is one of\n"
               "  ndjson  one signal a line, as POST /v1/signals takes them; also lines\n"
               "          "
               "{\"type\":\"exposure\",\"experiment\":…,\"variant\":…,\"unit\":…,\"timestamp\":…,\"attributes\":{…}}\n"
               "  ubi     UBI events and queries, one a line; action lines of a bulk file are passed over\n"
               "  csv     one row a search, with a header; --map says which column holds what\n"
               "  table   any CSV file with a header; --mapping is a JSON document that says which unit, variant\n"
               "          and signals a row is (docs/importing-a-log.md)\n");
    settings_print_help(import_table, COUNT_OF(import_table), stdout);
    (void)puts("\nfields of a mapping: unit, timestamp (both needed), variant, session, query_id, query,\n"
               "results (number of hits), clicks (count), position (of the first click), click_timestamp.\n\n"
               "example: the log of an A/B test that ran elsewhere\n"
               "  experimentd import csv search_data.csv --data-dir DIR --experiment wikimedia \\\n"
               "      --map unit=session_id,variant=group,timestamp=session_start_timestamp \\\n"
               "      --map results=results,clicks=num_clicks,position=first_click \\\n"
               "      --timestamp-format %Y%m%d%H%M%S --missing=-Inf,NA\n"
               "  trainer run metrics --data-dir DIR --param experiment=wikimedia\n\n"
               "exit status: 0 all lines taken, 65 some were rejected (see FILE.rejects), 64 usage, 1 failed");
}

/* Several --map are one, joined by commas: the settings table knows each name once. */
static void join_maps(int *argc, char **argv, struct buf *joined)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        const char *value = NULL;
        if (strncmp(argv[i], "--map=", 6) == 0)
            value = argv[i] + 6;
        else if (strcmp(argv[i], "--map") == 0 && i + 1 < *argc)
            value = argv[++i];
        if (!value) {
            argv[kept++] = argv[i];
            continue;
        }
        buf_addf(joined, "%s%s", joined->n ? "," : "--map=", value);
    }
    if (joined->n)
        argv[kept++] = joined->p;
    *argc = kept;
}

static bool read_arguments(struct import *im, int argc, char **argv, struct err *err)
{
    char **rest = mem_zalloc((size_t)(argc + 1) * sizeof *rest);
    size_t count = 0;
    bool ok = settings_load(import_table, COUNT_OF(import_table), &im->settings, argc, argv, 0, rest, &count, err) &&
              dimensions_init(&im->dimensions, im->settings.exposure_dimensions, err);
    if (ok && count < 2)
        ok = err_set(err, ERR_INVALID,
                     "give a format and a file: experimentd import ndjson|ubi|csv|table FILE --data-dir DIR");
    for (im->format = 0; ok && im->format < FORMAT_COUNT && strcmp(rest[0], format_names[im->format]) != 0;)
        im->format++;
    if (ok && im->format == FORMAT_COUNT)
        ok = err_set(err, ERR_INVALID, "format \"%s\" is not ndjson, ubi, csv or table", rest[0]);
    im->names = mem_zalloc((count + 1) * sizeof *im->names);
    for (size_t i = 1; ok && i < count; i++)
        im->names[im->names_count++] = rest[i];
    mem_free(rest);
    return ok;
}

int import_main(int argc, char **argv)
{
    struct import im = { 0 };
    struct err err = { 0 };
    struct buf joined;
    if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        print_help();
        return argc ? EXIT_SUCCESS : EX_USAGE;
    }
    buf_init(&joined, MAP_TEXT_MAX);
    char **args = mem_alloc((size_t)(argc + 2) * sizeof *args);
    memcpy(args, argv, (size_t)argc * sizeof *args);
    join_maps(&argc, args, &joined);
    uint64_t rejected = 0;
    arena_init(&im.arena, 1 << 20);
    arena_init(&im.kept, 1 << 12);
    bool ok = read_arguments(&im, argc, args, &err) && run(&im, &rejected, &err);
    if (!ok)
        (void)fprintf(stderr, "experimentd: import: %s\n", err.text);
    release(&im);
    buf_release(&joined);
    mem_free(args);
    if (!ok)
        return err.kind == ERR_INVALID ? EX_USAGE : EXIT_FAILURE;
    return rejected ? EX_DATAERR : EXIT_SUCCESS;
}
