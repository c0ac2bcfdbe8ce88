/* erase.h - one deletion of a unit, step by step. For the eraser's thread; see README.md. */
#pragma once
#include "base/pg.h"

struct erase {
    struct pg *pg;
    const char *archive_dir;
    struct str id, unit, state; /* of the row; 0 behind each */
};

/* The caller holds the archive's writers' lock, and all journals have been loaded far enough. Goes on from the row's state to the end. */
bool erase_run(struct erase *e, struct err *err) MUSTCHECK;
