#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "experimentd/ingest/load/table.h"

#define NOW INT64_C(1790000000000000)
#define HOUR (INT64_C(3600) * US_PER_SECOND)

static struct arena arena;
static struct table table;

static void setup(void)
{
    arena_init(&arena, 1 << 16);
}

static void teardown(void)
{
    table_release(&table);
    arena_release(&arena);
}

TestSuite(import_table, .init = setup, .fini = teardown);

static const struct str header[] = { STR("id"), STR("arm"), STR("n"), STR("clicks"), STR("p") };

static void mapping(const char *json)
{
    struct err err;
    cr_assert(table_read(str_of(json), "", "", "NA", &table, &err), "%s", err.text);
    cr_assert(table_header(&table, "logs/bts/men.csv", header, 5, &err), "%s", err.text);
}

static bool row(const char *const cells[5], int64_t k, struct import_record *out, struct err *err)
{
    struct str fields[5];
    for (int i = 0; i < 5; i++)
        fields[i] = str_of(cells[i]);
    return table_unit(&table, fields, 5, k, STR("row-7"), NOW, &arena, out, err);
}

#define ROW(...) ((const char *const[5]){ __VA_ARGS__ })

Test(import_table, a_row_is_a_unit_with_its_signals)
{
    struct import_record r;
    struct err err;
    mapping("{\"experiment\": {\"key\": \"cats\"}, \"unit\": \"id\", \"variant\": \"arm\", \"at\": {\"text\": "
            "\"2016-01-04\"},"
            "\"signals\": [{\"type\": \"game\", \"value\": \"n\"}, {\"type\": \"login\", \"if\": \"clicks\", "
            "\"after_hours\": 24.5}]}");
    cr_assert(row(ROW("u1", "gate_30", "38", "TRUE", ""), 0, &r, &err), "%s", err.text);
    cr_assert(r.has_exposure);
    cr_assert(str_eq(r.exposure.experiment, STR("cats")));
    cr_assert(str_eq(r.exposure.variant, STR("gate_30")));
    cr_assert(eq(sz, r.signals_count, 2));
    cr_assert(str_eq(r.signals[0].unit, STR("u1")));
    cr_assert(eq(dbl, r.signals[0].value, 38));
    cr_assert(eq(i64, r.signals[1].at_us - r.signals[0].at_us, 24 * HOUR + HOUR / 2));
    cr_assert(row(ROW("u1", "gate_30", "NA", "FALSE", ""), 0, &r, &err), "%s", err.text);
    cr_assert(eq(sz, r.signals_count, 0)); /* no value: no game; not true: no login */
}

Test(import_table, a_row_of_counts_stands_for_its_units)
{
    struct import_record r;
    struct err err;
    struct str fields[] = { STR("x"), STR("a"), STR("5"), STR("2"), STR("1") };
    int64_t units, clicks = 0, carts = 0;
    mapping("{\"experiment\": {\"key\": \"m\"}, \"units\": \"n\", \"variant\": \"arm\", \"at\": 1400000000,"
            "\"signals\": [{\"type\": \"click\", \"units\": \"clicks\"}, {\"type\": \"cart\", \"after\": \"clicks\", "
            "\"units\": \"p\"}]}");
    cr_assert(table_units(&table, fields, 5, &arena, &units, &err), "%s", err.text);
    cr_assert(eq(i64, units, 5));
    for (int64_t k = 0; k < units; k++) {
        cr_assert(table_unit(&table, fields, 5, k, STR("row-1"), NOW, &arena, &r, &err), "%s", err.text);
        cr_assert(str_eq(r.exposure.unit, STR("row-1")));
        for (size_t i = 0; i < r.signals_count; i++)
            *(str_eq(r.signals[i].type, STR("click")) ? &clicks : &carts) += str_eq(r.signals[i].type, STR("click"))
                                                                                 ? k < 2
                                                                                 : k == 2;
    }
    cr_assert(eq(i64, clicks, 2));
    cr_assert(eq(i64, carts, 1));
    cr_assert(not(row(ROW("x", "a", "5", "6", "0"), 0, &r, &err)), "six of five have it");
    cr_assert(strstr(err.text, "6 units behind 0, of 5") != NULL, "%s", err.text);
}

Test(import_table, cells_find_and_weigh)
{
    struct import_record r;
    struct err err;
    mapping("{\"experiment\": {\"key\": \"e\"}, \"variant\": {\"file\": true, \"find\": \"([a-z]+)/men.csv$\"}, "
            "\"at\": 1400000000,"
            "\"signals\": [{\"type\": \"impression\", \"value\": {\"column\": \"clicks\", \"times\": 0.5, \"over\": "
            "\"p\"}, \"doc\": \"n\","
            "\"params\": {\"weight\": {\"text\": \"1\", \"over\": \"p\"}, \"seen\": {\"column\": \"id\", \"find\": "
            "\"([0-9]+) visits\"}}}]}");
    cr_assert(row(ROW("12 days, 10283 visits", "", "item 4", "3", "0.25"), 0, &r, &err), "%s", err.text);
    cr_assert(str_eq(r.exposure.variant, STR("bts")));
    cr_assert(str_eq(r.exposure.unit, STR("row-7")));
    cr_assert(eq(dbl, r.signals[0].value, 6));
    cr_assert(str_eq(r.signals[0].doc, STR("item 4")));
    cr_assert(str_eq(r.signals[0].params, STR("{\"weight\":4,\"seen\":10283}")), "%s", r.signals[0].params.p);
    cr_assert(not(row(ROW("", "", "", "3", "0"), 0, &r, &err)));
    cr_assert(strstr(err.text, "column \"clicks\"") != NULL, "%s", err.text);
    cr_assert(not(row(ROW("", "", "", "3", "NA"), 0, &r, &err)));
    cr_assert(strstr(err.text, "column \"p\" is empty") != NULL, "%s", err.text);
}

