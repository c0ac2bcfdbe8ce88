#include "experimentd/config/life.h"

#include "base/clock.h"
#include "experimentd/config/experiment.h"
#include "experimentd/config/layers.h"
#include "experimentd/config/payload.h"
#include "experimentd/config/state.h"
#include "experimentd/preflight/gather.h"

enum { REASON_MAX = 2000 };
static const struct str unchanged = { NULL, 0 }, nothing = { NULL, 0 };

static bool not_known(struct str key, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known",
                   STR_ARG(str_cut(key, EXPERIMENT_KEY_MAX)));
}

static bool wrong_status(const struct edit *e, const struct snapshot_experiment *x, struct err *err)
{
    return err_set(err, ERR_CONFLICT, "cannot %s experiment \"" STR_FMT "\": it is %s%s", e->action, STR_ARG(x->key),
                   x->status == EXPERIMENT_DRAFT ? "a " : "", experiment_status_names[x->status]);
}

/* The experiment that is edited, when If-Match names its version. */
static const struct snapshot_experiment *find(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *x = snapshot_experiment(s, e->key);
    if (!x)
        (void)not_known(e->key, err);
    return x && edit_match(e, "experiment", x->key, x->version, err) ? x : NULL;
}

/* The same, when it is in this status. */
static const struct snapshot_experiment *find_in(struct edit *e, const struct snapshot *s,
                                                 enum experiment_status status, struct err *err)
{
    const struct snapshot_experiment *x = find(e, s, err);
    if (x && x->status != status) {
        (void)wrong_status(e, x, err);
        return NULL;
    }
    return x;
}

static void write_times(struct edit *e, const char *status, const char *time)
{
    if (status)
        jsonw_text(&e->w, "status", status);
    if (time)
        jsonw_text(&e->w, time, "now");
}

/* ---- documents ---- */

/* RFC 7396: members of the patch replace, null removes, objects merge. */
static void merge(json_t *into, json_t *patch)
{
    const char *key;
    json_t *v;
    json_object_foreach(patch, key, v)
    {
        json_t *there = json_object_get(into, key);
        if (json_is_null(v))
            (void)json_object_del(into, key);
        else if (json_is_object(v) && json_is_object(there) && strcmp(key, "targeting") != 0)
            merge(there, v);
        else
            (void)json_object_set(into, key, v);
    }
}

/* The request's body as an object; {} when there is none and it may be missing. */
static json_t *body_object(struct edit *e, bool needed, struct err *err)
{
    struct str body = str_trim(e->body);
    json_t *root = body.n || needed ? json_parse(body, err) : json_object();
    if (root && !json_is_object(root)) {
        json_decref(root);
        err_set(err, ERR_INVALID, "the request body is not an object");
        return NULL;
    }
    return root;
}

static bool read_new(struct edit *e, json_t *root, const struct snapshot *s, struct snapshot_experiment *x,
                     struct err *err)
{
    if (!experiment_read(root, e->arena, x, err) || !experiment_check(x, s, err))
        return false;
    e->key = x->key;
    if (str_eq(x->origin, STR("imported")))
        return err_set(err, ERR_INVALID, "experiment: field \"origin\" must be \"live\" or \"simulated\"");
    if (snapshot_experiment(s, x->key))
        return err_set(err, ERR_CONFLICT, "experiment \"" STR_FMT "\" exists already", STR_ARG(x->key));
    return true;
}

bool life_create(struct edit *e, const struct snapshot *s, struct err *err)
{
    struct snapshot_experiment x;
    struct str spec;
    json_auto_t *root = json_parse(e->body, err);
    if (!root || !read_new(e, root, s, &x, err) || !experiment_spec(&x, e->arena, &spec, err))
        return false;
    edit_write_begin(e, "experiment", x.key, e->action, spec, unchanged);
    edit_write_end(e);
    return true;
}

/* State is not in the document: what the server decided goes on. What held it back is not kept: the change may have mended it. */
static void keep_state(const struct snapshot_experiment *was, struct snapshot_experiment *now)
{
    now->status = was->status;
    now->version = was->version;
    now->phase = was->phase;
    now->slots = was->slots;
    now->bucket_version = was->bucket_version;
    now->ramp_step = now->ramp_count == 0 ? 0 : was->ramp_step < now->ramp_count ? was->ramp_step : now->ramp_count - 1;
    now->ramp_since_us = was->ramp_count ? was->ramp_since_us
                                         : clock_now_us(); /* a ramp that comes later starts then */
    now->weights_version = was->weights_version;
    now->live_weights = now->variants_count == was->variants_count ? was->live_weights : NULL;
    now->winner = was->winner;
    now->stop_reason = was->stop_reason;
    now->rollout = was->rollout;
    now->looks = was->looks;
    now->looks_count = was->looks_count;
}

