/* hash.h - the hashes that stored data depends on (never change them) and the checksum of files and frames. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define BUCKET_COUNT 4096 /* architecture, section 4: bucket = hash(unit) & 4095 */

/* FNV-1a, 64 bit, then Murmur3's fmix64, so that low bits are as good as high ones. */
uint64_t hash64(struct str s);
/* The bucket of a unit, stored in every row about it; splits of passes are ranges of buckets. */
static inline unsigned hash_bucket(struct str unit)
{
    return (unsigned)(hash64(unit) & (BUCKET_COUNT - 1));
}
/* CRC-32C (Castagnoli, RFC 3720 B.4), by the SSE4.2 instruction where there is one. Start with crc = 0; can be continued. */
uint32_t hash_crc32c(uint32_t crc, const void *p, size_t n);
