/* Exports: what each format says of the same rules, and what it does with texts that have its own signs in them. */
#include "experimentd/rewrites/export.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct buf out;

static void open_all(void)
{
    buf_init(&out, 1 << 20);
}

static void close_all(void)
{
    buf_release(&out);
}

TestSuite(rewrites_export, .init = open_all, .fini = close_all);

#define RULE(t, in, to, c, n)                                                                  \
    {                                                                                          \
        .type = REWRITE_##t, .input = STR(in), .output = STR(to), .confidence = (c), .id = (n) \
    }

/* By type and input, the best first, as they come from the table. */
static struct rewrite_rule shop[] = {
    RULE(QUERY, "apple watch", "iwatch", 1, 1),
    RULE(SPELLING, "ipone", "iphone", 0.9, 2),
    RULE(SPELLING, "ipone", "ipod", 0.4, 3),
    RULE(SPELLING, "note pad", "notepad", 0.5, 4),
    RULE(HEAD_TAIL, "red shoes 44", "red shoes", 0.75, 5),
    RULE(REMOVE_WORDS, "cheap phone", "phone", 0.5, 6),
    RULE(REMOVE_WORDS, "please", "", 0.5, 7),
    RULE(PHRASE, "new york", "new york", 1, 8),
    RULE(SYNONYM, "sofa", "couch", 1, 9),
    RULE(SYNONYM, "tv", "television", 0.8, 10),
    RULE(SYNONYM, "tv", "flat screen", 0.6, 11),
};

static char *export(enum rewrite_format f, const struct rewrite_rule *rules, size_t n)
{
    struct rewrite_exported done;
    struct err err = { 0 };
    shop[8].bidirectional = true;
    buf_clear(&out);
    cr_assert(rewrites_export_write(f, rules, n, &out, &done, &err), "%s", err.text);
    return out.p;
}

#define SAYS(format, text) cr_assert(eq(str, export(format, shop, COUNT_OF(shop)), (text)))

Test(rewrites_export, a_synonym_keeps_the_word_and_a_spelling_replaces_it)
{
    SAYS(EXPORT_SOLR, "# query rewrites: 2 spelling, 3 synonym; left out: 1 query, 1 spelling, 1 head_tail, 2 "
                      "remove_words, 1 phrase\n"
                      "ipone => iphone\nnote pad => notepad\nsofa, couch\ntv => tv, television, flat screen\n");
    SAYS(EXPORT_ELASTICSEARCH, "{\"synonyms_set\":[{\"id\":\"rewrite-2\",\"synonyms\":\"ipone => "
                               "iphone\"},{\"id\":\"rewrite-4\",\"synonyms\":\"note pad => notepad\"},"
                               "{\"id\":\"rewrite-9\",\"synonyms\":\"sofa, "
                               "couch\"},{\"id\":\"rewrite-10\",\"synonyms\":\"tv => tv, television, flat screen\"}]}");
}

Test(rewrites_export, whole_queries_and_removals_are_rules_of_querqy)
{
    SAYS(EXPORT_QUERQY,
         "# query rewrites: 1 query, 1 head_tail, 2 remove_words, 3 synonym; left out: 3 spelling, 1 phrase\n"
         "\"apple watch\" =>\n  SYNONYM: iwatch\n\n\"red shoes 44\" =>\n  SYNONYM(0.75): red shoes\n\n"
         "cheap phone =>\n  DELETE: cheap\n\nplease =>\n  DELETE: please\n\n"
         "sofa =>\n  SYNONYM: couch\n\ncouch =>\n  SYNONYM: sofa\n\n"
         "tv =>\n  SYNONYM(0.8): television\n  SYNONYM(0.6): flat screen\n\n");
    SAYS(EXPORT_QUERQY_REPLACE, "# query rewrites: 2 spelling; left out: 1 query, 1 spelling, 1 head_tail, 2 "
                                "remove_words, 1 phrase, 3 synonym\n"
                                "ipone => iphone\nnote pad => notepad\n");
}

