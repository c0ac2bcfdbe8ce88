#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "experimentd/models/compare.h"
#include "experimentd/models/export.h"

static const char *const score[] = { "score" };

/* "k:abc" is the key k with entries a, b, c. */
static void section_of(const char *const *rows, size_t count, struct buf *out)
{
    struct lists_out o;
    struct err err;
    buf_init(out, 1 << 16);
    lists_begin(&o, score, 1);
    for (size_t k = 0; k < count; k++) {
        lists_key(&o, (struct str){ rows[k], 1 });
        for (const char *e = rows[k] + 2; *e; e++)
            lists_add(&o, (struct str){ e, 1 }, &(float){ 0.1f });
    }
    cr_assert(lists_end(&o, out, &err), "%s", err.text);
}

static void artifact_of(const char *const *rows, size_t count, struct buf *file, struct artifact *out)
{
    struct artifact_out o;
    struct buf section;
    char digest[ARTIFACT_DIGEST];
    struct err err;
    section_of(rows, count, &section);
    buf_init(file, 1 << 16);
    artifact_begin(&o, "recommender");
    artifact_add(&o, "popular", buf_str(&section));
    artifact_add(&o, "card", STR("{}"));
    cr_assert(artifact_end(&o, file, digest, &err));
    cr_assert(artifact_read(buf_str(file), out, &err), "%s", err.text);
    buf_release(&section);
}

static void compared_is(const char *const *x, size_t n, const char *const *y, size_t m, const char *lists)
{
    struct buf fx, fy, out;
    struct artifact ax, ay;
    struct err err;
    artifact_of(x, n, &fx, &ax);
    artifact_of(y, m, &fy, &ay);
    const struct compared a = { 1, STR("{}"), STR("{}"), &ax }, b = { 2, STR("{}"), STR("{}"), &ay };
    buf_init(&out, 1 << 16);
    cr_assert(compare_write(&a, &b, &out, &err), "%s", err.text);
    cr_assert(ne(ptr, strstr(out.p, lists), NULL), "%s", out.p);
    buf_release(&fx);
    buf_release(&fy);
    buf_release(&out);
}

Test(compare, overlap_is_jaccard_of_the_first_ten)
{
    const char *const x[] = { "1:abc", "2:abcdefghijKLM", "3:", "4:a" }, *const y[] = { "1:bcd", "2:abcdefghijXYZ",
                                                                                        "3:", "5:a" };
    compared_is(x, 1, y, 1, "\"keys_a\":1,\"keys_b\":1,\"keys_both\":1,\"same\":0,\"overlap\":0.5}");
    compared_is(x, 2, y, 2, "\"keys_both\":2,\"same\":1,\"overlap\":0.75}");
    compared_is(x, 4, y, 4, "\"keys_a\":4,\"keys_b\":4,\"keys_both\":3,\"same\":2,\"overlap\":0.8333333333333334}");
    compared_is(x + 3, 1, y + 3, 1, "\"keys_both\":0,\"same\":0,\"overlap\":null}");
}

Test(compare, parameters_that_differ_are_told_and_metrics_have_a_difference)
{
    struct buf file, out;
    struct artifact artifact;
    struct err err;
    artifact_of(NULL, 0, &file, &artifact);
    const struct compared a = {
        3, STR("{\"params\":{\"k\":8,\"same\":1,\"gone\":true},\"window\":{\"from\":\"2026-01-01\"}}"),
        STR("{\"ndcg@10\":{\"value\":0.5,\"low\":0.4},\"old\":{\"value\":1}}"), &artifact
    };
    const struct compared b = { 4, STR("{\"params\":{\"k\":16,\"same\":1,\"new\":\"x\"},\"units\":7}"),
                                STR("{\"ndcg@10\":{\"value\":0.75}}"), &artifact };
    buf_init(&out, 1 << 16);
    cr_assert(compare_write(&a, &b, &out, &err), "%s", err.text);
    cr_assert(
        ne(ptr,
           strstr(out.p, "\"params\":[{\"name\":\"k\",\"a\":8,\"b\":16},{\"name\":\"gone\",\"a\":true,\"b\":null},"
                         "{\"name\":\"new\",\"a\":null,\"b\":\"x\"}]"),
           NULL),
        "%s", out.p);
    cr_assert(ne(ptr, strstr(out.p, "\"window\":{\"a\":{\"from\":\"2026-01-01\"},\"b\":null}"), NULL), "%s", out.p);
    cr_assert(ne(ptr,
                 strstr(out.p, "\"metrics\":[{\"name\":\"ndcg@10\",\"a\":{\"value\":0.5,\"low\":0.4},\"b\":{\"value\":"
                               "0.75},\"difference\":0.25},"
                               "{\"name\":\"old\",\"a\":{\"value\":1},\"b\":null,\"difference\":null}]"),
                 NULL),
              "%s", out.p);
    const struct compared bad = { 5, STR("{"), STR("{}"), &artifact };
    buf_clear(&out);
    cr_assert(not(compare_write(&a, &bad, &out, &err)));
    buf_release(&file);
    buf_release(&out);
}

Test(export, numbers_have_the_fewest_digits_that_read_back)
{
    struct lists_out o;
    struct lists l;
    struct buf b, out;
    struct err err;
    const float values[] = { 0.1f, 16777216, 1e-30f, 1.0f / 3, -2.5f };
    buf_init(&b, 1 << 16);
    buf_init(&out, 1 << 16);
    lists_begin(&o, score, 1);
    lists_key(&o, STR("k \"1\""));
    for (size_t i = 0; i < COUNT_OF(values); i++)
        lists_add(&o, STR("x\ny"), &values[i]);
    cr_assert(lists_end(&o, &b, &err));
    cr_assert(lists_read(buf_str(&b), &l, &err));
    export_lists(&l, EXPORT_JSONL, &out);
    cr_assert(eq(str, out.p,
                 "{\"key\":\"k \\\"1\\\"\",\"rank\":1,\"entry\":\"x\\ny\",\"score\":0.1}\n"
                 "{\"key\":\"k \\\"1\\\"\",\"rank\":2,\"entry\":\"x\\ny\",\"score\":16777216}\n"
                 "{\"key\":\"k \\\"1\\\"\",\"rank\":3,\"entry\":\"x\\ny\",\"score\":1e-30}\n"
                 "{\"key\":\"k \\\"1\\\"\",\"rank\":4,\"entry\":\"x\\ny\",\"score\":0.33333334}\n"
                 "{\"key\":\"k \\\"1\\\"\",\"rank\":5,\"entry\":\"x\\ny\",\"score\":-2.5}\n"));
    buf_clear(&out);
    export_lists(&l, EXPORT_CSV, &out);
    cr_assert(str_starts(buf_str(&out), STR("key,rank,entry,score\r\n\"k \"\"1\"\"\",1,\"x\ny\",0.1\r\n")), "%s",
              out.p);
    buf_release(&out);
    buf_init(&out, 20);
    export_lists(&l, EXPORT_CSV, &out);
    cr_assert(not(buf_ok(&out, "the export", &err)));
    buf_release(&b);
    buf_release(&out);
}
