#include <algorithm>
#include <chainrule/core/error.hpp>
#include <chainrule/core/optimizer_state.hpp>
#include <limits>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// A stand-in for a network: a dense layer, one without parameters, and two tensors that both decay.
struct Net {
  using ScalarType = float;
  struct Dense {
    static constexpr Index parameters_at_compile_time = 8;
    std::array<TensorShape, 2> tensors() const { return {{{"weight", 2, 3, true}, {"bias", 2, 1, false}}}; }
  };
  struct Nothing {
    static constexpr Index parameters_at_compile_time = 0;
    std::array<TensorShape, 0> tensors() const { return {}; }
  };
  struct Gated {
    static constexpr Index parameters_at_compile_time = 5;
    std::array<TensorShape, 4> tensors() const {
      return {{{"gate", 1, 2, true}, {"weight", 1, 2, true}, {"bias", 1, 1, false}, {"empty", 0, 1, true}}};
    }
  };
  std::tuple<Dense, Nothing, Gated, Dense> layers() const { return {}; }
  Vector<float> parameters() const { return Vector<float>::Zero(21); }
};

/// A user-defined rule: smoothed steepest descent in which every step has the same length.
///     m <- keep m + (1 - keep) dJ/dtheta,  theta <- theta - learning_rate m / |m|
struct NormalizedDescent {
  static constexpr std::string_view name = "NormalizedDescent";
  double learning_rate = 0.1;
  double keep = 0.5;

  Index moments() const { return 1; }
  template <HasParameters Net>
  auto make_state(const Net& net) const {
    return OptimizerState(net, moments());
  }

  template <class Theta, class Gradient, class Scalar>
  void step(Theta&& theta, const Gradient& gradient, OptimizerState<Scalar>& state) const {
    if (!(learning_rate >= 0)) detail::raise<ValueError>("NormalizedDescent: learning_rate must be at least 0, got ", learning_rate);
    if (theta.size() != gradient.size() || theta.size() != state.size())
      detail::raise<ShapeError>("NormalizedDescent: theta, the gradient and the state have ", theta.size(), ", ", gradient.size(), " and ",
                                state.size(), " parameters");
    auto m = state.moment(0);
    m = static_cast<Scalar>(keep) * m + static_cast<Scalar>(1 - keep) * gradient;
    const Scalar length = m.norm();
    if (length > 0) theta -= static_cast<Scalar>(learning_rate) / length * m;
    ++state.steps;
  }
};

bool same(std::span<const Segment> segments, std::initializer_list<Segment> expected) {
  return std::equal(segments.begin(), segments.end(), expected.begin(), expected.end(),
                    [](const Segment& a, const Segment& b) { return a.begin == b.begin && a.end == b.end && a.decays == b.decays; });
}

}  // namespace

TEST_CASE("segments_of gives the tensors of all layers, with neighbours of the same kind joined") {
  CHECK(same(segments_of(Net{}), {{0, 6, true}, {6, 8, false}, {8, 12, true}, {12, 13, false}, {13, 19, true}, {19, 21, false}}));
}

TEST_CASE("OptimizerState has as many vectors of zeros as the rule has moments") {
  OptimizerState state(Net{}, 2);
  STATIC_REQUIRE(std::is_same_v<decltype(state), OptimizerState<float>>);
  CHECK(state.size() == 21);
  CHECK(state.moments() == 2);
  CHECK(state.steps == 0);
  CHECK(state.flat() == Vector<float>::Zero(42));
  CHECK(state.segments().size() == 6);

  state.moment(1)[0] = 7;
  CHECK(state.flat()[21] == 7);
  CHECK(state.moment(0) == Vector<float>::Zero(21));
  const OptimizerState<float> copy = state;
  state.moment(1)[0] = 8;
  CHECK(copy.moment(1)[0] == 7);
  CHECK(copy.flat()[21] == 7);
}

