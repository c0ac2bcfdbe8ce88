/* The job "popular": what is had most, decayed, of all and by category; nothing else is trained. */
#include "trainer/jobs/recommender.h"

static bool train(struct recommender_job *j, struct err *err)
{
    (void)j;
    (void)err;
    return true; /* the frame adds the section */
}

static bool run_popular(struct run_context *run, struct err *err)
{
    return recommender_run(run, train, err);
}

const struct job job_popular = { "popular", run_popular };
