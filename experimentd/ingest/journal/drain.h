/* drain.h - `experimentd journal drain DIR`: loads a journal whose daemon is gone, its directory copied or shared, with the daemon's own
 * loader: exactly once, because the position is written with the rows. Ended at any moment, it goes on from there when run again. */
#pragma once

/* argc and argv start behind "drain". Exit code 0: all is in PostgreSQL; 65: all but what was damaged or refused; 64: used wrongly;
 * 66: no journal; 75: another process has it; 1: failed. */
int drain_main(int argc, char **argv);
