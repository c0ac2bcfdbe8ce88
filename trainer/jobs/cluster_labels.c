/* The job "cluster-labels": what tells classes that there are apart: terms for each value of a field of the catalogue.
 *
 * The same passes and the same artifact as of job "clusters", but which documents are together is what the field says. A document may be in several classes. A class
 * has a centre, too, so a text can be asked for the class that it is most like. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/clusters.h"
#include "trainer/jobs/cluster_file.h"
#include "trainer/kernels/pair_table.h"

enum { METRICS_MAX = 1 << 12 };

struct class_seen {
    struct str name;
    uint32_t documents, from; /* from: of its pairs */
};

struct labels_job {
    struct run_context *run;
    struct arena arena;
    struct doc_vectors v;
    struct model_file file;
    struct pair_table *pairs; /* class, document */
    struct class_seen *classes;
    uint32_t classes_count;
    struct kcentres middles;
    struct cluster_groups groups;
    struct training t;
};

/* ---- which documents are together ---- */

static bool add_pair(void *arg, struct str doc, struct str name, struct err *err)
{
    struct labels_job *j = arg;
    (void)err;
    (void)pair_table_at(j->pairs, name, doc);
    return true;
}

static int largest(const void *a, const void *b)
{
    const struct class_seen *x = a, *y = b;
    if (x->documents != y->documents)
        return x->documents < y->documents ? 1 : -1;
    return pair_text_compare(x->name, y->name);
}

/* Classes of enough documents, the largest first. */
static void find_classes(struct labels_job *j, const uint32_t *order)
{
    const size_t count = pair_table_count(j->pairs);
    const uint32_t least = (uint32_t)run_whole(j->run, "min_class_documents");
    uint32_t n = 0;
    j->classes = arena_alloc(&j->arena, (count + 1) * sizeof *j->classes);
    for (size_t i = 0; i < count; i++) {
        const struct str name = pair_table_first(j->pairs, order[i]);
        if (!n || !str_eq(j->classes[n - 1].name, name))
            j->classes[n++] = (struct class_seen){ name, 0, (uint32_t)i };
        j->classes[n - 1].documents++;
    }
    if (n)
        qsort(j->classes, n, sizeof *j->classes, largest);
    while (n && j->classes[n - 1].documents < least)
        n--;
    j->classes_count = n;
}

static int by_text(const void *key, const void *element)
{
    return pair_text_compare(*(const struct str *)key, *(const struct str *)element);
}

static bool add_members(struct labels_job *j, const uint32_t *order, uint32_t class, struct err *err)
{
    const struct class_seen *c = &j->classes[class];
    for (uint32_t i = 0; i < c->documents; i++) {
        const struct str doc = pair_table_second(j->pairs, order[c->from + i]),
                         *at = bsearch(&doc, j->v.texts, j->v.documents, sizeof *j->v.texts, by_text);
        if (!at)
            return err_set(err, ERR_SYSTEM, "document \"" STR_FMT "\" has a class and no text",
                           STR_ARG(str_cut(doc, 100)));
        j->groups.members[j->groups.members_count++] = (struct cluster_member){ class, (uint32_t)(at - j->v.texts), 1 };
    }
    return true;
}

static bool make_groups(struct labels_job *j, const uint32_t *order, struct err *err)
{
    find_classes(j, order);
    if (j->classes_count < 2)
        return run_too_little(j->run, err,
                              "%u values of the field \"%s\" have as many documents as parameter "
                              "\"min_class_documents\" asks for; two are needed to tell them apart",
                              j->classes_count, j->run->param(j->run, "class_field"));
    if (j->classes_count > CLUSTERS_CENTRES_MAX)
        return err_set(err, ERR_INVALID, "parameter \"class_field\": %u classes are more than %d", j->classes_count,
                       CLUSTERS_CENTRES_MAX);
    struct str *names = arena_alloc(&j->arena, j->classes_count * sizeof *names);
    j->groups = (struct cluster_groups){ .count = j->classes_count, .centres = j->classes_count, .names = names };
    j->groups.members = arena_alloc(&j->arena, (pair_table_count(j->pairs) + 1) * sizeof *j->groups.members);
    for (uint32_t i = 0; i < j->classes_count; i++) {
        names[i] = j->classes[i].name;
        if (!add_members(j, order, i, err))
            return false;
    }
    run_say(j->run, "%u classes, %zu documents in them", j->classes_count, j->groups.members_count);
    return true;
}

