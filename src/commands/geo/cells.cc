#include "commands/geo/cells.h"

#include <algorithm>
#include <cmath>

namespace roxdb::commands {
namespace {

constexpr double kEarthRadiusM = 6372797.560856;
constexpr double kMapHalfM = 20037726.37;  // half the width of a map of the world
constexpr double kRadians = M_PI / 180.0;

double radians(double degrees) { return degrees * kRadians; }
double degrees(double angle) { return angle / kRadians; }

// Spreads 32 bits over the even ones of 64.
uint64_t spread(uint32_t value) {
  uint64_t bits = value;
  bits = (bits | bits << 16) & 0x0000'ffff'0000'ffff;
  bits = (bits | bits << 8) & 0x00ff'00ff'00ff'00ff;
  bits = (bits | bits << 4) & 0x0f0f'0f0f'0f0f'0f0f;
  bits = (bits | bits << 2) & 0x3333'3333'3333'3333;
  return (bits | bits << 1) & 0x5555'5555'5555'5555;
}

uint32_t gather(uint64_t bits) {
  bits &= 0x5555'5555'5555'5555;
  bits = (bits | bits >> 1) & 0x3333'3333'3333'3333;
  bits = (bits | bits >> 2) & 0x0f0f'0f0f'0f0f'0f0f;
  bits = (bits | bits >> 4) & 0x00ff'00ff'00ff'00ff;
  bits = (bits | bits >> 8) & 0x0000'ffff'0000'ffff;
  return static_cast<uint32_t>(bits | bits >> 16);
}

double latitude_distance(double a, double b) {
  return kEarthRadiusM * std::fabs(radians(a) - radians(b));
}

// The grid on which a circle of this radius is about as large as a cell. Towards the poles cells
// become narrow, and a coarser one is needed.
int estimated_step(double radius_m, double latitude) {
  if (radius_m == 0) return kGeoSteps;
  int step = 1;
  for (; radius_m < kMapHalfM; radius_m *= 2) ++step;
  step -= 2;
  if (std::fabs(latitude) > 66) --step;
  if (std::fabs(latitude) > 80) --step;
  return std::clamp(step, 1, kGeoSteps);
}

// Do the cell and the eight around it reach as far as the bounds?
bool covers(const GeoCell& cell, const GeoArea& bounds) {
  return cell.neighbor(0, 1).area().high.latitude >= bounds.high.latitude &&
         cell.neighbor(0, -1).area().low.latitude <= bounds.low.latitude &&
         cell.neighbor(1, 0).area().high.longitude >= bounds.high.longitude &&
         cell.neighbor(-1, 0).area().low.longitude <= bounds.low.longitude;
}

// Even-odd rule: a ray to the east crosses the border an odd number of times.
bool encloses(const std::vector<GeoPoint>& corners, const GeoPoint& point) {
  bool inside = false;
  for (size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
    const GeoPoint& a = corners[i];
    const GeoPoint& b = corners[j];
    if ((a.latitude > point.latitude) == (b.latitude > point.latitude)) continue;
    const double part = (point.latitude - a.latitude) / (b.latitude - a.latitude);
    if (point.longitude < a.longitude + part * (b.longitude - a.longitude)) inside = !inside;
  }
  return inside;
}

}  // namespace

GeoCell GeoCell::of(const GeoPoint& point, int step, double latitude_max) {
  const auto cells = static_cast<double>(uint64_t{1} << step);
  const double east = (point.longitude + kLongitudeMax) / (2 * kLongitudeMax);
  const double north = (point.latitude + latitude_max) / (2 * latitude_max);
  return {static_cast<uint32_t>(east * cells), static_cast<uint32_t>(north * cells), step};
}

GeoCell GeoCell::of_score(uint64_t score) { return {gather(score >> 1), gather(score), kGeoSteps}; }

uint64_t GeoCell::bits() const { return spread(latitude) | spread(longitude) << 1; }

GeoArea GeoCell::area() const {
  const auto cells = static_cast<double>(uint64_t{1} << step);
  const auto at = [cells](double index, double max) { return -max + index / cells * (2 * max); };
  return {{at(longitude, kLongitudeMax), at(latitude, kLatitudeMax)},
          {at(longitude + 1.0, kLongitudeMax), at(latitude + 1.0, kLatitudeMax)}};
}

GeoPoint GeoCell::center() const {
  const GeoArea cell = area();
  return {std::clamp((cell.low.longitude + cell.high.longitude) / 2, -kLongitudeMax, kLongitudeMax),
          std::clamp((cell.low.latitude + cell.high.latitude) / 2, -kLatitudeMax, kLatitudeMax)};
}

GeoCell GeoCell::neighbor(int east, int north) const {
  const uint32_t mask = (uint32_t{1} << step) - 1;
  return {east == 0 ? longitude : (longitude + static_cast<uint32_t>(east)) & mask,
          north == 0 ? latitude : (latitude + static_cast<uint32_t>(north)) & mask, step};
}

GeoPoint geo_point(double score) {
  // What ZADD has written may be no cell at all. It stands for the place that it has in Redis on a
  // 64-bit machine, whose conversion of such numbers the language leaves open.
  uint64_t bits = 0;
  if (score < 0) {
    bits =
        score >= -0x1p63 ? static_cast<uint64_t>(static_cast<int64_t>(score)) : uint64_t{1} << 63;
  } else if (score < 0x1p64) {
    bits = static_cast<uint64_t>(score);
  }
  return GeoCell::of_score(bits).center();
}

double geo_distance(const GeoPoint& a, const GeoPoint& b) {
  const double v = std::sin((radians(b.longitude) - radians(a.longitude)) / 2);
  if (v == 0) return latitude_distance(a.latitude, b.latitude);
  const double low = radians(a.latitude);
  const double high = radians(b.latitude);
  const double u = std::sin((high - low) / 2);
  return 2.0 * kEarthRadiusM * std::asin(std::sqrt(u * u + std::cos(low) * std::cos(high) * v * v));
}

std::optional<double> GeoShape::distance_m(const GeoPoint& point) const {
  if (kind == Kind::kPolygon) {
    if (!encloses(corners, point)) return std::nullopt;
  } else if (kind == Kind::kBox) {
    // The latitude costs less: it is looked at first.
    if (latitude_distance(point.latitude, center.latitude) > height * unit_m / 2) {
      return std::nullopt;
    }
    const GeoPoint beside{center.longitude, point.latitude};
    if (geo_distance(point, beside) > width * unit_m / 2) return std::nullopt;
  }
  const double distance = geo_distance(center, point);
  if (kind == Kind::kCircle && distance > radius * unit_m) return std::nullopt;
  return distance;
}

double GeoShape::reach_m() const {
  if (kind == Kind::kCircle) return radius * unit_m;
  if (kind == Kind::kBox) {
    return std::sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2)) * unit_m;
  }
  double reach = 0;
  for (const GeoPoint& corner : corners) reach = std::max(reach, geo_distance(center, corner));
  return reach;
}

