/* live_record.h - one thing that a client sent, as the live view shows it: what it is filtered by, and its JSON.
 *
 * {"sequence","received_at","kind","format","route","key":{"label","prefix"}, and by kind
 *  "signal":   {"id","type","timestamp","unit","unit_is_user"?,"user"?,"session"?,"query_id"?,"query"?,"doc"?,"position"?,"value"?,"mark"?,"params"?}
 *  "exposure": {"unit","experiment","variant","timestamp","dimensions"?,"mark"?}
 *  "reject":   {"index","reason","error","element"}}          index null: the request as a whole
 *
 * Ids are shown as sent. Texts that are longer than LIVE_TEXT_MAX are cut; params that are longer than LIVE_PARAMS_MAX become a text with
 * their beginning, "params_cut". The key is never shown, also where a client put it into what it sent. */
#pragma once
#include <jansson.h>

#include "base/buf.h"
#include "experimentd/ingest/format.h"
#include "experimentd/ingest/signal.h"

enum {
    LIVE_TEXT_MAX = 512,
    LIVE_PARAMS_MAX = 2048,
    LIVE_ELEMENT_MAX = 300,      /* first bytes of a refused element */
    LIVE_RECORD_BYTES = 64 << 10 /* a record's JSON, when every byte has to be escaped */
};

enum live_kind { LIVE_SIGNAL, LIVE_EXPOSURE, LIVE_REJECT, LIVE_KIND_COUNT };
extern const char *const live_kind_names[LIVE_KIND_COUNT]; /* "signal", … */

struct live_reject {
    bool whole; /* the request, not one of its elements */
    size_t index;
    enum reject_reason reason;
    struct str error, element; /* both by live_excerpt */
};

/* All borrowed. One of signal, exposure and reject is there, as kind says. */
struct live_item {
    enum live_kind kind;
    enum signal_format format;
    int64_t received_us;
    const char *route;
    struct str key_label, key_prefix;
    const struct signal *signal;
    const struct exposure *exposure;
    const struct live_reject *reject;
};

/* Empty: all. */
struct live_filter {
    bool rejects_only, has_format;
    enum signal_format format;
    char type[SIGNAL_TYPE_MAX + 1], unit[SIGNAL_UNIT_MAX + 1];
};

/* What filters look at. An exposure has the type "exposure"; a refused element was not understood: it is of every type and unit whose
 * name stands in its text. */
struct live_traits {
    enum live_kind kind;
    enum signal_format format;
    struct str type, unit, text;
};

void live_traits_of(const struct live_item *item, struct live_traits *out); /* borrowed */
bool live_filter_picks(const struct live_filter *f, const struct live_traits *t);
void live_item_write(const struct live_item *item, uint64_t sequence, struct buf *out);

/* The first bytes of what a client sent, in the arena: UTF-8 (what is not is replaced), the key blotted out. */
struct str live_excerpt(struct arena *arena, struct str text, struct str key);
struct str live_excerpt_json(struct arena *arena, const json_t *element, struct str key);
/* By which a key can be told from others: of a key that the daemon made, its scope and four of 64 digits; else nothing. */
struct str live_key_prefix(struct str key);
