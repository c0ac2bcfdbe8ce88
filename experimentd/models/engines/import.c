#include "experimentd/models/engines/import.h"

#include <assert.h>

#include "model/ranker.h"
#include "model/ranker_lightgbm.h"
#include "model/ranker_xgboost.h"

enum { CARD_MAX = 4096 };

const char *const engine_import_names[] = { "xgboost", "lightgbm" };
static_assert(COUNT_OF(engine_import_names) == ENGINE_IMPORT_COUNT, "one name each");

bool engine_import_format_of(struct str name, enum engine_import_format *out)
{
    for (int i = 0; i < ENGINE_IMPORT_COUNT; i++)
        if (str_eq_c(name, engine_import_names[i])) {
            *out = (enum engine_import_format)i;
            return true;
        }
    return false;
}

static bool read_forest(enum engine_import_format format, struct str text, struct arena *arena,
                        struct ranker_forest *out, struct err *err)
{
    return format == ENGINE_IMPORT_XGBOOST ? ranker_xgboost_read(text, NULL, 0, arena, out, err)
                                           : ranker_lightgbm_read(text, arena, out, err);
}

static void write_features(const struct ranker_forest *f, struct buf *out)
{
    for (uint32_t i = 0; i < f->features; i++) {
        buf_add_c(out, i ? ",{\"name\":" : "[{\"name\":");
        buf_add_json_str(out, f->names[i]);
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}

bool engine_import(enum engine_import_format format, struct str text, struct buf *out, struct err *err)
{
    struct ranker_forest f;
    struct artifact_out o;
    struct arena arena;
    struct buf section, features, card;
    char digest[ARTIFACT_DIGEST];
    arena_init(&arena, 1 << 16);
    buf_init(&section, out->limit_bytes);
    buf_init(&features, out->limit_bytes);
    buf_init(&card, CARD_MAX);
    bool fine = read_forest(format, text, &arena, &f, err) && ranker_forest_write(&f, &section, err);
    if (fine) {
        write_features(&f, &features);
        buf_addf(&card, "{\"imported\":\"%s\",\"type\":\"trees\",\"trees\":%u,\"features\":%u}",
                 engine_import_names[format], f.trees_count, f.features);
        artifact_begin(&o, RANKER_KIND);
        artifact_add(&o, "ranker", buf_str(&section));
        artifact_add(&o, "features", buf_str(&features));
        artifact_add(&o, "card", buf_str(&card));
        fine = buf_ok(&features, "features", err) && artifact_end(&o, out, digest, err);
    }
    buf_release(&section);
    buf_release(&features);
    buf_release(&card);
    arena_release(&arena);
    return fine;
}
