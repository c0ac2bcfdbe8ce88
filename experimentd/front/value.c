#include "experimentd/front/value.h"

enum { USUAL_BYTES = 256 };

void value_write(struct buf *b, const struct assign_value *v)
{
    char *to = buf_reserve(b, USUAL_BYTES);
    size_t n = to ? assign_json_write(v, to, USUAL_BYTES) : 0;
    if (n >= USUAL_BYTES && (to = buf_reserve(b, n + 1)))
        (void)assign_json_write(v, to, n + 1);
    if (to)
        b->n += n;
}
