#include "experimentd/ingest/load/import.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/migrate.h"
#include "base/pg.h"
#include "base/pgcluster.h"
#include "base/settings.h"
#include "experimentd/ingest/load/import_record.h"
#include "experimentd/ingest/load/rows.h"
#include "experimentd/marks/rules.h"

enum { FILE_HASH_BYTES = 32, PROGRESS_US = 100000, MAP_TEXT_MAX = 64 << 10 };

struct import_settings {
    char *data_dir, *database_url, *pg_user, *pg_bin_dir, *experiment, *weights, *map, *mapping, *missing,
        *timestamp_format, *rejects;
};

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
    { "mapping", SETTING_TEXT, AT(mapping), NULL, false, "FILE", "csv: the same, one \"field = column\" a line" },
    { "missing", SETTING_TEXT, AT(missing), "NA,NULL", false, "TEXTS",
      "csv: texts that stand for no value, comma between" },
    { "timestamp_format", SETTING_TEXT, AT(timestamp_format), NULL, false, "FORMAT",
      "csv: as for strptime, in UTC; default: RFC 3339 or a number" },
    { "rejects", SETTING_TEXT, AT(rejects), NULL, false, "FILE",
      "where lines go that cannot be taken; default FILE.rejects" },
};

enum format { FORMAT_NDJSON, FORMAT_UBI, FORMAT_CSV, FORMAT_COUNT };
static const char *const format_names[FORMAT_COUNT] = { "ndjson", "ubi", "csv" };

enum stmt { POSITION_READ, POSITION_WRITE, EXPERIMENT_MAKE, EXPERIMENT_THERE, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [POSITION_READ] = { "import_position", 1,
                        "select position, signals, exposures, rejected, done from import_position where file = "
                        "decode($1, 'hex')" },
    [POSITION_WRITE] = { "import_position_write", 7,
                         "insert into import_position (file, name, position, signals, exposures, rejected, done) "
                         "values (decode($1, 'hex'), $2, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bool) "
                         "on conflict (file) do update set position = excluded.position, signals = excluded.signals, "
                         "exposures = excluded.exposures, rejected = excluded.rejected, done = excluded.done, "
                         "updated_at = now()" },
    /* $2: planned weights as a JSON object, or {} for equal ones. */
    [EXPERIMENT_MAKE] = { "import_experiment", 2,
                          "with x as (select variant, min(at) as first, max(at) as last from exposures where "
                          "experiment = $1 group by variant), "
                          "n as (select variant, (row_number() over (order by variant collate \"C\"))::int - 1 as "
                          "position, "
                          "coalesce(($2::jsonb->>variant)::float8, 1.0 / count(*) over ()) as weight from x), "
                          "p as (select json_build_object('key', $1, 'origin', 'imported', 'variants', "
                          "json_agg(json_build_object('key', variant, 'weight', weight, 'value', variant) order by "
                          "position), 'metrics', json_build_array(json_build_object('metric', 'ctr', 'role', "
                          "'primary'), json_build_object('metric', 'clicks_per_unit', 'role', 'secondary'), "
                          "json_build_object('metric', 'clicks_per_query', 'role', 'secondary'), "
                          "json_build_object('metric', 'mrr', 'role', 'secondary'), "
                          "json_build_object('metric', 'time_to_first_click', 'role', 'secondary'), "
                          "json_build_object('metric', 'zero_result_rate', 'role', 'guardrail'))) as spec "
                          "from n having count(*) >= 2) "
                          "select config_edit(null, json_build_array(json_build_object('kind', 'experiment', 'key', "
                          "$1, "
                          "'action', 'import', 'spec', p.spec, 'status', 'stopped', 'started_at', us(x.first), "
                          "'stopped_at', us(x.last))), 'import') from p, (select min(first) as first, max(last) as "
                          "last "
                          "from x) x where not exists (select 1 from experiments where key = $1)" },
    [EXPERIMENT_THERE] = { "import_experiment_there", 1, "select count(*) from experiments where key = $1" },
};

struct import {
    struct import_settings settings;
    enum format format;
    const char *name;
    FILE *file, *rejects;
    char *rejects_path;
    off_t file_bytes;
    unsigned char hash[FILE_HASH_BYTES];
    char hash_hex[2 * FILE_HASH_BYTES + 1];
    struct csv_map map;
    struct pgcluster *cluster;
    struct pg *pg;
    struct rows_loader rows;
    struct rows batch;
    struct arena arena; /* texts of the batch */
    struct import_record *record;
    uint64_t position, signals, exposures, rejected, resumed, line;
    int64_t started_us, told_us;
    bool terminal;
};

