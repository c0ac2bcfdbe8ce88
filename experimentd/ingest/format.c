#include "experimentd/ingest/format.h"

#include <assert.h>

const char *const signal_format_names[] = {
    [FORMAT_NATIVE] = "native",       [FORMAT_UBI] = "ubi",
    [FORMAT_SEGMENT] = "segment",     [FORMAT_INSIGHTS] = "insights",
    [FORMAT_EXPOSURES] = "exposures",
};
static_assert(sizeof signal_format_names / sizeof *signal_format_names == FORMAT_COUNT, "a name for every format");

const char *const reject_reason_names[] = {
    [REJECT_MALFORMED] = "malformed",         [REJECT_MISSING_FIELD] = "missing_field",
    [REJECT_UNKNOWN_FIELD] = "unknown_field", [REJECT_BAD_FIELD] = "bad_field",
    [REJECT_TOO_LARGE] = "too_large",         [REJECT_DENIED] = "denied",
    [REJECT_TOO_FAST] = "too_fast",           [REJECT_UNAVAILABLE] = "unavailable",
};
static_assert(sizeof reject_reason_names / sizeof *reject_reason_names == REJECT_REASON_COUNT,
              "a name for every reason");

bool signal_format_of(struct str name, enum signal_format *out, struct err *err)
{
    for (int f = 0; f < FORMAT_COUNT; f++) {
        if (!str_eq_c(name, signal_format_names[f]))
            continue;
        *out = (enum signal_format)f;
        return true;
    }
    return err_set(err, ERR_INVALID, "\"" STR_FMT "\" is none of native, ubi, segment, insights, exposures",
                   STR_ARG(str_cut(name, 60)));
}

/* `field "name" …`; what stands behind the name decides, the rest may be a client's words. */
static enum reject_reason of_field(struct str text)
{
    struct str name, rest = text;
    (void)str_split(&rest, '"', &name);
    (void)str_split(&rest, '"', &name);
    return str_starts(rest, STR(" is missing")) ? REJECT_MISSING_FIELD : REJECT_BAD_FIELD;
}

enum reject_reason reject_reason_of(const struct err *err)
{
    struct str text = str_of(err->text);
    switch (err->kind) {
    case ERR_TOO_LARGE:
        return REJECT_TOO_LARGE;
    case ERR_DENIED:
        return REJECT_DENIED;
    case ERR_BUSY:
    case ERR_DB:
    case ERR_SYSTEM:
        return REJECT_UNAVAILABLE;
    default:
        break;
    }
    if (str_starts(text, STR("unknown field ")))
        return REJECT_UNKNOWN_FIELD;
    if (str_starts(text, STR("fields "))) /* of which one is needed */
        return REJECT_MISSING_FIELD;
    return str_starts(text, STR("field ")) ? of_field(text) : REJECT_MALFORMED;
}
