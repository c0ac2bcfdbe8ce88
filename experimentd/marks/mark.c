#include "experimentd/marks/mark.h"

#include <assert.h>

const char *const mark_names[] = {
    [MARK_NONE] = "none", [MARK_BOT] = "bot", [MARK_INTERNAL] = "internal", [MARK_RATE] = "rate", [MARK_HAND] = "hand",
};
static_assert(sizeof mark_names / sizeof *mark_names == MARK_COUNT, "a name for every mark");

enum mark mark_of(struct str name)
{
    int i = 0;
    while (i < MARK_COUNT && !str_eq_c(name, mark_names[i]))
        i++;
    return (enum mark)i;
}
