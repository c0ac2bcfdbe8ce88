/* snapshot_parts.h - inside of config/: the whole of a snapshot. */
#pragma once
#include "assign/assign.h"
#include "base/mem.h"
#include "experimentd/config/snapshot.h"

enum { KEY_HASH_BYTES = 32 };

struct snapshot_key {
    unsigned char hash[KEY_HASH_BYTES];
    enum key_scope scope;
    struct str label;
};

/* Why a unit has no variant of an experiment that there is. */
enum unassigned { NOT_RUNNING, NOT_IN_COVERAGE, NO_UNIT, UNASSIGNED_COUNT };

/* What evaluation needs of an experiment: libassign's form and the pieces of its replies. */
struct snapshot_assign {
    struct assign_experiment ready;
    uint64_t identity;    /* of the experiment, the same in every snapshot: hash of key and creation */
    struct str *assigned; /* one per variant: {"experiment":…,"variant":…,"value":…,"reason":"split"} */
    struct str unassigned[UNASSIGNED_COUNT]; /* {"experiment":…,"variant":null,"value":null,"reason":…} */
};

struct snapshot_whole {
    struct snapshot s; /* first */
    struct arena arena;
    struct snapshot_key *keys; /* open addressing by the first bytes of the hash; scope NONE: empty */
    size_t keys_room;          /* a power of two, at most half full */
    uint64_t serial;           /* of the publishing, from 1; 0: not published */
    uint64_t retired_at;
    struct snapshot_whole *next_retired;
};
