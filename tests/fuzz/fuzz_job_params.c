/* Parameters of jobs: what is taken is written so that it is taken again and reads the same, and can be asked for. */
#include <stdlib.h>

#include "job/params.h"

static void check(const struct job_type *type, struct str text)
{
    struct job_params params;
    struct arena arena;
    struct buf again;
    struct err err;
    buf_init(&again, JOB_PARAMS_BYTES);
    arena_init(&arena, 4096);
    if (!job_params_check(type, text, &again, &err) || !str_eq(buf_str(&again), text) ||
        !job_params_read(type, text, &arena, &params, &err))
        abort();
    for (size_t i = 0; i < type->params_count; i++)
        if (type->params[i].required && !job_params_get(&params, type->params[i].name))
            abort();
    arena_release(&arena);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The first byte chooses the type. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf out;
    struct err err = { 0 };
    if (n == 0)
        return 0;
    const struct job_type *type = &job_types[data[0] % job_types_count];
    buf_init(&out, JOB_PARAMS_BYTES);
    if (job_params_check(type, (struct str){ (const char *)data + 1, n - 1 }, &out, &err))
        check(type, buf_str(&out));
    else if ((err.kind != ERR_INVALID && err.kind != ERR_TOO_LARGE) || !*err.text)
        abort();
    buf_release(&out);
    return 0;
}
