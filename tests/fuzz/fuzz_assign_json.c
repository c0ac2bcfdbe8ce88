/* The reader beside jansson where both must agree, and write(read(x)) as a fixed point. */
#include <jansson.h>
#include <math.h>

#include "tests/fuzz/assign_fuzz.h"

static bool equal(const struct assign_value *v, const json_t *j);

static bool equal_objects(const struct assign_value *v, const json_t *j)
{
    if (!json_is_object(j) || v->count != json_object_size(j))
        return false;
    for (uint32_t i = 0; i < v->count; i++) {
        const struct assign_member *m = &v->members[i];
        const char *key;
        json_t *found = NULL, *value;
        json_object_foreach((json_t *)(uintptr_t)j, key,
                            value) /* keys may hold a 0: none does here, jansson refuses them */
            if (strlen(key) == m->key.n && memcmp(key, m->key.p, m->key.n) == 0) found = value;
        if (!found || !equal(&m->value, found))
            return false;
    }
    return true;
}

static bool equal_arrays(const struct assign_value *v, const json_t *j)
{
    if (!json_is_array(j) || v->count != json_array_size(j))
        return false;
    for (uint32_t i = 0; i < v->count; i++)
        if (!equal(&v->items[i], json_array_get(j, i)))
            return false;
    return true;
}

static bool equal(const struct assign_value *v, const json_t *j)
{
    switch (v->type) {
    case ASSIGN_NULL:
        return json_is_null(j);
    case ASSIGN_BOOL:
        return json_is_boolean(j) && v->boolean == json_is_true(j);
    case ASSIGN_NUMBER:
        return json_is_number(j) && v->number == json_number_value(j);
    case ASSIGN_STRING:
        return json_is_string(j) && json_string_length(j) == v->text.n &&
               memcmp(json_string_value(j), v->text.p, v->text.n) == 0;
    case ASSIGN_ARRAY:
        return equal_arrays(v, j);
    case ASSIGN_OBJECT:
        return equal_objects(v, j);
    case ASSIGN_MISSING:
    default:
        return false;
    }
}

/* What jansson refuses and JavaScript takes: halves of surrogate pairs, a 0 in a key, numbers beyond a double; and bytes that are no UTF-8. */
static bool may_differ(const json_error_t *e, const char *text, size_t n)
{
    enum json_error_code code = json_error_code(e);
    return code == json_error_invalid_utf8 || code == json_error_numeric_overflow ||
           code == json_error_null_byte_in_key || code == json_error_null_character || memmem(text, n, "\\ud", 3) ||
           memmem(text, n, "\\uD", 3);
}

static void check_fixed_point(const struct assign_value *v)
{
    struct fuzz_arena a;
    fuzz_arena_init(&a, FUZZ_PIECES);
    char *once = fuzz_write(v), small[8];
    struct assign_text part = { once, strlen(once) };
    struct assign_value again = fuzz_value(part, &a);
    if (again.type == ASSIGN_MISSING)
        abort();
    char *twice = fuzz_write(&again);
    if (strcmp(once, twice) != 0 || assign_json_write(v, small, sizeof small) != part.n)
        abort();
    free(once);
    free(twice);
    fuzz_arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data;
    struct fuzz_arena a;
    struct assign_error error = { "" };
    struct assign_value v;
    json_error_t e;
    fuzz_arena_init(&a, FUZZ_PIECES);
    bool taken = assign_json_read(text, n, &a.arena, &v, &error);
    bool has_nul = n && memchr(text, 0, n); /* jansson takes one behind a number for the end */
    json_t *theirs = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &e);
    if (taken && !theirs && !may_differ(&e, text, n))
        abort();
    if (taken && theirs && !equal(&v, theirs))
        abort();
    if (!taken &&
        (error.text[0] == '\0' || (theirs && !has_nul && !strstr(error.text, "deep") && !strstr(error.text, "memory"))))
        abort();
    if (taken)
        check_fixed_point(&v);
    json_decref(theirs);
    fuzz_arena_release(&a);
    return 0;
}
