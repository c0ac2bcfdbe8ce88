/* document.h - pure: one document of the catalogue as a client sends it: {"id": "doc-1", "title": "Desk lamp", "price": 29.9, …}.
 *
 * Fields are the shop's own, of any JSON type; a null is as good as none (or takes the field away, where documents are merged). */
#pragma once
#include "base/buf.h"

enum {
    ITEM_ID_MAX = 512, /* as of a signal's doc */
    ITEM_FIELDS_MAX = 256,
    ITEM_FIELD_NAME_MAX = 100,
    ITEM_BYTES_MAX = 256 << 10
};

/* Appends {"id": …, "fields": {…}} to `out`. ERR_INVALID names the field: `field "price" …`. `id` is that of the path, or {NULL, 0}: then the
 * document has to name its own, a text or a whole number. */
bool item_document_read(struct str text, struct str id, bool keep_nulls, struct buf *out, struct err *err) MUSTCHECK;
/* An id as such, or an object that has one: appended as a JSON text. */
bool item_id_read(struct str text, struct buf *out, struct err *err) MUSTCHECK;
/* ERR_INVALID: empty, too long, no UTF-8. */
bool item_id_check(struct str id, struct err *err) MUSTCHECK;
