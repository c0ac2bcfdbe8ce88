/* passes.h - what the coordinator and the driver of a foreign engine say to each other, in frames (frame.h) on two pipes. The driver starts
 * the coordinator; the coordinator speaks on fds 0 and 1. Heads carry (a, b); what is not said is 0. JSON where nothing else is said.
 *
 *   driver → coordinator
 *   ENGINE                    {"app_id", "ui_url", "slots", "version"}: first of all
 *   RESULT split pass         a piece of what the split's kernel collected
 *   DONE split pass           {"rows"}: behind the last piece
 *   PROGRESS pass             {"done", "rows", "active", "failed"}: twice a second while a pass runs
 *   CHUNK part seq            of a FETCH: bytes that a kernel emitted
 *   FETCHED pass split        {"text"}: behind the last chunk; text: why that was not all
 *   ENDED pass                {"state": "done" | "failed" | "final" | "cancelled", "failed_tasks"}; failed: "text", and where a worker said it
 *                             "split", "attempt", "code"; final: another attempt would fail in the same way
 *
 *   coordinator → driver
 *   PASS pass                 {"name", "dataset", "input_pass", "blobs": [hash], "stall", "worker": command or null}
 *   SPLIT split pass          the TASK (frame.h); inputs that are data have "split" and "part" besides. Heaviest first
 *   START pass                no more splits: run it
 *   BLOB - more               name, a zero byte, the bytes, in pieces; more: 0 in the last one
 *   DROP pass                 its data set is needed no more; with a payload: the blob of that name
 *   FETCH pass split          the split's data set is wanted
 *   CANCEL pass, END_RUN
 */
#pragma once

enum passes_frame {
    PASSES_PASS = 32,
    PASSES_SPLIT,
    PASSES_START,
    PASSES_BLOB,
    PASSES_DROP,
    PASSES_FETCH,
    PASSES_CANCEL,
    PASSES_END_RUN,

    PASSES_ENGINE = 48,
    PASSES_RESULT,
    PASSES_DONE,
    PASSES_PROGRESS,
    PASSES_CHUNK,
    PASSES_FETCHED,
    PASSES_ENDED,
};
