/* The index of the cache: {"entries": [{"model", "alias", "kind", "version", "digest", "made_us"}], "erased": [["hash", at_us]]}. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "experimentd/serving/cache.h"

enum { INDEX_MAX = 64 << 20 };

static void write_entry(struct jsonw *w, const struct serving_entry *e)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "model", e->model);
    jsonw_str(w, "alias", e->alias);
    jsonw_str(w, "kind", e->kind);
    jsonw_i64(w, "version", e->version);
    jsonw_text(w, "digest", e->served->artifact.digest);
    jsonw_i64(w, "made_us", e->made_us);
    jsonw_close(w);
}

static void write_erased(struct jsonw *w, const struct erased_unit *u)
{
    char hash[24];
    (void)snprintf(hash, sizeof hash, "%016" PRIx64, u->hash);
    jsonw_open(w, NULL, '[');
    jsonw_text(w, NULL, hash);
    jsonw_i64(w, NULL, u->at_us);
    jsonw_close(w);
}

static bool write_file(const char *path, const char *temporary, struct str bytes, struct err *err)
{
    FILE *f = fopen(temporary, "we");
    bool ok = f && fwrite(bytes.p, 1, bytes.n, f) == bytes.n && fflush(f) == 0 && fsync(fileno(f)) == 0;
    if (f)
        ok = fclose(f) == 0 && ok;
    if (!ok || rename(temporary, path) != 0)
        return err_set_errno(err, "cannot write \"%s\"", path);
    return true;
}

bool cache_write_index(struct cache *c, const struct serving *s, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/index.json", c->dir), *temporary = mem_printf("%s.tmp", path);
    struct jsonw w;
    AUTO(buf_release) struct buf b;
    buf_init(&b, INDEX_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "entries", '[');
    for (size_t i = 0; i < s->entries_count; i++)
        if (s->entries[i].served)
            write_entry(&w, &s->entries[i]);
    jsonw_close(&w);
    jsonw_open(&w, "erased", '[');
    for (size_t i = 0; i < s->erased_count; i++)
        write_erased(&w, &s->erased[i]);
    jsonw_close(&w);
    jsonw_close(&w);
    return buf_ok(&b, "the index of models", err) && write_file(path, temporary, buf_str(&b), err);
}

/* ---- reading ---- */

static bool read_file(const char *path, struct arena *arena, struct str *out, struct err *err)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "there is no \"%s\"", path)
                               : err_set_errno(err, "cannot read \"%s\"", path);
    AUTO(buf_release) struct buf b;
    char piece[65536];
    size_t n;
    buf_init(&b, INDEX_MAX);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(&b, piece, n);
    (void)fclose(f);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, path, err);
}

static bool read_entry(json_t *v, struct serving *s, struct serving_entry *e, struct str *out_digest, struct err *err)
{
    struct json_reader r;
    json_reader_open(&r, v, "entry");
    json_get_str(&r, "model", JSON_REQUIRED, &e->model, &s->arena);
    json_get_str(&r, "alias", JSON_REQUIRED, &e->alias, &s->arena);
    json_get_str(&r, "kind", JSON_REQUIRED, &e->kind, &s->arena);
    json_get_i64(&r, "version", JSON_REQUIRED, &e->version);
    json_get_str(&r, "digest", JSON_REQUIRED, out_digest, &s->arena);
    json_get_i64(&r, "made_us", JSON_REQUIRED, &e->made_us);
    e->wanted_version = e->version;
    return json_reader_close(&r, err);
}

static bool read_erased(json_t *list, struct serving *s, struct err *err)
{
    size_t i;
    json_t *v;
    s->erased = arena_alloc(&s->arena, (json_array_size(list) + 1) * sizeof *s->erased);
    json_array_foreach(list, i, v)
    {
        const char *hash = json_string_value(json_array_get(v, 0));
        char *end = NULL;
        errno = 0;
        uint64_t number = hash ? strtoull(hash, &end, 16) : 0;
        if (!hash || errno || end != hash + 16 || !json_is_integer(json_array_get(v, 1)))
            return err_set(err, ERR_INVALID, "element %zu of \"erased\" is no hash with its time", i);
        s->erased[s->erased_count++] = (struct erased_unit){ number, json_integer_value(json_array_get(v, 1)) };
    }
    return true;
}

bool cache_read_index(struct cache *c, struct serving *s, struct str **out_digests, struct err *err)
{
    AUTO(mem_free) char *path = mem_printf("%s/index.json", c->dir);
    struct str text;
    json_t *entries = NULL, *erased = NULL;
    struct json_reader r;
    if (!read_file(path, &s->arena, &text, err))
        return false;
    json_auto_t *root = json_parse(text, err);
    if (!root)
        return err_prefix(err, "\"%s\": ", path);
    json_reader_open(&r, root, "index");
    json_get_array(&r, "entries", JSON_REQUIRED, &entries);
    json_get_array(&r, "erased", JSON_REQUIRED, &erased);
    if (!json_reader_close(&r, err) || !read_erased(erased, s, err))
        return err_prefix(err, "\"%s\": ", path);
    s->entries = arena_zalloc(&s->arena, (json_array_size(entries) + 1) * sizeof *s->entries);
    *out_digests = arena_zalloc(&s->arena, (json_array_size(entries) + 1) * sizeof **out_digests);
    for (size_t i = 0; i < json_array_size(entries); i++, s->entries_count++)
        if (!read_entry(json_array_get(entries, i), s, &s->entries[i], &(*out_digests)[i], err))
            return err_prefix(err, "\"%s\": ", path);
    return true;
}
