#include "model/lists.h"

#include <assert.h>
#include <endian.h>
#include <math.h>

#include "base/hash.h"

enum { VERSION = 1, HEAD_BYTES = 32, TABLE_FIRST = 1024 };

static uint32_t u32_at(const char *p, uint64_t i)
{
    uint32_t v;
    memcpy(&v, p + 4 * i, sizeof v);
    return le32toh(v);
}

static uint64_t u64_at(const char *p, uint64_t i)
{
    uint64_t v;
    memcpy(&v, p + 8 * i, sizeof v);
    return le64toh(v);
}

static float f32_at(const char *p, uint64_t i)
{
    uint32_t bits = u32_at(p, i);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void put_u32(struct buf *b, uint32_t v)
{
    v = htole32(v);
    buf_add(b, &v, sizeof v);
}

static void put_u64(struct buf *b, uint64_t v)
{
    v = htole64(v);
    buf_add(b, &v, sizeof v);
}

static void put_f32(struct buf *b, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_u32(b, bits);
}

static struct str text_at(const char *ends, const char *text, uint32_t id)
{
    uint64_t from = id ? u64_at(ends, id - 1) : 0;
    return (struct str){ text + from, u64_at(ends, id) - from };
}

/* ---- writing ---- */

static bool is_column(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '_'))
            return false;
    return n > 0 && n < LISTS_COLUMN_NAME;
}

void lists_begin(struct lists_out *o, const char *const *columns, size_t columns_count)
{
    *o = (struct lists_out){ .columns_count = (uint32_t)columns_count, .table_room = TABLE_FIRST };
    assert(columns_count > 0);
    assert(columns_count <= LISTS_COLUMNS_MAX);
    for (size_t i = 0; i < columns_count; i++) {
        assert(is_column(columns[i]));
        o->columns[i] = str_of(columns[i]);
    }
    o->table = mem_zalloc(o->table_room * sizeof *o->table);
    struct buf *all[] = { &o->text, &o->text_ends, &o->key_texts, &o->key_ends, &o->entry_texts, &o->values };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        buf_init(all[i], LISTS_BYTES_MAX);
}

void lists_release(struct lists_out *o)
{
    struct buf *all[] = { &o->text, &o->text_ends, &o->key_texts, &o->key_ends, &o->entry_texts, &o->values };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        buf_release(all[i]);
    mem_free(TAKE(o->table));
}

static void wrong(struct lists_out *o, const char *what, struct str text)
{
    if (o->wrong.kind == ERR_NONE)
        (void)err_set(&o->wrong, ERR_INVALID, "lists: \"" STR_FMT "\" %s", STR_ARG(str_cut(text, 80)), what);
}

static struct str own_text(const struct lists_out *o, uint32_t id)
{
    return text_at(o->text_ends.p, o->text.p, id);
}

/* The slot of a text, or the free one where it belongs. */
static uint32_t *slot_of(const struct lists_out *o, struct str text)
{
    uint64_t at = hash64(text) & (o->table_room - 1);
    while (o->table[at] && !str_eq(own_text(o, o->table[at] - 1), text))
        at = (at + 1) & (o->table_room - 1);
    return &o->table[at];
}

static void table_grow(struct lists_out *o)
{
    mem_free(o->table);
    o->table_room *= 2;
    o->table = mem_zalloc(o->table_room * sizeof *o->table);
    for (uint32_t id = 0; id < o->texts; id++)
        *slot_of(o, own_text(o, id)) = id + 1;
}

/* The text's number. After a failure the bufs may lack texts: then nothing is looked up any more. */
static uint32_t text_number(struct lists_out *o, struct str text)
{
    uint32_t *slot = slot_of(o, text);
    if (*slot)
        return *slot - 1;
    if (!str_is_utf8(text) && o->wrong.kind == ERR_NONE)
        (void)err_set(&o->wrong, ERR_INVALID, "lists: text %u is not UTF-8", o->texts);
    buf_add_str(&o->text, text);
    put_u64(&o->text_ends, o->text.n);
    if (o->text.failed || o->text_ends.failed || o->texts == UINT32_MAX - 1) {
        wrong(o, "does not fit", text);
        return 0;
    }
    *slot = ++o->texts;
    if ((uint64_t)o->texts * 2 > o->table_room)
        table_grow(o);
    return o->texts - 1;
}