Test(rewrites_export, typesense_and_algolia_have_objects)
{
    const struct rewrite_rule few[] = { shop[1], shop[3], shop[9], RULE(SYNONYM, "sofa", "couch", 1, 9) };
    struct rewrite_rule rules[4];
    memcpy(rules, few, sizeof few);
    rules[3].bidirectional = true;
    cr_assert(eq(str, export(EXPORT_TYPESENSE, rules, 4),
                 "{\"items\":[{\"id\":\"rewrite-2\",\"root\":\"ipone\",\"synonyms\":[\"iphone\"]},{\"id\":\"rewrite-"
                 "4\",\"root\":\"note pad\",\"synonyms\":[\"notepad\"]},"
                 "{\"id\":\"rewrite-10\",\"root\":\"tv\",\"synonyms\":[\"television\"]},{\"id\":\"rewrite-9\","
                 "\"synonyms\":[\"sofa\",\"couch\"]}]}"));
    cr_assert(
        eq(str, export(EXPORT_ALGOLIA, rules, 4),
           "[{\"objectID\":\"rewrite-2\",\"type\":\"altCorrection1\",\"word\":\"ipone\",\"corrections\":[\"iphone\"]},"
           "{\"objectID\":\"rewrite-4\",\"type\":\"oneWaySynonym\",\"input\":\"note pad\",\"synonyms\":[\"notepad\"]},"
           "{\"objectID\":\"rewrite-10\",\"type\":\"oneWaySynonym\",\"input\":\"tv\",\"synonyms\":[\"television\"]},"
           "{\"objectID\":\"rewrite-9\",\"type\":\"synonym\",\"synonyms\":[\"sofa\",\"couch\"]}]"));
}

Test(rewrites_export, signs_of_a_format_are_escaped_or_left_out)
{
    const struct rewrite_rule rules[] = { RULE(SPELLING, "#1, a=>b", "c\\d \"e\"", 1, 1),
                                          RULE(SPELLING, "-x", "y", 1, 2), RULE(SPELLING, "wi-fi", "wifi", 1, 3) };
    cr_assert(eq(str, export(EXPORT_SOLR, rules, 1),
                 "# query rewrites: 1 spelling; left out: none\n\\#1\\, a\\=>b => c\\\\d \"e\"\n"));
    cr_assert(eq(str, export(EXPORT_QUERQY_REPLACE, rules, 3),
                 "# query rewrites: 1 spelling; left out: 2 spelling\nwi-fi => wifi\n"));
    cr_assert(eq(str, export(EXPORT_JSONL, rules, 1),
                 "{\"id\":1,\"type\":\"spelling\",\"input\":\"#1, a=>b\",\"output\":\"c\\\\d "
                 "\\\"e\\\"\",\"bidirectional\":false,\"confidence\":1,\"source\":\"job\"}\n"));
    cr_assert(eq(str, export(EXPORT_CSV, rules, 2),
                 "id,type,input,output,bidirectional,confidence,source\r\n1,spelling,\"#1, a=>b\",\"c\\d "
                 "\"\"e\"\"\",false,1,job\r\n2,spelling,\"'-x\",\"y\",false,1,job\r\n"));
}

Test(rewrites_export, elasticsearch_holds_ten_thousand)
{
    static char texts[10001][8];
    static struct rewrite_rule rules[10001];
    struct rewrite_exported done;
    struct err err = { 0 };
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%05zu", i);
        rules[i] = (struct rewrite_rule){
            .type = REWRITE_SPELLING, .input = str_of(texts[i]), .output = STR("x"), .id = i + 1
        };
    }
    cr_assert(rewrites_export_write(EXPORT_ELASTICSEARCH, rules, 10000, &out, &done, &err), "%s", err.text);
    buf_clear(&out);
    cr_assert(not(rewrites_export_write(EXPORT_ELASTICSEARCH, rules, 10001, &out, &done, &err)));
    cr_assert(eq(str, err.text,
                 "format \"elasticsearch\" holds at most 10000 rules, these are 10001; choose types, or ask for more "
                 "confidence"));
}
