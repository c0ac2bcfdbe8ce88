#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "trainer/engine/feed.h"

static struct feed feed;
static struct err err;

static void setup(void)
{
    feed_init(&feed);
}

static void teardown(void)
{
    feed_release(&feed);
}

TestSuite(feed, .init = setup, .fini = teardown);

static void add(uint32_t input, uint32_t seq, const char *chunk)
{
    cr_assert(feed_add(&feed, input, seq, str_of(chunk), &err), "%s", err.text);
}

/* All chunks of an input, one behind the other. */
static void expect(uint32_t input, const char *text)
{
    char read[64] = "";
    struct str chunk;
    bool end = false;
    for (uint32_t seq = 0; !end; seq++) {
        cr_assert(feed_read(&feed, input, seq, &chunk, &end, &err), "%s", err.text);
        if (!end)
            (void)strncat(read, chunk.p, chunk.n);
    }
    cr_expect(str_eq_c(str_of(read), text), "input %u", input);
}

Test(feed, chunks_that_come_in_any_order_are_served_in_theirs)
{
    add(2, 1, "world");
    add(0, 0, "a");
    add(2, 0, "hello ");
    add(0, 2, "c");
    add(0, 1, "b");
    cr_assert(feed_end(&feed, 5, &err), "%s", err.text);
    expect(0, "abc");
    expect(1, "");
    expect(2, "hello world");
    expect(0, "abc");
}

Test(feed, no_chunk_is_no_input)
{
    cr_assert(feed_end(&feed, 0, &err), "%s", err.text);
    expect(0, "");
}

Test(feed, a_chunk_that_is_missing_or_came_twice_is_an_error)
{
    add(0, 0, "a");
    add(0, 2, "c");
    cr_expect(not(feed_end(&feed, 2, &err)));
    cr_expect(eq(str, err.text, "input 0: chunk 2 came instead of 1"));
    add(0, 1, "b");
    cr_expect(not(feed_end(&feed, 4, &err)));
    cr_expect(eq(str, err.text, "3 chunks of the inputs came, 4 were sent"));
    add(0, 1, "b");
    cr_expect(not(feed_end(&feed, 4, &err)));
    cr_expect(eq(str, err.text, "input 0: chunk 1 came instead of 2"));
}
