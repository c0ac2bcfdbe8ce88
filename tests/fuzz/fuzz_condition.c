/* condition 0 attributes 0 saved groups: the same answer each time, and {"$not": condition} answers the opposite. */
#include "tests/fuzz/assign_fuzz.h"

static bool holds(const struct assign_value *condition, const struct assign_value *attributes,
                  const struct assign_value *groups, size_t limit)
{
    struct fuzz_arena a;
    fuzz_arena_init(&a, limit);
    bool answer = assign_condition(condition, attributes, groups, &a.arena);
    fuzz_arena_release(&a);
    return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct fuzz_arena a;
    fuzz_arena_init(&a, FUZZ_PIECES);
    struct assign_value condition = fuzz_value(fuzz_part(&data, &n), &a),
                        attributes = fuzz_value(fuzz_part(&data, &n), &a),
                        groups = fuzz_value((struct assign_text){ (const char *)data, n }, &a);
    const struct assign_value *given = groups.type == ASSIGN_OBJECT ? &groups : NULL;
    if (condition.type == ASSIGN_OBJECT) {
        bool first = holds(&condition, &attributes, given, FUZZ_PIECES);
        if (holds(&condition, &attributes, given, FUZZ_PIECES) != first)
            abort();
        for (size_t limit = 0; limit < 3; limit++)
            (void)holds(&condition, &attributes, given, limit);
        struct assign_member member = { { "$not", 4 }, condition };
        struct assign_value opposite = { .type = ASSIGN_OBJECT, .count = 1, .members = &member };
        if (first && holds(&opposite, &attributes, given, FUZZ_PIECES))
            abort(); /* both hold; that neither does is right for what passes a limit or makes no sense */
    }
    fuzz_arena_release(&a);
    return 0;
}
