/* The job "catalogue": the table of items → an artifact of kind "catalogue" (model/catalogue.h), by which servers filter.
 *
 * It reads one snapshot of the table and runs no pass: what it does for a document is to copy its fields. A version of much fewer documents than the
 * champion's is refused: a feed that broke in the middle empties no shop. */
#include "model/catalogue.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "trainer/jobs/items_read.h"
#include "trainer/jobs/model_file.h"

enum { TICK_DOCUMENTS = 10000 };

/* Those that some document has in few bytes: the most frequent ones, by name. */
static const struct pg_stmt read_fields = {
    "catalogue_fields", 2,
    "select f.key from (select e.key, count(*) as n from items i cross join jsonb_each(i.fields) e where "
    "octet_length(e.value::text) <= $1::int group by e.key order by n desc, e.key collate \"C\" limit $2::int) f "
    "order by f.key collate \"C\""
};

struct copying {
    struct run_context *run;
    struct arena arena;
    struct items_read items;
    struct catalogue_out out;
    struct model_file file;
    struct str names[CATALOGUE_FIELDS_MAX];
    size_t fields, max_bytes;
    uint32_t done;
    struct buf values[CATALOGUE_FIELDS_MAX];
};

/* ---- fields ---- */

static bool add_field(struct copying *c, struct str name, struct err *err)
{
    if (name.n == 0)
        return err_set(err, ERR_INVALID, "parameter \"fields\": a name is empty");
    for (size_t i = 0; i < c->fields; i++)
        if (str_eq(c->names[i], name))
            return err_set(err, ERR_INVALID, "parameter \"fields\" names \"" STR_FMT "\" twice",
                           STR_ARG(str_cut(name, 80)));
    if (c->fields == CATALOGUE_FIELDS_MAX)
        return err_set(err, ERR_INVALID, "parameter \"fields\" names more than %d fields", CATALOGUE_FIELDS_MAX);
    c->names[c->fields++] = arena_str(&c->arena, name);
    return true;
}

static bool given_fields(struct copying *c, const char *text, struct err *err)
{
    struct str rest = str_of(text), name;
    while (str_split(&rest, ',', &name))
        if (!add_field(c, str_trim(name), err))
            return false;
    return true;
}

static bool find_fields(struct copying *c, struct err *err)
{
    const char *given = c->run->param(c->run, "fields");
    if (given)
        return given_fields(c, given, err);
    const char *params[] = { arena_printf(&c->arena, "%zu", c->max_bytes).p,
                             arena_printf(&c->arena, "%d", CATALOGUE_FIELDS_MAX).p };
    AUTO(pg_result_free) PGresult *r = pg_run(c->items.pg, &read_fields, params, err);
    for (int i = 0; r && i < PQntuples(r); i++)
        if (!add_field(c, pg_get(r, i, 0), err))
            return false;
    return r != NULL;
}

/* ---- documents ---- */

static bool copy_document(void *arg, struct str doc, struct str fields, struct err *err)
{
    struct copying *c = arg;
    struct str values[CATALOGUE_FIELDS_MAX];
    json_auto_t *root = json_parse(fields, err);
    if (!root)
        return err_prefix(err, "document \"" STR_FMT "\": ", STR_ARG(str_cut(doc, 100)));
    for (size_t i = 0; i < c->fields; i++) {
        const json_t *v = json_object_getn(root, c->names[i].p, c->names[i].n);
        struct buf *b = &c->values[i];
        buf_clear(b);
        if (v && !json_is_null(v))
            json_write(b, v);
        values[i] = b->n && !b->failed ? buf_str(b) : (struct str){ NULL, 0 };
    }
    catalogue_add(&c->out, doc, values);
    return ++c->done % TICK_DOCUMENTS != 0 || run_tick(c->run, "documents", c->done, (uint32_t)c->items.documents, err);
}

static bool copy_documents(struct copying *c, struct err *err)
{
    for (size_t i = 0; i < c->fields; i++)
        buf_init(&c->values[i], c->max_bytes + 1); /* longer: it is left out */
    catalogue_begin(&c->out, c->names, c->fields);
    bool ok = items_read_each(&c->items, copy_document, c, err) &&
              catalogue_end(&c->out, &c->file.out, model_file_section(&c->file), model_file_section(&c->file), err);
    catalogue_release(&c->out);
    for (size_t i = 0; i < c->fields; i++)
        buf_release(&c->values[i]);
    return ok;
}

/* ---- the gate ---- */

static void decide(const struct copying *c, const struct catalogue *before, int version, struct gate_outcome *out)
{
    const struct gate_rules rules = { .rule = GATE_NONE };
    double share = run_real(c->run, "min_share");
    const struct gate_bound bound = { .name = "documents",
                                      .value = (double)c->items.documents,
                                      .champion = version ? (double)before->docs.keys : NAN,
                                      .min = version ? ceil(share * (double)before->docs.keys) : NAN,
                                      .max = NAN };
    gate_decide(&rules, NULL, 0, &bound, 1, version, out);
}

static bool publish(struct copying *c, struct training *t, const struct gate_outcome *gate, bool as_it_was,
                    struct err *err)
{
    if (!as_it_was)
        return training_publish(c->run, t, gate, err);
    run_result(c->run, "{\"model\":\"%s\",\"version\":%d,\"items\":%" PRIu64 ",\"unchanged\":true}", t->model,
               gate->champion, t->items);
    run_say(c->run, "the catalogue is as version %d has it", gate->champion);
    return run_publish_begin(c->run, err) && run_publish_end(c->run, err);
}

static bool judge_and_publish(struct copying *c, struct training *t, struct err *err)
{
    AUTO(buf_release) struct buf file;
    struct artifact champion;
    struct catalogue before;
    struct gate_outcome gate;
    int version;
    buf_init(&file, ARTIFACT_BYTES_MAX);
    if (!training_champion(c->run, t->model, &file, &champion, &version, err) ||
        (version && !catalogue_read(&champion, &before, err)))
        return false;
    decide(c, &before, version, &gate);
    return publish(c, t, &gate, version && strcmp(champion.digest, t->digest) == 0, err);
}

/* ---- the job ---- */

static bool compute(struct copying *c, struct err *err)
{
    const int32_t day = clock_day(c->items.changed_us);
    struct training t = { .model = training_model(c->run),
                          .from = INT32_MIN,
                          .until = day,
                          .eval_from = day + 1,
                          .eval_until = day,
                          .rows = c->items.documents,
                          .items = c->items.documents };
    c->max_bytes = (size_t)run_whole(c->run, "max_bytes");
    return training_enough(c->run, "documents", c->items.documents, "min_documents", err) && find_fields(c, err) &&
           copy_documents(c, err) && model_file_end(&c->file, c->run, &t, err) && judge_and_publish(c, &t, err);
}

static bool run_catalogue(struct run_context *run, struct err *err)
{
    struct copying *c = mem_zalloc(sizeof *c);
    c->run = run;
    arena_init(&c->arena, 1 << 16);
    model_file_begin(&c->file, CATALOGUE_KIND);
    bool ok = training_begin(run, CATALOGUE_KIND, err) && items_read_open(&c->items, run, &c->arena, err) &&
              compute(c, err);
    items_read_close(&c->items);
    model_file_release(&c->file);
    arena_release(&c->arena);
    mem_free(c);
    return ok;
}

const struct job job_catalogue = { "catalogue", run_catalogue };
