/* identity.h - whose signal it is, when a client only knows the user.
 *
 * A signal with unit and user links them: the user's first unit stays its unit for good. A signal or an exposure that names a user only gets
 * that unit, or, before any link, the user's id as its unit; what was stored before a link keeps its unit. So an anonymous visitor who
 * logs in stays the unit that experiments assigned, and purchases that a shop's server reports by user are counted for it. */
#pragma once
#include "base/mem.h"
#include "experimentd/ingest/load/rows.h"

/* Inside the transaction of the rows: stores their links, gives units to those that have a user only. Texts are in the arena. */
bool identity_apply(struct pg *pg, struct rows *rows, struct arena *arena, struct err *err) MUSTCHECK;
