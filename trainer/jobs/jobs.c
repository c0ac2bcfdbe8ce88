#include <stdio.h>
#include <stdlib.h>

#include "trainer/jobs/job.h"

const struct job *const jobs[] = {
    &job_metrics,  &job_preview,    &job_bootstrap, &job_bandit, &job_seal, &job_retention,
    &job_sessions, &job_interleave, &job_golden,    &job_clicks, NULL
};

int jobs_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; jobs[i]; i++)
        (void)printf("%-12s %s\n%s", jobs[i]->name, jobs[i]->summary, jobs[i]->params_help);
    return EXIT_SUCCESS;
}
