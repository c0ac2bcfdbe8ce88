#include "base/json.h"
#include "base/jsonw.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/sql/sql_day.h"

enum { JSON_MAX = 256 << 10 };

const char *const sql_marks_names[SQL_MARKS_COUNT] = {
    [SQL_MARKED_UNITS] = "units", [SQL_MARKED_ROWS] = "rows", [SQL_MARKED_NONE] = "none"
};

static bool type_of(struct str name, enum rollup_type *out)
{
    for (int i = 0; i < ROLLUP_TYPE_COUNT; i++)
        if (str_eq_c(name, rollup_type_names[i])) {
            *out = (enum rollup_type)i;
            return true;
        }
    return false;
}

static bool marks_of(struct str name, enum sql_marks *out)
{
    for (int i = 0; i < SQL_MARKS_COUNT; i++)
        if (str_eq_c(name, sql_marks_names[i])) {
            *out = (enum sql_marks)i;
            return true;
        }
    return false;
}

static struct str text_of(const json_t *v, struct arena *arena)
{
    return arena_str(arena, (struct str){ json_string_value(v), json_string_length(v) });
}

/* ["name", "type", "name", "type", …] */
static bool read_columns(struct json_reader *r, json_t *list, struct sql_params *out, struct arena *arena)
{
    out->columns_count = json_array_size(list) / 2;
    struct rollup_column *columns = arena_zalloc(arena, (out->columns_count + 1) * sizeof *columns);
    for (size_t i = 0; i < out->columns_count; i++) {
        columns[i].name = text_of(json_array_get(list, 2 * i), arena);
        if (!type_of(text_of(json_array_get(list, 2 * i + 1), arena), &columns[i].type))
            return json_fail(r, "columns", "names no type of a column");
    }
    out->columns = columns;
    return true;
}

bool sql_params_make(struct sql_params *p, struct arena *arena, struct err *err)
{
    if (!rollup_make(p->keys, p->measures, p->columns, p->columns_count, arena, &p->rollup, err))
        return false;
    int unit = rollup_key(&p->rollup, STR("unit"));
    p->of_units = unit >= 0;
    return !p->of_units || p->rollup.columns[unit].type == ROLLUP_TEXT ||
           err_set(err, ERR_INVALID, "keys: \"unit\" is not the text that signals have");
}

bool sql_params_read(struct str json, struct sql_params *out, struct arena *arena, struct err *err)
{
    struct json_reader r;
    struct str marks = { NULL, 0 };
    json_t *columns = NULL;
    json_auto_t *root = json_parse(json, err);
    if (!root)
        return false;
    *out = (struct sql_params){ .timeout_s = 0 };
    json_reader_open(&r, root, "params");
    (void)json_get_str(&r, "archive", JSON_OPTIONAL, &out->archive, arena);
    (void)json_get_str(&r, "select", JSON_REQUIRED, &out->select, arena);
    (void)json_get_str(&r, "keys", JSON_REQUIRED, &out->keys, arena);
    (void)json_get_str(&r, "measures", JSON_REQUIRED, &out->measures, arena);
    (void)json_get_str(&r, "marks", JSON_REQUIRED, &marks, arena);
    (void)json_get_i64(&r, "timeout_s", JSON_REQUIRED, &out->timeout_s);
    (void)json_get_array(&r, "columns", JSON_REQUIRED, &columns);
    if (!marks_of(marks, &out->marks))
        (void)json_fail(&r, "marks", "is none of units, rows, none");
    (void)read_columns(&r, columns, out, arena);
    return json_reader_close(&r, err) && sql_params_make(out, arena, err);
}

bool sql_params_write(const struct sql_params *p, struct arena *arena, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "archive", p->archive);
    jsonw_str(&w, "select", p->select);
    jsonw_str(&w, "keys", p->keys);
    jsonw_str(&w, "measures", p->measures);
    jsonw_text(&w, "marks", sql_marks_names[p->marks]);
    jsonw_i64(&w, "timeout_s", p->timeout_s);
    jsonw_open(&w, "columns", '[');
    for (size_t i = 0; i < p->columns_count; i++) {
        jsonw_str(&w, NULL, p->columns[i].name);
        jsonw_text(&w, NULL, rollup_type_names[p->columns[i].type]);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    *out = arena_str(arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}
