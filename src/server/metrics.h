// metrics.h: what a Prometheus server reads from us, in its text format. Every figure is a field of
// INFO; the table in metrics.cc says which, and is the reference of the names.
//
// Where redis_exporter has a name for a field, ours is the same, so that its dashboards and alert
// rules work unchanged and without it; what only RoxDB has begins with roxdb_.
#pragma once

#include <string>

#include "engine/engine.h"

namespace roxdb::server {

// The whole answer to a scrape. Cost O(commands that ever ran), some 100 us.
std::string metrics_text(const engine::Engine& engine);

}  // namespace roxdb::server