/* `was` with the patch merged in; both as documents, too. */
static bool read_changed(struct edit *e, const struct snapshot_experiment *was, json_t *patch, const struct snapshot *s,
                         json_t **out_before, json_t **out_after, struct snapshot_experiment *now, struct err *err)
{
    struct str spec;
    if (!experiment_spec(was, e->arena, &spec, err) || !(*out_before = json_parse(spec, err)))
        return false;
    json_auto_t *merged = json_deep_copy(*out_before);
    merge(merged, patch);
    if (was->kind == EXPERIMENT_HOLDOUT)
        (void)json_object_del(merged, "variants"); /* they follow from the share */
    if (!experiment_read(merged, e->arena, now, err) || !experiment_check(now, s, err))
        return false;
    keep_state(was, now);
    return experiment_spec(now, e->arena, &spec, err) && (*out_after = json_parse(spec, err));
}

bool life_patch(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *was = find(e, s, err);
    json_auto_t *patch = was ? body_object(e, true, err) : NULL, *before = NULL, *after = NULL;
    struct snapshot_experiment now;
    struct str spec;
    if (!patch || !read_changed(e, was, patch, s, &before, &after, &now, err) ||
        !experiment_change(was, before, after, &now, err) || !experiment_spec(&now, e->arena, &spec, err))
        return false;
    edit_write_begin(e, "experiment", was->key, e->action, spec, state_write(&now, e->arena));
    edit_write_end(e);
    return true;
}

bool life_delete(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *x = find_in(e, s, EXPERIMENT_DRAFT, err);
    if (!x)
        return false;
    edit_write_begin(e, "experiment", x->key, e->action, unchanged, unchanged);
    edit_write_end(e);
    return true;
}

/* ---- starting ---- */

bool life_may_start(const struct snapshot_experiment *e, const struct snapshot *s, struct err *err)
{
    for (size_t i = 0; i < s->experiments_count; i++) {
        const struct snapshot_experiment *other = &s->experiments[i];
        if (other->status != EXPERIMENT_RUNNING || str_eq(other->key, e->key) ||
            !str_eq(other->parameter, e->parameter))
            continue;
        if (layers_is_launch(s, e) != layers_is_launch(s, other) || layers_exclusive(s, e, other))
            continue;
        return err_set(err, ERR_CONFLICT,
                       "cannot start experiment \"" STR_FMT "\": experiment \"" STR_FMT
                       "\" runs on the same parameter \"" STR_FMT
                       "\", and a unit could be in both; put both into one layer",
                       STR_ARG(e->key), STR_ARG(other->key), STR_ARG(e->parameter));
    }
    return true;
}

static bool give_slots(struct edit *e, struct snapshot_experiment *x, const struct snapshot *s, struct err *err)
{
    if (!x->layer.n) {
        x->slots.n = 0;
        return true;
    }
    return layers_allocate(s, x->layer, x->key, x->layer_share, &x->slots, e->arena, &x->slots, err);
}

static bool may_start(struct edit *e, const struct snapshot_experiment *x, const struct snapshot *s, struct err *err)
{
    const struct preflight_report *report = e->arg;
    return (report && report->config_version == s->version) || preflight_may_start(x, s, e->arena, err);
}

bool life_start(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *x = find_in(e, s, EXPERIMENT_DRAFT, err);
    if (!x || !may_start(e, x, s, err))
        return false;
    struct snapshot_experiment now = *x;
    now.held_back = nothing;
    if (!give_slots(e, &now, s, err) || !life_may_start(&now, s, err))
        return false;
    now.ramp_since_us = clock_now_us();
    edit_write_begin(e, "experiment", x->key, e->action, x->spec_json, state_write(&now, e->arena));
    write_times(e, "running", "started_at");
    write_times(e, NULL, "phase_started_at");
    edit_write_end(e);
    return true;
}

/* ---- a new phase ---- */

/* {"reassign": bool?, …the rest is a patch}. Without a word, units are assigned anew unless assignments stick. */
static bool take_reassign(json_t *patch, const struct snapshot_experiment *x, bool *out, struct err *err)
{
    json_t *v = json_object_get(patch, "reassign");
    *out = !x->sticky;
    if (v && !json_is_boolean(v))
        return err_set(err, ERR_INVALID, "phase: field \"reassign\" is not true or false");
    if (v)
        *out = json_is_true(v);
    (void)json_object_del(patch, "reassign");
    return true;
}

static bool phase_keeps(const json_t *before, const json_t *after, struct err *err)
{
    static const char *const fields[] = { "key", "kind", "parameter", "hash_attribute", "origin" };
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (json_object_get(before, fields[i]) != json_object_get(after, fields[i]) && /* NULL: in neither */
            !json_equal(json_object_get(before, fields[i]), json_object_get(after, fields[i])))
            return err_set(err, ERR_CONFLICT, "field \"%s\" cannot change in a phase: make a new experiment",
                           fields[i]);
    return true;
}

