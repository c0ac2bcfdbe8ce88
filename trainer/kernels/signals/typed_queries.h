/* typed_queries.h - pure: queries as they were typed → numbers of them in the form of query_text.h. They come again and again: what is seen once is put
 * into its form once. */
#pragma once
#include "trainer/kernels/intern.h"

struct typed_queries {
    struct intern typed, queries;
    uint32_t *numbers; /* of each that was typed: in `queries`, or INTERN_NONE */
    size_t room;
};

void typed_queries_init(struct typed_queries *t);
void typed_queries_release(struct typed_queries *t);
/* INTERN_NONE: it is blank. */
uint32_t typed_queries_number(struct typed_queries *t, struct str typed);
