/* spool.h - files that splits leave for the next pass: blocks of u32 length, u32 CRC-32C, bytes; at the end u32 0, u32 CRC-32C of the hash
 * behind it, 16 bytes BLAKE2b of all bytes of the blocks, so that a file of which something is missing is none. Written under an attempt's
 * name; the coordinator renames it when the attempt is done, which is the commit; a losing attempt's file is unlinked. */
#pragma once
#include <sodium.h>
#include <stdio.h>

#include "base/buf.h"

enum { SPOOL_BLOCK_BYTES = 64 << 10, SPOOL_BLOCK_MAX = 4 << 20, SPOOL_HASH_BYTES = 16 };

struct spool_writer {
    FILE *file;
    struct buf block;
    crypto_generichash_state hash;
};
bool spool_writer_open(struct spool_writer *w, const char *path, struct err *err) MUSTCHECK;
/* A record is never split over blocks. */
bool spool_write(struct spool_writer *w, struct str record, struct err *err) MUSTCHECK;
bool spool_writer_close(struct spool_writer *w, struct err *err) MUSTCHECK;

struct spool_reader {
    FILE *file;
    struct buf block;
    const char *path;
};
bool spool_reader_open(struct spool_reader *r, const char *path, struct err *err) MUSTCHECK;
/* The next block's bytes, or *out_end. A damaged block is an error. */
bool spool_read(struct spool_reader *r, struct str *out_block, bool *out_end, struct err *err) MUSTCHECK;
void spool_reader_close(struct spool_reader *r);
/* Whether there is a whole file, by its end alone: what it says its contents hash to. */
bool spool_whole(const char *path, unsigned char out_hash[SPOOL_HASH_BYTES]);
