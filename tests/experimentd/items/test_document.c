/* Documents of the catalogue: what is one, and what is said of what is none. */
#include "experimentd/items/document.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct buf out;
static struct err err;

static void open_buf(void)
{
    buf_init(&out, 1 << 20);
}

static void close_buf(void)
{
    buf_release(&out);
}

TestSuite(item_document, .init = open_buf, .fini = close_buf);

static char *read(const char *text, const char *id, bool keep_nulls)
{
    buf_clear(&out);
    return item_document_read(str_of(text), str_of(id), keep_nulls, &out, &err) ? out.p : err.text;
}

Test(item_document, comes_out_as_it_went_in)
{
    cr_assert(eq(str,
                 read("{\"id\": \"a/b\", \"title\": \"Büro\", \"price\": 29.9, \"tags\": [1, \"x\"]}", NULL, false),
                 "{\"id\":\"a/b\",\"fields\":{\"title\":\"Büro\",\"price\":29.9,\"tags\":[1,\"x\"]}}"));
    cr_assert(eq(str, read("{\"id\": 17}", NULL, false), "{\"id\":\"17\",\"fields\":{}}"));
    cr_assert(eq(str, read("{\"price\": 1}", "x", false), "{\"id\":\"x\",\"fields\":{\"price\":1}}"));
}

Test(item_document, a_null_is_as_good_as_none_unless_it_takes_away)
{
    cr_assert(eq(str, read("{\"id\": \"a\", \"n\": null}", NULL, false), "{\"id\":\"a\",\"fields\":{}}"));
    cr_assert(eq(str, read("{\"id\": \"a\", \"n\": null}", NULL, true), "{\"id\":\"a\",\"fields\":{\"n\":null}}"));
}

Test(item_document, says_what_is_wrong_and_leaves_nothing)
{
    static const struct {
        const char *text, *id, *words;
    } cases[] = {
        { "{\"title\": \"x\"}", NULL, "field \"id\" is missing" },
        { "{\"id\": 1.5}", NULL, "field \"id\" is neither a text nor a whole number" },
        { "{\"id\": \"\"}", NULL, "field \"id\" is empty" },
        { "{\"id\": \"b\"}", "a", "field \"id\" is \"b\", the path says \"a\"" },
        { "[1]", NULL, "the document is no object" },
        { "{\"id\": \"a\", \"\": 1}", NULL, "a field has an empty name" },
        { "{\"id\": \"a\", \"x\": 1, \"x\": 2}", NULL,
          "not valid JSON: line 1, column 23: duplicate object key near '\"x\"'" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cr_assert(eq(str, read(cases[i].text, cases[i].id, false), (char *)(uintptr_t)cases[i].words));
        cr_assert(eq(sz, out.n, 0));
    }
}

Test(item_document, has_limits)
{
    char name[ITEM_FIELD_NAME_MAX + 2], text[400], id[ITEM_ID_MAX + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    (void)snprintf(text, sizeof text, "{\"id\": \"a\", \"%s\": 1}", name);
    cr_assert(ne(ptr, strstr(read(text, NULL, false), "has a name of 101 bytes, more than 100"), NULL));
    memset(id, 'i', sizeof id - 1);
    id[sizeof id - 1] = 0;
    cr_assert(eq(str, read("{}", id, false), "field \"id\" has 513 bytes, more than 512"));
    buf_clear(&out);
    for (int i = 0; i <= ITEM_FIELDS_MAX; i++)
        buf_addf(&out, "%s\"f%d\":1", i ? "," : "{\"id\":\"a\",", i);
    buf_add_byte(&out, '}');
    AUTO(mem_free) char *many = mem_strdup(out.p);
    cr_assert(ne(ptr, strstr(read(many, NULL, false), "fields, more than 256"), NULL));
}

Test(item_document, an_id_alone)
{
    cr_assert(item_id_read(STR("\"a\""), &out, &err));
    cr_assert(item_id_read(STR("{\"id\": 5, \"more\": 1}"), &out, &err));
    cr_assert(eq(str, out.p, "\"a\"\"5\""));
    cr_assert(eq(int, item_id_read(STR("[]"), &out, &err), 0));
    cr_assert(eq(str, err.text, "field \"id\" is neither a text nor a whole number"));
}
