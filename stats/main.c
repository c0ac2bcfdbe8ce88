/* xstat - the statistics from a command line: `xstat METHOD` answers each JSON object on its input with one on its output. */
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "stats/xstat/xstat.h"

static int usage(FILE *out, int status)
{
    (void)fputs("usage: xstat METHOD            one JSON object a line in, one a line out\n"
                "       xstat METHOD --explain  formula, source, fields\n"
                "       xstat --list            the methods\n",
                out);
    return status;
}

static int list(void)
{
    for (size_t i = 0; i < xstat_methods_count; i++)
        (void)puts(xstat_methods[i].name);
    return EXIT_SUCCESS;
}

static int answer(const struct xstat_method *m)
{
    struct err err;
    if (xstat_run(m, stdin, stdout, &err))
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "xstat: %s\n", err.text);
    return EX_IOERR;
}

int main(int argc, char **argv)
{
    mem_init();
    (void)gsl_set_error_handler_off();
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return usage(stdout, EXIT_SUCCESS);
    const struct xstat_method *m = argc >= 2 ? xstat_find(argv[1]) : NULL;
    if (argc >= 2 && !m && argv[1][0] != '-')
        (void)fprintf(stderr, "xstat: there is no method \"%s\"; \"xstat --list\" names them\n", argv[1]);
    if (m && argc == 2)
        return answer(m);
    if (!m || argc != 3 || strcmp(argv[2], "--explain") != 0)
        return usage(stderr, EX_USAGE);
    xstat_explain(m, stdout);
    return EXIT_SUCCESS;
}
