#include "trainer/kernels/factors/factors_params.h"

#include "base/json.h"

bool factors_params_read(const struct task *t, struct factors_params *out, struct err *err)
{
    struct json_reader r;
    int64_t rank = 0, columns = 0, top = 0;
    json_auto_t *root = json_parse(task_params(t), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "rank", JSON_REQUIRED, &rank);
    (void)json_get_i64(&r, "columns", JSON_REQUIRED, &columns);
    (void)json_get_i64(&r, "top", JSON_REQUIRED, &top);
    *out = (struct factors_params){ (uint32_t)rank, (uint32_t)columns, (uint32_t)top };
    return json_reader_close(&r, err);
}

bool factors_split_read(const struct task *t, uint32_t *out_first, uint32_t *out_count, struct err *err)
{
    struct str rest = task_desc(t), word, first;
    return (str_split(&rest, ' ', &word) && str_split(&rest, ' ', &first) && parse_u32(first, out_first, NULL) &&
            parse_u32(rest, out_count, NULL)) ||
           err_set(err, ERR_INVALID, "the split is not three numbers");
}
