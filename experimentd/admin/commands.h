/* commands.h - the commands besides serve. argc and argv start behind the command's name; the result is the exit code. */
#pragma once
#include "experimentd/ingest/load/import.h"

int migrate_main(int argc, char **argv);
int key_main(int argc, char **argv);
/* `archive list`: argv starts behind it. */
int archive_list_main(int argc, char **argv);
int version_main(int argc, char **argv);