static bool read_classes(struct labels_job *j, struct err *err)
{
    const char *field = j->run->param(j->run, "class_field");
    j->pairs = pair_table_new(1);
    if (!items_read_categories(&j->v.items, field, add_pair, j, err))
        return false;
    uint32_t *order = pair_table_sort(j->pairs);
    bool ok = make_groups(j, order, err);
    mem_free(order);
    return ok;
}

/* ---- centres ---- */

static float distance_to(const struct kdocs *d, uint32_t document, const struct kcentres *c, uint32_t k)
{
    double cosine = 0;
    for (uint64_t i = document ? d->ends[document - 1] : 0; i < d->ends[document]; i++)
        cosine += (double)d->entries[i].weight * (double)c->numbers[(size_t)d->entries[i].number * c->room + k];
    return (float)fmin(fmax(1 - cosine, 0), 1);
}

static void find_centres(struct labels_job *j, const struct kdocs *docs)
{
    struct cluster_groups *g = &j->groups;
    const size_t count = g->members_count;
    uint32_t *members = arena_alloc(&j->arena, (count + 1) * sizeof *members),
             *classes = arena_alloc(&j->arena, (count + 1) * sizeof *classes),
             *sizes = arena_alloc(&j->arena, (g->count + 1) * sizeof *sizes);
    double *lengths = arena_alloc(&j->arena, (g->count + 1) * sizeof *lengths);
    for (size_t i = 0; i < count; i++) {
        members[i] = g->members[i].document;
        classes[i] = g->members[i].group;
    }
    const struct kset all = { docs, members, (uint32_t)count };
    kcentres_alloc(&j->middles, g->count, docs->dims);
    kmeans_centres(&all, classes, &j->middles, lengths, sizes);
    for (size_t i = 0; i < count; i++)
        g->members[i].distance = distance_to(docs, members[i], &j->middles, classes[i]);
}

/* ---- the job ---- */

static bool publish(struct labels_job *j, struct err *err)
{
    const struct gate_rules rules = { .rule = GATE_NONE };
    const struct gate_bound classes = { "classes", j->classes_count, NAN, NAN, NAN };
    const int32_t day = clock_day(j->v.items.changed_us);
    struct gate_outcome gate;
    AUTO(buf_release) struct buf metrics;
    buf_init(&metrics, METRICS_MAX);
    gate_decide(&rules, NULL, 0, &classes, 1, 0, &gate);
    gate_metrics_json(&rules, NULL, 0, &classes, 1, false, &metrics);
    j->t = (struct training){ .model = training_model(j->run),
                              .from = INT32_MIN,
                              .until = day,
                              .eval_from = day + 1,
                              .eval_until = day,
                              .rows = j->groups.members_count,
                              .units = j->v.documents,
                              .items = j->classes_count,
                              .metrics = buf_str(&metrics) };
    return buf_ok(&metrics, "the metrics", err) && model_file_end(&j->file, j->run, &j->t, err) &&
           training_publish(j->run, &j->t, &gate, err);
}

static bool compute(struct labels_job *j, struct err *err)
{
    struct doc_vectors *v = &j->v;
    if (!training_begin(j->run, CLUSTERS_KIND, err) || !doc_vectors_open(v, j->run, &j->arena, err) ||
        !doc_vectors_words(v, err) || !doc_vectors_make(v, NULL, 0, err) || !read_classes(j, err))
        return false;
    const struct kdocs docs = { v->documents, v->terms, v->ends, doc_vectors_entries(v) };
    find_centres(j, &docs);
    return cluster_file_add(&j->file, v, &docs, &j->groups, &j->middles, NULL, err) && publish(j, err);
}

static bool run_cluster_labels(struct run_context *run, struct err *err)
{
    struct labels_job *j = mem_zalloc(sizeof *j);
    j->run = run;
    arena_init(&j->arena, 1 << 16);
    j->v.terms_pass = -1;
    model_file_begin(&j->file, CLUSTERS_KIND);
    bool ok = compute(j, err);
    kcentres_release(&j->middles);
    pair_table_free(j->pairs);
    doc_vectors_close(&j->v);
    model_file_release(&j->file);
    arena_release(&j->arena);
    mem_free(j);
    return ok;
}

const struct job job_cluster_labels = { "cluster-labels", run_cluster_labels };
