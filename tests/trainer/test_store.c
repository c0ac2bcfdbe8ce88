#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trainer/engine/store.h"

static char path[64];

static void setup(void)
{
    (void)snprintf(path, sizeof path, "/tmp/store-test-%d", (int)getpid());
}

static void teardown(void)
{
    (void)unlink(path);
}

TestSuite(store, .init = setup, .fini = teardown);

/* ---- keys ---- */

static struct engine_input input = { 3, 1 };
static struct engine_split split;
static struct engine_pass pass;
static struct store_key source, blob;

static struct store_key key(const char *nonce)
{
    return store_key_of(&pass, &split, &source, &blob, str_of(nonce));
}

static void make(void)
{
    source = store_key_of_bytes(STR("source"));
    blob = store_key_of_bytes(STR("blob"));
    split = (struct engine_split){ .desc = STR("desc"), .seen = STR("seen"), .inputs = &input, .inputs_count = 1 };
    pass = (struct engine_pass){ .name = "name",
                                 .kernel = "kernel@1",
                                 .params = STR("params"),
                                 .parts = 2,
                                 .seed = 1,
                                 .blobs_count = 1,
                                 .reads_database = true };
    input = (struct engine_input){ 3, 1 };
}

Test(store, equal_splits_have_equal_keys)
{
    make();
    struct store_key a = key("x");
    pass.snapshot = STR("00000003-0000001B-1"); /* another one each time */
    split.weight = 9;
    cr_expect(eq(str, a.text, key("y").text));
    cr_expect(eq(sz, strlen(a.text), 2 * STORE_KEY_BYTES));
}

Test(store, whatever_a_split_is_made_of_is_in_its_key)
{
    struct store_key seen[16];
    size_t count = 0;
    for (int change = 0; change <= 9; change++) {
        make();
        pass.name = change == 1 ? "other" : pass.name;
        pass.kernel = change == 2 ? "kernel@2" : pass.kernel;
        pass.params = change == 3 ? STR("other") : pass.params;
        pass.parts = change == 4 ? 3 : pass.parts;
        pass.seed = change == 5 ? 2 : pass.seed;
        split.desc = change == 6 ? STR("descs") : split.desc;
        split.seen = change == 6 ? STR("een") : change == 7 ? STR("other") : split.seen;
        input.part = change == 8 ? 0 : input.part;
        source = change == 9 ? blob : source;
        seen[count++] = key("x");
    }
    make();
    blob = source;
    seen[count++] = key("x");
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            cr_expect(ne(str, seen[i].text, seen[j].text), "changes %zu and %zu", i, j);
}

Test(store, what_reads_the_database_and_does_not_say_what_is_nobody_elses)
{
    make();
    split.seen = STR("");
    cr_expect(ne(str, key("x").text, key("y").text));
    cr_expect(eq(str, key("x").text, key("x").text));
    pass.reads_database = false;
    cr_expect(eq(str, key("x").text, key("y").text));
}

/* ---- the folder ---- */

static void touch(const char *path_of_it)
{
    FILE *f = fopen(path_of_it, "we");
    cr_assert(f != NULL);
    (void)fclose(f);
}

Test(store, what_is_unfinished_is_cleaned_what_is_whole_stays)
{
    char dir[] = "/tmp/store-test-XXXXXX";
    make();
    cr_assert(mkdtemp(dir) != NULL);
    struct store_key k = key("x");
    AUTO(mem_free) char *whole = store_path(dir, 1, 2, &k);
    AUTO(mem_free) char *attempt = store_attempt_path(dir, 1, 2, &k, 3);
    AUTO(mem_free) char *result = mem_printf("%s.r", whole);
    AUTO(mem_free) char *result_of_a_dead_one = mem_printf("%s.r.77.new", whole);
    AUTO(mem_free) char *broadcast = store_blob_path(dir, &k);
    char *const stay[] = { whole, result, broadcast }, *const go[] = { attempt, result_of_a_dead_one };
    for (size_t i = 0; i < COUNT_OF(stay); i++)
        touch(stay[i]);
    for (size_t i = 0; i < COUNT_OF(go); i++)
        touch(go[i]);
    store_clean(dir);
    for (size_t i = 0; i < COUNT_OF(stay); i++)
        cr_expect(eq(int, access(stay[i], F_OK), 0), "%s", stay[i]);
    for (size_t i = 0; i < COUNT_OF(go); i++)
        cr_expect(eq(int, access(go[i], F_OK), -1), "%s", go[i]);
    store_remove(dir);
    cr_expect(eq(int, access(dir, F_OK), -1));
}

/* ---- results ---- */

static bool read_result(uint64_t *rows, struct buf *b)
{
    buf_init(b, 1 << 20);
    return store_read_result(path, rows, b);
}

Test(store, a_result_is_read_as_it_was_written)
{
    struct err err = { 0 };
    for (int n = 0; n <= 200000; n += 100000) {
        AUTO(buf_release) struct buf b;
        char *bytes = mem_zalloc((size_t)n + 1);
        uint64_t rows = 0;
        memset(bytes, 'x', (size_t)n);
        cr_assert(store_write_result(path, 42, (struct str){ bytes, (size_t)n }, &err), "%s", err.text);
        cr_assert(read_result(&rows, &b));
        cr_expect(eq(u64, rows, 42));
        cr_expect(str_eq(buf_str(&b), (struct str){ bytes, (size_t)n }));
        mem_free(bytes);
    }
}

Test(store, a_result_that_is_damaged_cut_or_not_there_is_none)
{
    struct err err = { 0 };
    AUTO(buf_release) struct buf b;
    uint64_t rows;
    char bytes[128];
    cr_expect(not(read_result(&rows, &b)));
    cr_assert(store_write_result(path, 42, STR("what was found"), &err), "%s", err.text);
    FILE *f = fopen(path, "re");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    for (size_t i = 0; i < 2 * n; i++) {
        f = fopen(path, "we");
        bytes[i % n] ^= 1;
        (void)fwrite(bytes, 1, i < n ? n : i - n, f); /* flipped, then cut */
        bytes[i % n] ^= 1;
        (void)fclose(f);
        cr_expect(not(read_result(&rows, &b)), "%zu of %zu", i, n);
    }
}
