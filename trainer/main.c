/* trainer - runs jobs on worker processes. Commands and their help; all work is in the library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/mem.h"
#include "trainer/engine/task.h"
#include "trainer/run/commands.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    { "run", run_main, "run JOB --data-dir DIR | --database-url URL [--param NAME=VALUE]… [--workers N]" },
    { "jobs", jobs_main, "jobs [--json]: what there is to run, and what it can be told" },
    { "runs", runs_main, "runs --data-dir DIR | --database-url URL: the last ones" },
    { "log", log_main, "log RUN --data-dir DIR | --database-url URL: what it said" },
    { "cancel", cancel_main, "cancel RUN --data-dir DIR | --database-url URL: asks it to end" },
    { "worker", worker_main, "worker: one worker process; \"run\" starts them itself" },
};

int main(int argc, char **argv)
{
    mem_init();
    for (size_t i = 0; argc > 1 && i < COUNT_OF(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    bool help = argc > 1 &&
                (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0);
    FILE *to = help ? stdout : stderr;
    (void)fputs("usage: trainer COMMAND\n", to);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        (void)fprintf(to, "  trainer %s\n", commands[i].help);
    (void)fputs("\n\"trainer run --help\" says more.\n", to);
    return help ? EXIT_SUCCESS : EX_USAGE;
}
