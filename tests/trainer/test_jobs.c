#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "job/types.h"
#include "trainer/jobs/job.h"

Test(jobs, are_those_of_the_table_of_types)
{
    size_t count = 0;
    for (; jobs[count]; count++)
        cr_expect(job_type_find(str_of(jobs[count]->name)) != NULL, "\"%s\" has no row in job/types.c",
                  jobs[count]->name);
    cr_assert(eq(sz, count, job_types_count));
}
