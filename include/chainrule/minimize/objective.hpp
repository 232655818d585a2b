#pragma once

#include <chainrule/core/optimizer_state.hpp>
#include <chainrule/minimize/detail/net_on_data.hpp>
#include <chainrule/optimizers/penalty.hpp>
#include <vector>

namespace chainrule {
namespace detail {

/// Gives the library's own minimizers what users of an Objective do not call.
struct ObjectiveAccess {
  /// The network and the data of an objective.
  template <class Objective>
  static auto& passes(Objective& J) {
    return J.passes_;
  }
  /// The penalty l2/2 sum w^2 that J(theta) contains.
  template <class Objective, class Theta>
  static auto penalty(const Objective& J, const Theta& theta) {
    return J.penalty(theta);
  }
  /// Calls f(i, l2) for each parameter i to which the penalty applies, with the second derivative l2 of the penalty.
  template <class Objective, class F>
  static void for_each_penalized(const Objective& J, const F& f) {
    for (const Segment& s : J.segments_)
      for (Index i = s.begin; J.l2_ > 0 && s.decays && s.learns && i < s.end; ++i) f(i, J.l2_);
  }
  /// An objective whose messages begin with `who`.
  template <class Objective, class... Arguments>
  static Objective make(const char* who, const Arguments&... arguments) {
    return Objective(who, arguments...);
  }
};

}  // namespace detail

/// Options of `objective`.
struct ObjectiveOptions {
  double l2 = 0;      ///< adds l2/2 sum w^2 over the weights to J
  Index threads = 1;  ///< number of threads that share the work of each pass; the result has the same bits for any number
};

/// J and dJ/dtheta of a network over a whole data set, as a function of a flat vector theta. It is what solvers of other libraries, such as
/// NLopt and Ceres, ask for:
/// @code{.cpp}
/// auto J = objective(net, data);                            // copies the network, views the data
/// Eigen::VectorXf theta = net.parameters(), gradient(J.size());
/// const double loss = J(theta, gradient);                   // also std::vector, std::span or Eigen::Map<Eigen::VectorXf>(pointer, n)
/// net.parameters() = theta;                                 // when the solver has found its theta
/// @endcode
/// The value is the J that `net.evaluate` gives for all samples at once, weights of samples and classes included, with the penalty l2:
///
///     J(theta) = sum w_j J_j(theta) / sum w_j + l2/2 sum w^2
///
/// The samples pass through the network in pieces of 256, in their order, and the pieces are added in double precision or better, so memory
/// stays small for any number of samples. A call allocates nothing. Its bits depend on theta and the data alone, not on the number of
/// threads. A J that is NaN or infinite is returned, not thrown, so that a line search can take a shorter step.
///
/// The constructor throws ShapeError for data that does not fit the network or is empty, ValueError for data that is not finite, for
/// weights that are all 0, for options out of their range, and for a network whose J is no function of theta alone: with Dropout, whose
/// masks are random, or BatchNorm, whose training pass depends on how the samples are divided into batches. Numbers that are not trained,
/// such as those of Normalize, are copied once.
///
/// An objective refers to its threads, so it cannot be copied or moved. Several threads need an objective each.
template <class Net, class Targets>
class Objective {
 public:
  using ScalarType = typename Net::ScalarType;    ///< the type of the numbers of theta
  using Value = detail::Accumulator<ScalarType>;  ///< the type of J: double for float and double, else long double
  using View = DataView<ScalarType, Targets>;     ///< the view of the data

  /// Copies the network and allocates everything that evaluations need.
  Objective(const Net& net, const View& data, const ObjectiveOptions& options = {}) : Objective("objective", net, data, options) {}

  Index size() const { return passes_.parameters(); }  ///< the number of parameters: the length of theta and of the gradient
  Index samples() const { return passes_.samples(); }  ///< the number of samples of the data

  /// J at theta, an Eigen vector, std::vector or std::span of ScalarType. Throws ShapeError for a theta of another size.
  template <class Theta>
  Value operator()(const Theta& theta) {
    set_parameters(theta);
    return passes_.loss() + penalty(passes_.net().parameters());
  }

  /// J at theta; writes dJ/dtheta to `gradient`, a vector of the same kinds. A gradient of size 0 is left out, as NLopt asks for it.
  /// Throws ShapeError for a theta or gradient of another size; nothing has changed then.
  template <class Theta, class Gradient>
  Value operator()(const Theta& theta, Gradient&& gradient) {
    if (gradient.size() == 0) return (*this)(theta);
    const Index size = detail::vector_of_parameters<ScalarType>(who_, "the gradient", gradient, this->size()).size();
    set_parameters(theta);
    detail::PairwiseSum<Value> J;
    sum_.setZero();
    for (Index k = 0; k < passes_.pieces(); ++k) {
      const auto some = passes_.piece(k);
      const Value share = passes_.share(some);
      J += detail::rounded(share * passes_.forward(some));
      passes_.net().backward(passes_.x(some), passes_.y(some), passes_.workspace(), dJ_);
      if constexpr (std::is_same_v<Value, ScalarType>) {
        kernels::add_multiple(size, share, std::as_const(dJ_).data(), sum_.data());
      } else {
        in_double_ = dJ_.flat().template cast<Value>();
        kernels::add_multiple(size, share, static_cast<const Value*>(in_double_.data()), sum_.data());
      }
    }
    dJ_.flat() = sum_.template cast<ScalarType>();
    if (l2_ > 0) L2{l2_}.add_gradient(passes_.net().parameters(), dJ_, segments_);
    VectorView<ScalarType>(gradient.data(), size) = dJ_.flat();
    return J.total() + penalty(passes_.net().parameters());
  }

 private:
  friend struct detail::ObjectiveAccess;

  Objective(const char* who, const Net& net, const View& data, const ObjectiveOptions& options)
      : who_{who},
        l2_{checked(who, options.l2)},
        passes_(who, net, data, options.threads),
        segments_{segments_of(net)},
        dJ_{net.make_gradients()},
        sum_(size()),
        in_double_(std::is_same_v<Value, ScalarType> ? 0 : size()) {}

  static double checked(const char* who, double l2) {
    detail::check_not_negative<ScalarType>(who, "l2", l2);
    return l2;
  }

  template <class Theta>
  void set_parameters(const Theta& theta) {
    passes_.set_parameters(detail::vector_of_parameters<ScalarType>(who_, "theta", theta, size()));
  }

  template <class Theta>
  Value penalty(const Theta& theta) const {
    return l2_ > 0 ? static_cast<Value>(L2{l2_}.value(theta, std::span<const Segment>(segments_))) : Value{0};
  }

  const char* who_;
  double l2_;
  detail::NetOnData<Net, Targets> passes_;
  std::vector<Segment> segments_;
  typename Net::Gradients dJ_;
  Vector<Value> sum_;        // sum of the gradients of the pieces
  Vector<Value> in_double_;  // the gradient of a piece, where Value is not ScalarType
};

/// Makes the objective of a network and a data set: a Dataset with a name, or DataView{x, y} of memory of your own. The data is viewed, so
/// it must outlive the objective; the network is copied and does not change.
template <class Net, class Data>
auto objective(const Net& net, Data&& data, const ObjectiveOptions& options = {}) {
  using View = decltype(DataView(std::forward<Data>(data)));
  return Objective<Net, typename View::TargetsView>(net, View(std::forward<Data>(data)), options);
}

}  // namespace chainrule