TEST_CASE("OptimizerState for a vector: all parameters decay") {
  const OptimizerState state(Vector<double>::Zero(5), 1);
  STATIC_REQUIRE(std::is_same_v<decltype(state), const OptimizerState<double>>);
  CHECK(state.size() == 5);
  CHECK(same(state.segments(), {{0, 5, true}}));
  CHECK(same(OptimizerState<long double>(7, 0).segments(), {{0, 7, true}}));
}

TEST_CASE("make_optimizer_state needs no heap for a small network of fixed extents, and copies to a state that does") {
  auto state = make_optimizer_state<3>(Net{}, 2);
  STATIC_REQUIRE(!std::is_same_v<decltype(state), OptimizerState<float>>);
  const OptimizerState<float> on_heap(Net{}, 2);
  CHECK(sizeof(state) >= 3 * sizeof(float) * static_cast<std::size_t>(on_heap.size()));
  CHECK(state.size() == on_heap.size());
  CHECK(state.moments() == 2);
  CHECK(same(state.segments(), {{0, 6, true}, {6, 8, false}, {8, 12, true}, {12, 13, false}, {13, 19, true}, {19, 21, false}}));
  CHECK((state.flat().size() == 2 * state.size() && (state.flat().array() == 0).all()));
  state.moment(1).setConstant(7);
  state.steps = 5;
  const OptimizerState<float> copy = state;
  CHECK((copy.steps == 5 && copy.moment(1) == state.moment(1) && copy.segments().size() == state.segments().size()));
  CHECK_THROWS_SAYING(make_optimizer_state<1>(Net{}, 2), ShapeError, "OptimizerState: its type has room for");
  STATIC_REQUIRE(std::is_same_v<decltype(make_optimizer_state<2>(Vector<double>(3), 2)), OptimizerState<double>>);
}

TEST_CASE("OptimizerState refuses extents that memory cannot hold") {
  CHECK_THROWS_SAYING(OptimizerState<float>(std::numeric_limits<Index>::max() / 2, 4), ShapeError,
                      "the state of an optimizer: ", "x 4 numbers are more than memory can hold");
  CHECK_THROWS_AS(OptimizerState<float>(-1, 2), ShapeError);
}

TEST_CASE("OptimizerState knows its number of moments, also for 0 parameters") {
  CHECK(OptimizerState<float>(0, 2).moments() == 2);
  CHECK(OptimizerState<float>(3, 0).moments() == 0);
  CHECK(OptimizerState<float>(3, 0).flat().size() == 0);
}

TEST_CASE("OptimizerState that was moved from is empty, and a moment that it does not have is a ValueError") {
  OptimizerState<float> state(3, 2);
  const OptimizerState<float> moved = std::move(state);
  CHECK(state.size() == 0);
  CHECK(moved.size() == 3);
  CHECK(moved.moment(1).size() == 3);
  CHECK_THROWS_SAYING(moved.moment(2), ValueError, "moment(2): the state has 2 moments, counted from 0");
  CHECK_THROWS_SAYING(moved.moment(-1), ValueError, "moment(-1)");
}

TEST_CASE("a user-defined rule satisfies Optimizer and trains") {
  STATIC_REQUIRE(Optimizer<NormalizedDescent>);
  STATIC_REQUIRE_FALSE(Optimizer<Segment>);
  STATIC_REQUIRE(HasParameters<Net>);
  STATIC_REQUIRE(HasParameters<Eigen::VectorXf>);
  STATIC_REQUIRE_FALSE(HasParameters<double>);
  STATIC_REQUIRE_FALSE(HasParameters<int>);

  const NormalizedDescent rule{.learning_rate = 1};
  Vector<double> theta = Eigen::Vector2d(1, 1);
  auto state = rule.make_state(theta);
  rule.step(theta, Eigen::Vector2d(6, 8), state);
  CHECK(theta.isApprox(Eigen::Vector2d(0.4, 0.2)));
  rule.step(theta, Eigen::Vector2d(-3, 4), state);  // m = (3, 4) / 2 + (-3, 4) / 2
  CHECK(theta.isApprox(Eigen::Vector2d(0.4, -0.8)));
  CHECK(state.steps == 2);
}
