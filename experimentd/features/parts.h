/* parts.h - inside of features: what its handlers share. */
#pragma once
#include "experimentd/features/spec.h"
#include "experimentd/resources/resource.h"

/* Columns of QUERY_FEATURE_SETS. */
enum feature_set_column {
    SET_NAME,
    SET_DESCRIPTION,
    SET_SPEC,
    SET_ROWS,
    SET_VERSION,
    SET_CREATED,
    SET_UPDATED,
    SET_ROWS_AT,
    SET_BY
};

extern const struct resource_kind feature_set_kind;
