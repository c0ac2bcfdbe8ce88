/* scratch.h - inside of libassign: what one evaluation uses up. */
#pragma once
#include "assign/assign.h"

struct assign_path;

struct assign_scratch {
    struct assign_arena *arena;
    bool failed;                     /* the arena gave no more: every answer from here on is void */
    uint32_t budget;                 /* rules and groups that may still be evaluated */
    void *pcre;                      /* regex.c's, made when first needed */
    const struct assign_path *paths; /* of the payload */
};
