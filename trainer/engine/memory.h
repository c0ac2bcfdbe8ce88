/* memory.h - the cap on what a task's kernel may hold: TASK's "memory_mb". What mem_alloc and arenas hold is counted; as a back-stop for what
 * libraries hold, the process may not have more than that and a margin of private memory (RLIMIT_DATA; mapped files do not count). Whoever
 * passes either says ERROR and ends with WORKER_SYSTEM. */
#pragma once
#include <stddef.h>

struct task;

void memory_cap(const struct task *t);
/* The most that was held. */
size_t memory_uncap(void);
