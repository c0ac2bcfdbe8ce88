#include "experimentd/loop/document.h"

#include "base/json.h"
#include "base/mem.h"

/* The spec as it is stored, member by member. */
static void write_spec(struct jsonw *w, struct str text)
{
    json_auto_t *spec = json_parse(text, NULL);
    const char *key;
    json_t *v;
    json_object_foreach(spec, key, v)
    {
        AUTO(buf_release) struct buf b;
        buf_init(&b, 1 << 20);
        json_write(&b, v);
        jsonw_raw(w, key, buf_str(&b));
    }
}

static void write_number(struct jsonw *w, const char *key, const json_t *v)
{
    if (json_is_integer(v))
        jsonw_i64(w, key, json_integer_value(v));
    else
        jsonw_null(w, key);
}

/* {"phase", "version", "against", "experiment", "experiment_phase", "since", "held", "wish"} */
static void write_state(struct jsonw *w, struct str text)
{
    json_auto_t *state = json_parse(text, NULL);
    static const char *const numbers[] = { "version", "against", "experiment_phase" };
    static const char *const words[] = { "experiment", "held", "wish" };
    jsonw_open(w, "state", '{');
    jsonw_text(w, "phase", json_string_value(json_object_get(state, "phase")));
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        write_number(w, numbers[i], json_object_get(state, numbers[i]));
    jsonw_time(w, "since", json_integer_value(json_object_get(state, "since_us")));
    for (size_t i = 0; i < COUNT_OF(words); i++)
        jsonw_text(w, words[i], json_string_value(json_object_get(state, words[i])));
    jsonw_close(w);
}

void loop_document_write(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_str(w, "model", pg_get(r, row, LOOP_MODEL_COLUMN));
    write_spec(w, pg_get(r, row, LOOP_SPEC_COLUMN));
    write_state(w, pg_get(r, row, LOOP_STATE_COLUMN));
    jsonw_raw(w, "aliases", pg_get(r, row, LOOP_ALIASES_COLUMN));
    jsonw_i64(w, "edit", pg_get_i64(r, row, LOOP_VERSION_COLUMN));
    jsonw_time(w, "created_at", pg_get_i64(r, row, LOOP_CREATED_COLUMN));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, LOOP_UPDATED_COLUMN));
}
