#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/query_text.h"
#include "trainer/jobs/evaluation.h"
#include "trainer/kernels/intern.h"

enum { SECRETS_BYTES_MAX = 1 << 20 };

static const struct pg_stmt read_search = { "search_read", 1,
                                            "select spec::text, version from search_configs where name = $1" };
static const struct pg_stmt read_lists = {
    "search_lists_read", 1, "select query, docs::text from search_lists where config = $1 order by query"
};

/* ---- parameters ---- */

static bool add_metric(struct evaluation *e, struct str name, struct err *err)
{
    char *text = arena_cstr(&e->arena, str_trim(name)), *canonical = e->names[e->metrics_count];
    if (e->metrics_count == EVALUATION_METRICS_MAX)
        return err_set(err, ERR_INVALID, "parameter \"metrics\" has more than %d", EVALUATION_METRICS_MAX);
    if (!ranking_metric_parse(text, &e->metrics[e->metrics_count], err))
        return err_prefix(err, "parameter \"metrics\": ");
    if (e->metrics[e->metrics_count].k > e->k && e->run->param(e->run, "judgments"))
        return err_set(err, ERR_INVALID, "parameter \"metrics\": %s looks deeper than parameter \"k\", which is %zu",
                       text, e->k);
    ranking_metric_name(&e->metrics[e->metrics_count], canonical);
    for (size_t i = 0; i < e->metrics_count; i++)
        if (strcmp(e->names[i], canonical) == 0)
            return err_set(err, ERR_INVALID, "parameter \"metrics\" names %s twice", canonical);
    e->metrics_count++;
    return true;
}

static bool read_params(struct evaluation *e, struct err *err)
{
    const struct run_context *run = e->run;
    struct str rest = str_of(run->param(run, "metrics")), name;
    e->k = (size_t)run_whole(run, "k");
    e->relevant_at = run_real(run, "relevant_at");
    e->alpha = run_real(run, "alpha");
    e->weighted = run_flag(run, "weighted");
    e->unjudged = strcmp(run->param(run, "unjudged"), "skip") == 0 ? RANKING_UNJUDGED_SKIPPED : RANKING_UNJUDGED_ZERO;
    /* A comma within parentheses is part of a name. */
    for (size_t from = 0, i = 0, depth = 0; i <= rest.n; i++) {
        char c = i < rest.n ? rest.p[i] : ',';
        depth += c == '(' ? 1U : 0U;
        depth -= c == ')' && depth ? 1U : 0U;
        if (i < rest.n && (c != ',' || depth))
            continue;
        name = (struct str){ rest.p + from, i - from };
        if (!add_metric(e, name, err))
            return false;
        from = i + 1;
    }
    return true;
}

/* ---- searches ---- */

static bool read_spec(struct evaluation *e, struct evaluation_search *s, struct err *err)
{
    const char *params[] = { arena_cstr(&e->arena, s->name) };
    AUTO(pg_result_free) PGresult *r = pg_run(e->run->pg, &read_search, params, err);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return err_set(err, ERR_INVALID, "parameter \"searches\": there is no search \"" STR_FMT "\"",
                       STR_ARG(str_cut(s->name, 80)));
    s->spec = arena_str(&e->arena, pg_get(r, 0, 0));
    s->version = (uint64_t)pg_get_i64(r, 0, 1);
    json_auto_t *root = json_parse(s->spec, err);
    return root && search_config_read(root, &e->arena, &s->config, err);
}

static bool read_searches(struct evaluation *e, struct err *err)
{
    struct str rest = str_of(e->run->param(e->run, "searches")), name;
    while (str_split(&rest, ',', &name)) {
        name = str_trim(name);
        for (size_t i = 0; i < e->searches_count; i++)
            if (str_eq(e->searches[i].name, name))
                return err_set(err, ERR_INVALID, "parameter \"searches\" names \"" STR_FMT "\" twice", STR_ARG(name));
        if (e->searches_count == EVALUATION_SEARCHES_MAX)
            return err_set(err, ERR_INVALID, "parameter \"searches\" has more than %d", EVALUATION_SEARCHES_MAX);
        e->searches[e->searches_count].name = name;
        if (!read_spec(e, &e->searches[e->searches_count++], err))
            return false;
    }
    return true;
}

/* ---- secrets: a file of lines "NAME HEADER: VALUE" ---- */

