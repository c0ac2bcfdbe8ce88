/* signal_fact.h - pure: what one signal adds to the facts of signals of a program. */
#pragma once
#include "trainer/kernels/event.h"

struct signal_row {
    struct str type;
    int32_t position;  /* 0: unknown */
    double value;      /* NAN: unknown */
    struct str params; /* JSON; {NULL, 0}: none. Parsed only when a fact asks for them and all else of it matches */
};

/* Whether a fact of the program looks at params. */
bool signal_facts_need_params(const struct program *p);
/* Whether no fact of the program can be about this type. */
bool signal_facts_pass_by(const struct program *p, struct str type);
/* The facts that the signal adds to, ascending, and what: how many. out has room for one of each fact. */
uint32_t signal_facts_of(const struct program *p, const struct signal_row *row, struct event_hit *out);
