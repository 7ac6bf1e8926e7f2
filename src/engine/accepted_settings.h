// accepted_settings.h: directives of Redis 8 and Valkey 9 without a meaning here, so that their
// configuration files, tools and tests find what they expect: the value is checked, kept and shown.
// Where a room registers a setting of the same name, its own counts, in either order.
#pragma once

#include "engine/settings.h"

namespace roxdb::engine {

void add_accepted_settings(Settings& settings);

}  // namespace roxdb::engine
