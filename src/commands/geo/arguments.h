// arguments.h: places, lengths and units in the arguments and replies of geo commands.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"
#include "commands/geo/cells.h"
#include "engine/call.h"

namespace roxdb::commands {

// Longitude and latitude at arguments `index` and the next one. "ERR value is not a valid float",
// "ERR invalid longitude,latitude pair ...".
Result<GeoPoint> read_geo_point(engine::Call& call, size_t index);
// Metres of the unit at an argument: M, KM, FT or MI.
Result<double> read_geo_unit(engine::Call& call, size_t index);

// Four digits behind the point.
void reply_geo_distance(resp::Reply& reply, double distance);
// [longitude, latitude], 17 digits behind the point.
void reply_geo_point(resp::Reply& reply, const GeoPoint& point);

}  // namespace roxdb::commands
