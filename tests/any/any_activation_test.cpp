#include <chainrule/activations/silu.hpp>
#include <chainrule/any/any_activation.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// z sigma(z) as a formula, without f'' and f'''.
struct Swish : ElementwiseActivation<Swish> {
  static constexpr std::string_view name = "Swish";
  HeNormal default_initializer() const { return {}; }
  template <class V>
  CHAINRULE_FORMULA V f(V z) const {
    return z * sigmoid(z);
  }
  template <class V>
  CHAINRULE_FORMULA V f_prime(V z) const {
    return sigmoid(z) * (1 + z * sigmoid(-z));
  }
};

/// 1/z with functions of a Chunk, and with f'' but no f'''.
struct Reciprocal {
  static constexpr std::string_view name = "Reciprocal";
  HeNormal default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return 1 / z;
  }
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    return -a * a;
  }
  template <class Chunk>
  Chunk second_derivative_from_output(const Chunk& a) const {
    return 2 * a * a * a;
  }
};

using Numbers = Eigen::Array3d;

}  // namespace

TEST_CASE("AnyActivation has the derivatives of the activation inside, to the same bits", "[activation]") {
  const Numbers z(-1, 0.5, 2);
  const AnyActivation<double, false> f{SiLU{}};
  CHECK(kernels::has_third_derivative(f));
  Numbers first, second, third, expected_first, expected_second, expected_third;
  kernels::derivatives(f, 3, z.data(), first.data(), second.data(), third.data());
  kernels::derivatives(SiLU{}, 3, z.data(), expected_first.data(), expected_second.data(), expected_third.data());
  CHECK((first == expected_first).all());
  CHECK((second == expected_second).all());
  CHECK((third == expected_third).all());
  CHECK((f.second_derivative(z) == second).all());
  CHECK((f.third_derivative(z) == third).all());
}

TEST_CASE("AnyActivation says which derivative the activation inside lacks, and writes nothing then", "[activation]") {
  const Numbers z(-1, 0.5, 2), untouched = Numbers::Constant(7);
  Numbers first = untouched, second = untouched;
  const AnyActivation<double, false> swish{Swish{}};
  CHECK_FALSE(swish.has_second_derivative());
  CHECK_FALSE(kernels::has_second_derivative(swish));
  CHECK_THROWS_SAYING(kernels::derivatives(swish, 3, z.data(), first.data(), second.data(), nullptr), StateError,
                      "the activation Swish has no second derivative; add f_double_prime(z) to it");
  CHECK((first == untouched).all());
  kernels::derivatives(swish, 3, z.data(), first.data(), nullptr, nullptr);
  CHECK((first == swish.derivative(z)).all());

  const AnyActivation<double, true> reciprocal{Reciprocal{}};
  CHECK(reciprocal.has_second_derivative());
  CHECK_FALSE(reciprocal.has_third_derivative());
  CHECK((reciprocal.second_derivative_from_output(z) == 2 * z * z * z).all());
  CHECK_THROWS_SAYING(reciprocal.third_derivative_from_output(z), StateError,
                      "the activation Reciprocal has no third derivative; add third_derivative_from_output(a) to it");
}