/* A key's end is written when the next one begins: lists_end writes the last. */
void lists_key(struct lists_out *o, struct str key)
{
    if (o->wrong.kind != ERR_NONE)
        return;
    if (o->keys == UINT32_MAX / 4)
        wrong(o, "is a key too many", key);
    if (o->keys++)
        put_u32(&o->key_ends, o->entries);
    put_u32(&o->key_texts, text_number(o, key));
}

void lists_add(struct lists_out *o, struct str entry, const float *values)
{
    assert(o->keys > 0 || o->wrong.kind != ERR_NONE);
    if (o->wrong.kind != ERR_NONE)
        return;
    if (o->entries == UINT32_MAX)
        wrong(o, "is an entry too many", entry);
    put_u32(&o->entry_texts, text_number(o, entry));
    for (uint32_t i = 0; i < o->columns_count; i++) {
        if (!isfinite(values[i]))
            wrong(o, "has a value that is not finite", entry);
        put_f32(&o->values, values[i]);
    }
    o->entries++;
}

static uint32_t slots_for(uint32_t keys)
{
    uint32_t slots = 2;
    while (slots < 2 * keys)
        slots *= 2;
    return slots;
}

/* False when a key stood twice. */
static bool put_slots(const struct lists_out *o, struct buf *out, struct err *err)
{
    uint32_t slots = slots_for(o->keys);
    AUTO(mem_free) char *memory = mem_zalloc((size_t)slots * sizeof(uint32_t));
    uint32_t *by_hash = (uint32_t *)(void *)memory;
    for (uint32_t k = 0; k < o->keys; k++) {
        uint32_t id = u32_at(o->key_texts.p, k);
        struct str key = own_text(o, id);
        uint32_t at = (uint32_t)(hash64(key) & (slots - 1));
        for (; by_hash[at]; at = (at + 1) & (slots - 1))
            if (u32_at(o->key_texts.p, by_hash[at] - 1) == id)
                return err_set(err, ERR_INVALID, "lists: key \"" STR_FMT "\" stands twice", STR_ARG(str_cut(key, 80)));
        by_hash[at] = k + 1;
    }
    for (uint32_t i = 0; i < slots; i++)
        put_u32(out, by_hash[i]);
    return true;
}

static void put_head(const struct lists_out *o, struct buf *out)
{
    uint32_t numbers[] = { VERSION, o->columns_count, o->keys, o->entries, o->texts, slots_for(o->keys) };
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        put_u32(out, numbers[i]);
    put_u64(out, o->text.n);
    for (uint32_t i = 0; i < o->columns_count; i++) {
        char padded[LISTS_COLUMN_NAME] = "";
        memcpy(padded, o->columns[i].p, o->columns[i].n);
        buf_add(out, padded, sizeof padded);
    }
}

static bool end(struct lists_out *o, struct buf *out, struct err *err)
{
    if (o->keys)
        put_u32(&o->key_ends, o->entries);
    const struct buf *all[] = { &o->key_texts, &o->key_ends, &o->entry_texts, &o->values };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (!buf_ok(all[i], "a section of lists", err))
            return false;
    if (o->wrong.kind != ERR_NONE)
        return err_set(err, o->wrong.kind, "%s", o->wrong.text);
    put_head(o, out);
    buf_add_str(out, buf_str(&o->text_ends));
    buf_add_str(out, buf_str(&o->key_texts));
    buf_add_str(out, buf_str(&o->key_ends));
    if (!put_slots(o, out, err))
        return false;
    buf_add_str(out, buf_str(&o->entry_texts));
    buf_add_str(out, buf_str(&o->values));
    buf_add_str(out, buf_str(&o->text));
    return buf_ok(out, "a section of lists", err);
}

