#pragma once
// What the activations share that weigh z with a gate between 0 and 1, open for z >> 0 and shut for z << 0. Eigen takes what
// stands in a select() one number at a time: so exponentials have a name first, and minima and maxima take its place where they can.

#include <limits>

namespace chainrule::detail {

/// z in [-2^15, 2^15]: beyond that a gate is 0 or 1, in every scalar type, and z^2 and z times 0 are no trouble here.
template <class Chunk>
Chunk bounded(const Chunk& z) {
  using Scalar = typename Chunk::Scalar;
  return z.max(Scalar{-0x1p15f}).min(Scalar{0x1p15f});
}

/// e^z = p/q without overflow, p = min(e^z, 1) and q = min(e^-z, 1). Both are too small by the smallest normal number, so that they
/// reach 0: Eigen's vectors of the exponential stop near there, and a large z times what they stop at would not be small.
template <class Chunk>
class Odds {
 public:
  explicit Odds(const Chunk& z) : z_{z} {
    using Scalar = typename Chunk::Scalar;
    const Chunk e = (-z.abs()).exp();
    e_ = (e - std::numeric_limits<Scalar>::min()).max(Scalar{0});
  }
  Chunk p() const { return (z_ < 0).select(e_, Chunk::Ones()); }
  Chunk q() const { return (z_ < 0).select(Chunk::Ones(), e_); }
  Chunk open() const { return p() / (1 + e_); }  // sigma(z)
  Chunk shut() const { return q() / (1 + e_); }  // 1 - sigma(z), without the difference

 private:
  Chunk z_;
  Chunk e_;  // e^-|z|
};

}  // namespace chainrule::detail
