#include <stdio.h>
#include <string.h>

#include "assign/assign.h"

int main(void)
{
    static const char *const variants[] = { "bm25", "ltr" };
    static const char *const units[] = { "user-1", "user-2", "пользователь-7" };
    const double weights[] = { 0.5, 0.5 };
    struct assign_experiment ranker;
    if (!assign_experiment_init(&ranker, "ranker-q4", strlen("ranker-q4"), 2, 1.0, weights, 2))
        return 1;
    for (size_t i = 0; i < 3; i++) {
        int v = assign_variant(&ranker, units[i], strlen(units[i])); /* any thread, no allocation */
        printf("%s %s\n", units[i], v < 0 ? "not in the experiment" : variants[v]);
    }
    return 0;
}
