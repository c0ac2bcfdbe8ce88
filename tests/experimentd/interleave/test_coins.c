/* The coins are stable for ever, and fair. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "experimentd/interleave/coins.h"

/* Made by the description in coins.h with Python's integers (coins.py beside this file), not by this code. */
Test(coins, are_those_of_the_description)
{
    static const struct {
        struct str seed, query_id;
        unsigned n, coins[6];
    } cases[] = {
        { { "ranker", 6 }, { "q-1", 3 }, 2, { 0, 1, 1, 0, 0, 0 } },
        { { "", 0 }, { "", 0 }, 3, { 1, 1, 2, 1, 0, 1 } },
        { { "s\xc3\xa9"
            "ed",
            5 },
          { "\xf0\x9f\xa6\x84", 4 },
          INTERLEAVE_COIN_MAX,
          { 857835767, 538879231, 61846188, 133938180, 865796190, 971774744 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct coins_stream s;
        coins_start(&s, cases[i].seed, cases[i].query_id);
        for (size_t k = 0; k < 6; k++)
            cr_expect(eq(uint, coins_toss(&s, cases[i].n), cases[i].coins[k]), "case %zu, coin %zu", i, k);
    }
}

Test(coins, differ_by_seed_and_by_query)
{
    struct coins_stream a, b, c;
    coins_start(&a, STR("one"), STR("query"));
    coins_start(&b, STR("other"), STR("query"));
    coins_start(&c, STR("query"), STR("one"));
    cr_expect(ne(u64, a.state, b.state));
    cr_expect(ne(u64, a.state, c.state));
}
