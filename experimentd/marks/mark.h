/* mark.h - why a signal, or a unit, is left out of what is computed. Marked, never deleted: the rows stay, a mark can be taken back. */
#pragma once
#include "base/str.h"

/* As stored in signals.mark. */
enum mark {
    MARK_NONE,
    MARK_BOT,      /* a program, by its user agent or by its own word */
    MARK_INTERNAL, /* traffic of the site's own people: by their word or their network */
    MARK_RATE,     /* more signals in a minute than a person sends */
    MARK_HAND,     /* a unit that somebody marked */
    MARK_COUNT
};
extern const char *const mark_names[MARK_COUNT]; /* "none", "bot", … */
enum mark mark_of(struct str name);              /* MARK_COUNT: none of them */
