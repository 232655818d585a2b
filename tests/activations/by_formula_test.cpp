#include <chainrule/activations/silu.hpp>
#include <chainrule/activations/softsign.hpp>
#include <chainrule/kernels/elementwise.hpp>

#include "support/activation_contract.hpp"

using namespace chainrule;

namespace {

/// Derives from a library activation and overrides its formula: 2 Softsign(z).
struct Doubled : Softsign {
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return 2 * Softsign::value(z);
  }
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return 2 * Softsign::derivative_from_output(Chunk(a / 2));
  }
};

/// Derives from a library activation and changes only its name.
struct Swish : SiLU {
  static constexpr std::string_view name = "Swish";
};

template <class F>
std::vector<float> activated(const F& f, const std::vector<float>& z) {
  std::vector<float> a(z.size());
  kernels::activate(f, static_cast<Index>(z.size()), z.data(), a.data());
  return a;
}

template <class F>
std::vector<float> slopes(const F& f, const std::vector<float>& kept) {
  std::vector<float> delta(kept.size(), 1);
  kernels::multiply_by_derivative(f, static_cast<Index>(kept.size()), kept.data(), delta.data());
  return delta;
}

const std::vector<float> z{-3, -2, -1, -0.5f, 0, 0.5f, 1, 2, 3, -4, -5, -6, 4, 5, 6, 7, -7};

}  // namespace

TEST_CASE("an activation defined by a kernel formula gives the same bits for a whole array as for one Chunk", "[activation]") {
  const std::vector<float> a = activated(SiLU{}, z), slope = slopes(SiLU{}, z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    CHECK(SiLU{}.value(Chunk<float>(Chunk<float>::Constant(z[i])))[0] == a[i]);
    CHECK(SiLU{}.derivative(Chunk<float>(Chunk<float>::Constant(z[i])))[0] == slope[i]);
  }
}

TEST_CASE("a class derived from a library activation may override its formula", "[activation]") {
  const std::vector<float> a = activated(Doubled{}, z), slope = slopes(Doubled{}, a), half = activated(Softsign{}, z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    CHECK(a[i] == 2 * half[i]);
    CHECK(slope[i] == 2 * slopes(Softsign{}, half)[i]);
  }
  CHECK(activated(Swish{}, z) == activated(SiLU{}, z));
  CHECK(slopes(Swish{}, z) == slopes(SiLU{}, z));
}
