#include "base/bad_lines.h"

void bad_lines_add(struct bad_lines *b, size_t line, const struct err *err)
{
    if (b->count < BAD_LINES_MAX)
        b->first[b->count] = (struct bad_line){ line, *err };
    b->count++;
}

bool bad_lines_none(const struct bad_lines *b, const char *what, struct err *err)
{
    return b->count == 0 || err_set(err, ERR_INVALID, "%zu of the %s are wrong; line %zu: %s", b->count, what,
                                    b->first[0].line, b->first[0].err.text);
}
