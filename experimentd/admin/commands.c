#include "experimentd/admin/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "archive/store.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/migrate.h"
#include "base/pg.h"
#include "base/pgcluster.h"
#include "base/settings.h"
#include "experimentd/config/keys.h"

/* What every command needs that talks to the database and does not serve. */
struct command_settings {
    char *data_dir, *database_url, *pg_user, *pg_bin_dir, *scope, *label;
};

#define AT(field) offsetof(struct command_settings, field)

static const struct setting database_settings[] = {
    { "data_dir", SETTING_TEXT, AT(data_dir), NULL, false, "DIR", "the server's data directory" },
    { "database_url", SETTING_TEXT, AT(database_url), NULL, false, "URL",
      "PostgreSQL, when it is not the private one of DIR" },
    { "pg.user", SETTING_TEXT, AT(pg_user), "postgres", false, "USER",
      "who runs the private PostgreSQL when started as root" },
    { "pg.bin_dir", SETTING_TEXT, AT(pg_bin_dir), NULL, false, "DIR", "where initdb and postgres are; default: found" },
    { "scope", SETTING_TEXT, AT(scope), NULL, false, "SCOPE", "of the key: client, qa, analyst or admin" },
    { "label", SETTING_TEXT, AT(label), "made by key create", false, "TEXT",
      "of the key: who it is for; shown in the audit trail" },
};

struct database {
    struct command_settings settings;
    struct pgcluster *cluster;
    struct pg *pg;
};

static bool open_database(struct database *d, int argc, char **argv, char **out_word, struct err *err)
{
    char **rest = mem_zalloc((size_t)(argc + 1) * sizeof *rest);
    size_t count = 0;
    bool ok = settings_load(database_settings, COUNT_OF(database_settings), &d->settings, argc, argv, 0, rest, &count,
                            err);
    *out_word = ok && count ? rest[0] : NULL;
    mem_free(rest);
    if (!ok)
        return false;
    if (!*d->settings.data_dir && !*d->settings.database_url)
        return err_set(err, ERR_INVALID, "give --data-dir DIR or --database-url URL");
    struct pgcluster_options options = {
        .data_dir = d->settings.data_dir,
        .pg_user = d->settings.pg_user,
        .bin_dir = *d->settings.pg_bin_dir ? d->settings.pg_bin_dir : NULL,
        .shared_buffers_mb = 64,
    };
    const char *given = *d->settings.database_url ? d->settings.database_url : NULL;
    AUTO(mem_free) char *url = pgcluster_connect(&options, given, &d->cluster, err);
    if (!url)
        return false;
    d->pg = pg_open(url, "experimentd command", NULL, 0, err);
    return d->pg != NULL;
}

static int close_database(struct database *d, bool ok, const struct err *err)
{
    pg_close(d->pg);
    if (d->cluster)
        pgcluster_stop(d->cluster);
    settings_release(database_settings, COUNT_OF(database_settings), &d->settings);
    if (!ok)
        (void)fprintf(stderr, "experimentd: %s\n", err->text);
    return ok ? EXIT_SUCCESS : err->kind == ERR_INVALID ? EX_USAGE : EXIT_FAILURE;
}

int migrate_main(int argc, char **argv)
{
    struct database d = { 0 };
    struct err err = { 0 };
    char *word;
    int applied = 0;
    bool ok = open_database(&d, argc, argv, &word, &err) && migrate_run(d.pg, migrations, &applied, &err);
    if (ok)
        (void)printf("applied %d migration%s; the schema is current\n", applied, applied == 1 ? "" : "s");
    return close_database(&d, ok, &err);
}

static bool parse_scope(const char *text, enum key_scope *out, struct err *err)
{
    *out = key_scope_of(str_of(text));
    return *out != SCOPE_NONE || err_set(err, ERR_INVALID, "--scope is \"%s\", not client, qa, analyst or admin", text);
}

int key_main(int argc, char **argv)
{
    struct database d = { 0 };
    struct err err = { 0 };
    char key[KEY_TEXT_MAX], *word = NULL;
    enum key_scope scope = SCOPE_NONE;
    bool ok = open_database(&d, argc, argv, &word, &err);
    if (ok && (!word || strcmp(word, "create") != 0))
        ok = err_set(&err, ERR_INVALID, "usage: experimentd key create --scope client|qa|analyst|admin --data-dir DIR");
    ok = ok && parse_scope(d.settings.scope, &scope, &err) && migrate_check(d.pg, migrations, &err) &&
         key_create(d.pg, scope, d.settings.label, key, &err);
    if (ok)
        (void)printf("%s\n", key);
    return close_database(&d, ok, &err);
}

static bool print_archives(struct pg *pg, struct err *err)
{
    struct arena arena;
    struct archive_entry *entries;
    size_t count;
    char day[CLOCK_TEXT_MAX];
    arena_init(&arena, 1 << 16);
    bool ok = archive_store_list(pg, NULL, INT32_MIN, INT32_MAX, 0, BUCKET_COUNT - 1, &arena, &entries, &count, err);
    for (size_t i = 0; ok && i < count; i++)
        (void)printf("%s  %s  buckets %u to %u  rows %" PRIu64 "  bytes %" PRIu64 "  crc32c %08" PRIx32 "\n",
                     entries[i].path.p, clock_format_day(entries[i].day, day), entries[i].bucket_lo,
                     entries[i].bucket_hi, entries[i].rows, entries[i].bytes, entries[i].crc);
    arena_release(&arena);
    return ok;
}

int archive_list_main(int argc, char **argv)
{
    struct database d = { 0 };
    struct err err = { 0 };
    char *word;
    bool ok = open_database(&d, argc, argv, &word, &err) && migrate_check(d.pg, migrations, &err) &&
              print_archives(d.pg, &err);
    return close_database(&d, ok, &err);
}

int version_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)puts("experimentd " EXPERIMENTD_VERSION);
    return EXIT_SUCCESS;
}
