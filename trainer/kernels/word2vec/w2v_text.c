#include "trainer/kernels/word2vec/w2v_text.h"

#include "trainer/kernels/record.h"
#include "trainer/kernels/word2vec/word2vec.h"

enum { RECORD_MAX = 1 << 20, TICK_WORDS = 1 << 16 };

void w2v_text_open(struct w2v_text *t, struct task *task)
{
    *t = (struct w2v_text){ .task = task, .words = pair_table_new(sizeof(uint64_t)), .times = 1 };
    buf_init(&t->sentence, RECORD_MAX);
}

void w2v_text_close(struct w2v_text *t)
{
    pair_table_free(t->words);
    buf_release(&t->sentence);
}

void w2v_text_word(void *text, struct str word)
{
    struct w2v_text *t = text;
    const uint64_t hash = hash64(word);
    if (t->sentence.n / sizeof hash == W2V_SENTENCE_MAX)
        return;
    uint64_t *count = pair_table_at(t->words, word, STR(""));
    *count += t->times;
    buf_add(&t->sentence, &hash, sizeof hash);
}

bool w2v_text_end(struct w2v_text *t, uint64_t of, uint32_t times, struct err *err)
{
    const uint32_t words = (uint32_t)(t->sentence.n / sizeof(uint64_t));
    AUTO(buf_release) struct buf record;
    bool ok = true;
    buf_init(&record, RECORD_MAX);
    record_put(&record, &of, sizeof of);
    record_put(&record, &words, sizeof words);
    buf_add_str(&record, buf_str(&t->sentence));
    ok = buf_ok(&record, "a sentence", err);
    for (uint32_t i = 0; ok && words > 1 && i < times; i++)
        ok = task_emit(t->task, task_parts(t->task) - 1, buf_str(&record), err);
    buf_clear(&t->sentence);
    return ok;
}

bool w2v_text_flush(struct w2v_text *t, struct err *err)
{
    AUTO(buf_release) struct buf record;
    uint32_t *order = pair_table_sort(t->words);
    bool ok = true;
    buf_init(&record, RECORD_MAX);
    for (size_t i = 0; ok && i < pair_table_count(t->words); i++) {
        const struct str word = pair_table_first(t->words, order[i]);
        buf_clear(&record);
        record_put_text(&record, word);
        record_put(&record, pair_table_value(t->words, order[i]), sizeof(uint64_t));
        ok = task_emit(t->task, (uint32_t)(hash64(word) % (task_parts(t->task) - 1)), buf_str(&record), err) &&
             (i % TICK_WORDS != 0 || task_tick(t->task, 0, err));
    }
    mem_free(order);
    return ok;
}
