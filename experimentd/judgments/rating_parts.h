/* rating_parts.h - the readers of single formats. Inside experimentd/judgments/. */
#pragma once
#include "experimentd/judgments/rating.h"

bool ratings_read_quepid(struct str text, struct ratings *out, struct err *err) MUSTCHECK;
bool ratings_read_csv(struct str text, struct ratings *out, struct err *err) MUSTCHECK;
bool ratings_read_srw(struct str text, struct ratings *out, struct err *err) MUSTCHECK;
bool ratings_read_rre(struct str text, struct ratings *out, struct err *err) MUSTCHECK;
bool ratings_read_trec(struct str text, struct ratings *out, struct err *err) MUSTCHECK;
bool ratings_read_letor(struct str text, struct ratings *out, struct err *err) MUSTCHECK;

/* Empty: NAN. */
bool rating_number(struct str text, const char *field, double *out, struct err *err) MUSTCHECK;
bool rating_source(struct str text, bool *out_clicks, struct err *err) MUSTCHECK;

/* What a topic is: "1" → "rambo". Added in any order, then sorted, then asked. */
struct topics {
    struct topic {
        struct str id, text;
        size_t line;
    } * items;
    size_t count, room;
};
void topics_add(struct topics *t, struct str id, struct str text, size_t line);
/* Lines that give a topic another text than one before them are wrong. */
void topics_sort(struct topics *t, struct bad_lines *bad);
const struct str *topics_find(const struct topics *t, struct str id); /* NULL: there is none */
void topics_release(struct topics *t);
