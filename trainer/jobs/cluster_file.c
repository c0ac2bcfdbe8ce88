#include "trainer/jobs/cluster_file.h"

#include <stdlib.h>

#include "model/clusters.h"
#include "trainer/kernels/items/best.h"
#include "trainer/kernels/items/similar.h"

struct filing {
    struct model_file *file;
    struct doc_vectors *v;
    const struct kdocs *terms;
    struct cluster_groups *g;
    uint32_t *sizes;     /* of groups */
    double *cosines;     /* of groups, Σ */
    uint64_t documents;  /* in groups with a centre, each once */
    uint32_t *df;        /* of terms, in these */
    uint32_t *counts;    /* group × term */
    struct best *labels; /* of groups: numbers are terms */
    struct best *frequent;
    struct str *texts; /* of terms; {NULL, 0}: not asked for */
};

static bool is_listed(const struct filing *f, uint32_t group)
{
    return !f->g->hidden || !f->g->hidden[group];
}

/* ---- counting ---- */

static void count_terms(struct filing *f)
{
    const struct kdocs *t = f->terms;
    AUTO(mem_free) char *seen = mem_zalloc((size_t)t->count + 1);
    for (size_t i = 0; i < f->g->members_count; i++) {
        const struct cluster_member *m = &f->g->members[i];
        const bool first = !seen[m->document];
        f->sizes[m->group]++;
        f->cosines[m->group] += 1 - (double)m->distance;
        if (m->group >= f->g->centres)
            continue;
        seen[m->document] = 1;
        f->documents += first;
        for (uint64_t e = m->document ? t->ends[m->document - 1] : 0; e < t->ends[m->document]; e++) {
            f->counts[(size_t)m->group * t->dims + t->entries[e].number]++;
            f->df[t->entries[e].number] += first;
        }
    }
}

static double tells(const struct filing *f, uint32_t group, uint32_t term)
{
    const struct similar_rules rules = { .by = SIMILAR_LLR, .units = f->documents };
    const struct similar_item a = { f->sizes[group], f->sizes[group] }, b = { f->df[term], f->df[term] };
    const uint32_t both = f->counts[(size_t)group * f->terms->dims + term];
    return both ? similar_score(&rules, &a, &b, both, both) : 0;
}

/* The best of each group; a term labels the group that it tells most of, of equal ones the first. */
static void choose_terms(struct filing *f)
{
    const uint32_t terms = f->terms->dims;
    for (uint32_t t = 0; t < terms; t++) {
        uint32_t owner = 0;
        double most = 0;
        for (uint32_t g = 0; g < f->g->centres; g++) {
            const uint32_t count = f->counts[(size_t)g * terms + t];
            const double score = tells(f, g, t);
            if (count)
                best_add(&f->frequent[g], count, t, 0);
            if (score > most) {
                most = score;
                owner = g;
            }
        }
        if (most > 0)
            best_add(&f->labels[owner], most, t, 0);
    }
    for (uint32_t g = 0; g < f->g->centres; g++) {
        best_sort(&f->labels[g]);
        best_sort(&f->frequent[g]);
    }
}

static void flag(const struct best *b, char *wanted)
{
    for (uint32_t i = 0; i < b->count; i++)
        wanted[b->entries[i].number] = 1;
}

static bool name_terms(struct filing *f, struct err *err)
{
    const uint32_t terms = f->terms->dims;
    AUTO(mem_free) char *wanted = mem_zalloc((size_t)terms + 1);
    uint64_t *keys = arena_alloc(f->v->arena, ((size_t)terms + 1) * sizeof *keys);
    struct str *found = arena_alloc(f->v->arena, ((size_t)terms + 1) * sizeof *found);
    uint32_t n = 0;
    for (uint32_t g = 0; g < f->g->centres; g++) {
        flag(&f->labels[g], wanted);
        flag(&f->frequent[g], wanted);
    }
    for (uint32_t t = 0; t < terms; t++)
        if (wanted[t])
            keys[n++] = doc_vectors_word(f->v, t)->key;
    if (!doc_vectors_terms(f->v, keys, n, found, err))
        return false;
    n = 0;
    for (uint32_t t = 0; t < terms; t++)
        f->texts[t] = wanted[t] ? found[n++] : (struct str){ NULL, 0 };
    return true;
}

