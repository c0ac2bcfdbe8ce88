/* commands.h - what a person types: `trainer run`, `jobs`, `runs`, `log`, `cancel`. Each gets what stands behind its name and gives an exit status. */
#pragma once

int run_main(int argc, char **argv);
int jobs_main(int argc, char **argv);
int runs_main(int argc, char **argv);
int log_main(int argc, char **argv);
int cancel_main(int argc, char **argv);
