/* fact.h - inside of metric/: one fact of a metric's document, read, written and compared. */
#pragma once
#include "metric/metric.h"

/* `what` names it in errors ("metric: numerator"). */
bool fact_read(json_t *root, const char *what, struct arena *arena, struct metric_fact *out, struct err *err) MUSTCHECK;
void fact_write(struct jsonw *w, const char *key, const struct metric_fact *f);
bool fact_equal(const struct metric_fact *a, const struct metric_fact *b);
/* The place of a word in a table of names; a word that is none of them fails the reader: `is "x", not one of "a", "b"`. */
int fact_word(struct json_reader *r, const char *field, struct str word, const char *const *names, int count);