/* ---- telling ---- */

static void tell(struct import *im, bool last)
{
    int64_t now = clock_mono_us();
    if (!last && now - im->told_us < (im->terminal ? PROGRESS_US : 20 * PROGRESS_US))
        return;
    im->told_us = now;
    double done = im->file_bytes ? (double)ftello(im->file) / (double)im->file_bytes : 1;
    double seconds = (double)(now - im->started_us) / 1e6;
    char bar[31];
    for (int i = 0; i < 30; i++)
        bar[i] = i < (int)(done * 30) ? '#' : '.';
    bar[30] = '\0';
    (void)fprintf(stderr, "%s[%s] %3.0f %%  %" PRIu64 " signals  %" PRIu64 " exposures  %" PRIu64 " rejected  %.1f s%s",
                  im->terminal ? "\r" : "", bar, done * 100, im->signals, im->exposures, im->rejected, seconds,
                  im->terminal && !last ? "" : "\n");
}

static bool set_aside(struct import *im, struct str line, const struct err *why, struct err *err)
{
    if (!im->rejects) {
        im->rejects = fopen(im->rejects_path, im->resumed ? "ae" : "we");
        if (!im->rejects)
            return err_set_errno(err, "cannot write \"%s\"", im->rejects_path);
    }
    im->rejected++;
    if (fprintf(im->rejects, "line %" PRIu64 ": %s\t%.*s\n", im->line, why->text, (int)(line.n > 2000 ? 2000 : line.n),
                line.p) < 0)
        return err_set_errno(err, "cannot write \"%s\"", im->rejects_path);
    return true;
}

/* ---- batches ---- */

static bool write_position(struct import *im, bool done, struct err *err)
{
    char numbers[4][24];
    uint64_t values[] = { im->position, im->signals, im->exposures, im->rejected };
    for (size_t i = 0; i < 4; i++)
        (void)snprintf(numbers[i], sizeof numbers[i], "%" PRIu64, values[i]);
    const char *params[] = { im->hash_hex,           im->name, numbers[0], numbers[1], numbers[2], numbers[3],
                             done ? "true" : "false" };
    AUTO(pg_result_free) PGresult *r = pg_run(im->pg, &statements[POSITION_WRITE], params, err);
    return r != NULL;
}

static bool make_experiment(struct import *im, struct err *err)
{
    struct buf weights;
    struct str rest = str_of(im->settings.weights), pair, key;
    double w;
    bool ok = true;
    if (!*im->settings.experiment)
        return true;
    buf_init(&weights, 4096);
    buf_add_byte(&weights, '{');
    while (ok && rest.n && str_split(&rest, ',', &pair)) {
        ok = str_split(&pair, '=', &key) && parse_double(str_trim(pair), &w, err) && w >= 0 && w <= 1;
        if (!ok) {
            err_set(err, ERR_INVALID, "--weights is \"%s\", not VARIANT=WEIGHT,… with weights from 0 to 1",
                    im->settings.weights);
            break;
        }
        if (weights.n > 1)
            buf_add_byte(&weights, ',');
        buf_add_json_str(&weights, str_trim(key));
        buf_addf(&weights, ":%.17g", w);
    }
    buf_add_byte(&weights, '}');
    const char *params[] = { im->settings.experiment, weights.p };
    AUTO(pg_result_free) PGresult *r = ok ? pg_run(im->pg, &statements[EXPERIMENT_MAKE], params, err) : NULL;
    AUTO(pg_result_free) PGresult *there = r ? pg_run(im->pg, &statements[EXPERIMENT_THERE], params, err) : NULL;
    buf_release(&weights);
    if (there && pg_get_i64(there, 0, 0) == 0)
        return err_set(err, ERR_INVALID,
                       "experiment \"%s\" cannot be made: the log holds fewer than two variants of it",
                       im->settings.experiment);
    return there != NULL;
}

static bool flush(struct import *im, bool last, struct err *err)
{
    uint64_t duplicates = 0;
    bool ok = rows_prepare(&im->rows, &im->batch, err) && pg_begin(im->pg, err) &&
              rows_load(&im->rows, &im->batch, &duplicates, err);
    if (ok) {
        im->signals += im->batch.signals_count;
        im->exposures += im->batch.exposures_count;
        ok = (!last || make_experiment(im, err)) && write_position(im, last, err) && pg_commit(im->pg, err);
    }
    if (!ok) {
        pg_rollback(im->pg);
        return false;
    }
    rows_committed(&im->rows);
    im->batch.signals_count = im->batch.exposures_count = 0;
    arena_reset(&im->arena);
    return true;
}