bool lists_end(struct lists_out *o, struct buf *out, struct err *err)
{
    bool ok = end(o, out, err);
    lists_release(o);
    return ok;
}

/* ---- reading ---- */

/* Where the arrays lie; false when the section is not exactly as long as its numbers say. No product can pass 2^64. */
static bool lay_out(struct lists *l, uint64_t text_bytes, struct err *err)
{
    const char **at[] = { &l->names,     &l->text_ends,   &l->key_texts, &l->key_ends,
                          &l->slot_keys, &l->entry_texts, &l->values,    &l->text };
    uint64_t bytes[] = { (uint64_t)LISTS_COLUMN_NAME * l->columns,
                         (uint64_t)8 * l->texts,
                         (uint64_t)4 * l->keys,
                         (uint64_t)4 * l->keys,
                         (uint64_t)4 * l->slots,
                         (uint64_t)4 * l->entries,
                         (uint64_t)4 * l->entries * l->columns,
                         text_bytes };
    uint64_t offset = HEAD_BYTES;
    for (size_t i = 0; i < COUNT_OF(at); i++) {
        if (bytes[i] > l->section.n - offset)
            return err_set(err, ERR_INVALID, "lists: the section is truncated: it has %zu bytes", l->section.n);
        *at[i] = l->section.p + offset;
        offset += bytes[i];
    }
    if (offset != l->section.n)
        return err_set(err, ERR_INVALID, "lists: the section has %zu bytes, %llu are its own", l->section.n,
                       (unsigned long long)offset);
    return true;
}

static bool head_read(struct lists *l, struct err *err)
{
    struct str s = l->section;
    if (s.n < HEAD_BYTES)
        return err_set(err, ERR_INVALID, "lists: the section is truncated: it has %zu bytes", s.n);
    if (u32_at(s.p, 0) != VERSION)
        return err_set(err, ERR_INVALID, "lists: version %u, known is %d", u32_at(s.p, 0), VERSION);
    l->columns = u32_at(s.p, 1), l->keys = u32_at(s.p, 2), l->entries = u32_at(s.p, 3);
    l->texts = u32_at(s.p, 4), l->slots = u32_at(s.p, 5);
    if (l->columns < 1 || l->columns > LISTS_COLUMNS_MAX)
        return err_set(err, ERR_INVALID, "lists: %u columns; there may be 1 to %d", l->columns, LISTS_COLUMNS_MAX);
    if (l->slots <= l->keys || (l->slots & (l->slots - 1)))
        return err_set(err, ERR_INVALID, "lists: %u slots for %u keys", l->slots, l->keys);
    return lay_out(l, u64_at(s.p, 3), err);
}

static bool columns_check(const struct lists *l, struct err *err)
{
    for (uint32_t i = 0; i < l->columns; i++) {
        char name[LISTS_COLUMN_NAME + 1] = "";
        memcpy(name, l->names + (size_t)LISTS_COLUMN_NAME * i, LISTS_COLUMN_NAME);
        if (!is_column(name))
            return err_set(err, ERR_INVALID, "lists: column %u has no name", i);
    }
    return true;
}

static bool texts_check(const struct lists *l, struct err *err)
{
    uint64_t before = 0, n = (uint64_t)(l->section.p + l->section.n - l->text);
    for (uint32_t i = 0; i < l->texts; i++) {
        uint64_t to = u64_at(l->text_ends, i);
        if (to < before || to > n)
            return err_set(err, ERR_INVALID, "lists: text %u lies outside of the section", i);
        if (!str_is_utf8((struct str){ l->text + before, to - before }))
            return err_set(err, ERR_INVALID, "lists: text %u is not UTF-8", i);
        before = to;
    }
    return before == n ||
           err_set(err, ERR_INVALID, "lists: %llu bytes of text belong to none", (unsigned long long)(n - before));
}

