#include "experimentd/serving/clusters_ask.h"

#include <assert.h>

#include "experimentd/ingest/signal.h"
#include "experimentd/serving/fields.h"
#include "experimentd/serving/write.h"
#include "model/clusters.h"

enum { TEXT_MAX = 1 << 20, CLUSTER_MAX = 1000, N_DEFAULT = 10, N_MAX = 1000, OFFSET_MAX = 100000000 };

enum name { DOC, TEXT, CLUSTER, CLUSTERS, N, OFFSET, NAME_COUNT };
static const struct field names[] = {
    [DOC] = { "doc", FIELD_TEXT },           [TEXT] = { "text", FIELD_TEXT }, [CLUSTER] = { "cluster", FIELD_TEXT },
    [CLUSTERS] = { "clusters", FIELD_BOOL }, [N] = { "n", FIELD_NUMBER },     [OFFSET] = { "offset", FIELD_NUMBER }
};
static_assert(COUNT_OF(names) == NAME_COUNT && (int)NAME_COUNT <= (int)FIELDS_MAX, "one row each");

static void write_labels(const struct clusters *c, struct str cluster, struct buf *out)
{
    const struct lists *l = &c->lists[CLUSTERS_LABELS];
    struct lists_row row = { 0, 0 };
    (void)lists_find(l, cluster, &row);
    buf_add_c(out, ",\"labels\":[");
    for (uint32_t i = 0; i < row.count; i++) {
        if (i)
            buf_add_byte(out, ',');
        buf_add_json_str(out, lists_entry(l, row.first + i));
    }
    buf_add_byte(out, ']');
}

static void write_place(const struct clusters *c, struct str cluster, double distance, struct buf *out)
{
    buf_add_c(out, "\"cluster\":");
    buf_add_json_str(out, cluster);
    write_labels(c, cluster, out);
    buf_add_c(out, ",\"distance\":");
    write_score(out, distance);
    buf_add_c(out, clusters_is_outlier(c, cluster) ? ",\"outlier\":true" : ",\"outlier\":false");
}

static void write_nowhere(const char *note, bool outlier, struct buf *out)
{
    buf_addf(out, "\"cluster\":null,\"labels\":[],\"distance\":null,\"outlier\":%s,\"note\":\"%s\"",
             outlier ? "true" : "false", note);
}

static void answer_doc(const struct clusters *c, struct str doc, struct buf *out)
{
    const struct lists *l = &c->lists[CLUSTERS_CLUSTER_OF];
    struct lists_row row = { 0, 0 };
    buf_add_c(out, "{\"doc\":");
    buf_add_json_str(out, doc);
    buf_add_byte(out, ',');
    if (!lists_find(l, doc, &row) || row.count == 0)
        write_nowhere("unknown_document", false, out);
    else
        write_place(c, lists_entry(l, row.first), (double)lists_value(l, row.first, 0), out);
    for (uint32_t i = 1; i < row.count; i++) {
        buf_add_c(out, i == 1 ? ",\"also\":[" : ",");
        buf_add_json_str(out, lists_entry(l, row.first + i));
    }
    buf_add_c(out, row.count > 1 ? "]}" : "}");
}

static void answer_text(const struct clusters *c, struct str text, struct arena *arena, struct buf *out)
{
    struct clusters_text *t = clusters_text_new(c, arena);
    struct clusters_near near;
    clusters_text_add(t, text, 1);
    buf_add_byte(out, '{');
    if (!clusters_text_near(t, &near)) {
        write_nowhere("nothing_in_common", true, out);
    } else {
        write_place(c, c->names[near.centre], 1 - near.cosine, out);
        if (near.second != near.centre) {
            buf_add_c(out, ",\"next\":{\"cluster\":");
            buf_add_json_str(out, c->names[near.second]);
            buf_add_c(out, ",\"distance\":");
            write_score(out, 1 - near.second_cosine);
            buf_add_byte(out, '}');
        }
    }
    buf_add_byte(out, '}');
}

