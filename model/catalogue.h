/* catalogue.h - what is known of documents, for filters at serving: an artifact of kind "catalogue".
 *
 * Two sections of lists: "names" gives for the key "" the names of the fields in their order; "fields" gives for each document as many entries, the
 * i-th of which is the value of field i as compact JSON ("lamps" with its quotes, 29.9, ["a","b"]), empty when it has none. Values are stored once, so a
 * value's number tells whether two documents have the same: what a condition says of a value need be found out once. Pure. */
#pragma once
#include "model/artifact.h"
#include "model/lists.h"

#define CATALOGUE_KIND "catalogue"
enum { CATALOGUE_FIELDS_MAX = 64 };

struct catalogue_out {
    struct lists_out names, docs;
    struct str own_names[CATALOGUE_FIELDS_MAX];
    size_t fields;
};
/* Names are borrowed until catalogue_end. */
void catalogue_begin(struct catalogue_out *o, const struct str *names, size_t fields);
/* values: of each field its JSON, {NULL, 0} when there is none. Documents in the order of their bytes. */
void catalogue_add(struct catalogue_out *o, struct str doc, const struct str *values);
/* Adds the sections to `a`; their bytes lie in *out_names and *out_docs, which live until artifact_end. Releases `o`. */
bool catalogue_end(struct catalogue_out *o, struct artifact_out *a, struct buf *out_names, struct buf *out_docs,
                   struct err *err) MUSTCHECK;
void catalogue_release(struct catalogue_out *o); /* gives up; also behind catalogue_end */

struct catalogue {
    struct lists docs;
    struct str names[CATALOGUE_FIELDS_MAX];
    size_t fields;
};
/* Borrows the artifact's bytes. ERR_INVALID: it is no catalogue. */
bool catalogue_read(const struct artifact *a, struct catalogue *out, struct err *err) MUSTCHECK;
/* The field of this name, or -1. */
int catalogue_field(const struct catalogue *c, struct str name);
/* Where the document's values are; false: it is not in the catalogue. */
bool catalogue_find(const struct catalogue *c, struct str doc, struct lists_row *out);
/* Its JSON, {NULL, 0}: it has none. */
struct str catalogue_value(const struct catalogue *c, const struct lists_row *doc, int field);
/* The number of that JSON, below c->docs.texts: equal numbers, equal values. Also for a document without the field. */
uint32_t catalogue_value_number(const struct catalogue *c, const struct lists_row *doc, int field);
/* {"category":"lamps","price":29.9}: those that it has. */
void catalogue_write(const struct catalogue *c, const struct lists_row *doc, struct buf *out);
