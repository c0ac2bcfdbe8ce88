#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/json.h"
#include "job/params.h"
#include "job/schema.h"

static bool is(const json_t *v, json_type kind)
{
    return v && json_typeof(v) == kind;
}

/* Everything that a test parses or makes ends with it. */
static json_t *kept;

static void open_kept(void)
{
    kept = json_array();
}

static void close_kept(void)
{
    json_decref(kept);
}

TestSuite(job_schema, .init = open_kept, .fini = close_kept);

static json_t *keep(json_t *v)
{
    (void)json_array_append_new(kept, v);
    return v;
}

static json_t *schema_of(const struct job_type *type)
{
    struct buf b;
    struct err err = { 0 };
    buf_init(&b, JOB_SCHEMA_BYTES);
    job_type_schema(type, &b);
    cr_assert(eq(int, b.failed, 0));
    json_t *root = json_parse(buf_str(&b), &err);
    cr_assert(root != NULL, "%s: %s", type->name, err.text);
    buf_release(&b);
    return keep(root);
}

static json_t *property(const char *type, const char *name)
{
    const struct job_type *t = job_type_find(str_of(type));
    cr_assert(t != NULL);
    return json_object_get(json_object_get(schema_of(t), "properties"), name);
}

static bool takes(const struct job_type *type, const char *name, json_t *v)
{
    struct buf in, out;
    struct err err;
    json_t *object = json_object();
    for (size_t i = 0; i < type->params_count; i++)
        if (type->params[i].required)
            (void)json_object_set_new(object, type->params[i].name, json_string("x"));
    (void)json_object_set(object, name, v);
    buf_init(&in, JOB_PARAMS_BYTES);
    buf_init(&out, JOB_PARAMS_BYTES);
    json_write(&in, object);
    bool ok = job_params_check(type, buf_str(&in), &out, &err);
    buf_release(&in);
    buf_release(&out);
    json_decref(object);
    return ok;
}

/* What the schema says of a parameter is what the check does. */
static void agrees(const struct job_type *type, const char *name, json_t *schema)
{
    json_t *v, *fallback = json_object_get(schema, "default"), *most = json_object_get(schema, "maximum"),
               *least = json_object_get(schema, "minimum"), *length = json_object_get(schema, "maxLength");
    size_t i;
    cr_expect(fallback == NULL || takes(type, name, fallback), "%s.%s: its default is refused", type->name, name);
    if (most && json_is_integer(most)) {
        cr_expect(takes(type, name, most), "%s.%s: its maximum is refused", type->name, name);
        cr_expect(eq(int, takes(type, name, keep(json_integer(json_integer_value(most) + 1))), 0), "%s.%s", type->name,
                  name);
    }
    if (least && json_is_integer(least)) {
        cr_expect(takes(type, name, least), "%s.%s: its minimum is refused", type->name, name);
        cr_expect(eq(int, takes(type, name, keep(json_integer(json_integer_value(least) - 1))), 0), "%s.%s", type->name,
                  name);
    }
    if (length) {
        char *text = mem_zalloc((size_t)json_integer_value(length) + 2);
        memset(text, 'x', (size_t)json_integer_value(length) + 1);
        cr_expect(eq(int, takes(type, name, keep(json_string(text))), 0), "%s.%s", type->name, name);
        text[json_integer_value(length)] = '\0';
        cr_expect(takes(type, name, keep(json_string(text))), "%s.%s: a text as long as may be is refused", type->name,
                  name);
        mem_free(text);
    }
    json_array_foreach(json_object_get(schema, "enum"), i, v)
        cr_expect(takes(type, name, v), "%s.%s: choice %zu is refused", type->name, name, i);
}

Test(job_schema, says_of_every_type_what_the_check_does)
{
    for (size_t i = 0; i < job_types_count; i++) {
        json_t *root = schema_of(&job_types[i]), *v;
        const char *name;
        cr_assert_str_eq(json_string_value(json_object_get(root, "title")), job_types[i].name);
        cr_assert(is(json_object_get(root, "additionalProperties"), JSON_FALSE));
        json_object_foreach(json_object_get(root, "properties"), name, v) agrees(&job_types[i], name, v);
    }
}

Test(job_schema, has_a_property_for_every_kind_of_parameter)
{
    cr_assert_str_eq(json_string_value(json_object_get(property("metrics", "experiment"), "type")), "string");
    cr_assert(eq(sz, json_array_size(json_object_get(property("metrics", "ranges"), "enum")), 11));
    cr_assert(eq(i64, json_integer_value(json_object_get(property("metrics", "ranges"), "default")), 16));
    cr_assert(is(json_object_get(property("metrics", "full"), "default"), JSON_FALSE));
    cr_assert(json_number_value(json_object_get(property("bootstrap", "level"), "exclusiveMaximum")) == 1);
    cr_assert_str_eq(json_string_value(json_object_get(property("sessions", "from"), "format")), "date");
    cr_assert_str_eq(json_string_value(json_object_get(property("sessions", "gap_minutes"), "unit")), "minutes");
}

Test(job_types, have_names_and_rows_of_their_own)
{
    for (size_t i = 0; i < job_types_count; i++) {
        const struct job_type *t = &job_types[i];
        cr_expect(job_type_find(str_of(t->name)) == t, "job \"%s\" stands there twice", t->name);
        cr_expect(t->params_count <= JOB_PARAMS_MAX && *t->summary);
        cr_expect(eq(int, t->incremental, job_param_find(t, STR("full")) != NULL), "%s", t->name);
        for (size_t j = 0; j < t->params_count; j++) {
            const struct job_param *p = &t->params[j];
            cr_expect(job_param_find(t, str_of(p->name)) == p, "%s.%s stands there twice", t->name, p->name);
            cr_expect(p->help && *p->help, "%s.%s has no help", t->name, p->name);
            cr_expect(eq(int, p->type == JOB_CHOICE, p->choices != NULL), "%s.%s", t->name, p->name);
            bool number = p->type == JOB_WHOLE || p->type == JOB_REAL;
            bool bounded = !number || p->min < p->max;
            cr_expect(bounded, "%s.%s: bounds", t->name, p->name);
        }
    }
}

Test(job_help, has_a_line_for_every_parameter)
{
    struct buf b;
    buf_init(&b, JOB_SCHEMA_BYTES);
    job_type_help(job_type_find(STR("bootstrap")), &b);
    cr_assert(strstr(b.p, "bootstrap    intervals of") == b.p, "%s", b.p);
    cr_assert(strstr(b.p, "\n               experiment=KEY  which one (must be given)\n") != NULL, "%s", b.p);
    cr_assert(strstr(b.p, "\n               replicates=N    how often units are drawn (default 1000)\n") != NULL, "%s",
              b.p);
    buf_release(&b);
}

Test(job_schema, is_part_of_what_is_said_of_a_type)
{
    struct buf b;
    struct err err;
    buf_init(&b, JOB_SCHEMA_BYTES);
    job_type_json(job_type_find(STR("preview")), &b);
    json_t *root = json_parse(buf_str(&b), &err);
    cr_assert(is(json_object_get(root, "by_hand"), JSON_TRUE));
    cr_assert_str_eq(json_string_value(json_array_get(json_object_get(json_object_get(root, "params"), "required"), 0)),
                     "metric");
    json_decref(root);
    buf_release(&b);
}
