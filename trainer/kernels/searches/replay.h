/* replay.h - what the job "ranking-metrics" and its kernel say to each other.
 *
 * params: JSON, a list of {"spec": a search configuration (job/search.h), "headers": ["Name: value" …] (secrets among them), "ca": PEM, "k", "at_once", "tries", "timeout_s",
 * "max_bytes"}, a configuration each; desc of a split: JSON {"spec": number of the configuration, "queries": [[number, text, params or null] …]}. It collects, query by query: struct replay_head,
 * the error as a text, the ids as texts (record.h). */
#pragma once
#include "job/search.h"

#define REPLAY_KERNEL "searches.replay@1"
extern const struct kernel kernel_searches_replay;

struct replay_head {
    uint32_t query, docs, repeated; /* query: its number, as the split has it */
};