/* ---- sections ---- */

static bool add_sizes(struct filing *f, struct err *err)
{
    static const char *const columns[] = { "documents", "share", "cohesion" };
    struct lists_out o;
    lists_begin(&o, columns, COUNT_OF(columns));
    lists_key(&o, STR(""));
    for (uint32_t g = 0; g < f->g->count; g++) {
        const float size = (float)f->sizes[g], all = (float)f->v->documents,
                    cohesion = size > 0 ? (float)(f->cosines[g] / f->sizes[g]) : 0;
        const float values[] = { size, size / all, g < f->g->centres ? cohesion : 0 };
        if (is_listed(f, g))
            lists_add(&o, f->g->names[g], values);
    }
    return model_file_lists(f->file, "sizes", &o, err);
}

static void add_term(const struct filing *f, struct lists_out *o, uint32_t group, const struct best_entry *e,
                     bool scored)
{
    const float count = (float)f->counts[(size_t)group * f->terms->dims + e->number],
                values[] = { (float)e->score, count, count / (float)f->sizes[group] };
    if (f->texts[e->number].p)
        lists_add(o, f->texts[e->number], scored ? values : values + 1);
}

static bool add_terms(struct filing *f, const char *name, const struct best *of_groups, bool scored, struct err *err)
{
    static const char *const columns[] = { "score", "documents", "share" };
    struct lists_out o;
    lists_begin(&o, scored ? columns : columns + 1, scored ? 3 : 2);
    for (uint32_t g = 0; g < f->g->centres; g++) {
        if (!is_listed(f, g))
            continue;
        lists_key(&o, f->g->names[g]);
        for (uint32_t i = 0; i < of_groups[g].count; i++)
            add_term(f, &o, g, &of_groups[g].entries[i], scored);
    }
    return model_file_lists(f->file, name, &o, err);
}

static const char *const distance[] = { "distance" };

static int by_group(const void *a, const void *b)
{
    const struct cluster_member *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->document > y->document) - (x->document < y->document);
}

static int by_document(const void *a, const void *b)
{
    const struct cluster_member *x = a, *y = b;
    if (x->document != y->document)
        return x->document < y->document ? -1 : 1;
    return (x->group > y->group) - (x->group < y->group);
}

static bool add_documents(struct filing *f, struct err *err)
{
    struct cluster_groups *g = f->g;
    struct lists_out o;
    size_t at = 0;
    if (g->members_count)
        qsort(g->members, g->members_count, sizeof *g->members, by_group);
    lists_begin(&o, distance, 1);
    for (uint32_t i = 0; i < g->count; i++) {
        if (is_listed(f, i))
            lists_key(&o, g->names[i]);
        for (; at < g->members_count && g->members[at].group == i; at++)
            if (is_listed(f, i))
                lists_add(&o, f->v->texts[g->members[at].document], &g->members[at].distance);
    }
    return model_file_lists(f->file, "documents", &o, err);
}

static bool add_cluster_of(struct filing *f, struct err *err)
{
    struct cluster_groups *g = f->g;
    struct lists_out o;
    uint32_t last = UINT32_MAX;
    if (g->members_count)
        qsort(g->members, g->members_count, sizeof *g->members, by_document);
    lists_begin(&o, distance, 1);
    for (size_t i = 0; i < g->members_count; i++) {
        const struct cluster_member *m = &g->members[i];
        if (!is_listed(f, m->group))
            continue;
        if (m->document != last)
            lists_key(&o, f->v->texts[m->document]);
        last = m->document;
        lists_add(&o, g->names[m->group], &m->distance);
    }
    return model_file_lists(f->file, "cluster_of", &o, err);
}

/* ---- the space ---- */

static uint32_t language_of(const struct run_context *run)
{
    uint32_t n = 0;
    while (strcmp(clusters_languages[n], run->param(run, "language")) != 0)
        n++;
    return n;
}