/* Deterministic ids: a signal of the log is named by the file, its record and its place in the record. */
static void name_signal(const struct import *im, size_t i, struct signal *s)
{
    struct {
        unsigned char file[FILE_HASH_BYTES];
        uint64_t record, place;
    } of = { .record = im->position, .place = i };
    memcpy(of.file, im->hash, sizeof of.file);
    (void)crypto_generichash(s->id, sizeof s->id, (const unsigned char *)&of, sizeof of, NULL, 0);
}

static bool add_record(struct import *im, struct err *err)
{
    static const struct mark_rules no_more = { 0 }; /* than what stands in the log */
    const struct import_record *r = im->record;
    for (size_t i = 0; i < r->signals_count; i++) {
        struct signal *s = &im->batch.signals[im->batch.signals_count++];
        *s = r->signals[i];
        s->mark = mark_of_event(&no_more, &s->client, MARK_NONE);
        if (!s->client_id)
            name_signal(im, i, s);
        if (im->format == FORMAT_CSV && !s->query_id.p) /* a row is one search: its clicks belong to its request */
            s->query_id = arena_printf(&im->arena, "%.16s-%" PRIu64, im->hash_hex, im->position);
    }
    if (r->has_exposure)
        im->batch.exposures[im->batch.exposures_count++] = r->exposure;
    return im->batch.signals_count + IMPORT_SIGNALS_MAX < ROWS_MAX && im->batch.exposures_count < ROWS_MAX - 1
               ? true
               : flush(im, false, err);
}

/* ---- reading ---- */

static bool read_csv(struct import *im, struct err *err)
{
    struct str fields[CSV_COLUMNS_MAX];
    size_t count, lines;
    struct err why;
    if (!csv_next(im->file, &im->arena, fields, &count, &lines, err))
        return err->kind != ERR_NONE ? false : err_set(err, ERR_INVALID, "\"%s\" is empty", im->name);
    if (!csv_map_header(&im->map, fields, count, err))
        return false;
    im->line = lines + 1;
    for (;; im->line += lines) {
        bool got = csv_next(im->file, &im->arena, fields, &count, &lines, &why);
        if (!got && why.kind == ERR_NONE)
            return true;
        if (im->position++ < im->resumed)
            continue;
        got = got && csv_record(&im->map, fields, count, clock_now_us(), &im->arena, im->record, &why);
        if (got ? !add_record(im, err) : !set_aside(im, count ? fields[0] : STR(""), &why, err))
            return false;
        tell(im, false);
    }
}

static bool read_line_record(struct import *im, struct str line, bool *out_skip, struct err *why)
{
    *out_skip = false;
    return im->format == FORMAT_UBI ? ubi_record(line, clock_now_us(), &im->arena, im->record, out_skip, why)
                                    : ndjson_record(line, clock_now_us(), &im->arena, im->record, why);
}

static bool read_lines(struct import *im, struct err *err)
{
    char *line = NULL;
    size_t room = 0;
    bool ok = true;
    for (ssize_t n; ok && (n = getline(&line, &room, im->file)) > 0;) {
        struct err why = { 0 };
        bool skip;
        im->line++;
        if (str_trim((struct str){ line, (size_t)n }).n == 0 || im->position++ < im->resumed)
            continue;
        struct str text = str_trim(arena_str(&im->arena, (struct str){ line, (size_t)n }));
        if (!read_line_record(im, text, &skip, &why))
            ok = set_aside(im, text, &why, err);
        else if (!skip)
            ok = add_record(im, err);
        tell(im, false);
    }
    free(line);
    return ok;
}

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

static bool read_map(struct import *im, struct err *err)
{
    struct str rest = str_of(im->settings.missing), text;
    while (rest.n && im->map.missing_count < COUNT_OF(im->map.missing) && str_split(&rest, ',', &text))
        im->map.missing[im->map.missing_count++] = mem_strndup(text.p, text.n);
    im->map.experiment = im->settings.experiment;
    im->map.timestamp_format = im->settings.timestamp_format;
    if (*im->settings.mapping) {
        char piece[MAP_TEXT_MAX];
        FILE *f = fopen(im->settings.mapping, "re");
        if (!f)
            return err_set_errno(err, "cannot read \"%s\"", im->settings.mapping);
        size_t n = fread(piece, 1, sizeof piece, f);
        (void)fclose(f);
        if (!map_pairs(&im->map, (struct str){ piece, n }, '\n', err))
            return err_prefix(err, "\"%s\": ", im->settings.mapping);
    }
    return map_pairs(&im->map, str_of(im->settings.map), ',', err);
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
    im->pg = ok ? pg_open(url, "experimentd import", statements, STMT_COUNT, err) : NULL;
    if (!im->pg)
        return false;
    rows_loader_init(&im->rows, im->pg, MARKS_PER_MINUTE_DEFAULT);
    return true;
}

