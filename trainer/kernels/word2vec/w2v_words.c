/* "word2vec.words@1": see word2vec.h. */
#include "base/json.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/word2vec/word2vec.h"

static bool read_params(struct task *t, int64_t *out_min, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(task_params(t), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "min_count", JSON_REQUIRED, out_min);
    return json_reader_close(&r, err);
}

static bool add_block(struct pair_table *words, struct str block, struct err *err)
{
    while (block.n) {
        struct str word;
        uint64_t n;
        if (!record_take_text(&block, &word) || !record_take(&block, &n, sizeof n))
            return err_set(err, ERR_SYSTEM, "a word is damaged");
        uint64_t *count = pair_table_at(words, word, STR(""));
        *count += n;
    }
    return true;
}

static bool add_all(struct task *t, struct pair_table *words, struct err *err)
{
    for (size_t i = 0; i < task_inputs(t); i++) {
        struct str block;
        for (bool end = false;;) {
            if (!task_next(t, i, &block, &end, err))
                return false;
            if (end)
                break;
            if (!add_block(words, block, err) || !task_tick(t, 0, err))
                return false;
        }
    }
    return true;
}

static bool collect(struct task *t, const struct pair_table *words, int64_t min, struct err *err)
{
    AUTO(buf_release) struct buf out;
    uint32_t *order = pair_table_sort(words);
    buf_init(&out, TASK_COLLECT_MAX);
    for (size_t i = 0; i < pair_table_count(words); i++) {
        uint64_t n;
        memcpy(&n, pair_table_value(words, order[i]), sizeof n);
        if (n < (uint64_t)min)
            continue;
        record_put_text(&out, pair_table_first(words, order[i]));
        record_put(&out, &n, sizeof n);
    }
    mem_free(order);
    return buf_ok(&out, "the words of a part", err) && task_collect(t, buf_str(&out), err);
}

static bool run(struct task *t, struct err *err)
{
    AUTO(pair_table_free) struct pair_table *words = pair_table_new(sizeof(uint64_t));
    int64_t min = 1;
    return read_params(t, &min, err) && add_all(t, words, err) && collect(t, words, min, err);
}

const struct kernel kernel_w2v_words = { W2V_WORDS_KERNEL, run };
