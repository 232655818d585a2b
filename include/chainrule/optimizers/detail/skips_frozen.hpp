#pragma once

#include <chainrule/core/optimizer_state.hpp>

namespace chainrule::detail {

/// Has what OptimizerState asks a network for: two parameters, of which the first is frozen.
template <class Scalar>
struct HalfFrozen {
  struct Layer {
    std::array<TensorShape, 2> tensors() const { return {{{"frozen", 1, 1, true}, {"learning", 1, 1, true}}}; }
  };
  using ScalarType = Scalar;
  std::tuple<Layer> layers() const { return {}; }
  Vector<Scalar> parameters() const { return Vector<Scalar>::Ones(2); }
  std::shared_ptr<const FrozenParameters> frozen() const {
    FrozenParameters first;
    first.add(0, 1);
    return std::make_shared<const FrozenParameters>(first);
  }
};

/// Throws StateError for a rule whose step changes frozen parameters or their moments, as one of the user's may that steps through all of
/// theta.
template <class Scalar, class Rule>
void check_skips_frozen(Rule rule) {
  if constexpr (requires { rule.groups(); }) return;  // ParameterGroups has checked its optimizer
  const HalfFrozen<Scalar> net;
  OptimizerState<Scalar> state(net, rule.moments());
  Vector<Scalar> theta = net.parameters();
  const Vector<Scalar> gradient = net.parameters();
  rule.learning_rate = 0.5;
  rule.step(VectorView<Scalar>(theta.data(), 2), ConstVectorView<Scalar>(gradient.data(), 2), state);
  bool changed = theta[0] != 1;
  for (Index k = 0; k < state.moments(); ++k) changed = changed || state.moment(k)[0] != 0;
  if (changed)
    raise<StateError>(Rule::name, ": its step changes frozen parameters; make the step by formula_step or elementwise_step, or leave out ",
                      "segments for which state.steps_in(segment) is false");
}

}  // namespace chainrule::detail
