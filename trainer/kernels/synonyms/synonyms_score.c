/* "synonyms.score@1": what all documents say of a pair of words, and whether it passes. */
#include "trainer/kernels/record.h"
#include "trainer/kernels/synonyms/synonyms.h"

enum { SYNONYM_MAX = 16 << 10 };

static bool add_block(struct synonym_pairs *pairs, struct str block, uint64_t *out_count, struct err *err)
{
    for (*out_count = 0; block.n; ++*out_count) {
        struct synonym_evidence e;
        if (!synonym_evidence_read(&block, &e))
            return err_set(err, ERR_INVALID, "a record of a pair of queries is damaged");
        synonym_pairs_add(pairs, &e);
    }
    return true;
}

static bool add_all(struct task *t, struct synonym_pairs *pairs, struct err *err)
{
    for (size_t i = 0; i < task_inputs(t); i++)
        for (;;) {
            struct str block;
            uint64_t count;
            bool end;
            if (!task_next(t, i, &block, &end, err))
                return false;
            if (end)
                break;
            if (!add_block(pairs, block, &count, err) || !task_tick(t, count, err))
                return false;
        }
    return true;
}

static bool collect(void *arg, const struct synonym *s, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, SYNONYM_MAX);
    synonym_write(&b, s);
    return buf_ok(&b, "a pair of words", err) && task_collect(arg, buf_str(&b), err);
}

static bool run(struct task *t, struct err *err)
{
    struct synonyms_params p;
    if (!synonyms_params_read(task_params(t), &p, err))
        return false;
    AUTO(synonym_pairs_free) struct synonym_pairs *pairs = synonym_pairs_new();
    return add_all(t, pairs, err) && synonym_pairs_finish(pairs, &p.rules, p.all_clicks, collect, t, err);
}

const struct kernel kernel_synonyms_score = { SYNONYMS_SCORE_KERNEL, run };
