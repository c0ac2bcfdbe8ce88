/* query_text.h - moved: the daemon asks by the same form. */
#pragma once
#include "model/query_text.h"
