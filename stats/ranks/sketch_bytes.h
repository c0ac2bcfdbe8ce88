/* sketch_bytes.h - a sketch as bytes, for files and tables, and back.
 *
 *   u8 version (1) | u8 bits + 1 | then as varints (LEB128): buckets, units, events, squares, and of each bucket: its key less the one
 *   before (the first: zigzag), events, squares, products
 *
 * A few bytes a bucket where the sketch in memory has 32. What is read was written by others: every count is checked, and a sketch that
 * was read is one that sketch.h could have made: keys ascend, and buckets add up to the totals. */
#pragma once
#include "stats/ranks/sketch.h"

enum { SKETCH_BYTES_VERSION = 1, SKETCH_BYTES_MAX = 2 + 40 + SKETCH_ROOM * 40 };

/* out has room for SKETCH_BYTES_MAX; the number of bytes. */
size_t sketch_bytes_write(const struct sketch *s, unsigned char *out);
bool sketch_bytes_read(const void *bytes, size_t n, struct sketch *out, struct err *err) MUSTCHECK;
