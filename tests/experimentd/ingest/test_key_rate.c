#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "experimentd/ingest/key_rate.h"

#define KEY STR("xd_client_1")
#define SECONDS(n) ((int64_t)((n)*1e6))

Test(key_rate, no_rate_is_no_limit)
{
    struct key_rate *r = key_rate_new(0);
    key_rate_charge(r, KEY, 1000000000, 0);
    cr_expect(eq(i64, key_rate_wait_us(r, KEY, 0), 0));
    cr_expect(eq(u64, key_rate_refused(r), 0));
    key_rate_free(r);
}

Test(key_rate, a_second_is_let_in_at_once_and_a_request_beyond_it)
{
    struct key_rate *r = key_rate_new(10);
    for (int i = 0; i < 11; i++) {
        cr_expect(eq(i64, key_rate_wait_us(r, KEY, SECONDS(5)), 0));
        key_rate_charge(r, KEY, 1, SECONDS(5));
    }
    cr_expect(eq(i64, key_rate_wait_us(r, KEY, SECONDS(5)), SECONDS(0.1)));
    cr_expect(eq(i64, key_rate_wait_us(r, KEY, SECONDS(5.1)), 0));
    cr_expect(eq(u64, key_rate_refused(r), 1));
    key_rate_free(r);
}

Test(key_rate, a_batch_larger_than_the_bucket_is_let_in_and_waited_for)
{
    struct key_rate *r = key_rate_new(10);
    cr_expect(eq(i64, key_rate_wait_us(r, KEY, SECONDS(100)), 0));
    key_rate_charge(r, KEY, 500, SECONDS(100));
    cr_expect(eq(i64, key_rate_wait_us(r, KEY, SECONDS(100)), SECONDS(49)));
    cr_expect(eq(i64, key_rate_wait_us(r, KEY, SECONDS(148.5)), SECONDS(0.5)));
    cr_expect(eq(i64, key_rate_wait_us(r, KEY, SECONDS(149)), 0));
    key_rate_free(r);
}

Test(key_rate, a_pause_saves_up_a_second_and_no_more)
{
    struct key_rate *r = key_rate_new(1000);
    key_rate_charge(r, KEY, 1000, SECONDS(1));
    key_rate_charge(r, KEY, 1500, SECONDS(3600));
    cr_expect(eq(i64, key_rate_wait_us(r, KEY, SECONDS(3600)), SECONDS(0.5)));
    key_rate_free(r);
}

Test(key_rate, a_greedy_key_gets_its_rate)
{
    enum { RATE = 997, REQUEST = 40, MS = 60000 };
    struct key_rate *r = key_rate_new(RATE);
    size_t taken = 0;
    for (int64_t ms = 0; ms < MS; ms++) {
        if (key_rate_wait_us(r, KEY, ms * 1000))
            continue;
        size_t events = 1 + (size_t)(ms * 7919 % REQUEST);
        key_rate_charge(r, KEY, events, ms * 1000);
        taken += events;
    }
    cr_expect(taken <= RATE * (MS / 1000 + 1) + REQUEST, "%zu", taken);
    cr_expect(taken >= RATE * (MS / 1000), "%zu", taken);
    key_rate_free(r);
}

Test(key_rate, keys_are_told_apart)
{
    struct key_rate *r = key_rate_new(1);
    char key[32];
    for (int i = 0; i < KEY_RATE_SLOTS / 4; i++) {
        (void)snprintf(key, sizeof key, "xd_client_%d", i);
        key_rate_charge(r, str_of(key), (size_t)i + 2, 0);
    }
    for (int i = 0; i < KEY_RATE_SLOTS / 4; i++) {
        (void)snprintf(key, sizeof key, "xd_client_%d", i);
        cr_assert(eq(i64, key_rate_wait_us(r, str_of(key), 0), SECONDS(i + 1)));
    }
    for (int i = 0; i < 2 * KEY_RATE_SLOTS; i++) { /* more than there is room for: they share */
        (void)snprintf(key, sizeof key, "xd_more_%d", i);
        key_rate_charge(r, str_of(key), 1000000, 0);
        cr_assert(key_rate_wait_us(r, str_of(key), 0) > 0);
    }
    key_rate_free(r);
}

enum { THREADS = 4, CHARGES = 20000 };

static void *charge(void *r)
{
    for (int i = 0; i < CHARGES; i++)
        key_rate_charge(r, KEY, 1, 0);
    return NULL;
}

Test(key_rate, threads_charge_one_bucket)
{
    struct key_rate *r = key_rate_new(1000);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        cr_assert(pthread_create(&threads[i], NULL, charge, r) == 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    cr_expect(eq(i64, key_rate_wait_us(r, KEY, 0), SECONDS(THREADS * CHARGES / 1000 - 1)));
    key_rate_free(r);
}
