#pragma once
// The points that the nets of the playground learn: drawn from a formula, or painted by the user.

#include <chainrule/core/random.hpp>
#include <cmath>
#include <numbers>
#include <vector>

namespace playground {

namespace cr = chainrule;

// The numbers of these are those of the page's list (settings.js).
enum class DataSet { circle, xor_of_signs, spirals, gaussians, surface, painted };

/// A point of the plane with its target y: the classes 0 and 1, or the height of a surface between 0 and 1.
struct Point {
  double x1 = 0, x2 = 0;
  double y = 0;
};

/// The plane reaches from -plane to plane in both directions.
inline constexpr double plane = 3;

/// Draws `count` points. Noise is the standard deviation of what is added to both coordinates; for the surface, of what is added to y.
inline std::vector<Point> draw_points(DataSet set, int count, double noise, cr::Seed seed) {
  constexpr double pi = std::numbers::pi;
  cr::Random random{seed};
  const auto anywhere = [&] { return plane * (2 * random.uniform() - 1); };
  std::vector<Point> points;
  for (int i = 0; i < count; ++i) {
    Point p{.y = i % 2 == 0 ? 1.0 : 0.0};
    const bool first = i % 2 == 0;
    switch (set) {
      case DataSet::circle: {  // a disc, and a ring around it
        const double radius = first ? 1.4 * std::sqrt(random.uniform()) : 2.0 + 0.8 * random.uniform();
        const double angle = 2 * pi * random.uniform();
        p.x1 = radius * std::cos(angle), p.x2 = radius * std::sin(angle);
        break;
      }
      case DataSet::xor_of_signs:
        p.x1 = anywhere(), p.x2 = anywhere();
        p.y = (p.x1 < 0) == (p.x2 < 0) ? 1 : 0;
        break;
      case DataSet::spirals: {  // two arms of one turn and a half, one the other turned by half a circle
        const double way = std::sqrt(0.01 + 0.99 * random.uniform()), angle = 3 * pi * way + (first ? 0 : pi);
        p.x1 = 2.8 * way * std::cos(angle), p.x2 = 2.8 * way * std::sin(angle);
        break;
      }
      case DataSet::gaussians:
        p.x1 = (first ? 1.2 : -1.2) + 0.6 * random.normal(), p.x2 = (first ? 1.2 : -1.2) + 0.6 * random.normal();
        break;
      case DataSet::surface:
        p.x1 = anywhere(), p.x2 = anywhere();
        p.y = 0.5 + 0.5 * std::sin(p.x1) * std::cos(p.x2 / 2);
        break;
      case DataSet::painted:
        break;
    }
    if (set == DataSet::surface) {
      p.y = std::fmin(1, std::fmax(0, p.y + noise * random.normal()));
    } else if (noise > 0) {
      p.x1 += noise * random.normal();
      p.x2 += noise * random.normal();
    }
    points.push_back(p);
  }
  return points;
}

}  // namespace playground
