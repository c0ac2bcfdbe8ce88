/* journal_command.h - `experimentd journal check DIR`: reads every record of a journal and says what is damaged; writes nothing.
 * `experimentd journal drain DIR …` is drain.h's. */
#pragma once

/* argc and argv start behind "journal". Exit code 0: all whole; 1: damaged; 64: used wrongly. */
int journal_main(int argc, char **argv);
