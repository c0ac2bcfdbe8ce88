#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "trainer/engine/memory.h"
#include "trainer/engine/runtime.h"

enum { CAP_MB = 32 };

static struct task task;

static void setup(void)
{
    task.json = json_pack("{s:i}", "memory_mb", CAP_MB);
    task.split = 7;
}

TestSuite(memory, .init = setup);

Test(memory, a_kernel_that_holds_more_ends_the_worker, .exit_code = WORKER_SYSTEM)
{
    static struct arena arena;
    arena_init(&arena, 1 << 20);
    memory_cap(&task);
    for (int i = 0; i < 2 * CAP_MB; i++)
        (void)arena_alloc(&arena, 1 << 20);
}

Test(memory, one_that_holds_less_does_not)
{
    memory_cap(&task);
    void *p = mem_alloc((CAP_MB - 1) << 20);
    cr_expect(p != NULL);
    mem_free(p);
    cr_expect(ge(sz, memory_uncap(), (size_t)(CAP_MB - 1) << 20));
    p = mem_alloc((size_t)4 * CAP_MB << 20);
    mem_free(p);
}

#ifndef __SANITIZE_ADDRESS__ /* it has no back-stop there */
/* What a library takes without asking us. */
Test(memory, behind_it_stands_a_limit_for_all_private_memory)
{
    const size_t gib = (size_t)1 << 30;
    memory_cap(&task);
    void *volatile p = malloc(gib);
    cr_expect(p == NULL);
    (void)memory_uncap();
    p = malloc(gib);
    cr_expect(p != NULL);
    free(p);
}
#endif