static void answer_cluster(const struct clusters *c, struct str cluster, uint32_t n, uint32_t offset, struct buf *out)
{
    const struct lists *l = &c->lists[CLUSTERS_DOCUMENTS];
    struct lists_row row = { 0, 0 };
    const bool known = lists_find(l, cluster, &row);
    buf_add_c(out, "{\"cluster\":");
    buf_add_json_str(out, cluster);
    write_labels(c, cluster, out);
    buf_add_c(out, ",\"documents\":");
    buf_add_u64(out, row.count);
    buf_add_c(out, ",\"docs\":[");
    for (uint32_t i = offset; i < row.count && i - offset < n; i++) {
        buf_add_c(out, i == offset ? "{\"doc\":" : ",{\"doc\":");
        buf_add_json_str(out, lists_entry(l, row.first + i));
        buf_add_c(out, ",\"distance\":");
        write_score(out, (double)lists_value(l, row.first + i, 0));
        buf_add_byte(out, '}');
    }
    buf_add_c(out, known ? "]}" : "],\"note\":\"unknown_cluster\"}");
}

static void answer_groups(const struct clusters *c, struct buf *out)
{
    const struct lists *l = &c->lists[CLUSTERS_SIZES];
    struct lists_row row = { 0, 0 };
    (void)lists_find(l, STR(""), &row);
    buf_add_c(out, "{\"clusters\":[");
    for (uint32_t i = row.first; i < row.first + row.count; i++) {
        const struct str cluster = lists_entry(l, i);
        buf_add_c(out, i == row.first ? "{\"cluster\":" : ",{\"cluster\":");
        buf_add_json_str(out, cluster);
        write_labels(c, cluster, out);
        for (uint32_t k = 0; k < l->columns; k++) {
            buf_addf(out, ",\"" STR_FMT "\":", STR_ARG(lists_column(l, k)));
            write_score(out, (double)lists_value(l, i, k));
        }
        buf_add_c(out, clusters_is_outlier(c, cluster) ? ",\"outlier\":true}" : ",\"outlier\":false}");
    }
    buf_add_c(out, "]}");
}

bool clusters_answer(const struct assign_value *input, const struct serving_entry *e, struct arena *arena,
                     struct buf *out, struct err *err)
{
    const struct clusters *c = e->served->view;
    struct assign_value *v = arena_alloc(arena, NAME_COUNT * sizeof *v);
    struct str doc, text, cluster;
    double n, offset;
    if (!fields_of_object(input, names, NAME_COUNT, v, err) ||
        !field_short(&v[DOC], "doc", false, SIGNAL_DOC_MAX, &doc, err) ||
        !field_short(&v[TEXT], "text", false, TEXT_MAX, &text, err) ||
        !field_short(&v[CLUSTER], "cluster", false, CLUSTER_MAX, &cluster, err) ||
        !field_number(&v[N], "n", 1, N_MAX, true, N_DEFAULT, &n, err) ||
        !field_number(&v[OFFSET], "offset", 0, OFFSET_MAX, true, 0, &offset, err))
        return false;
    const bool groups = field_bool(&v[CLUSTERS], false);
    if ((doc.p != NULL) + (text.p != NULL) + (cluster.p != NULL) + groups != 1)
        return err_set(err, ERR_INVALID, "one of the fields \"doc\", \"text\", \"cluster\" and \"clusters\" is needed");
    if (text.p && !c->has_space)
        return err_set(err, ERR_INVALID, "field \"text\": the model has no centres to compare a text with");
    if (groups)
        answer_groups(c, out);
    else if (doc.p)
        answer_doc(c, doc, out);
    else if (text.p)
        answer_text(c, text, arena, out);
    else
        answer_cluster(c, cluster, (uint32_t)n, (uint32_t)offset, out);
    return true;
}
