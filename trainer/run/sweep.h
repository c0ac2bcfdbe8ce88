/* sweep.h - what dead coordinators left behind. */
#pragma once
#include "base/pg.h"

/* Removes folders of `base` that belong to runs which have ended, or were lost a week ago. A folder whose run this database does not know stays: the
 * base may be shared. */
bool sweep_spool(struct pg *pg, const char *base, struct err *err) MUSTCHECK;
