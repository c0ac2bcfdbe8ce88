#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sysexits.h>

#include "trainer/engine/retry.h"
#include "trainer/engine/task.h"

Test(retry, what_would_fail_again_is_not_tried)
{
    static const int never[] = { EX_USAGE, WORKER_BAD_DATA, WORKER_BUG, WORKER_OTHER_BUILD };
    for (size_t i = 0; i < COUNT_OF(never); i++)
        cr_expect(eq(int, retry_rule_of(never[i])->then, RETRY_NEVER), "code %d", never[i]);
    cr_expect(eq(int, retry_rule_of(WORKER_BAD_DATA)->kind, ERR_INVALID));
}

Test(retry, the_rest_is)
{
    cr_expect(eq(int, retry_rule_of(WORKER_SYSTEM)->then, RETRY_ALONE));
    static const int again[] = { WORKER_AGAIN, RETRY_SIGNAL, 1, 127 };
    for (size_t i = 0; i < COUNT_OF(again); i++)
        cr_expect(eq(int, retry_rule_of(again[i])->then, RETRY_AGAIN), "code %d", again[i]);
}

Test(retry, each_wait_is_twice_as_long)
{
    cr_expect(eq(i64, retry_wait_us(1), 200000));
    cr_expect(eq(i64, retry_wait_us(2), 400000));
    cr_expect(eq(i64, retry_wait_us(4), 1600000));
    cr_expect(eq(i64, retry_wait_us(1000), retry_wait_us(8)));
}
