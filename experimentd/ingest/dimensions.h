/* dimensions.h - what is kept of an exposed unit's attributes: the values of the declared dimensions (setting "exposure.dimensions"), by which
 * results are broken down into segments. Nothing else of the attributes is stored anywhere.
 *
 * Kept as one JSON object of texts, {"device":"phone"}, in the order in which the dimensions are declared. Numbers and booleans are written as
 * JavaScript prints them; a text is cut to DIMENSION_VALUE_MAX bytes between characters. An attribute that is absent, null, "", a list or an
 * object, or a text that PostgreSQL could not store, is no value. Read-only after the start; any thread. */
#pragma once
#include "assign/assign.h"
#include "base/mem.h"

enum { DIMENSIONS_MAX = 8, DIMENSION_NAME_MAX = 64, DIMENSION_VALUE_MAX = 100 };
#define DIMENSIONS_SETTING "exposure.dimensions"
#define DIMENSIONS_DEFAULT "device,country,browser,language"
#define DIMENSIONS_HELP                                                                                             \
    "attributes, separated by commas (8 at most), kept with an exposure: results have segments by them; none when " \
    "empty"

struct dimensions {
    struct str names[DIMENSIONS_MAX];
    size_t count;
};

/* The setting's text, which must outlive it. A name has 1 to DIMENSION_NAME_MAX of A-Z, a-z, 0-9, "_", "-", "."; none is there twice. */
bool dimensions_init(struct dimensions *d, const char *list, struct err *err) MUSTCHECK;
/* {NULL, 0}: the attributes (of any type) have none. */
struct str dimensions_of(const struct dimensions *d, const struct assign_value *attributes, struct arena *arena);
/* The same of a JSON text; what is no JSON object has none. */
struct str dimensions_of_json(const struct dimensions *d, struct str attributes, struct arena *arena);
