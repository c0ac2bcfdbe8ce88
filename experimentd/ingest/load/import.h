/* import.h - `experimentd import FORMAT FILE`: a log that already exists, into the same tables by the same rows.h.
 *
 * The position in the file is written in the transaction of the rows and the file is named by the hash of its contents and mapping: an
 * import that was cut off goes on where it was, one that is done changes nothing. */
#pragma once

int import_main(int argc, char **argv);
