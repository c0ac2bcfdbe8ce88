#include "trainer/kernels/clicks/click_filters.h"

#include <stdlib.h>

#include "base/json.h"

enum { FILTERS_MAX = 256 };

static void add_value(struct buf *b, const json_t *v)
{
    if (json_is_string(v))
        buf_add_str(b, str_trim((struct str){ json_string_value(v), json_string_length(v) }));
    else
        json_write(b, v);
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* Filters are a set: the order in which they were chosen says nothing. */
static void add_list(struct buf *b, const json_t *list)
{
    char *texts[FILTERS_MAX];
    size_t count = 0, i;
    json_t *v;
    json_array_foreach(list, i, v)
    {
        if (count == FILTERS_MAX)
            break;
        buf_clear(b);
        add_value(b, v);
        texts[count++] = mem_strndup(b->p ? b->p : "", b->n);
    }
    qsort(texts, count, sizeof *texts, by_text);
    buf_clear(b);
    for (i = 0; i < count; i++) {
        buf_addf(b, "%s%s", i ? " $ " : "", texts[i]);
        mem_free(texts[i]);
    }
}

struct str click_filters_of(struct str params, struct str field, struct buf *scratch)
{
    json_auto_t *root = params.p ? json_parse(params, NULL) : NULL;
    const json_t *v = json_is_object(root) ? json_object_getn(root, field.p, field.n) : NULL;
    buf_clear(scratch);
    if (!v || json_is_null(v))
        return (struct str){ NULL, 0 };
    if (json_is_array(v))
        add_list(scratch, v);
    else
        add_value(scratch, v);
    return buf_str(scratch);
}