static bool read_file(const char *path, bool secret, struct buf *out, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return err_set_errno(err, "cannot read \"%s\"", path);
    }
    if (secret && (st.st_mode & S_IRWXO)) {
        (void)close(fd);
        return err_set(err, ERR_DENIED, "the secrets in \"%s\" are not read: others may read the file, too", path);
    }
    ssize_t got = 0;
    char bytes[4096];
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        buf_add(out, bytes, (size_t)got);
    (void)close(fd);
    return got == 0 ? buf_ok(out, path, err) : err_set_errno(err, "cannot read \"%s\"", path);
}

static bool take_secret(struct evaluation *e, struct evaluation_search *s, struct str line, struct err *err)
{
    struct str name, rest = str_trim(line);
    (void)str_split(&rest, ' ', &name);
    rest = str_trim(rest);
    if (!str_eq(name, s->config.secret))
        return true;
    if (!memchr(rest.p ? rest.p : "", ':', rest.n) || s->secrets_count == EVALUATION_SECRETS_MAX)
        return err_set(err, ERR_INVALID,
                       "the file of setting \"search.secrets\" has no \"HEADER: VALUE\" behind \"" STR_FMT "\"",
                       STR_ARG(str_cut(name, 60)));
    s->secrets[s->secrets_count++] = arena_str(&e->arena, rest);
    return true;
}

static bool read_secret(struct evaluation *e, struct evaluation_search *s, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct str rest, line;
    buf_init(&b, SECRETS_BYTES_MAX);
    if (s->config.secret.n == 0)
        return true;
    if (!*e->run->search_secrets)
        return err_set(err, ERR_INVALID,
                       "search \"" STR_FMT "\" has secret \"" STR_FMT
                       "\", and setting \"search.secrets\" names no file",
                       STR_ARG(str_cut(s->name, 60)), STR_ARG(str_cut(s->config.secret, 60)));
    if (!read_file(e->run->search_secrets, true, &b, err))
        return false;
    for (rest = buf_str(&b); str_split(&rest, '\n', &line);)
        if (!take_secret(e, s, line, err))
            return false;
    return s->secrets_count > 0 ||
           err_set(err, ERR_INVALID,
                   "search \"" STR_FMT "\": the file of setting \"search.secrets\" has no \"" STR_FMT "\"",
                   STR_ARG(str_cut(s->name, 60)), STR_ARG(str_cut(s->config.secret, 60)));
}

/* ---- queries ---- */

static bool one_query(struct evaluation *e, const char *text, struct err *err)
{
    char form[QUERY_TEXT_MAX];
    const char *params = e->run->param(e->run, "query_params");
    struct selected_query *q = arena_zalloc(&e->arena, sizeof *q);
    if (params && params[strspn(params, " \t\r\n")] != '{')
        return err_set(err, ERR_INVALID, "parameter \"query_params\" is no object");
    *q = (struct selected_query){ .query = arena_str(&e->arena, query_text(str_of(text), form)),
                                  .text = str_of(text),
                                  .weight = 1,
                                  .params = str_of(params) };
    e->queries = (struct query_selection){ .queries = q, .count = 1 };
    return true;
}

static bool read_queries(struct evaluation *e, struct err *err)
{
    const char *set = e->run->param(e->run, "query_set"), *query = e->run->param(e->run, "query");
    if (!set == !query)
        return err_set(err, ERR_INVALID, "parameter \"query_set\" or parameter \"query\": one of both is wanted");
    if (query)
        return one_query(e, query, err);
    if (!query_selection_read(e->run, "query_set", set, &e->arena, &e->queries, err))
        return false;
    return e->queries.count > 0 || run_too_little(e->run, err, "query set \"%s\" has no query", set);
}

static bool read_judgments(struct evaluation *e, struct err *err)
{
    const char *name = e->run->param(e->run, "judgments");
    e->of_query = arena_zalloc(&e->arena, e->queries.count * sizeof *e->of_query);
    if (!name)
        return true;
    if (!judgments_read(e->run, "judgments", name, &e->arena, &e->judgments, err))
        return false;
    e->has_judgments = true;
    e->max_grade = e->judgments.max_grade;
    for (size_t i = 0; i < e->queries.count; i++) {
        const struct judged_query *q = judgments_find(&e->judgments, e->queries.queries[i].query);
        e->of_query[i].judged = q;
        e->judged_queries += q ? 1U : 0U;
        e->of_query[i].ideal = arena_alloc(&e->arena, (q ? q->count : 0) * sizeof(double) + 1);
        for (uint32_t j = 0; q && j < q->count; j++)
            e->of_query[i].ideal[j] = q->docs[j].grade;
        ranking_sort_judged(e->of_query[i].ideal, q ? q->count : 0);
    }
    return e->judged_queries > 0 ||
           run_too_little(e->run, err, "none of the %zu queries is judged in \"%s\"", e->queries.count, name);
}

