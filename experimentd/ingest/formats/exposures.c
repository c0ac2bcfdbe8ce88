#include "experimentd/ingest/formats/exposures.h"

#include <math.h>

#include "base/clock.h"
#include "experimentd/ingest/formats/pull.h"

enum { SHOWN_MAX = 60 };
enum field { UNIT, EXPERIMENT, VARIANT, TIMESTAMP, ATTRIBUTES, FIELD_COUNT };
static const char *const field_names[] = { "unit", "experiment", "variant", "timestamp", "attributes" };

struct report {
    struct str unit, experiment, variant, attributes;
    double index; /* of the variant; -1: by key */
    int64_t at_us;
};

/* ---- reading ---- */

static bool read_text(struct pull *p, enum field f, struct str *out)
{
    if (pull_peek(p) != PULL_STRING)
        return pull_fail(p, "field \"%s\" is not a string", field_names[f]);
    return pull_string(p, out);
}

static bool read_variant(struct pull *p, struct report *r)
{
    if (pull_peek(p) != PULL_NUMBER)
        return pull_peek(p) == PULL_STRING ? pull_string(p, &r->variant)
                                           : pull_fail(p, "field \"variant\" is neither a string nor a number");
    return pull_number(p, &r->index) && ((r->index >= 0 && r->index == floor(r->index)) ||
                                         pull_fail(p, "field \"variant\" is %g, not the index of a variant", r->index));
}

static bool read_timestamp(struct pull *p, struct report *r)
{
    struct str text;
    struct err err;
    double number;
    bool ok;
    if (pull_peek(p) == PULL_NUMBER)
        ok = pull_number(p, &number) && clock_from_number(number, &r->at_us, &err);
    else if (read_text(p, TIMESTAMP, &text))
        ok = clock_parse(text, &r->at_us, &err);
    else
        return false;
    return ok || (pull_ok(p) && pull_fail(p, "field \"timestamp\": %.150s", err.text));
}

static bool read_attributes(struct pull *p, struct report *r)
{
    return pull_peek(p) == PULL_OBJECT ? pull_skip(p, &r->attributes)
                                       : pull_fail(p, "field \"attributes\" is not an object");
}

static bool read_field(struct pull *p, enum field f, struct report *r)
{
    if (pull_peek(p) == PULL_NULL)
        return pull_skip(p, NULL);
    switch (f) {
    case UNIT:
        return read_text(p, f, &r->unit);
    case EXPERIMENT:
        return read_text(p, f, &r->experiment);
    case VARIANT:
        return read_variant(p, r);
    case TIMESTAMP:
        return read_timestamp(p, r);
    case ATTRIBUTES:
        return read_attributes(p, r);
    case FIELD_COUNT:
    default:
        return false;
    }
}

static bool read_members(struct pull *p, struct report *r)
{
    unsigned seen = 0;
    struct str key;
    for (bool first = true; pull_member(p, first, &key); first = false) {
        unsigned f = 0;
        while (f < FIELD_COUNT && !str_eq_c(key, field_names[f]))
            f++;
        if (f == FIELD_COUNT)
            return pull_fail(p, "unknown field \"" STR_FMT "\"", STR_ARG(str_cut(key, SHOWN_MAX)));
        if (seen & 1u << f)
            return pull_fail(p, "field \"%s\" is there twice", field_names[f]);
        seen |= 1u << f;
        if (!read_field(p, (enum field)f, r))
            return false;
    }
    return pull_ok(p);
}

static bool read_report(const struct exposure_reader *x, struct str text, struct report *out, struct err *err)
{
    struct pull p;
    *out = (struct report){ .index = -1, .at_us = x->received_us };
    pull_init(&p, text, x->arena);
    bool ok = pull_peek(&p) == PULL_OBJECT ? pull_enter(&p, '{') && read_members(&p, out)
                                           : pull_fail(&p, "the element is not an object");
    if (ok && !pull_at_end(&p))
        ok = pull_fail(&p, "there is more behind the object");
    if (!ok)
        *err = p.err;
    return ok;
}

/* ---- checking ---- */

static const struct snapshot_variant *find_variant(const struct snapshot_experiment *e, const struct report *r)
{
    uint32_t index;
    for (size_t i = 0; r->index < 0 && i < e->variants_count; i++)
        if (str_eq(e->variants[i].key, r->variant))
            return &e->variants[i];
    if (r->index >= 0)
        return r->index < (double)e->variants_count ? &e->variants[(size_t)r->index] : NULL;
    return parse_u32(r->variant, &index, NULL) && index < e->variants_count ? &e->variants[index] : NULL;
}

static bool check_time(const struct exposure_reader *x, int64_t at_us, struct err *err)
{
    char when[CLOCK_TEXT_MAX];
    if (x->scope >= SCOPE_ANALYST || at_us >= x->received_us - EXPOSURE_LATE_MAX_US)
        return true;
    return err_set(err, ERR_INVALID,
                   "field \"timestamp\" is %s, more than a day ago: that needs a key of scope analyst or admin",
                   clock_format(at_us, when));
}

bool exposure_parse(const struct exposure_reader *x, struct str text, struct exposure *out, struct err *err)
{
    struct report r;
    if (!read_report(x, text, &r, err))
        return false;
    if (!r.experiment.n || (!r.variant.n && r.index < 0))
        return err_set(err, ERR_INVALID, "field \"%s\" is missing or empty", r.experiment.n ? "variant" : "experiment");
    const struct snapshot_experiment *e = snapshot_experiment(x->snapshot, r.experiment);
    if (!e || e->status == EXPERIMENT_DRAFT)
        return err_set(err, ERR_INVALID, "field \"experiment\": \"" STR_FMT "\" %s",
                       STR_ARG(str_cut(r.experiment, SHOWN_MAX)), e ? "is a draft" : "is not known");
    const struct snapshot_variant *v = find_variant(e, &r);
    if (!v)
        return err_set(err, ERR_INVALID, "field \"variant\": experiment \"" STR_FMT "\" has no such variant",
                       STR_ARG(e->key));
    *out = (struct exposure){
        .at_us = r.at_us, .experiment = e->key, .variant = v->key, .unit = r.unit, .attributes = r.attributes
    };
    return exposure_check(out, err) && check_time(x, r.at_us, err);
}
