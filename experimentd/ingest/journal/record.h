/* record.h - a journal record: header, then the signal or exposure in a flat binary form.
 *
 *   u32 length of the payload | u32 CRC-32C of type byte, 3 zero bytes and payload | u8 type | 3 zero bytes | payload
 *
 * Little-endian; numbers as they lie in memory; a text is u32 length (UINT32_MAX: absent) and its bytes. A field that is added stands behind
 * those that were there: a record that ends before it was written by an older daemon and has none. */
#pragma once
#include "base/buf.h"
#include "experimentd/ingest/signal.h"

enum record_type { RECORD_NONE, RECORD_SIGNAL, RECORD_EXPOSURE, RECORD_TYPE_COUNT };
enum { RECORD_HEAD_BYTES = 12, RECORD_BYTES_MAX = 128 << 10 };

void record_write_signal(struct buf *b, const struct signal *s);
void record_write_exposure(struct buf *b, const struct exposure *e);

/* What stands at the front of `bytes`: WHOLE (out_size, out_type, out_payload), SHORT (more bytes are needed to tell), END (zeros:
 * nothing was ever written here), BAD (the checksum or the length is wrong; out_size: where the next record would be, 0 unknown). */
enum record_state { RECORD_WHOLE, RECORD_SHORT, RECORD_END, RECORD_BAD };
enum record_state record_read(struct str bytes, enum record_type *out_type, struct str *out_payload, size_t *out_size);
/* False when the payload is not what its type says (a bug or a collision of the checksum). Texts point into the payload. */
bool record_parse_signal(struct str payload, struct signal *out) MUSTCHECK;
bool record_parse_exposure(struct str payload, struct exposure *out) MUSTCHECK;