/* As many slots are taken as there are keys, so at least one is free: probing ends. */
static bool keys_check(const struct lists *l, struct err *err)
{
    uint32_t before = 0, taken = 0;
    for (uint32_t k = 0; k < l->keys; k++) {
        uint32_t to = u32_at(l->key_ends, k);
        if (u32_at(l->key_texts, k) >= l->texts || to < before || to > l->entries)
            return err_set(err, ERR_INVALID, "lists: key %u lies outside of the section", k);
        before = to;
    }
    if (before != l->entries)
        return err_set(err, ERR_INVALID, "lists: %u entries belong to no key", l->entries - before);
    for (uint32_t i = 0; i < l->slots; i++) {
        uint32_t key = u32_at(l->slot_keys, i);
        if (key > l->keys)
            return err_set(err, ERR_INVALID, "lists: slot %u names key %u of %u", i, key, l->keys);
        taken += key != 0;
    }
    return taken == l->keys || err_set(err, ERR_INVALID, "lists: %u slots are taken for %u keys", taken, l->keys);
}

static bool entries_check(const struct lists *l, struct err *err)
{
    for (uint32_t i = 0; i < l->entries; i++)
        if (u32_at(l->entry_texts, i) >= l->texts)
            return err_set(err, ERR_INVALID, "lists: entry %u names text %u of %u", i, u32_at(l->entry_texts, i),
                           l->texts);
    for (uint64_t i = 0; i < (uint64_t)l->entries * l->columns; i++)
        if (!isfinite(f32_at(l->values, i)))
            return err_set(err, ERR_INVALID, "lists: a value of entry %llu is not finite",
                           (unsigned long long)(i / l->columns));
    return true;
}

bool lists_read(struct str section, struct lists *out, struct err *err)
{
    struct lists l = { .section = section };
    if (!head_read(&l, err) || !columns_check(&l, err) || !texts_check(&l, err) || !keys_check(&l, err) ||
        !entries_check(&l, err))
        return false;
    *out = l;
    return true;
}

bool lists_key_at(const struct lists *l, uint32_t n, struct str *out_key, struct lists_row *out_row)
{
    if (n >= l->keys)
        return false;
    uint32_t first = n ? u32_at(l->key_ends, n - 1) : 0;
    *out_key = lists_text(l, u32_at(l->key_texts, n));
    *out_row = (struct lists_row){ first, u32_at(l->key_ends, n) - first };
    return true;
}

bool lists_find(const struct lists *l, struct str key, struct lists_row *out)
{
    uint32_t at = (uint32_t)(hash64(key) & (l->slots - 1)), slot;
    for (; (slot = u32_at(l->slot_keys, at)); at = (at + 1) & (l->slots - 1)) {
        struct str text;
        struct lists_row row;
        if (!lists_key_at(l, slot - 1, &text, &row) || !str_eq(text, key))
            continue;
        *out = row;
        return true;
    }
    return false;
}

struct str lists_text(const struct lists *l, uint32_t id)
{
    return text_at(l->text_ends, l->text, id);
}

uint32_t lists_entry_id(const struct lists *l, uint32_t i)
{
    return u32_at(l->entry_texts, i);
}

struct str lists_entry(const struct lists *l, uint32_t i)
{
    return lists_text(l, lists_entry_id(l, i));
}

float lists_value(const struct lists *l, uint32_t i, uint32_t column)
{
    return f32_at(l->values, (uint64_t)i * l->columns + column);
}

struct str lists_column(const struct lists *l, uint32_t i)
{
    const char *name = l->names + (size_t)LISTS_COLUMN_NAME * i;
    return (struct str){ name, strnlen(name, LISTS_COLUMN_NAME) };
}

int lists_column_named(const struct lists *l, const char *name)
{
    for (uint32_t i = 0; i < l->columns; i++)
        if (str_eq_c(lists_column(l, i), name))
            return (int)i;
    return -1;
}