/* ---- lists that were brought ---- */

static bool take_docs(struct evaluation *e, struct evaluation_list *l, struct str text, struct err *err)
{
    json_auto_t *docs = json_parse(text, err);
    if (!docs)
        return false;
    size_t n = json_array_size(docs) < e->k ? json_array_size(docs) : e->k;
    l->docs = arena_alloc(&e->arena, (n + 1) * sizeof *l->docs);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(docs, i);
        l->docs[i] = arena_str(&e->arena, (struct str){ json_string_value(v), json_string_length(v) });
    }
    l->count = n;
    return true;
}

/* Lists by what they are under: rows by text, and the last row by each form. */
struct brought {
    struct intern texts, forms; /* number of a text: its row */
    uint32_t *row_of_form;
};

/* The row of a query's list: under its parameter "qid", else under its text, else under a text of the same form; UINT32_MAX: there is none. */
static uint32_t find_list(const struct brought *b, const struct selected_query *q)
{
    struct err bad;
    json_auto_t *params = q->params.p ? json_parse(q->params, &bad) : NULL;
    const json_t *qid = json_object_get(params, "qid");
    uint32_t row = UINT32_MAX;
    char number[32];
    if (json_is_integer(qid)) {
        (void)snprintf(number, sizeof number, "%lld", (long long)json_integer_value(qid));
        row = intern_find(&b->texts, str_of(number));
    } else if (json_is_string(qid)) {
        row = intern_find(&b->texts, (struct str){ json_string_value(qid), json_string_length(qid) });
    }
    if (row == UINT32_MAX)
        row = intern_find(&b->texts, q->text);
    uint32_t form = row == UINT32_MAX ? intern_find(&b->forms, q->query) : UINT32_MAX;
    return form == UINT32_MAX ? row : b->row_of_form[form];
}

/* A query without a list found nothing: a TREC run cannot say it otherwise, and trec_eval -c counts it so. */
static bool take_lists(struct evaluation *e, size_t search, const PGresult *r, const struct brought *b, struct err *err)
{
    size_t found = 0;
    for (size_t i = 0; i < e->queries.count; i++) {
        uint32_t row = find_list(b, &e->queries.queries[i]);
        if (row != UINT32_MAX && !take_docs(e, evaluation_list(e, search, i), pg_get(r, (int)row, 1), err))
            return false;
        found += row != UINT32_MAX ? 1U : 0U;
    }
    return found > 0 || err_set(err, ERR_INVALID, "search \"" STR_FMT "\" has a list for none of the %zu queries",
                                STR_ARG(str_cut(e->searches[search].name, 60)), e->queries.count);
}

static bool read_brought(struct evaluation *e, size_t search, struct err *err)
{
    const char *params[] = { arena_cstr(&e->arena, e->searches[search].name) };
    AUTO(pg_result_free) PGresult *r = pg_run(e->run->pg, &read_lists, params, err);
    struct brought b;
    char form[QUERY_TEXT_MAX];
    if (!r)
        return false;
    uint32_t n = (uint32_t)PQntuples(r);
    b.row_of_form = arena_alloc(&e->arena, (n + 1) * sizeof *b.row_of_form);
    intern_init(&b.texts);
    intern_init(&b.forms);
    for (uint32_t i = 0; i < n; i++) {
        (void)intern_add(&b.texts, pg_get(r, (int)i, 0)); /* number i: no text comes twice */
        b.row_of_form[intern_add(&b.forms, query_text(pg_get(r, (int)i, 0), form))] = i;
    }
    bool ok = take_lists(e, search, r, &b, err);
    intern_release(&b.texts);
    intern_release(&b.forms);
    return ok;
}

bool evaluation_read(struct evaluation *e, struct err *err)
{
    if (!read_params(e, err) || !read_searches(e, err) || !read_queries(e, err) || !read_judgments(e, err))
        return false;
    e->lists = arena_zalloc(&e->arena, e->searches_count * e->queries.count * sizeof *e->lists);
    for (size_t i = 0; i < e->searches_count; i++) {
        if (e->searches[i].config.engine == SEARCH_RUN ? !read_brought(e, i, err)
                                                       : !read_secret(e, &e->searches[i], err))
            return false;
    }
    return true;
}
