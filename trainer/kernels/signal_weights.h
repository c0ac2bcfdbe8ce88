/* signal_weights.h - pure: what a signal of each type is worth: "click=1,cart=10,purchase=25". Of other types, nothing is. */
#pragma once
#include "base/mem.h"

enum { SIGNAL_WEIGHTS_MAX = 16 };

struct signal_weights {
    struct str types[SIGNAL_WEIGHTS_MAX];
    double weights[SIGNAL_WEIGHTS_MAX];
    uint32_t count;
};

/* Types are copied to the arena; they are 1 to 100 bytes long and differ; weights are numbers of at least 0. */
bool signal_weights_read(struct str text, struct arena *arena, struct signal_weights *out, struct err *err) MUSTCHECK;
/* The type is in it in any case, worth nothing when the text does not say more. */
bool signal_weights_need(struct signal_weights *w, struct str type, struct err *err) MUSTCHECK;
/* Its place, or -1. */
int signal_weights_find(const struct signal_weights *w, struct str type);
