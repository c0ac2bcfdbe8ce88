/* snapshot_parts.h - inside of the daemon: the whole of a snapshot. */
#pragma once
#include "assign/assign.h"
#include "base/mem.h"
#include "base/rcu.h"
#include "experimentd/config/snapshot.h"

enum { KEY_HASH_BYTES = 32 };

struct snapshot_key {
    unsigned char hash[KEY_HASH_BYTES];
    enum key_scope scope;
    struct str label;
    const struct signal_schema *schema; /* of what it sends; NULL: any */
};

/* What is evaluated: for everybody, or (for QA keys) with drafts as if they ran. */
enum snapshot_view { VIEW_LIVE, VIEW_DRAFTS, VIEW_COUNT };
struct snapshot_features {
    struct assign_payload *payload;
    const struct snapshot_feature *list; /* numbered as in the payload */
    size_t count;
    bool sticky; /* an experiment's assignments are */
};

/* What evaluation needs of an experiment: where it stands in the payloads, and the pieces of its replies, to which the reason and two
 * characters are added. */
struct snapshot_assign {
    uint64_t identity; /* of the experiment, the same in every snapshot: hash of key and creation */
    int feature[VIEW_COUNT], rule[VIEW_COUNT]; /* -1: not in this view */
    struct str *assigned;  /* one per variant: {"experiment":…,"variant":…,"value":…,"reason":" */
    struct str unassigned; /* {"experiment":…,"variant":null,"value":…,"reason":" */
};

struct snapshot_whole {
    struct snapshot s; /* first */
    struct arena arena;
    struct snapshot_features views[VIEW_COUNT];
    struct snapshot_key *keys; /* open addressing by the first bytes of the hash; scope NONE: empty */
    size_t keys_room;          /* a power of two, at most half full */
    int64_t updated_us;        /* of the configuration */
    int64_t payload_us;        /* of its last edit that changed the payload */
    uint64_t serial;           /* of the publishing, from 1; 0: not published */
    struct rcu_object rcu;
};

static inline const struct snapshot_features *snapshot_features(const struct snapshot *s, bool drafts)
{
    return &((const struct snapshot_whole *)(const void *)s)->views[drafts ? VIEW_DRAFTS : VIEW_LIVE];
}

/* compile.c: the payloads and the pieces of answers of what was read; `published`: also what SDKs are sent. Experiments that cannot be evaluated have been left out. */
bool snapshot_compile(struct snapshot_whole *w, bool published, struct err *err) MUSTCHECK;
