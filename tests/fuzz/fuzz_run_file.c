/* Rankings that people bring: the first byte says the format, the rest is the file. What is taken is a JSON list of lists that has no document twice in one of them. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "experimentd/searches/run_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static size_t check_list(const json_t *row)
{
    const json_t *docs = json_array_get(row, 1);
    json_auto_t *seen = json_object();
    check(json_is_string(json_array_get(row, 0)) && json_array_size(docs) > 0 &&
          json_array_size(docs) <= RUN_FILE_DOCS_MAX);
    for (size_t i = 0; i < json_array_size(docs); i++) {
        const char *doc = json_string_value(json_array_get(docs, i));
        check(doc && *doc && !json_object_get(seen, doc));
        (void)json_object_set_new(seen, doc, json_true());
    }
    return json_array_size(docs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct run_file f;
    struct arena arena;
    struct err err;
    size_t documents = 0;
    if (n == 0)
        return 0;
    arena_init(&arena, 4096);
    if (run_file_read((enum run_file_format)(data[0] % RUN_FILE_FORMATS), (struct str){ (const char *)data + 1, n - 1 },
                      &arena, &f, &err)) {
        json_auto_t *lists = json_parse(buf_str(&f.lists), &err);
        check(json_array_size(lists) == f.queries);
        for (size_t i = 0; i < f.queries; i++)
            documents += check_list(json_array_get(lists, i));
        check(documents == f.documents && f.bad.count == 0);
    }
    buf_release(&f.lists);
    arena_release(&arena);
    return 0;
}