GeoArea GeoShape::bounds() const {
  if (kind == Kind::kPolygon) {
    GeoArea area{corners.front(), corners.front()};
    for (const GeoPoint& corner : corners) {
      area.low.longitude = std::min(area.low.longitude, corner.longitude);
      area.low.latitude = std::min(area.low.latitude, corner.latitude);
      area.high.longitude = std::max(area.high.longitude, corner.longitude);
      area.high.latitude = std::max(area.high.latitude, corner.latitude);
    }
    return area;
  }
  const bool circle = kind == Kind::kCircle;
  const double half_height_m = unit_m * (circle ? radius : height / 2);
  const double half_width_m = unit_m * (circle ? radius : width / 2);
  const double north = degrees(half_height_m / kEarthRadiusM);
  // The side that is farther from the equator spans more degrees.
  const double far_latitude =
      center.latitude < 0 ? center.latitude - north : center.latitude + north;
  const double east = degrees(half_width_m / kEarthRadiusM / std::cos(radians(far_latitude)));
  return {{center.longitude - east, center.latitude - north},
          {center.longitude + east, center.latitude + north}};
}

std::vector<GeoCell> GeoShape::cells() const {
  const GeoArea area = bounds();
  int step = estimated_step(reach_m(), center.latitude);
  GeoCell middle = GeoCell::of(center, step);
  // The center may lie near the edge of its cell. One grid coarser is enough for shapes that are
  // about the same on all sides.
  const int coarsest = kind == Kind::kPolygon ? 1 : step - 1;
  while (step > 1 && step > coarsest && !covers(middle, area)) {
    middle = GeoCell::of(center, --step);
  }

  const GeoArea inner = middle.area();
  const bool may_skip = step >= 2;  // else neighbours on both sides are the same cell
  const bool skip_south = may_skip && inner.low.latitude < area.low.latitude;
  const bool skip_north = may_skip && inner.high.latitude > area.high.latitude;
  const bool skip_west = may_skip && inner.low.longitude < area.low.longitude;
  const bool skip_east = may_skip && inner.high.longitude > area.high.longitude;
  struct Direction {
    int east;
    int north;
  };
  constexpr Direction kDirections[] = {{0, 0}, {0, 1},  {0, -1}, {1, 0},  {-1, 0},
                                       {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
  std::vector<GeoCell> found;
  for (const Direction& direction : kDirections) {
    if ((direction.north < 0 && skip_south) || (direction.north > 0 && skip_north) ||
        (direction.east < 0 && skip_west) || (direction.east > 0 && skip_east)) {
      continue;
    }
    const GeoCell cell = middle.neighbor(direction.east, direction.north);
    // On the coarsest grids, going around the world leads to the same cell again.
    if (found.empty() || cell != found.back()) found.push_back(cell);
  }
  return found;
}

}  // namespace roxdb::commands
