/* limits.h - inside of libassign: what bounds the memory and the time that a payload or a unit can cost. */
#pragma once

enum {
    ASSIGN_PAYLOAD_BYTES_MAX = 64 << 20,
    ASSIGN_PATTERN_BYTES_MAX = 4096,     /* of a regular expression; a longer one never matches */
    ASSIGN_MATCH_LIMIT = 200000,         /* steps of one match, after which it counts as failed; so for the two below */
    ASSIGN_MATCH_DEPTH_LIMIT = 5000,     /* nested backtracking points */
    ASSIGN_MATCH_HEAP_KIB = 1024,        /* memory for them */
    ASSIGN_PREREQUISITE_DEPTH_MAX = 256, /* a longer chain answers as a cyclic one does */
    ASSIGN_GROUP_DEPTH_MAX = 64,         /* saved groups that refer to each other; a longer chain matches nobody */
    ASSIGN_CONDITIONS_MAX =
        1 << 18,                  /* of a payload, saved groups counted as often as they are named; more match nobody */
    ASSIGN_BUDGET = 100000,       /* rules of prerequisites and saved groups that one session evaluates */
    ASSIGN_ARENA_PIECE = 16 << 10 /* what an arena's owner is asked for, at least */
};
