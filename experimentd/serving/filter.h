/* filter.h - a condition on what the catalogue says of items: {"category": "lamps", "price": {"$lt": 30}}, with the operators of targeting
 * but regular expressions. The best FILTER_ASKS_MAX candidates are looked at; those behind them are left out. */
#pragma once
#include "assign/assign.h"
#include "experimentd/serving/serving.h"
#include "model/catalogue.h"

enum { FILTER_FIELDS_MAX = 16, FILTER_ASKS_MAX = 5000 };

struct assign_condition;
struct assign_path;

struct filter {
    const struct catalogue *catalogue;
    const struct assign_condition *condition; /* compiled once, asked for each item */
    const struct assign_path *paths;
    int fields[FILTER_FIELDS_MAX]; /* of the catalogue, that the condition names */
    uint32_t fields_count, asked;
    struct arena compiled, scratch; /* scratch: of one item */
};

/* Ends with filter_close, when it did not fail or `f` was zero before. ERR_INVALID: an operator or a field is not known (those of the catalogue are named); ERR_NOT_FOUND: no catalogue is served. */
bool filter_open(struct filter *f, const struct serving *s, const struct assign_value *condition,
                 struct err *err) MUSTCHECK;
/* Whether the item meets it; one that the catalogue does not have meets none. A field that an item lacks counts as in targeting ($exists tells). `arg` is the filter: for recommend_request.keep. */
bool filter_keeps(void *arg, struct str item);
void filter_close(struct filter *f);
