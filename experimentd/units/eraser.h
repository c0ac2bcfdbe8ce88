/* eraser.h - the thread that deletes units: looks once a second for deletions that are not done, carries out one after the other. Of several
 * daemons one does; the archive's writers' lock says which. What fails is logged, told by the receipt, and tried again. */
#pragma once
#include "base/err.h"

struct eraser;
struct journal;

struct eraser *eraser_start(struct journal *j, const char *url, const char *archive_dir, struct err *err);
/* What is under way is broken off; the next start takes it up. */
void eraser_stop(struct eraser *e);
