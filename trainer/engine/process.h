/* process.h - one worker process of the local engine: started, spoken to over three pipes, watched, ended. Whoever opens one closes it.
 *
 * It dies with us (PR_SET_PDEATHSIG, end of file), is killed before us when memory is short (oom_score_adj), and gets the processor last
 * (nice). A worker that sends faster than its frames are taken waits at its pipe. */
#pragma once
#include <event2/event.h>
#include <sys/types.h>

#include "trainer/engine/frame.h"

struct process;

struct process_owner {
    struct event_base *base;
    void (*on_frame)(void *arg, struct process *p, const struct frame *f);
    void (*on_line)(void *arg, struct process *p, struct str line); /* of its standard error */
    void *arg;
};

#define NO_SPLIT UINT32_MAX

struct process {
    const struct process_owner *owner;
    int number;
    pid_t pid;  /* 0: none */
    int fds[3]; /* ours: to its standard input, from its standard output and error */
    struct event *writable, *readable, *errors;
    struct buf in, out, line;
    /* of the owner */
    uint32_t split; /* NO_SPLIT: idle */
    int64_t heard_us;
    char why[200]; /* what it said before it ended, or why we ended it */
};

/* *p is all zero but for `number`. */
bool process_start(struct process *p, const struct process_owner *owner, struct err *err) MUSTCHECK;
void process_send(struct process *p, const struct frame *f);
/* It was waited for: takes what it had still said, then closes. */
void process_ended(struct process *p);
/* SIGKILL, waited for, closed; what it said is lost. */
void process_kill(struct process *p);
