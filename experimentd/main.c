/* experimentd - the experiment and learning server for search. Commands and their help; all work is in the library. */
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/mem.h"
#include "experimentd/admin/archive_command.h"
#include "experimentd/admin/commands.h"
#include "experimentd/ingest/journal/journal_command.h"
#include "experimentd/serve_settings.h"
#include "experimentd/server.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* arguments behind the name */
    const char *usage, *help;
};

static int help_main(int argc, char **argv);

static const struct command commands[] = {
    { "serve", serve_main, "serve --data-dir DIR [--listen HOST:PORT] …",
      "run the server; with no --database-url it keeps its own PostgreSQL in DIR" },
    { "import", import_main, "import FORMAT FILE [options]", "load a log that already exists: ndjson, ubi or csv" },
    { "migrate", migrate_main, "migrate --data-dir DIR | --database-url URL",
      "bring the database to this program's schema" },
    { "key", key_main, "key create --scope S --data-dir DIR | --database-url URL",
      "make an API key: client, qa, analyst or admin" },
    { "journal", journal_main, "journal check DIR | journal drain DIR --database-url URL",
      "read every record of a journal; or load the journal of a machine that is gone" },
    { "archive", archive_main, "archive list --data-dir DIR | check FILE… | schema FILE… | export FILE…",
      "files of old days: which there are, whether they are whole, their columns, their rows as NDJSON" },
    { "version", version_main, "version", "print the version" },
    { "help", help_main, "help [serve]", "this text, or the settings of a command" },
};

static int help_main(int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "serve") == 0) {
        (void)puts("usage: experimentd serve --data-dir DIR [settings]\n\n"
                   "Each setting is a flag, an environment variable and a line of the file given by --config FILE;\n"
                   "flag over environment over file.\n");
        settings_print_help(serve_settings, serve_settings_count, stdout);
        return EXIT_SUCCESS;
    }
    (void)puts("experimentd: the experiment and learning server for search\n\nusage:");
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        (void)printf("  experimentd %s\n        %s\n", commands[i].usage, commands[i].help);
    (void)puts("\nstart here:\n"
               "  experimentd serve --data-dir /var/lib/experimentd     then open http://127.0.0.1:8080/\n"
               "  trainer run metrics --data-dir /var/lib/experimentd   turns signals into results\n"
               "\"experimentd help serve\" lists every setting.");
    return EXIT_SUCCESS;
}

static bool wants_help(int argc, char **argv)
{
    return argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0);
}

int main(int argc, char **argv)
{
    mem_init();
    (void)gsl_set_error_handler_off(); /* its default ends the process; every status is checked instead */
    if (argc < 2) {
        (void)help_main(0, NULL);
        return EX_USAGE;
    }
    if (wants_help(argc - 1, argv + 1))
        return help_main(0, NULL);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (commands[i].run == serve_main && wants_help(argc - 2, argv + 2)) {
            char *serve = argv[1];
            return help_main(1, &serve);
        }
        return commands[i].run(argc - 2, argv + 2);
    }
    (void)fprintf(stderr, "experimentd: \"%s\" is not a command; \"experimentd help\" lists them\n", argv[1]);
    return EX_USAGE;
}