Test(import_table, attributes_go_with_the_exposure)
{
    struct import_record r;
    struct err err;
    mapping("{\"experiment\": {\"key\": \"e\"}, \"unit\": \"id\", \"variant\": \"arm\", \"at\": 1400000000, "
            "\"attributes\": {\"device\": \"clicks\", \"age\": \"n\", \"site\": {\"text\": \"bts\"}}}");
    cr_assert(row(ROW("u", "a", "41", "phone", ""), 0, &r, &err), "%s", err.text);
    cr_assert(str_eq(r.exposure.attributes, STR("{\"device\":\"phone\",\"age\":41,\"site\":\"bts\"}")), "%s",
              r.exposure.attributes.p);
    cr_assert(row(ROW("u", "a", "NA", "", ""), 0, &r, &err), "%s", err.text);
    cr_assert(str_eq(r.exposure.attributes, STR("{\"site\":\"bts\"}")), "%s", r.exposure.attributes.p);
    cr_assert(eq(ptr, (void *)(uintptr_t)r.exposure.dims.p, NULL), "which of them are kept, the import says");
}

Test(import_table, rows_are_chosen)
{
    struct err err;
    int64_t units;
    mapping("{\"at\": 1400000000, \"unit\": \"id\", \"rows\": {\"arm\": \"1\", \"n\": \"web\"}}");
    const struct str in[] = { STR("u"), STR("1"), STR("web"), STR(""), STR("") },
                     out[] = { STR("u"), STR("1"), STR("shop"), STR(""), STR("") };
    cr_assert(table_units(&table, in, 5, &arena, &units, &err));
    cr_assert(eq(i64, units, 1));
    cr_assert(table_units(&table, out, 5, &arena, &units, &err));
    cr_assert(eq(i64, units, 0));
}

Test(import_table, searches_of_a_row_have_its_query_id)
{
    struct import_record r;
    struct err err;
    mapping("{\"at\": 1400000000, \"unit\": \"id\", \"signals\": [{\"type\": \"request\", \"count\": \"n\"}, "
            "{\"type\": \"click\"}]}");
    cr_assert(row(ROW("u", "", "2", "", ""), 0, &r, &err), "%s", err.text);
    cr_assert(eq(sz, r.signals_count, 3));
    cr_assert(not(r.has_exposure));
    cr_assert(str_eq(r.signals[0].query_id, STR("row-7")));
    cr_assert(str_eq(r.signals[1].query_id, STR("row-7-1")));
    cr_assert(str_eq(r.signals[2].query_id, STR("row-7")));
}

Test(import_table, what_is_wrong_with_a_mapping_is_named)
{
    static const struct {
        const char *json, *word;
    } bad[] = {
        { "{\"unit\": \"id\"}", "\"at\"" },
        { "{\"at\": 1, \"units\": \"n\", \"unit\": \"id\"}", "both \"unit\" and \"units\"" },
        { "{\"at\": 1, \"variant\": \"arm\"}", "\"variant\"" },
        { "{\"at\": 1, \"unti\": \"id\"}", "did you mean \"unit\"" },
        { "{\"at\": {\"find\": \"x\"}}", "mapping.at" },
        { "{\"at\": {\"column\": \"id\", \"find\": \"(\"}}", "regular expression" },
        { "{\"at\": 1, \"signals\": [{\"type\": \"x\", \"units\": 3}]}", "the mapping has no \"units\"" },
        { "{\"at\": 1, \"signals\": [{\"type\": \"x\", \"value\": [1]}]}", "signals[0].value" },
        { "{\"at\": 1, \"signals\": [{}]}", "signals[0]" },
        { "{\"at\": 1, \"experiment\": {}}", "\"experiment\"" },
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct err err = { 0 };
        cr_assert(not(table_read(str_of(bad[i].json), "", "", "", &table, &err)), "%s", bad[i].json);
        cr_assert(strstr(err.text, bad[i].word) != NULL, "%s: %s", bad[i].json, err.text);
    }
}

Test(import_table, a_column_that_is_not_there_is_named)
{
    struct err err;
    cr_assert(table_read(STR("{\"at\": \"when\", \"unit\": \"id\"}"), "", "", "", &table, &err), "%s", err.text);
    cr_assert(not(table_header(&table, "f", header, 5, &err)));
    cr_assert(strstr(err.text, "no column \"when\"") != NULL, "%s", err.text);
}
