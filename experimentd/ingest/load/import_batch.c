#include <inttypes.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/clock.h"
#include "experimentd/ingest/load/import_parts.h"
#include "experimentd/marks/rules.h"

enum { PROGRESS_US = 100000 };

const struct pg_stmt import_statements[OWN_COUNT] = {
    [POSITION_READ] = { "import_position", 1,
                        "select position, signals, exposures, rejected, done from import_position where file = "
                        "decode($1, 'hex')" },
    [POSITION_WRITE] = { "import_position_write", 7,
                         "insert into import_position (file, name, position, signals, exposures, rejected, done) "
                         "values (decode($1, 'hex'), $2, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bool) "
                         "on conflict (file) do update set position = excluded.position, signals = excluded.signals, "
                         "exposures = excluded.exposures, rejected = excluded.rejected, done = excluded.done, "
                         "updated_at = now()" },
};

/* ---- telling ---- */

void import_tell(struct import *im, bool last)
{
    int64_t now = clock_mono_us();
    if (!last && now - im->told_us < (im->terminal ? PROGRESS_US : 20 * PROGRESS_US))
        return;
    im->told_us = now;
    double done = im->file_bytes ? (double)ftello(im->file) / (double)im->file_bytes : 1;
    double seconds = (double)(now - im->started_us) / 1e6;
    char bar[31];
    for (int i = 0; i < 30; i++)
        bar[i] = i < (int)(done * 30) ? '#' : '.';
    bar[30] = '\0';
    (void)fprintf(stderr, "%s[%s] %3.0f %%  %" PRIu64 " signals  %" PRIu64 " exposures  %" PRIu64 " rejected  %.1f s%s",
                  im->terminal ? "\r" : "", bar, done * 100, im->signals, im->exposures, im->rejected, seconds,
                  im->terminal && !last ? "" : "\n");
}

bool import_set_aside(struct import *im, struct str line, const struct err *why, struct err *err)
{
    if (!im->rejects) {
        im->rejects = fopen(im->rejects_path, im->resumed ? "ae" : "we");
        if (!im->rejects)
            return err_set_errno(err, "cannot write \"%s\"", im->rejects_path);
    }
    im->rejected++;
    if (fprintf(im->rejects, "line %" PRIu64 ": %s\t%.*s\n", im->line, why->text, (int)(line.n > 2000 ? 2000 : line.n),
                line.p) < 0)
        return err_set_errno(err, "cannot write \"%s\"", im->rejects_path);
    return true;
}

/* ---- batches ---- */

static bool write_position(struct import *im, bool done, struct err *err)
{
    char numbers[4][24];
    uint64_t values[] = { im->position, im->signals, im->exposures, im->rejected };
    for (size_t i = 0; i < 4; i++)
        (void)snprintf(numbers[i], sizeof numbers[i], "%" PRIu64, values[i]);
    const char *params[] = { im->hash_hex,           im->name, numbers[0], numbers[1], numbers[2], numbers[3],
                             done ? "true" : "false" };
    AUTO(pg_result_free) PGresult *r = pg_run(im->pg, &import_statements[POSITION_WRITE], params, err);
    return r != NULL;
}

/* When the rows of the batch were. */
static void batch_span(const struct rows *b, int64_t *out_first, int64_t *out_last)
{
    *out_first = INT64_MAX;
    *out_last = INT64_MIN;
    for (size_t i = 0; i < b->signals_count + b->exposures_count; i++) {
        int64_t at = i < b->signals_count ? b->signals[i].at_us : b->exposures[i - b->signals_count].at_us;
        *out_first = at < *out_first ? at : *out_first;
        *out_last = at > *out_last ? at : *out_last;
    }
}

static bool note_experiment(struct import *im, bool last, struct err *err)
{
    const char *key = im->format == FORMAT_TABLE ? im->table.key : im->settings.experiment;
    int64_t first_us, last_us;
    if (im->metrics.p && !import_metrics_make(im->pg, im->metrics, err))
        return false;
    if (!im->spec.p)
        return !last || !*key || import_experiment_found(im->pg, key, im->settings.weights, err);
    batch_span(&im->batch, &first_us, &last_us);
    return (first_us > last_us || import_experiment_given(im->pg, key, im->spec, first_us, last_us, err)) &&
           (!last || import_experiment_tell(im->pg, err));
}

bool import_flush(struct import *im, bool end, struct err *err)
{
    uint64_t duplicates = 0;
    bool last = end && im->name == im->names[im->names_count - 1];
    bool ok = rows_prepare(&im->rows, &im->batch, err) && pg_begin(im->pg, err) &&
              rows_load(&im->rows, &im->batch, &duplicates, err);
    if (ok) {
        im->signals += im->batch.signals_count;
        im->exposures += im->batch.exposures_count;
        ok = note_experiment(im, last, err) && write_position(im, end, err) && pg_commit(im->pg, err);
    }
    if (!ok) {
        pg_rollback(im->pg);
        return false;
    }
    rows_committed(&im->rows);
    im->batch.signals_count = im->batch.exposures_count = 0;
    arena_reset(&im->arena);
    return true;
}

/* Deterministic ids: a signal of the log is named by the file, its record and its place in the record. */
static void name_signal(const struct import *im, size_t i, struct signal *s)
{
    struct {
        unsigned char file[FILE_HASH_BYTES];
        uint64_t record, place;
    } of = { .record = im->position, .place = i };
    memcpy(of.file, im->hash, sizeof of.file);
    (void)crypto_generichash(s->id, sizeof s->id, (const unsigned char *)&of, sizeof of, NULL, 0);
}

bool import_add(struct import *im, struct err *err)
{
    static const struct mark_rules no_more = { 0 }; /* than what stands in the log */
    const struct import_record *r = im->record;
    for (size_t i = 0; i < r->signals_count; i++) {
        struct signal *s = &im->batch.signals[im->batch.signals_count++];
        *s = r->signals[i];
        s->mark = mark_of_event(&no_more, &s->client, MARK_NONE);
        if (!s->client_id)
            name_signal(im, i, s);
        if (im->format == FORMAT_CSV && !s->query_id.p) /* a row is one search: its clicks belong to its request */
            s->query_id = arena_printf(&im->arena, "%.16s-%" PRIu64, im->hash_hex, im->position);
    }
    if (r->has_exposure) {
        struct exposure *e = &im->batch.exposures[im->batch.exposures_count++];
        *e = r->exposure;
        e->dims = dimensions_of_json(&im->dimensions, e->attributes, &im->arena);
    }
    return im->batch.signals_count + IMPORT_SIGNALS_MAX < ROWS_MAX && im->batch.exposures_count < ROWS_MAX - 1
               ? true
               : import_flush(im, false, err);
}
