/* parts.h - what the files of this folder share. */
#pragma once
#include "experimentd/resources/rows.h"
#include "experimentd/rewrites/row.h"

enum { REWRITES_ANSWER_MAX = 64 << 20 };
extern const struct rows_form rewrites_form;

/* The filter of a query string, as JSON. */
bool rewrites_query_filter(struct http_request *req, const char **out, struct err *err) MUSTCHECK;
