/* spool.h - files that splits leave for the next pass: blocks of u32 length, u32 CRC-32C, bytes; at the end u32 0, u32 CRC-32C of the hash
 * behind it, 16 bytes BLAKE2b of all bytes of the blocks, so that a file of which something is missing is none. Written under an attempt's
 * name; the coordinator renames it when the attempt is done, which is the commit; a losing attempt's file is unlinked.
 *
 * A file with more than one part has its blocks by part, and between the last block and the end an index: u64 offset and u64 bytes of each
 * part, u32 parts, u32 CRC-32C of all that. How many parts there are, the reader knows. */
#pragma once
#include <sodium.h>
#include <stdio.h>

#include "base/buf.h"

enum {
    SPOOL_BLOCK_BYTES = 64 << 10,
    SPOOL_BLOCK_MAX = 4 << 20,
    SPOOL_HASH_BYTES = 16,
    SPOOL_HELD_BYTES = 16 << 20, /* of whole blocks of all parts in memory; more goes to a file without a name */
    SPOOL_PARTS_MAX = 4096
};

struct spool_part {
    struct buf block; /* growing */
    struct buf held;  /* whole blocks with their heads */
    uint64_t offset, bytes;
};
/* How large a block of one of so many parts grows: together they stay small. */
size_t spool_block_bytes(uint32_t parts);

struct spool_run {
    uint32_t part;
    uint64_t offset, bytes;
};

struct spool_writer {
    FILE *file, *spill;
    struct spool_part *parts;
    uint32_t parts_count;
    size_t block_bytes, held;
    struct spool_run *runs; /* of the spill, in the order written */
    size_t runs_count, runs_room;
    uint64_t at, spilled;
    crypto_generichash_state hash;
};
bool spool_writer_open(struct spool_writer *w, const char *path, uint32_t parts, struct err *err) MUSTCHECK;
/* A record is never split over blocks. */
bool spool_write(struct spool_writer *w, uint32_t part, struct str record, struct err *err) MUSTCHECK;
bool spool_writer_close(struct spool_writer *w, struct err *err) MUSTCHECK;

struct spool_reader {
    FILE *file;
    struct buf block;
    const char *path;
    uint64_t left; /* of the part */
    bool whole;    /* the file has one part: it ends with its end */
};
/* `parts`: how many the file has; part < parts. */
bool spool_reader_open(struct spool_reader *r, const char *path, uint32_t part, uint32_t parts,
                       struct err *err) MUSTCHECK;
/* The next block's bytes, or *out_end. A damaged block is an error. */
bool spool_read(struct spool_reader *r, struct str *out_block, bool *out_end, struct err *err) MUSTCHECK;
void spool_reader_close(struct spool_reader *r);
/* Whether there is a whole file with so many parts, by its end alone: what it says its contents hash to. */
bool spool_whole(const char *path, uint32_t parts, unsigned char out_hash[SPOOL_HASH_BYTES]);
