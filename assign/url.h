/* url.h - inside of libassign: URLs as browsers read them (WHATWG URL Standard), as far as targeting needs: hosts outside ASCII and "file:"
 * are no URLs here. */
#pragma once
#include "assign/scratch.h"

struct assign_url {
    struct assign_text href, host, path;
    struct assign_text query, hash;  /* with their "?" and "#"; "" when empty */
    struct assign_text before_query; /* of href: what stands before "?" */
    size_t origin_n;                 /* of href's bytes; of an opaque origin the length of its name, "null" */
};

/* relative_to (NULL: none): the host that relative URLs are of. False: it is no URL, or the arena gave no more. */
bool assign_url_read(struct assign_text text, const char *relative_to, struct assign_arena *a, struct assign_url *out);

/* A parameter of a query, decoded; `at` (0 at first) moves on. False: no more of them. */
bool assign_url_parameter(struct assign_text query, size_t *at, struct assign_arena *a, struct assign_text *key,
                          struct assign_text *value);
/* As URLSearchParams writes a text; `out` has room for 3 · text.n bytes. Returns the length. */
size_t assign_url_encode(struct assign_text text, char *out);
