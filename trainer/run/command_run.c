#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "job/schema.h"
#include "trainer/run/commands.h"
#include "trainer/run/launch.h"
#include "trainer/run/run.h"

static const char usage[] =
    "usage: trainer run JOB --data-dir DIR | --database-url URL [--param NAME=VALUE]... [settings]\n"
    "       trainer run --run ID --data-dir DIR | --database-url URL [settings]\n"
    "\n"
    "Runs a job from its beginning to its end, draws how far it is, and publishes what it made in one step: readers "
    "see the old\n"
    "result or the new one. A worker that dies is replaced, a split that fails is tried again, a database that "
    "restarts is waited\n"
    "for. Ctrl-C ends the run in good order; a second one at once.\n"
    "\n"
    "The second form takes a run that is queued, or one whose coordinator died (state lost), and goes on with what it "
    "had made.\n"
    "Which runs there are, and what they said: trainer runs, trainer log ID. To end one from anywhere: trainer cancel "
    "ID.\n";

static const char examples[] =
    "\n"
    "examples:\n"
    "  trainer run metrics --data-dir /var/lib/experimentd --workers 2 --param experiment=ranker-q4\n"
    "  trainer run sessions --data-dir /var/lib/experimentd --param from=2026-11-01 --param to=2026-11-27\n"
    "  trainer run --run 019ac3f0-6c1e-7b2a-9d55-0c8f5ad2e911 --database-url postgresql://db.example/experimentd\n"
    "\n"
    "exit status: 0 success, 1 failed, 64 usage, 65 bad data or parameters of a run, 130 cancelled\n";

static void print_help(void)
{
    (void)fputs(usage, stdout);
    (void)puts("\nJobs and their parameters:");
    (void)jobs_main(0, NULL);
    (void)puts("\nEngines:");
    for (size_t i = 0; run_engines[i].name; i++)
        (void)printf("%-12s %s\n", run_engines[i].name, run_engines[i].help);
    (void)puts("\nSettings:");
    settings_print_help(run_settings_table, run_settings_count, stdout);
    (void)fputs(examples, stdout);
}

static bool read_arguments(struct run_settings *s, int argc, char **argv, const char **job, struct err *err)
{
    size_t count = 0;
    unsigned char id[16];
    const char **rest = mem_zalloc((size_t)(argc + 1) * sizeof *rest);
    bool ok = run_settings_load(s, argc, argv, rest, &count, err);
    if (ok && *s->run && (count || s->params_count))
        ok = err_set(err, ERR_INVALID, "--run says which job and which parameters: give no others");
    else if (ok && *s->run && !uuid_parse(str_of(s->run), id))
        ok = err_set(err, ERR_INVALID, "\"%s\" is not the id of a run", s->run);
    else if (ok && !*s->run && count != 1)
        ok = err_set(err, ERR_INVALID, "give one job: trainer run JOB --data-dir DIR");
    *job = rest[0];
    mem_free(rest);
    return ok;
}

int run_main(int argc, char **argv)
{
    struct run_settings settings = { 0 };
    struct err err = { 0 };
    const char *job = NULL;
    if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        print_help();
        return argc ? EXIT_SUCCESS : EX_USAGE;
    }
    int status = EX_USAGE;
    bool elsewhere = false;
    if (read_arguments(&settings, argc, argv, &job, &err) && launch_is_wanted(&settings, &elsewhere, &err))
        status = elsewhere ? launch(&settings, job) : coordinate(&settings, job);
    else
        (void)fprintf(stderr, "trainer: %s\n", err.text);
    run_settings_release(&settings);
    return status;
}
