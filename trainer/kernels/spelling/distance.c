#include "trainer/kernels/spelling/distance.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Row i of the table, of which the two rows above are needed. Returns its least value. */
static uint32_t row(const struct letters *a, const struct letters *b, uint32_t i, const uint32_t *above2,
                    const uint32_t *above, uint32_t *out)
{
    uint32_t smallest = out[0] = i;
    for (uint32_t j = 1; j <= b->n; j++) {
        uint32_t d = above[j - 1] + (a->at[i - 1] != b->at[j - 1]);
        d = least(d, least(above[j], out[j - 1]) + 1);
        if (i > 1 && j > 1 && a->at[i - 1] == b->at[j - 2] && a->at[i - 2] == b->at[j - 1])
            d = least(d, above2[j - 2] + 1);
        out[j] = d;
        smallest = least(smallest, d);
    }
    return smallest;
}

uint32_t letters_distance(const struct letters *a, const struct letters *b, uint32_t most)
{
    uint32_t rows[3][LETTERS_MAX + 1], smallest = 0;
    uint32_t longer = a->n > b->n ? a->n - b->n : b->n - a->n;
    if (longer > most)
        return most + 1;
    for (uint32_t j = 0; j <= b->n; j++)
        rows[0][j] = j;
    for (uint32_t i = 1; i <= a->n; i++) {
        uint32_t before = smallest;
        smallest = row(a, b, i, rows[(i + 1) % 3], rows[(i + 2) % 3], rows[i % 3]);
        if (smallest > most && before > most) /* a swap reaches over one row */
            return most + 1;
    }
    return least(rows[a->n % 3][b->n], most + 1);
}
