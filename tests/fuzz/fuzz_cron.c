/* expression 0 zone bytes: a cron expression and a compiled time zone; the next instants come one behind the other. */
#include <stdlib.h>
#include <string.h>

#include "base/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *end = n ? memchr(data, 0, n) : NULL;
    size_t length = end ? (size_t)(end - (const char *)data) : n;
    struct cron c;
    struct err err;
    if (!cron_parse((struct str){ (const char *)data, length }, &c, &err))
        return err.kind == ERR_INVALID && err.text[0] ? 0 : (abort(), 0);
    struct zone *z = end ? zone_parse((struct str){ end + 1, n - length - 1 }, &err) : NULL;
    if (!z)
        z = zone_load(STR("UTC"), &err);
    int64_t t = INT64_C(1795521600);
    for (int i = 0; i < 3 && t != INT64_MAX; i++) {
        int64_t next = cron_next(&c, z, t);
        if (next <= t)
            abort();
        t = next;
    }
    zone_free(z);
    return 0;
}
