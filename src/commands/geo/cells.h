// cells.h: places on the earth as the scores of a sorted set.
//
//   longitude -180 .. 180            26 bits each, the highest first, interleaved: 52 bits, which a
//   latitude  -85.05.. 85.05         double holds exactly
//
//   bit    51   50   49   48 ...  1    0
//          lon  lat  lon  lat     lon  lat
//
// Cutting both coordinates to `step` bits gives a cell of a grid; what lies in it has scores in one
// range. A search covers its area with a cell and the eight around it, nine ranges of scores, and
// looks at every member in them.
//
// Cells, their order, and the formulas that are sensitive to rounding are those of Redis, so that
// both give the same scores, the same digits and the same order of results.
// Source: G. Morton, "A Computer Oriented Geodetic Data Base", 1966; distances by the haversine
// formula on a sphere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"

namespace roxdb::commands {

inline constexpr int kGeoSteps = 26;  // bits of a coordinate in a score
inline constexpr double kLongitudeMax = 180;
inline constexpr double kLatitudeMax = 85.05112878;  // where a square map of the world ends

struct GeoPoint {
  double longitude;
  double latitude;

  bool valid() const {
    return longitude >= -kLongitudeMax && longitude <= kLongitudeMax && latitude >= -kLatitudeMax &&
           latitude <= kLatitudeMax;
  }
};

// A rectangle of degrees.
struct GeoArea {
  GeoPoint low;
  GeoPoint high;
};

// One cell of the grid that cuts both coordinates to `step` bits.
struct GeoCell {
  uint32_t longitude;
  uint32_t latitude;
  int step;

  // REQUIRES: point.valid(), 1 <= step <= kGeoSteps.
  static GeoCell of(const GeoPoint& point, int step, double latitude_max = kLatitudeMax);
  static GeoCell of_score(uint64_t score);
  uint64_t bits() const;
  GeoArea area() const;
  GeoPoint center() const;
  // So many cells to the east and to the north, around the world. A coordinate that stays is not
  // brought back onto the map: the edges 180 and 85.05.. lie in cells of their own beyond it.
  GeoCell neighbor(int east, int north) const;
  // Scores of what lies in the cell: [first, last).
  uint64_t first_score() const { return bits() << (2 * (kGeoSteps - step)); }
  uint64_t last_score() const { return (bits() + 1) << (2 * (kGeoSteps - step)); }
  bool operator==(const GeoCell&) const = default;
};

inline uint64_t geo_score(const GeoPoint& point) { return GeoCell::of(point, kGeoSteps).bits(); }
// The place a score stands for: the middle of its cell. Any score is one, also a negative one.
GeoPoint geo_point(double score);

// Metres along the surface of the earth.
double geo_distance(const GeoPoint& a, const GeoPoint& b);

// What a search looks for. Lengths are in units; a unit has `unit_m` metres.
struct GeoShape {
  enum class Kind : uint8_t { kCircle, kBox, kPolygon };
  Kind kind = Kind::kCircle;
  GeoPoint center{};  // of a polygon: the mean of its corners
  double radius = 0;
  double width = 0;
  double height = 0;
  double unit_m = 1;
  std::vector<GeoPoint> corners = {};

  // Metres from the center when the point lies within the shape.
  std::optional<double> distance_m(const GeoPoint& point) const;
  // The cells that cover the shape, in the order in which they are searched.
  std::vector<GeoCell> cells() const;

 private:
  GeoArea bounds() const;
  double reach_m() const;  // from the center to the farthest point
};

}  // namespace roxdb::commands