static bool read_position(struct import *im, bool *out_done, struct err *err)
{
    const char *params[] = { im->hash_hex };
    AUTO(pg_result_free) PGresult *r = pg_run(im->pg, &statements[POSITION_READ], params, err);
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

static bool run(struct import *im, struct err *err)
{
    bool done;
    if (!read_map(im, err) || !open_file(im, err) || !open_database(im, err) || !read_position(im, &done, err))
        return false;
    if (done) {
        (void)fprintf(stderr, "\"%s\" was imported before with this mapping: nothing to do\n", im->name);
        return true;
    }
    if (im->resumed)
        (void)fprintf(stderr, "going on behind record %" PRIu64 ", where an earlier import ended\n", im->resumed);
    im->batch.signals = mem_alloc(ROWS_MAX * sizeof *im->batch.signals);
    im->batch.exposures = mem_alloc(ROWS_MAX * sizeof *im->batch.exposures);
    im->record = mem_alloc(sizeof *im->record);
    arena_init(&im->arena, 1 << 20);
    im->started_us = clock_mono_us();
    im->terminal = isatty(STDERR_FILENO);
    bool ok = (im->format == FORMAT_CSV ? read_csv(im, err) : read_lines(im, err)) && flush(im, true, err);
    tell(im, true);
    return ok;
}

static void release(struct import *im)
{
    if (im->pg)
        rows_loader_release(&im->rows);
    pg_close(im->pg);
    if (im->cluster)
        pgcluster_stop(im->cluster);
    if (im->file)
        (void)fclose(im->file);
    if (im->rejects)
        (void)fclose(im->rejects);
    for (int m = 0; m < MAP_COUNT; m++)
        mem_free(im->map.columns[m]);
    for (size_t i = 0; i < im->map.missing_count; i++)
        mem_free(im->map.missing[i]);
    mem_free(im->batch.signals);
    mem_free(im->batch.exposures);
    mem_free(im->record);
    mem_free(im->rejects_path);
    arena_release(&im->arena);
    settings_release(import_table, COUNT_OF(import_table), &im->settings);
}

static void print_help(void)
{
    (void)puts("usage: experimentd import FORMAT FILE --data-dir DIR [options]\n\n"
               "FORMAT is one of\n"
               "  ndjson  one signal a line, as POST /v1/signals takes them; also lines\n"
               "          {\"type\":\"exposure\",\"experiment\":…,\"variant\":…,\"unit\":…,\"timestamp\":…}\n"
               "  ubi     UBI events and queries, one a line; action lines of a bulk file are passed over\n"
               "  csv     one row a search, with a header; --map says which column holds what\n");
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
    bool ok = settings_load(import_table, COUNT_OF(import_table), &im->settings, argc, argv, 0, rest, &count, err);
    if (ok && count != 2)
        ok = err_set(err, ERR_INVALID,
                     "give a format and a file: experimentd import ndjson|ubi|csv FILE --data-dir DIR");
    for (im->format = 0; ok && im->format < FORMAT_COUNT && strcmp(rest[0], format_names[im->format]) != 0;)
        im->format++;
    if (ok && im->format == FORMAT_COUNT)
        ok = err_set(err, ERR_INVALID, "format \"%s\" is not ndjson, ubi or csv", rest[0]);
    if (ok) {
        im->name = rest[1];
        im->rejects_path = *im->settings.rejects ? mem_strdup(im->settings.rejects)
                                                 : mem_printf("%s.rejects", im->name);
    }
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
    bool ok = read_arguments(&im, argc, args, &err) && run(&im, &err);
    uint64_t rejected = im.rejected;
    if (!ok)
        (void)fprintf(stderr, "experimentd: import: %s\n", err.text);
    else if (rejected)
        (void)fprintf(stderr, "%" PRIu64 " lines were rejected: see %s\n", rejected, im.rejects_path);
    release(&im);
    buf_release(&joined);
    mem_free(args);
    if (!ok)
        return err.kind == ERR_INVALID ? EX_USAGE : EXIT_FAILURE;
    return rejected ? EX_DATAERR : EXIT_SUCCESS;
}
