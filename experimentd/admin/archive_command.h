/* archive_command.h - `experimentd archive`: files of old days. argc and argv start behind "archive". */
#pragma once

int archive_main(int argc, char **argv);
