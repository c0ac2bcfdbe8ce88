/* config.h - a small configuration for the tests of this folder: documents in, a snapshot out. */
#pragma once
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "experimentd/config/experiment.h"
#include "experimentd/preflight/preflight.h"

enum { CONFIG_MAX = 8 };

static struct arena arena;
static struct snapshot_experiment experiments[CONFIG_MAX];
static struct snapshot_object layers[CONFIG_MAX];
static struct snapshot_metric metrics[] = { { .key = { "ctr", 3 } }, { .key = { "mrr", 3 } } };
static struct snapshot snapshot;

static void config_begin(void)
{
    arena_init(&arena, 4096);
    snapshot = (struct snapshot){ .version = 1, .experiments = experiments, .metrics = metrics, .metrics_count = 2 };
    snapshot.objects[OBJECT_LAYER].p = layers;
}

static void config_end(void)
{
    arena_release(&arena);
}

/* Experiments and layers are added in the order of their keys, as a snapshot has them. */
static struct snapshot_experiment *config_add(enum experiment_status status, const char *document)
{
    struct err err;
    json_auto_t *root = json_parse(str_of(document), &err);
    struct snapshot_experiment *e = &experiments[snapshot.experiments_count++];
    cr_assert(root && experiment_read(root, &arena, e, &err), "%s", err.text);
    e->status = status;
    e->assign = &snapshot; /* it can be evaluated */
    return e;
}

static inline void config_add_layer(const char *key, const char *seed)
{
    layers[snapshot.objects[OBJECT_LAYER].n++] = (struct snapshot_object){ .key = str_of(key),
                                                                           .seed = str_of(seed),
                                                                           .hash_attribute = STR("id") };
}

static inline void expect_text(const char *got, const char *expected)
{
    cr_assert(str_eq(str_of(got), str_of(expected)), "%s", got);
}

#define METRICS "\"metrics\":[\"ctr\"]"
#define AB "\"variants\":[{\"key\":\"a\"},{\"key\":\"b\"}]," METRICS
