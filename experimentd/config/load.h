/* load.h - the statements of the control thread's connection (open it with this table after the migrations). */
#pragma once
#include "base/pg.h"

enum { CONFIG_STMT_COUNT = 5 };
extern const struct pg_stmt config_statements[CONFIG_STMT_COUNT];
