#include "commands/geo/arguments.h"

#include <cstdio>
#include <string_view>

#include "base/numbers.h"

namespace roxdb::commands {

using engine::Call;

Result<GeoPoint> read_geo_point(Call& call, size_t index) {
  ROX_TRY(const double longitude, call.real(index));
  ROX_TRY(const double latitude, call.real(index + 1));
  const GeoPoint point{longitude, latitude};
  if (!point.valid()) {
    return call.fail("ERR invalid longitude,latitude pair {:f},{:f}", longitude, latitude);
  }
  return point;
}

Result<double> read_geo_unit(Call& call, size_t index) {
  if (call.is(index, "M")) return 1.0;
  if (call.is(index, "KM")) return 1000.0;
  if (call.is(index, "FT")) return 0.3048;
  if (call.is(index, "MI")) return 1609.34;
  return user_error("ERR unsupported unit provided. please use M, KM, FT, MI");
}

void reply_geo_distance(resp::Reply& reply, double distance) {
  char text[64];
  const int size = std::snprintf(text, sizeof text, "%.4f", distance);
  reply.bulk({text, static_cast<size_t>(size)});
}

void reply_geo_point(resp::Reply& reply, const GeoPoint& point) {
  reply.array(2);
  for (const double coordinate : {point.longitude, point.latitude}) {
    char digits[kLongDoubleDigitsMax];
    const std::string_view text(digits, print_long_double(coordinate, digits));
    if (reply.protocol() > 2) {
      reply.real(parse_double(text).value_or(coordinate));  // the same number in either protocol
    } else {
      reply.bulk(text);
    }
  }
}

}  // namespace roxdb::commands
