// limit_settings.h: the directives behind types::Limits, under Redis's names, old ones included.
#pragma once

#include "engine/settings.h"
#include "types/limits.h"

namespace roxdb::engine {

// `limits` outlives the settings.
void add_limit_settings(Settings& settings, types::Limits& limits);

}  // namespace roxdb::engine
