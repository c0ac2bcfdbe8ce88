#include "trainer/kernels/signals/typed_queries.h"

#include "model/query_text.h"

enum { FIRST_ROOM = 4096 };

void typed_queries_init(struct typed_queries *t)
{
    *t = (struct typed_queries){ .room = 0 };
    intern_init(&t->typed);
    intern_init(&t->queries);
}

void typed_queries_release(struct typed_queries *t)
{
    intern_release(&t->typed);
    intern_release(&t->queries);
    mem_free(t->numbers);
}

uint32_t typed_queries_number(struct typed_queries *t, struct str typed)
{
    if (typed.n == 0)
        return INTERN_NONE;
    uint32_t known = t->typed.count, i = intern_add(&t->typed, typed);
    char text[QUERY_TEXT_MAX];
    if (i < known)
        return t->numbers[i];
    if (i >= t->room) {
        t->room = t->room ? 2 * t->room : FIRST_ROOM;
        t->numbers = mem_realloc(t->numbers, t->room * sizeof *t->numbers);
    }
    return t->numbers[i] = intern_cut(&t->queries, query_text(typed, text), QUERY_TEXT_MAX);
}
