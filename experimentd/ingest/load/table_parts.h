/* table_parts.h - inside of table.c and table_row.c. */
#pragma once
#include <regex.h>

#include "experimentd/ingest/load/table.h"

struct table_pattern {
    regex_t regex;
    struct table_pattern *next;
};
