/* Sticky assignments: those found under the unit's attributes, and those that are new. */
#include <stdio.h>

#include "assign/arena.h"
#include "assign/session.h"
#include "assign/text.h"
#include "assign/value.h"

enum { VERSION_DIGITS = 12 };

/* The document of an attribute's value; its number, or -1. *key is the value as documents are named by it. */
static int find_doc(struct assign_session *s, int attribute, struct assign_text *key)
{
    const struct assign_hashed *h = assign_hashed(s, attribute);
    if (!h)
        return -1;
    if (!assign_to_key(h->value, s->scratch.arena, key)) {
        s->scratch.failed = true;
        return -1;
    }
    for (size_t i = 0; i < s->docs_count; i++)
        if (assign_text_equal(s->docs[i].attribute, s->p->attributes[attribute]) &&
            assign_text_equal(s->docs[i].value, *key))
            return (int)i;
    return -1;
}

/* "experiment__version" */
static bool version_key(struct assign_session *s, const struct assign_trial *t, struct assign_text *out)
{
    char digits[VERSION_DIGITS];
    int n = snprintf(digits, sizeof digits, "__%d", t->bucket_version);
    struct assign_text parts[2] = { t->key, { digits, (size_t)n } };
    return assign_text_join(parts, 2, s->scratch.arena, out);
}

/* The version that a key of this experiment names, or -1. */
static int key_version(const struct assign_trial *t, struct assign_text key)
{
    int v = 0;
    size_t at = t->key.n + 2;
    if (key.n <= at || key.n > at + 7 || memcmp(key.p, t->key.p, t->key.n) != 0 || key.p[at - 2] != '_' ||
        key.p[at - 1] != '_' || (key.p[at] == '0' && key.n > at + 1))
        return -1;
    for (; at < key.n; at++) {
        if (key.p[at] < '0' || key.p[at] > '9')
            return -1;
        v = v * 10 + (key.p[at] - '0');
    }
    return v;
}

static bool is_blocked(const struct assign_trial *t, const struct assign_value *assignments)
{
    for (uint32_t i = 0; assignments->type == ASSIGN_OBJECT && i < assignments->count; i++) {
        int version = key_version(t, assignments->members[i].key);
        if (version >= 0 && version < t->min_bucket_version)
            return true;
    }
    return false;
}

static int variation_of(const struct assign_trial *t, const struct assign_value *key)
{
    bool listed = t->meta && t->meta->type == ASSIGN_ARRAY;
    for (uint32_t i = 0; listed && i < t->meta->count; i++) {
        const struct assign_value *k = assign_member_c(&t->meta->items[i], "key");
        if (k && assign_strict_equal(k, key))
            return (int)i;
    }
    return -1;
}

int assign_sticky_find(struct assign_session *s, const struct assign_trial *t, bool *blocked)
{
    struct assign_text value, key;
    int docs[2] = { find_doc(s, t->attribute, &value), find_doc(s, t->sticky_fallback, &value) };
    if (docs[0] < 0 && docs[1] < 0)
        return -1;
    if (!version_key(s, t, &key)) {
        s->scratch.failed = true;
        return -1;
    }
    for (int i = 0; i < 2; i++)
        if (docs[i] >= 0 && is_blocked(t, &s->docs[docs[i]].assignments))
            *blocked = true;
    for (int i = 0; i < 2 && !*blocked; i++) {
        const struct assign_value *v = docs[i] < 0 ? NULL : assign_member(&s->docs[docs[i]].assignments, key.p, key.n);
        if (v)
            return variation_of(t, v);
    }
    return -1;
}

/* The assignments with one more, or one changed. False: nothing is new, or there is no memory. */
static bool with(struct assign_session *s, const struct assign_value *old, struct assign_text key,
                 struct assign_text variation, struct assign_value *out)
{
    uint32_t n = old && old->type == ASSIGN_OBJECT ? old->count : 0, at = 0;
    while (at < n && !assign_text_equal(old->members[at].key, key))
        at++;
    struct assign_value v = { .type = ASSIGN_STRING, .text = variation };
    if (at < n && assign_strict_equal(&old->members[at].value, &v))
        return false;
    struct assign_member *members = assign_alloc_array(s->scratch.arena, (size_t)n + 1, sizeof *members);
    if (!members) {
        s->scratch.failed = true;
        return false;
    }
    for (uint32_t i = 0; i < n; i++)
        members[i] = old->members[i];
    members[at] = (struct assign_member){ key, v };
    *out = (struct assign_value){ .type = ASSIGN_OBJECT, .count = at < n ? n : n + 1, .members = members };
    return true;
}

static bool put_doc(struct assign_session *s, int at, const struct assign_sticky *doc)
{
    size_t n = at < 0 ? s->docs_count + 1 : s->docs_count;
    struct assign_sticky *docs = assign_alloc_array(s->scratch.arena, n, sizeof *docs);
    if (!docs)
        return false;
    for (size_t i = 0; i < s->docs_count; i++)
        docs[i] = s->docs[i];
    docs[at < 0 ? n - 1 : (size_t)at] = *doc;
    s->docs = docs;
    s->docs_count = n;
    return true;
}

void assign_sticky_save(struct assign_session *s, const struct assign_trial *t, int attribute,
                        struct assign_text variation)
{
    struct assign_sticky doc = { .attribute = s->p->attributes[attribute] };
    struct assign_text key;
    int at = find_doc(s, attribute, &doc.value);
    if (s->scratch.failed || !version_key(s, t, &key)) {
        s->scratch.failed = true;
        return;
    }
    if (!with(s, at < 0 ? NULL : &s->docs[at].assignments, key, variation, &doc.assignments))
        return;
    if (!put_doc(s, at, &doc))
        s->scratch.failed = true;
    else if (s->unit->on_sticky)
        s->unit->on_sticky(s->unit->arg, &doc);
}
