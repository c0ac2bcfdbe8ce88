#include "experimentd/ingest/journal/drain.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/migrate.h"
#include "base/pg.h"
#include "base/pgcluster.h"
#include "base/settings.h"
#include "experimentd/ingest/journal/journal.h"
#include "experimentd/ingest/load/loader.h"
#include "experimentd/marks/rules.h"

enum { LOOK_US = 50000, TELL_US = 1000000 };

struct drain_settings {
    char *data_dir, *database_url, *pg_user, *pg_bin_dir;
    bool any_database;
};

#define AT(field) offsetof(struct drain_settings, field)

static const struct setting drain_table[] = {
    { "data_dir", SETTING_TEXT, AT(data_dir), NULL, false, "DIR",
      "data directory of the server whose private PostgreSQL takes the signals" },
    { "database_url", SETTING_TEXT, AT(database_url), NULL, false, "URL",
      "PostgreSQL, when it is not the private one of a data directory" },
    { "pg.user", SETTING_TEXT, AT(pg_user), "postgres", false, "USER",
      "who runs the private PostgreSQL when started as root" },
    { "pg.bin_dir", SETTING_TEXT, AT(pg_bin_dir), NULL, false, "DIR", "where initdb and postgres are; default: found" },
    { "any_database", SETTING_BOOL, AT(any_database), "false", false, NULL,
      "load also into a database that has never heard of this journal" },
};

struct drain {
    struct drain_settings settings;
    char *dir, *url;
    struct pgcluster *cluster;
    struct journal *journal;
    struct loader *loader;
    int64_t told_us;
};

static bool read_arguments(struct drain *d, int argc, char **argv, struct err *err)
{
    char **rest = mem_zalloc((size_t)(argc + 1) * sizeof *rest);
    size_t count = 0;
    bool ok = settings_load(drain_table, COUNT_OF(drain_table), &d->settings, argc, argv, 0, rest, &count, err);
    if (ok && count != 1)
        ok = err_set(err, ERR_INVALID,
                     "give the directory of the segments: experimentd journal drain DIR --database-url URL");
    if (ok && !*d->settings.data_dir && !*d->settings.database_url)
        ok = err_set(err, ERR_INVALID, "give --data-dir DIR or --database-url URL");
    d->dir = ok ? mem_strdup(rest[0]) : NULL;
    mem_free(rest);
    return ok;
}

static bool check_journal(const struct drain *d, struct err *err)
{
    AUTO(mem_free) char *id = mem_printf("%s/id", d->dir);
    return access(id, R_OK) == 0 ||
           err_set(err, ERR_NOT_FOUND, "\"%s\" holds no journal: its file \"id\" cannot be read", d->dir);
}

static bool open_journal(struct drain *d, struct err *err)
{
    struct journal_options options = { .dir = d->dir, .max_bytes = UINT64_MAX };
    d->journal = journal_open(&options, err);
    return d->journal != NULL;
}

/* A loaded segment is deleted, so a wrong database must not take it. */
static bool check_known(const struct drain *d, struct pg *pg, struct err *err)
{
    uint64_t position;
    bool known;
    if (!loader_find_position(pg, d->journal, &position, &known, err))
        return false;
    if (!known && !d->settings.any_database)
        return err_set(err, ERR_INVALID,
                       "the database has never heard of the journal in \"%s\"; is it the one that its server used? "
                       "--any-database loads it all the same",
                       d->dir);
    journal_go_behind(d->journal, position);
    return true;
}

static bool open_database(struct drain *d, struct err *err)
{
    struct pgcluster_options options = {
        .data_dir = d->settings.data_dir,
        .pg_user = d->settings.pg_user,
        .bin_dir = *d->settings.pg_bin_dir ? d->settings.pg_bin_dir : NULL,
        .shared_buffers_mb = 128,
    };
    const char *given = *d->settings.database_url ? d->settings.database_url : NULL;
    d->url = pgcluster_connect(&options, given, &d->cluster, err);
    if (!d->url)
        return false;
    AUTO(pg_close) struct pg *pg = pg_open(d->url, "experimentd drain", NULL, 0, err);
    return pg && migrate_check(pg, migrations, err) && check_known(d, pg, err);
}

static void tell(struct drain *d)
{
    struct journal_stats j;
    struct loader_stats l;
    int64_t now = clock_mono_us();
    if (now - d->told_us < TELL_US)
        return;
    d->told_us = now;
    journal_stats(d->journal, &j);
    loader_stats(d->loader, &l);
    (void)fprintf(stderr, "position %" PRIu64 " of %" PRIu64 ", %" PRIu64 " rows\n", j.loaded, j.written, l.rows);
}

static bool all_loaded(const struct drain *d)
{
    struct journal_stats j;
    journal_stats(d->journal, &j);
    return j.loaded >= j.written;
}

/* True: all is loaded. False: somebody wants it to end. */
static bool wait_loaded(struct drain *d, const sigset_t *ends)
{
    const struct timespec look = { .tv_nsec = LOOK_US * 1000L };
    while (!all_loaded(d)) {
        if (sigtimedwait(ends, NULL, &look) > 0)
            return false;
        tell(d);
    }
    return true;
}

static bool load(struct drain *d, struct loader_stats *out, struct err *err)
{
    sigset_t ends;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (!check_journal(d, err) || !open_journal(d, err) || !open_database(d, err))
        return false;
    d->loader = loader_start(d->journal, d->url, MARKS_PER_MINUTE_DEFAULT, err);
    if (!d->loader)
        return false;
    d->told_us = clock_mono_us();
    bool all = wait_loaded(d, &ends);
    loader_stop(TAKE(d->loader), out);
    return all || err_set(err, ERR_BUSY, "ended before all was loaded; run again, it goes on from there");
}

static void release(struct drain *d)
{
    if (d->journal)
        journal_close(d->journal);
    if (d->cluster)
        pgcluster_stop(d->cluster);
    mem_free(d->dir);
    mem_free(d->url);
    settings_release(drain_table, COUNT_OF(drain_table), &d->settings);
}

static int exit_code(bool ok, const struct err *err, const struct loader_stats *l)
{
    if (ok)
        return l->damaged + l->rejected ? EX_DATAERR : EXIT_SUCCESS;
    return err->kind == ERR_INVALID     ? EX_USAGE
           : err->kind == ERR_NOT_FOUND ? EX_NOINPUT
           : err->kind == ERR_CONFLICT  ? EX_TEMPFAIL
                                        : EXIT_FAILURE;
}

int drain_main(int argc, char **argv)
{
    struct drain d = { 0 };
    struct err err = { 0 };
    struct loader_stats l = { 0 };
    bool ok = read_arguments(&d, argc, argv, &err) && load(&d, &l, &err);
    if (ok)
        (void)printf("drained \"%s\": %" PRIu64 " rows, %" PRIu64 " repeats left out, %" PRIu64
                     " damaged places, %" PRIu64 " rows refused\n",
                     d.dir, l.rows, l.duplicates, l.damaged, l.rejected);
    else
        (void)fprintf(stderr, "experimentd: journal drain: %s\n", err.text);
    release(&d);
    return exit_code(ok, &err, &l);
}
