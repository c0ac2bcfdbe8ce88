/* Whole JSON documents: the Search Relevance Workbench's, and the Rated Ranking Evaluator's. What is wrong is named by where it stands. */
#include <math.h>

#include "base/json.h"
#include "experimentd/judgments/rating_parts.h"

enum { WHERE_MAX = 128, WHY_MAX = 160 };

static bool wrong_at(const char *where, const char *why, struct err *err)
{
    return err_set(err, ERR_INVALID, "%.*s: %.*s", WHERE_MAX - 1, where, WHY_MAX, why);
}

static bool add_at(const char *where, struct str query, struct str doc, double grade, struct ratings *out,
                   struct err *err)
{
    struct err why;
    struct rating g = { .query = query, .doc = doc, .grade = grade, .confidence = NAN, .evidence = NAN };
    return rating_add(out, g, &why) || wrong_at(where, why.text, err);
}

static struct str text_of(const json_t *v, struct arena *arena)
{
    return arena_str(arena, (struct str){ json_string_value(v), json_string_length(v) });
}

/* A number, or a text that is one. */
static bool grade_of(const json_t *v, const char *where, const char *field, double *out, struct err *err)
{
    struct err why;
    *out = json_is_number(v) ? json_number_value(v) : NAN;
    if (json_is_number(v))
        return true;
    if (!json_is_string(v))
        return err_set(err, ERR_INVALID, "%.*s: field \"%s\" is no number", WHERE_MAX - 1, where, field);
    struct str text = { json_string_value(v), json_string_length(v) };
    return rating_grade(text, field, out, &why) || wrong_at(where, why.text, err);
}

/* ---- SRW ---- */

static bool read_srw_rating(const json_t *v, const char *where, struct str query, struct ratings *out, struct err *err)
{
    const json_t *doc = json_object_get(v, "docId");
    double grade;
    if (!json_is_string(doc))
        return wrong_at(where, "field \"docId\" is no text", err);
    return grade_of(json_object_get(v, "rating"), where, "rating", &grade, err) &&
           add_at(where, query, text_of(doc, out->arena), grade, out, err);
}

static bool read_srw_query(const json_t *v, size_t at, struct ratings *out, struct err *err)
{
    char where[WHERE_MAX];
    const json_t *query = json_object_get(v, "query"), *list = json_object_get(v, "ratings"), *rating;
    size_t i;
    (void)snprintf(where, sizeof where, "judgmentRatings[%zu]", at);
    if (!json_is_string(query))
        return wrong_at(where, "field \"query\" is no text", err);
    if (!json_is_array(list))
        return wrong_at(where, "field \"ratings\" is no array", err);
    struct str text = text_of(query, out->arena);
    json_array_foreach(list, i, rating)
    {
        (void)snprintf(where, sizeof where, "judgmentRatings[%zu].ratings[%zu]", at, i);
        if (!read_srw_rating(rating, where, text, out, err))
            return false;
    }
    return i > 0 || add_at(where, text, STR(""), NAN, out, err);
}

bool ratings_read_srw(struct str text, struct ratings *out, struct err *err)
{
    json_auto_t *root = json_parse(text, err);
    const json_t *list = json_object_get(root, "judgmentRatings"), *query;
    size_t i;
    if (!root)
        return false;
    if (!json_is_array(list))
        return err_set(err, ERR_INVALID, "field \"judgmentRatings\" is no array");
    json_array_foreach(list, i, query)
    {
        if (!read_srw_query(query, i, out, err))
            return false;
    }
    return true;
}

/* ---- RRE ---- */

/* {"3": ["a", "b"]} */
static bool read_gain(const char *where, struct str query, const char *gain, const json_t *docs, struct ratings *out,
                      struct err *err)
{
    struct err why;
    double grade;
    const json_t *doc;
    size_t i;
    if (!rating_grade(str_of(gain), "gain", &grade, &why))
        return wrong_at(where, why.text, err);
    json_array_foreach(docs, i, doc)
    {
        if (!json_is_string(doc))
            return wrong_at(where, "a document of a gain is no text", err);
        if (!add_at(where, query, text_of(doc, out->arena), grade, out, err))
            return false;
    }
    return true;
}

static bool read_relevant(const char *where, struct str query, json_t *relevant, struct ratings *out, struct err *err)
{
    const char *key;
    json_t *v;
    double grade;
    if (json_object_size(relevant) == 0)
        return add_at(where, query, STR(""), NAN, out, err);
    json_object_foreach(relevant, key, v)
    {
        bool ok = json_is_array(v) ? read_gain(where, query, key, v, out, err)
                                   : grade_of(json_object_get(v, "gain"), where, "gain", &grade, err) &&
                                         add_at(where, query, arena_str(out->arena, str_of(key)), grade, out, err);
        if (!ok)
            return false;
    }
    return true;
}

/* Queries of a group have their documents in common. */
static bool read_rre_queries(json_t *holder, const char *path, json_t *common, struct ratings *out, struct err *err)
{
    const json_t *list = json_object_get(holder, "queries"), *query;
    char where[WHERE_MAX];
    size_t i;
    if (!json_is_array(list))
        return wrong_at(path, "field \"queries\" is no array", err);
    json_array_foreach(list, i, query)
    {
        const json_t *text = json_object_get(json_object_get(query, "placeholders"), "$query");
        json_t *relevant = json_object_get(query, "relevant_documents");
        (void)snprintf(where, sizeof where, "%.80squeries[%zu]", path, i);
        if (!json_is_string(text))
            return wrong_at(where, "placeholders has no text \"$query\"", err);
        if (!relevant)
            relevant = common;
        if (!json_is_object(relevant))
            return wrong_at(where, "field \"relevant_documents\" is no object", err);
        if (!read_relevant(where, text_of(text, out->arena), relevant, out, err))
            return false;
    }
    return true;
}

static bool read_rre_topic(const json_t *topic, size_t at, struct ratings *out, struct err *err)
{
    const json_t *groups = json_object_get(topic, "query_groups");
    char path[WHERE_MAX];
    json_t *group;
    size_t i;
    (void)snprintf(path, sizeof path, "topics[%zu]", at);
    if (!json_is_array(groups))
        return wrong_at(path, "field \"query_groups\" is no array", err);
    json_array_foreach(groups, i, group)
    {
        (void)snprintf(path, sizeof path, "topics[%zu].query_groups[%zu].", at, i);
        if (!read_rre_queries(group, path, json_object_get(group, "relevant_documents"), out, err))
            return false;
    }
    return true;
}

bool ratings_read_rre(struct str text, struct ratings *out, struct err *err)
{
    json_auto_t *root = json_parse(text, err);
    const json_t *topics = json_object_get(root, "topics"), *topic;
    size_t i;
    if (!root)
        return false;
    if (!topics)
        return read_rre_queries(root, "", NULL, out, err);
    if (!json_is_array(topics))
        return err_set(err, ERR_INVALID, "field \"topics\" is no array");
    json_array_foreach(topics, i, topic)
    {
        if (!read_rre_topic(topic, i, out, err))
            return false;
    }
    return true;
}
