/* make_artifact: an artifact from a JSON document on standard input, to standard output; its digest on standard error.
 *
 *   {"kind": "recommender", "sections": {
 *     "items_for_user": {"columns": ["score"], "lists": {"ann": [["lamp", 9], ["chair", 6]]}},
 *     "factors": {"rank": 2, "fold": "solve", "alpha": 10, "lambda": 0.1, "items": {"lamp": [0.5, 1]}},
 *     "card": "any text"}}
 *
 * or {"kind": "rewrites", "rules": [["spelling", "lmap", "lamp", 0.9]]}. Keys keep their order, so that a document gives the same bytes each time. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "model/artifact.h"
#include "model/factors.h"
#include "model/lists.h"
#include "model/rewrite.h"

static void die(const char *what)
{
    (void)fprintf(stderr, "make_artifact: %s\n", what);
    exit(1);
}

static struct str read_all(FILE *f, struct arena *arena)
{
    struct buf b;
    char piece[65536];
    size_t n;
    buf_init(&b, (size_t)1 << 32);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(&b, piece, n);
    struct str text = arena_str(arena, buf_str(&b));
    buf_release(&b);
    return text;
}

static struct str text_of(const json_t *v)
{
    return (struct str){ json_string_value(v), json_string_length(v) };
}

static void put_lists(json_t *section, struct buf *out)
{
    const char *columns[LISTS_COLUMNS_MAX], *key;
    size_t i, count = 0;
    json_t *v, *row;
    struct lists_out o;
    struct err err;
    json_array_foreach(json_object_get(section, "columns"), i, v) if (count < LISTS_COLUMNS_MAX)
        columns[count++] = json_string_value(v);
    lists_begin(&o, columns, count);
    json_object_foreach(json_object_get(section, "lists"), key, row)
    {
        lists_key(&o, str_of(key));
        json_array_foreach(row, i, v)
        {
            float values[LISTS_COLUMNS_MAX] = { 0 };
            for (size_t c = 0; c < count; c++)
                values[c] = (float)json_number_value(json_array_get(v, c + 1));
            lists_add(&o, text_of(json_array_get(v, 0)), values);
        }
    }
    if (!lists_end(&o, out, &err))
        die(err.text);
}

static void put_factors(json_t *section, struct arena *arena, struct buf *out)
{
    json_t *items = json_object_get(section, "items"), *vector;
    struct factors_out f = { .rank = (uint32_t)json_integer_value(json_object_get(section, "rank")),
                             .items = (uint32_t)json_object_size(items),
                             .fold = str_eq_c(text_of(json_object_get(section, "fold")), "mean") ? FOLD_MEAN
                                                                                                 : FOLD_SOLVE,
                             .alpha = json_number_value(json_object_get(section, "alpha")),
                             .lambda = json_number_value(json_object_get(section, "lambda")) };
    struct str *texts = arena_alloc(arena, (f.items + 1) * sizeof *texts);
    float *vectors = arena_zalloc(arena, ((size_t)f.items * f.rank + 1) * sizeof *vectors);
    const char *key;
    size_t n = 0;
    struct err err;
    json_object_foreach(items, key, vector)
    {
        for (uint32_t c = 0; c < f.rank; c++)
            vectors[n * f.rank + c] = (float)json_number_value(json_array_get(vector, c));
        texts[n++] = str_of(key);
    }
    f.texts = texts;
    f.vectors = vectors;
    if (!factors_write(&f, out, &err))
        die(err.text);
}

static void put_rewrites(json_t *list, struct arena *arena, struct buf *out, char digest[ARTIFACT_DIGEST])
{
    size_t i, count = json_array_size(list);
    struct rewrite_rule *rules = arena_zalloc(arena, (count + 1) * sizeof *rules);
    json_t *v;
    struct err err;
    json_array_foreach(list, i, v)
        rules[i] = (struct rewrite_rule){ .type = rewrite_type_of(text_of(json_array_get(v, 0))),
                                          .input = text_of(json_array_get(v, 1)),
                                          .output = text_of(json_array_get(v, 2)),
                                          .confidence = json_number_value(json_array_get(v, 3)),
                                          .id = i + 1 };
    for (i = 0; i < count; i++)
        if (!rewrite_check(&rules[i], &err))
            die(err.text);
    if (!rewrites_pack(rules, count, STR("{}"), out, digest, &err))
        die(err.text);
}

static void put_sections(json_t *sections, const char *kind, struct arena *arena, struct buf *out,
                         char digest[ARTIFACT_DIGEST])
{
    struct artifact_out o;
    struct buf section;
    struct err err;
    const char *name;
    json_t *v;
    artifact_begin(&o, kind);
    json_object_foreach(sections, name, v)
    {
        buf_init(&section, (size_t)1 << 32);
        if (json_is_string(v))
            buf_add_str(&section, text_of(v));
        else if (str_eq_c(str_of(name), "factors"))
            put_factors(v, arena, &section);
        else
            put_lists(v, &section);
        artifact_add(&o, name, arena_str(arena, buf_str(&section)));
        buf_release(&section);
    }
    if (!artifact_end(&o, out, digest, &err))
        die(err.text);
}

int main(void)
{
    struct arena arena;
    struct buf file;
    struct err err;
    char digest[ARTIFACT_DIGEST];
    mem_init();
    arena_init(&arena, 1 << 16);
    json_auto_t *root = json_parse(read_all(stdin, &arena), &err);
    if (!root)
        die(err.text);
    buf_init(&file, (size_t)1 << 32);
    if (json_object_get(root, "rules"))
        put_rewrites(json_object_get(root, "rules"), &arena, &file, digest);
    else
        put_sections(json_object_get(root, "sections"), json_string_value(json_object_get(root, "kind")), &arena, &file,
                     digest);
    if (fwrite(file.p, 1, file.n, stdout) != file.n || fflush(stdout) != 0)
        die("cannot write");
    (void)fprintf(stderr, "%s\n", digest);
    buf_release(&file);
    arena_release(&arena);
    return 0;
}