static void put_entries(struct clusters_space *s, const struct kcentres *c, struct arena *arena, struct buf *entries)
{
    uint64_t *ends = arena_alloc(arena, ((size_t)s->terms + 1) * sizeof *ends);
    for (uint32_t t = 0; t < s->terms; t++) {
        for (uint32_t k = 0; k < c->k; k++) {
            const struct clusters_entry e = { k, c->numbers[(size_t)t * c->room + k] };
            if (e.weight != 0)
                buf_add(entries, &e, sizeof e);
        }
        ends[t] = entries->n / sizeof(struct clusters_entry);
    }
    s->ends = ends;
    s->entries = (const void *)buf_str(entries).p;
}

static const float *middles_of(const struct kcentres *c, struct arena *arena)
{
    float *out = arena_alloc(arena, ((size_t)c->k * c->dims + 1) * sizeof *out);
    for (uint32_t k = 0; k < c->k; k++)
        for (uint32_t x = 0; x < c->dims; x++)
            out[(size_t)k * c->dims + x] = c->numbers[(size_t)x * c->room + k];
    return out;
}

static bool add_space(struct filing *f, const struct kcentres *c, const float *rows, struct err *err)
{
    const struct run_context *run = f->v->run;
    struct arena *arena = f->v->arena;
    AUTO(buf_release) struct buf entries;
    uint64_t *keys = arena_alloc(arena, ((size_t)f->v->terms + 1) * sizeof *keys);
    double *idf = arena_alloc(arena, ((size_t)f->v->terms + 1) * sizeof *idf);
    struct clusters_space s = { .language = language_of(run),
                                .ngrams = run->param(run, "ngrams") ? (uint32_t)run_whole(run, "ngrams") : 1,
                                .max_terms = (uint32_t)run_whole(run, "max_terms"),
                                .terms = f->v->terms,
                                .centres = c->k,
                                .outliers = f->g->outliers,
                                .keys = keys,
                                .idf = idf,
                                .fields = str_of(run->param(run, "fields")),
                                .stop_words = str_of(run->param(run, "stop_words")),
                                .names = f->g->names };
    buf_init(&entries, ARTIFACT_BYTES_MAX);
    for (uint32_t t = 0; t < f->v->terms; t++) {
        keys[t] = doc_vectors_word(f->v, t)->key;
        idf[t] = doc_vectors_word(f->v, t)->idf;
    }
    if (rows) {
        s.dims = c->dims;
        s.rows = rows;
        s.middles = middles_of(c, arena);
    } else
        put_entries(&s, c, arena, &entries);
    struct buf *section = model_file_section(f->file);
    if (!buf_ok(&entries, "the centres", err) || !clusters_space_write(&s, section, err))
        return false;
    artifact_add(&f->file->out, "space", buf_str(section));
    return true;
}

bool cluster_file_add(struct model_file *file, struct doc_vectors *v, const struct kdocs *terms,
                      struct cluster_groups *groups, const struct kcentres *centres, const float *rows, struct err *err)
{
    struct arena *a = v->arena;
    struct filing f = { .file = file,
                        .v = v,
                        .terms = terms,
                        .g = groups,
                        .sizes = arena_zalloc(a, (groups->count + 1) * sizeof *f.sizes),
                        .cosines = arena_zalloc(a, (groups->count + 1) * sizeof *f.cosines),
                        .df = arena_zalloc(a, ((size_t)terms->dims + 1) * sizeof *f.df),
                        .labels = arena_alloc(a, (groups->count + 1) * sizeof *f.labels),
                        .frequent = arena_alloc(a, (groups->count + 1) * sizeof *f.frequent),
                        .texts = arena_alloc(a, ((size_t)terms->dims + 1) * sizeof *f.texts) };
    for (uint32_t g = 0; g < groups->centres; g++) {
        best_init(&f.labels[g], (uint32_t)run_whole(v->run, "label_terms"), a);
        best_init(&f.frequent[g], (uint32_t)run_whole(v->run, "frequent_terms"), a);
    }
    f.counts = mem_zalloc(((size_t)groups->centres * terms->dims + 1) * sizeof *f.counts);
    count_terms(&f);
    choose_terms(&f);
    bool ok = name_terms(&f, err) && add_sizes(&f, err) && add_terms(&f, "labels", f.labels, true, err) &&
              add_terms(&f, "frequent_terms", f.frequent, false, err) && add_documents(&f, err) &&
              add_cluster_of(&f, err) && add_space(&f, centres, rows, err);
    mem_free(f.counts);
    return ok;
}
