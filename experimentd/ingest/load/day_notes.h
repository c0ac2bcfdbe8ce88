/* day_notes.h - notes which days a load puts rows into, before it does so in the same transaction (archive/changes.h). */
#pragma once
#include "experimentd/ingest/load/rows.h"

/* What is not from a journal has this one. Two transactions of one writer may wait for each other, never crosswise. */
#define DAY_NOTES_IMPORT "00000000-0000-0000-0000-000000000001"

bool day_notes_write(struct pg *pg, const struct rows *rows, const char *writer, struct err *err) MUSTCHECK;
