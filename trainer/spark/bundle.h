/* bundle.h - what a Spark cluster needs of us, as files: the worker with its loader and libraries in one archive, and the Python programs.
 *
 * They lie in a folder named by the hash of their contents, made once and used again: DIR/<hash>/{experimentd-<hash>.tar.gz, driver.py,
 * frames.py, task.py}. The archive holds `trainer`, `loader` and `lib/`; a host needs no library of ours and no C library of some age. */
#pragma once
#include <stdbool.h>

#include "base/err.h"

struct embedded_file {
    const char *name, *text;
};
extern const struct embedded_file spark_files[]; /* ends with NULL */

/* The folder, made if it is not there; the caller frees. `archive`: the name of the archive in it. */
char *bundle_make(const char *dir, char out_archive[64], struct err *err) MUSTCHECK;