static void begin_phase(const struct snapshot_experiment *was, struct snapshot_experiment *now, bool reassign)
{
    if (!str_eq(now->layer, was->layer))
        now->slots.n = 0;
    now->assign =
        was->assign; /* pieces of answers: of no use here, but none is taken for an experiment that cannot be read */
    now->bucket_version = was->bucket_version + (reassign ? 1 : 0);
    now->ramp_step = 0;
    now->ramp_since_us = clock_now_us();
    now->live_weights = NULL;
    now->looks_count = now->alarms.n = 0; /* of other units */
    now->weights_version = was->weights_version + (now->kind == EXPERIMENT_BANDIT ? 1 : 0);
}

/* What cannot start cannot go on either. A holdout has nothing to be checked: it is one. */
static bool phase_may_start(struct edit *e, const struct snapshot_experiment *now, const struct snapshot *s,
                            struct err *err)
{
    return now->kind == EXPERIMENT_HOLDOUT || preflight_may_start(now, s, e->arena, err) ||
           err_prefix(err, "cannot start a new phase: ");
}

static void write_phase(struct edit *e, const struct snapshot_experiment *was, const struct snapshot_experiment *now,
                        struct str spec)
{
    edit_write_begin(e, "experiment", was->key, e->action, spec, state_write(now, e->arena));
    jsonw_i64(&e->w, "phase", was->phase + 1);
    write_times(e, was->status == EXPERIMENT_RUNNING ? NULL : "running", "phase_started_at");
    if (was->status != EXPERIMENT_RUNNING) {
        jsonw_null(&e->w, "stopped_at");
        jsonw_null(&e->w, "concluded_at");
    }
    edit_write_end(e);
}

/* Of one that was stopped or concluded: what it ended with is forgotten. */
static void reopen(struct snapshot_experiment *now)
{
    now->status = EXPERIMENT_RUNNING;
    now->winner = now->stop_reason = nothing;
    now->rollout = false;
}

static bool begin_anew(struct edit *e, const struct snapshot_experiment *was, const struct snapshot *s, struct err *err)
{
    json_auto_t *patch = was ? body_object(e, false, err) : NULL, *before = NULL, *after = NULL;
    struct snapshot_experiment now;
    struct str spec;
    bool reassign;
    if (!patch || !take_reassign(patch, was, &reassign, err) ||
        !read_changed(e, was, patch, s, &before, &after, &now, err) || !phase_keeps(before, after, err))
        return false;
    begin_phase(was, &now, reassign);
    reopen(&now);
    if (!phase_may_start(e, &now, s, err) || !give_slots(e, &now, s, err) || !life_may_start(&now, s, err) ||
        !experiment_spec(&now, e->arena, &spec, err))
        return false;
    write_phase(e, was, &now, spec);
    return true;
}

bool life_new_phase(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *was = find_in(e, s, EXPERIMENT_RUNNING, err);
    return was && begin_anew(e, was, s, err);
}

bool life_reopen(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *was = find(e, s, err);
    if (was && was->status == EXPERIMENT_DRAFT)
        return wrong_status(e, was, err);
    return was && begin_anew(e, was, s, err);
}

bool life_ramp(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *x = find_in(e, s, EXPERIMENT_RUNNING, err);
    if (!x)
        return false;
    if (x->ramp_step + 1 >= x->ramp_count)
        return err_set(err, ERR_CONFLICT, "experiment \"" STR_FMT "\" is at the last step of its ramp",
                       STR_ARG(x->key));
    struct snapshot_experiment now = *x;
    now.held_back = nothing;
    now.ramp_step++;
    now.ramp_since_us = clock_now_us();
    edit_write_begin(e, "experiment", x->key, e->action, x->spec_json, state_write(&now, e->arena));
    edit_write_end(e);
    return true;
}

bool life_hold(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *x = find(e, s, err);
    if (!x)
        return false;
    struct snapshot_experiment now = *x;
    now.held_back = arena_str(e->arena, str_of(e->arg));
    edit_write_begin(e, "experiment", x->key, e->action, x->spec_json, state_write(&now, e->arena));
    edit_write_end(e);
    return true;
}

bool life_alarm(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *x = find_in(e, s, EXPERIMENT_RUNNING, err);
    if (!x)
        return false;
    struct snapshot_experiment now = *x;
    now.alarms = arena_str(e->arena, str_of(e->arg));
    edit_write_begin(e, "experiment", x->key, e->action, x->spec_json, state_write(&now, e->arena));
    edit_write_end(e);
    return true;
}

