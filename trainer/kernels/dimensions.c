#include "trainer/kernels/dimensions.h"

#include <stdlib.h>

#include "base/json.h"
#include "trainer/kernels/segments.h"

enum { NAME_MAX_BYTES = 100, TEXT_MAX = 8192 };

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A line feed would begin another line. */
static void add_clean(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_add_byte(b, s.p[i] == '\n' ? ' ' : s.p[i]);
}

static void add_line(struct buf *out, const char *name, const json_t *v)
{
    AUTO(buf_release) struct buf number;
    struct str value;
    buf_init(&number, NAME_MAX_BYTES);
    if (json_is_number(v) || json_is_boolean(v)) {
        json_write(&number, v);
        value = buf_str(&number);
    } else if (json_is_string(v)) {
        value = (struct str){ json_string_value(v), json_string_length(v) };
    } else {
        return;
    }
    if (!*name || !value.n || strchr(name, '=') || strlen(name) > NAME_MAX_BYTES)
        return;
    if (out->n)
        buf_add_byte(out, '\n');
    add_clean(out, str_of(name));
    buf_add_byte(out, '=');
    add_clean(out, str_cut(value, SEGMENT_VALUE_MAX));
}

struct str dimensions_read(struct str json, struct arena *arena)
{
    json_auto_t *root = json_parse(json, NULL);
    const char *names[SEGMENTS_DIMENSIONS_MAX], *name;
    size_t count = 0;
    json_t *v;
    AUTO(buf_release) struct buf out;
    if (!json_is_object(root))
        return (struct str){ NULL, 0 };
    json_object_foreach(root, name, v) if (count < SEGMENTS_DIMENSIONS_MAX) names[count++] = name;
    qsort(names, count, sizeof *names, by_name);
    buf_init(&out, TEXT_MAX);
    for (size_t i = 0; i < count; i++)
        add_line(&out, names[i], json_object_get(root, names[i]));
    return out.failed || !out.n ? (struct str){ NULL, 0 } : arena_str(arena, buf_str(&out));
}
