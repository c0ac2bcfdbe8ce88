/* query_text.h - pure: a query's text in the form in which queries are compared: lower case (Unicode, one character for one), each run of white
 * space one space, none at the ends, at most QUERY_TEXT_MAX bytes, cut between characters. Accents and word order stay: what they mean is the search
 * engine's to say. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum { QUERY_TEXT_MAX = 512 };

/* Writes it to `out`, of QUERY_TEXT_MAX bytes. Empty: the text is blank. */
struct str query_text(struct str raw, char *out);
