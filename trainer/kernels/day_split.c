#include "trainer/kernels/day_split.h"

#include "base/hash.h"

bool day_split_read(struct str desc, struct day_split *out, struct err *err)
{
    struct str rest = desc, word;
    int64_t n[3];
    for (int i = 0; i < 3; i++)
        if (!str_split(&rest, ' ', &word) || !parse_i64(word, &n[i], NULL))
            return err_set(err, ERR_INVALID, "split \"" STR_FMT "\" is not DAY LO HI", STR_ARG(str_cut(desc, 100)));
    if (n[0] < INT32_MIN || n[0] > INT32_MAX || n[1] < 0 || n[2] < n[1] || n[2] >= BUCKET_COUNT)
        return err_set(err, ERR_INVALID, "split \"" STR_FMT "\": no such day or buckets", STR_ARG(str_cut(desc, 100)));
    *out = (struct day_split){ (int32_t)n[0], (unsigned)n[1], (unsigned)n[2] };
    return true;
}

uint32_t day_split_part(const struct day_split *s, struct str unit, uint32_t parts)
{
    return parts < 2 ? 0 : (hash_bucket(unit) - s->lo) / ((s->hi - s->lo + 1) / parts);
}
