/* "word2vec.encode@1": see word2vec.h. */
#include "base/json.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/word2vec/w2v_numbers.h"
#include "trainer/kernels/word2vec/word2vec.h"

struct encoding {
    struct task *task;
    struct w2v_numbers words;
    double holdout;
    struct buf out;
    uint32_t numbers[W2V_SENTENCE_MAX];
};

static bool read_params(struct encoding *e, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(task_params(e->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_double(&r, "holdout", JSON_REQUIRED, &e->holdout);
    return json_reader_close(&r, err);
}

static bool encode(struct encoding *e, struct str *in)
{
    uint64_t of, hash;
    uint32_t words, n = 0;
    if (!record_take(in, &of, sizeof of) || !record_take(in, &words, sizeof words) || words > W2V_SENTENCE_MAX)
        return false;
    for (uint32_t i = 0; i < words; i++) {
        if (!record_take(in, &hash, sizeof hash))
            return false;
        n += w2v_numbers_find(&e->words, hash, &e->numbers[n]);
    }
    const uint32_t held = (double)(of >> 11) / 9007199254740992.0 < e->holdout;
    if (n < 2)
        return true;
    record_put(&e->out, &held, sizeof held);
    record_put(&e->out, &n, sizeof n);
    record_put(&e->out, e->numbers, n * sizeof *e->numbers);
    return true;
}

static bool encode_all(struct encoding *e, struct err *err)
{
    for (size_t i = 0; i < task_inputs(e->task); i++) {
        struct str block;
        for (bool end = false;;) {
            uint64_t rows = 0;
            if (!task_next(e->task, i, &block, &end, err))
                return false;
            if (end)
                break;
            for (; block.n; rows++)
                if (!encode(e, &block))
                    return err_set(err, ERR_SYSTEM, "a sentence is damaged");
            if (!task_tick(e->task, rows, err))
                return false;
        }
    }
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct encoding *e = arena_zalloc(task_arena(t), sizeof *e);
    e->task = t;
    e->words = w2v_numbers_read(task_blob(t, 0));
    buf_init(&e->out, TASK_COLLECT_MAX);
    bool ok = read_params(e, err) && encode_all(e, err) && buf_ok(&e->out, "the sentences of a split", err) &&
              task_collect(t, buf_str(&e->out), err);
    buf_release(&e->out);
    return ok;
}

const struct kernel kernel_w2v_encode = { W2V_ENCODE_KERNEL, run };
