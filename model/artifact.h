/* artifact.h - a model as one file that never changes: named sections, with a checksum over all of it.
 *
 *   "XPMODEL1" | u32 version | u32 sections | u64 bytes of the file | char kind[24] | 16 bytes 0
 *   of each section: char name[24] | u64 offset | u64 bytes
 *   sections, each at a multiple of 64, zeros between them | 32 bytes BLAKE2b-256 of everything before
 *
 * All numbers are little-endian. The digest that names an artifact is the one at its end, in hex: `head -c -32 FILE | b2sum -l 256`.
 * What stands in a section is told by its name and the artifact's kind (lists.h, and the readers of each kind). Pure but for mapping. */
#pragma once
#include "base/buf.h"

#define ARTIFACT_MAGIC "XPMODEL1"
#define ARTIFACT_BYTES_MAX ((size_t)16 << 30)
enum { ARTIFACT_NAME = 24, ARTIFACT_DIGEST = 65, ARTIFACT_HASH = 32, ARTIFACT_SECTIONS_MAX = 32, ARTIFACT_ALIGN = 64 };

/* Writing, into memory. Names are of a-z, 0-9 and _, shorter than ARTIFACT_NAME; the bytes of sections are borrowed until artifact_end. */
struct artifact_out {
    const char *kind;
    const char *names[ARTIFACT_SECTIONS_MAX];
    struct str sections[ARTIFACT_SECTIONS_MAX];
    size_t sections_count;
};
void artifact_begin(struct artifact_out *o, const char *kind);
void artifact_add(struct artifact_out *o, const char *section, struct str bytes);
/* out_file is empty and limited by the caller (ARTIFACT_BYTES_MAX at most). Fails when it does not fit. */
bool artifact_end(struct artifact_out *o, struct buf *out_file, char out_digest[ARTIFACT_DIGEST],
                  struct err *err) MUSTCHECK;

struct artifact {
    struct str bytes;
    char kind[ARTIFACT_NAME], digest[ARTIFACT_DIGEST];
    size_t sections_count;
};
/* Borrows the bytes. Everything that the file says of itself is checked, the checksum too: what is read was written by artifact_end, whole. */
bool artifact_read(struct str bytes, struct artifact *out, struct err *err) MUSTCHECK;
/* A file, mapped read-only; it must be the artifact of this digest. Ends with artifact_unmap. */
bool artifact_map(const char *path, const char *digest, struct artifact *out, struct err *err) MUSTCHECK;
void artifact_unmap(struct artifact *a);
/* {NULL, 0}: there is none of this name. An empty section has a pointer. */
struct str artifact_section(const struct artifact *a, const char *name);
/* Section i in the file's order; `i` is below sections_count. */
struct str artifact_section_at(const struct artifact *a, size_t i, char out_name[ARTIFACT_NAME]);
/* True when the text is a digest as artifact_end writes it. */
bool artifact_is_digest(struct str s);