bool life_look(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *x = find(e, s, err);
    if (!x)
        return false;
    struct snapshot_experiment now = *x;
    now.looks = arena_zalloc(e->arena, (x->looks_count + 1) * sizeof *now.looks);
    for (size_t i = 0; i < x->looks_count; i++)
        now.looks[i] = x->looks[i];
    now.looks[now.looks_count++] = *(const struct experiment_look *)e->arg;
    edit_write_begin(e, "experiment", x->key, e->action, x->spec_json, state_write(&now, e->arena));
    edit_write_end(e);
    return true;
}

/* ---- ending ---- */

static void write_end(struct edit *e, const struct snapshot_experiment *was, const struct snapshot_experiment *now,
                      const char *status, const char *time)
{
    edit_write_begin(e, "experiment", was->key, e->action, was->spec_json, state_write(now, e->arena));
    write_times(e, status, time);
    if (was->status == EXPERIMENT_RUNNING && strcmp(time, "stopped_at") != 0)
        write_times(e, NULL, "stopped_at");
    edit_write_end(e);
}

bool life_stop(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *x = find_in(e, s, EXPERIMENT_RUNNING, err);
    if (!x)
        return false;
    struct snapshot_experiment now = *x;
    now.held_back = nothing;
    now.stop_reason = arena_str(e->arena, str_of(e->arg));
    write_end(e, x, &now, "stopped", "stopped_at");
    return true;
}

/* {"winner": variant?, "rollout": bool?, "reason": text?} */
static bool read_conclusion(struct edit *e, json_t *body, struct snapshot_experiment *now, struct err *err)
{
    struct json_reader r;
    json_reader_open(&r, body, "conclusion");
    now->rollout = false;
    now->winner = (struct str){ NULL, 0 };
    (void)json_get_str(&r, "winner", JSON_OPTIONAL, &now->winner, e->arena);
    (void)json_get_bool(&r, "rollout", JSON_OPTIONAL, &now->rollout);
    (void)json_get_str(&r, "reason", JSON_OPTIONAL, &now->stop_reason, e->arena);
    if (now->winner.n && experiment_variant(now, now->winner) < 0)
        (void)json_fail(&r, "winner", "is \"%.*s\", not a variant of this experiment",
                        STR_ARG(str_cut(now->winner, 60)));
    if (now->rollout && !now->winner.n)
        (void)json_fail(&r, "rollout", "is true without a winner");
    if (now->stop_reason.n > REASON_MAX)
        (void)json_fail(&r, "reason", "is longer than %d bytes", REASON_MAX);
    return json_reader_close(&r, err);
}

bool life_conclude(struct edit *e, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *x = find(e, s, err);
    if (x && x->status != EXPERIMENT_RUNNING && x->status != EXPERIMENT_STOPPED)
        return wrong_status(e, x, err);
    json_auto_t *body = x ? body_object(e, false, err) : NULL;
    if (!body)
        return false;
    struct snapshot_experiment now = *x;
    now.held_back = nothing;
    if (!read_conclusion(e, body, &now, err))
        return false;
    write_end(e, x, &now, "concluded", "concluded_at");
    return true;
}

/* ---- holdouts ---- */

/* {"key", "name"?, "share", "metrics"?, "hash_attribute"?, "seed"?}: an experiment of kind holdout that runs at once. */
static json_t *holdout_document(json_t *body)
{
    json_t *root = json_deep_copy(body), *holdout = json_object();
    static const char *const moved[] = { "share", "metrics" };
    for (size_t i = 0; i < COUNT_OF(moved); i++) {
        json_t *v = json_object_get(root, moved[i]);
        if (v)
            (void)json_object_set(holdout, moved[i], v);
        (void)json_object_del(root, moved[i]);
    }
    (void)json_object_set_new(root, "kind", json_string("holdout"));
    (void)json_object_set_new(root, "holdout", holdout);
    return root;
}

bool life_create_holdout(struct edit *e, const struct snapshot *s, struct err *err)
{
    struct snapshot_experiment x;
    struct str spec;
    json_auto_t *body = body_object(e, true, err), *root = body ? holdout_document(body) : NULL;
    if (!root || !read_new(e, root, s, &x, err) || !experiment_spec(&x, e->arena, &spec, err))
        return false;
    for (size_t i = 0; i < s->experiments_count; i++)
        if (s->experiments[i].status == EXPERIMENT_RUNNING && payload_holds_out(&x, &s->experiments[i]))
            return err_set(err, ERR_CONFLICT,
                           "cannot start a holdout while experiment \"" STR_FMT
                           "\" runs: units that it has would be taken out of it; stop it first, or set its "
                           "\"ignore_holdouts\" in a new phase",
                           STR_ARG(s->experiments[i].key));
    edit_write_begin(e, "experiment", x.key, e->action, spec, unchanged);
    write_times(e, "running", "started_at");
    write_times(e, NULL, "phase_started_at");
    edit_write_end(e);
    return true;
}
