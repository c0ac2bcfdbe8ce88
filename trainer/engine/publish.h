/* publish.h - the coordinator's side of ENGINE_PUBLISH: staging tables and the ledger of splits (migrations/0015_engine.sql). */
#pragma once
#include "trainer/engine/pass.h"

/* Makes the pass' staging table, or finds the one that an earlier coordinator of the run filled. ERR_CONFLICT: the run has another coordinator. */
bool publish_open(struct engine *e, struct err *err) MUSTCHECK;
/* Whether the split's rows are there already; after publish_open. */
bool publish_has(const struct engine *e, uint32_t split);
