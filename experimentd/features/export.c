#include "experimentd/features/export.h"

const char *feature_export_type(enum feature_format format)
{
    static const char *const types[] = { [FEATURES_LETOR] = "text/plain; charset=utf-8",
                                         [FEATURES_CSV] = "text/csv; charset=utf-8",
                                         [FEATURES_JSONL] = "application/x-ndjson" };
    return types[format];
}

static void put_csv(struct buf *b, struct str s)
{
    bool plain = true;
    for (size_t i = 0; i < s.n && plain; i++)
        plain = !strchr(",\"\r\n", s.p[i]);
    if (plain && s.n && s.p[0] != ' ' && s.p[s.n - 1] != ' ') {
        buf_add_str(b, s);
        return;
    }
    buf_add_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_add_byte(b, '"');
        buf_add_byte(b, s.p[i]);
    }
    buf_add_byte(b, '"');
}

/* A comment is one line: what would end it is a space there. */
static void put_line(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_add_byte(b, (unsigned char)s.p[i] < 0x20 ? ' ' : s.p[i]);
}

/* The next value of "{1,NaN}"; false behind the last. *out n = 0: missing. */
static bool next_value(struct str *rest, struct str *out)
{
    if (!str_split(rest, ',', out))
        return false;
    if (str_eq(*out, STR("NaN")))
        out->n = 0;
    return true;
}

void feature_export_begin(const struct feature_export *e, struct buf *out)
{
    if (e->format != FEATURES_CSV)
        return;
    buf_add_c(out, "qid,query,doc,grade,weight");
    for (uint32_t i = 0; i < e->features; i++) {
        buf_add_byte(out, ',');
        put_csv(out, e->names[i]);
    }
    buf_add_byte(out, '\n');
}

static void letor(const struct feature_export *e, const struct feature_export_row *row, struct str values,
                  struct buf *out)
{
    struct str v;
    buf_add_str(out, row->grade.p ? row->grade : STR("0"));
    buf_addf(out, " qid:%u", e->qid);
    for (uint32_t i = 0; i < e->features && next_value(&values, &v); i++)
        if (v.n)
            buf_addf(out, " %u:" STR_FMT, i + 1, STR_ARG(v));
    buf_add_c(out, " # ");
    put_line(out, row->doc);
    buf_add_byte(out, '\t');
    put_line(out, row->query);
    buf_add_byte(out, '\n');
}

static void csv(const struct feature_export *e, const struct feature_export_row *row, struct str values,
                struct buf *out)
{
    struct str v = { NULL, 0 };
    buf_addf(out, "%u,", e->qid);
    put_csv(out, row->query);
    buf_add_byte(out, ',');
    put_csv(out, row->doc);
    buf_addf(out, "," STR_FMT "," STR_FMT, STR_ARG(row->grade), STR_ARG(row->weight));
    for (uint32_t i = 0; i < e->features; i++) {
        bool there = next_value(&values, &v);
        buf_add_byte(out, ',');
        if (there)
            buf_add_str(out, v);
    }
    buf_add_byte(out, '\n');
}

static void jsonl(const struct feature_export *e, const struct feature_export_row *row, struct str values,
                  struct buf *out)
{
    struct str v;
    const char *comma = "";
    buf_add_c(out, "{\"query\":");
    buf_add_json_str(out, row->query);
    buf_add_c(out, ",\"doc\":");
    buf_add_json_str(out, row->doc);
    if (row->grade.p)
        buf_addf(out, ",\"grade\":" STR_FMT ",\"weight\":" STR_FMT, STR_ARG(row->grade), STR_ARG(row->weight));
    buf_add_c(out, ",\"features\":{");
    for (uint32_t i = 0; i < e->features && next_value(&values, &v); i++) {
        if (!v.n)
            continue;
        buf_add_c(out, comma);
        buf_add_json_str(out, e->names[i]);
        buf_add_byte(out, ':');
        buf_add_str(out, v);
        comma = ",";
    }
    buf_add_c(out, "}}\n");
}

void feature_export_row(struct feature_export *e, const struct feature_export_row *row, struct buf *out)
{
    struct str values = row->values;
    if (values.n >= 2)
        values = (struct str){ values.p + 1, values.n - 2 };
    if (!str_eq(e->query, row->query))
        e->qid++;
    e->query = row->query;
    if (e->format == FEATURES_LETOR)
        letor(e, row, values, out);
    else if (e->format == FEATURES_CSV)
        csv(e, row, values, out);
    else
        jsonl(e, row, values, out);
}
