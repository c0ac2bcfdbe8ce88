/* Fields of documents in an artifact: what went in comes out, equal values have equal numbers, and what is no catalogue is refused. */
#include "model/catalogue.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct buf names, docs, file;
static char digest[ARTIFACT_DIGEST];
static struct artifact artifact;
static struct catalogue catalogue;
static struct err err;

static void make(const char *kind)
{
    static const struct str fields[] = { { "category", 8 }, { "price", 5 } };
    const struct str none = { NULL, 0 };
    struct catalogue_out o;
    struct artifact_out a;
    buf_init(&names, 1 << 16);
    buf_init(&docs, 1 << 16);
    buf_init(&file, 1 << 16);
    artifact_begin(&a, kind);
    catalogue_begin(&o, fields, COUNT_OF(fields));
    catalogue_add(&o, STR("a"), (const struct str[]){ STR("\"lamps\""), STR("29.9") });
    catalogue_add(&o, STR("b"), (const struct str[]){ STR("\"lamps\""), none });
    catalogue_add(&o, STR("c"), (const struct str[]){ none, STR("\"29.9\"") });
    cr_assert(catalogue_end(&o, &a, &names, &docs, &err), "%s", err.text);
    cr_assert(artifact_end(&a, &file, digest, &err), "%s", err.text);
    cr_assert(artifact_read(buf_str(&file), &artifact, &err), "%s", err.text);
}

static struct buf text;

static void end(void)
{
    buf_release(&text);
    buf_release(&names);
    buf_release(&docs);
    buf_release(&file);
}

TestSuite(catalogue, .fini = end);

static char *written(const char *doc)
{
    struct lists_row row;
    buf_release(&text);
    buf_init(&text, 1 << 10);
    cr_assert(catalogue_find(&catalogue, str_of(doc), &row));
    catalogue_write(&catalogue, &row, &text);
    return text.p;
}

Test(catalogue, what_went_in_comes_out)
{
    struct lists_row row;
    make(CATALOGUE_KIND);
    cr_assert(catalogue_read(&artifact, &catalogue, &err), "%s", err.text);
    cr_assert(eq(str, written("a"), "{\"category\":\"lamps\",\"price\":29.9}"));
    cr_assert(eq(str, written("b"), "{\"category\":\"lamps\"}"));
    cr_assert(eq(str, written("c"), "{\"price\":\"29.9\"}"));
    cr_assert(eq(int, catalogue_field(&catalogue, STR("price")), 1));
    cr_assert(eq(int, catalogue_field(&catalogue, STR("colour")), -1));
    cr_assert(eq(int, catalogue_find(&catalogue, STR("d"), &row), 0));
}

Test(catalogue, equal_values_have_equal_numbers)
{
    struct lists_row a, b, c;
    make(CATALOGUE_KIND);
    cr_assert(catalogue_read(&artifact, &catalogue, &err), "%s", err.text);
    cr_assert(catalogue_find(&catalogue, STR("a"), &a));
    cr_assert(catalogue_find(&catalogue, STR("b"), &b));
    cr_assert(catalogue_find(&catalogue, STR("c"), &c));
    cr_assert(eq(u32, catalogue_value_number(&catalogue, &a, 0), catalogue_value_number(&catalogue, &b, 0)));
    cr_assert(ne(u32, catalogue_value_number(&catalogue, &a, 1), catalogue_value_number(&catalogue, &c, 1)));
    cr_assert(eq(u32, catalogue_value_number(&catalogue, &b, 1), catalogue_value_number(&catalogue, &c, 0)));
}

Test(catalogue, what_is_none_is_refused)
{
    make("recommender");
    cr_assert(eq(int, catalogue_read(&artifact, &catalogue, &err), 0));
    cr_assert(eq(str, err.text, "the artifact is of kind \"recommender\", not \"catalogue\""));
    struct artifact_out a;
    struct artifact other;
    AUTO(buf_release) struct buf b;
    buf_init(&b, 1 << 16);
    artifact_begin(&a, CATALOGUE_KIND);
    artifact_add(&a, "names", buf_str(&names));
    artifact_add(&a, "fields", buf_str(&names)); /* a document "" of two values */
    cr_assert(artifact_end(&a, &b, digest, &err));
    cr_assert(artifact_read(buf_str(&b), &other, &err));
    cr_assert(catalogue_read(&other, &catalogue, &err));
    AUTO(buf_release) struct buf more, ragged;
    struct lists_out o;
    const float value = 1;
    buf_init(&more, 1 << 16);
    buf_init(&ragged, 1 << 16);
    lists_begin(&o, (const char *const[]){ "place" }, 1);
    lists_key(&o, STR("a"));
    lists_add(&o, STR("1"), &value);
    cr_assert(lists_end(&o, &ragged, &err));
    artifact_begin(&a, CATALOGUE_KIND);
    artifact_add(&a, "names", buf_str(&names));
    artifact_add(&a, "fields", buf_str(&ragged));
    cr_assert(artifact_end(&a, &more, digest, &err));
    cr_assert(artifact_read(buf_str(&more), &other, &err));
    cr_assert(eq(int, catalogue_read(&other, &catalogue, &err), 0));
    cr_assert(eq(str, err.text, "document \"a\" has 1 values, not 2"));
}
