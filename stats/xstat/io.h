/* io.h - how xstat reads its input objects and writes its answers.
 *
 * Numbers are JSON numbers or the strings "NaN", "Infinity", "-Infinity", so that a refusal of them can be shown. The first error
 * sticks: later reads give 0, and the method checks once, with xstat_in_end, which also refuses fields that nobody asked for.
 * Answers: 17 digits; infinities as strings; what is undefined as null. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct xstat_in {
    json_t *object;
    struct arena *arena; /* arrays live here, until the line is answered */
    size_t used;         /* fields asked for and found */
    struct err err;
};

void xstat_in_begin(struct xstat_in *in, json_t *object, struct arena *arena);
bool xstat_in_has(const struct xstat_in *in, const char *key);
double xstat_in_double(struct xstat_in *in, const char *key);
double xstat_in_double_or(struct xstat_in *in, const char *key, double absent);
/* A number without a fraction. */
int64_t xstat_in_count(struct xstat_in *in, const char *key);
bool xstat_in_bool_or(struct xstat_in *in, const char *key, bool absent);
const char *xstat_in_text(struct xstat_in *in, const char *key);
/* Arrays of numbers; *out_n is 0 after an error. */
double *xstat_in_doubles(struct xstat_in *in, const char *key, size_t *out_n);
int64_t *xstat_in_counts(struct xstat_in *in, const char *key, size_t *out_n);
/* Rows of counts, each of `width`, one behind the other. */
int64_t *xstat_in_count_rows(struct xstat_in *in, const char *key, size_t width, size_t *out_rows);
/* Rows of numbers of any lengths, one behind the other. */
double *xstat_in_double_rows(struct xstat_in *in, const char *key, size_t **out_lengths, size_t *out_rows);
/* An array of strings. */
const char **xstat_in_texts(struct xstat_in *in, const char *key, size_t *out_n);
/* An array of objects, or one object: each is read (and ended) like the line itself. */
struct xstat_in *xstat_in_objects(struct xstat_in *in, const char *key, size_t *out_n);
void xstat_in_object(struct xstat_in *in, const char *key, struct xstat_in *out);
bool xstat_in_end(const struct xstat_in *in, struct err *err) MUSTCHECK;

void xstat_out_double(json_t *out, const char *key, double v);
void xstat_out_double_if(json_t *out, const char *key, bool defined, double v);
void xstat_out_count(json_t *out, const char *key, int64_t v);
void xstat_out_bool(json_t *out, const char *key, bool v);
void xstat_out_text(json_t *out, const char *key, const char *v);
void xstat_out_doubles(json_t *out, const char *key, const double *v, size_t n);
void xstat_out_pair(json_t *out, const char *key, double lo, double hi);
void xstat_out_null(json_t *out, const char *key);
