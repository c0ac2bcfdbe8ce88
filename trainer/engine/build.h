/* build.h - which build this program is: what it computes is only compared with what the same build computed. */
#pragma once

enum { BUILD_TEXT_MAX = 64 };
/* The linker's build id as hex digits; without one the version. Returns text. */
const char *build_text(char text[BUILD_TEXT_MAX]);
