/* frame.h - what coordinator and worker say to each other over pipes: a 24-byte head and a payload, checksummed.
 *
 *   u32 "XPF1" | u8 type | 3 zero bytes | u32 a | u32 b | u32 payload bytes | u32 CRC-32C of type … payload bytes + payload
 *
 * Little-endian; `type` in the checksum has its three zero bytes. Payloads are at most FRAME_PAYLOAD_MAX.
 *
 *   to a worker                a        b
 *   TASK    1                  split    attempt   JSON, below
 *   BYE     2                                     end
 *   DATA    3                  input    seq       a chunk of an input that is given as {"data": true}: after TASK, in any order
 *   END     4                  split    attempt   no more DATA; u32: how many there were
 *   CANCEL  5                  split    attempt   give this attempt up: ERROR follows, then the worker ends
 *   from a worker
 *   HELLO   16                                    JSON {"version", "build"}: first of all
 *   PROGRESS 17                split    attempt   u64 rows so far; at least every second while the kernel ticks: the heartbeat
 *   RESULT  18                 split    attempt   a piece of the split's result; pieces follow one another
 *   DONE    19                 split    attempt   JSON {"rows", "peak_bytes"}; all that belongs to the attempt came before
 *   ERROR   20                 split    attempt   text; the worker then ends with an exit code that says how bad it is (task.h)
 *   EMIT    21                 part     seq       a chunk of the split's data set, when the task has no "spool": whole records; of at most
 *                                                 SPOOL_BLOCK_BYTES unless a single record is larger; seq counts from 0 in each part
 *
 * The members of a TASK: "kernel", "params", "desc", "snapshot", "database_url", "parts" (of its data set), "spool": the file to write the data
 * set to (absent: it is sent as EMIT; null: the pass has none), "inputs": [{"path", "part", "parts"} or {"data": true}, …].
 * If one input is given as data, DATA frames and one END follow the TASK. Chunks may come in any order: the worker keeps them in a file without
 * a name and serves them by input and seq. What was EMITted as (part, seq) of the split that is input i comes as DATA (i, seq).
 * A worker does one task after the other, until BYE or the end of the file; after a failure it ends. */
#pragma once
#include "base/buf.h"

enum { FRAME_HEAD_BYTES = 24, FRAME_PAYLOAD_MAX = 32 << 20, FRAME_PIECE_BYTES = 1 << 20 };
enum frame_type {
    FRAME_NONE,
    FRAME_TASK,
    FRAME_BYE,
    FRAME_DATA,
    FRAME_END,
    FRAME_CANCEL,
    FRAME_HELLO = 16,
    FRAME_PROGRESS,
    FRAME_RESULT,
    FRAME_DONE,
    FRAME_ERROR,
    FRAME_EMIT
};

struct frame {
    enum frame_type type;
    uint32_t a, b;
    struct str payload; /* borrowed */
};

void frame_write(struct buf *b, const struct frame *f);
/* WHOLE: *out points into bytes and *out_size bytes are used; SHORT: more is needed; BAD: this is no frame, give the peer up. */
enum frame_state { FRAME_WHOLE, FRAME_SHORT, FRAME_BAD };
enum frame_state frame_read(struct str bytes, struct frame *out, size_t *out_size);
