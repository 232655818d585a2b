#pragma once

#include <algorithm>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/data/dataset.hpp>
#include <chainrule/optimizers/detail/flat_vector.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <chainrule/training/divergence.hpp>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <type_traits>

namespace chainrule::detail {

/// A view to read of a vector of theta's size: an Eigen vector, a std::vector or a std::span. Throws ShapeError for another size. `who` and
/// `name` are for messages.
template <class Scalar, class V>
ConstVectorView<Scalar> vector_of_parameters(std::string_view who, const char* name, const V& v, Index parameters) {
  const auto checked = [&](ConstVectorView<Scalar> view) {
    if (view.size() != parameters)
      raise<ShapeError>(who, ": ", name, " has ", view.size(), " numbers, but the network has ", parameters, " parameters");
    return view;
  };
  if constexpr (EigenDense<V>)
    return checked(const_flat<Scalar>(who, name, v));
  else
    return checked({std::data(v), static_cast<Index>(std::size(v))});
}

/// The copy of a network that computes J for any theta, and a data set, which passes through it in pieces of at most 256 samples, in their
/// order. Owns everything that passes need: the workspace and the threads.
template <class Net, class Targets>
class NetOnData {
 public:
  using Network = Net;
  using Scalar = typename Net::ScalarType;
  using Sum = Accumulator<Scalar>;
  using View = DataView<Scalar, Targets>;
  static constexpr Index max_samples = 256;  ///< samples of a piece

  /// Checks everything that a pass could refuse. `who` begins messages.
  NetOnData(const char* who, const Net& net, const View& data, Index threads)
      : data_{checked(who, net, data, threads)},
        mean_weight_{mean_weight_of(who, net.loss_function(), all_targets(data))},
        net_{net},
        work_{net_.make_workspace((std::min)(max_samples, data.size()))} {
    check_is_function_of_theta(who, net);
    if (threads > 1) work_.set_team(&team_.emplace(threads));
  }
  NetOnData(const NetOnData&) = delete;
  NetOnData& operator=(const NetOnData&) = delete;

  const Net& net() const { return net_; }
  auto& workspace() { return work_; }
  Index samples() const { return data_.size(); }
  Index parameters() const { return net_.parameters().size(); }
  Index pieces() const { return (samples() + max_samples - 1) / max_samples; }

  void set_parameters(ConstVectorView<Scalar> theta) { net_.parameters() = theta; }

  /// Some neighbouring samples.
  struct Samples {
    Index first;
    Index count;
  };
  Samples piece(Index k) const { return {k * max_samples, (std::min)(max_samples, samples() - k * max_samples)}; }
  ConstMatrixView<Scalar> x(Samples some) const { return columns_of(data_.features, some.first, some.count); }
  /// The targets of some samples, with weights if there are any, and the mean weight of all samples.
  WeightedTargets<Scalar, Targets> y(Samples some) const {
    return {columns_of(data_.targets, some.first, some.count), weights_of(data_, some.first, some.count), mean_weight_};
  }
  /// The share of all samples that these are.
  Sum share(Samples some) const { return static_cast<Sum>(some.count) / static_cast<Sum>(samples()); }

  /// The forward pass of some samples, at most max_samples; returns the mean of their losses.
  Sum forward(Samples some) {
    net_.forward(x(some), work_);
    return static_cast<Sum>(net_.loss(y(some), work_));
  }
  /// J of all samples, each piece with its share.
  Sum loss() {
    PairwiseSum<Sum> J;
    for (Index k = 0; k < pieces(); ++k) J += rounded(share(piece(k)) * forward(piece(k)));
    return J.total();
  }

  /// Throws DivergenceError for a J, or a gradient, that is not finite at the present parameters, with the cause as far as it can be seen.
  /// Throws ValueError where a parameter itself is not finite.
  [[noreturn, gnu::noinline, gnu::cold]] void refuse(const char* who, const Scalar* gradient) {
    const auto theta = std::as_const(net_).parameters();
    if (const std::string where = first_not_finite(net_.layers(), theta.data()); !where.empty())
      raise<ValueError>(who, ": the parameters are not finite, first ", where, ": initialize or load them again");
    Circumstances at;
    at.limit = static_cast<double>((std::numeric_limits<Scalar>::max)());
    at.largest_parameter = at.largest_parameter_at_start = largest_magnitude(theta);
    at.largest_input = largest_magnitude(data_.features);
    if constexpr (requires { data_.targets.rows(); }) at.largest_target = largest_magnitude(data_.targets);
    at.largest_weight = largest_magnitude(data_.weights);
    std::string what;
    for (Index k = 0; k < pieces() && what.empty(); ++k) {
      const Samples some = piece(k);
      const Sum J = forward(some);
      if (is_finite(J)) continue;
      const std::string where = first_activation_not_finite(net_.layers(), work_);
      at.outputs_are_finite = where.empty();
      if (where.empty()) at.largest_output = largest_magnitude(last_of(work_.caches()).output.first(some.count));
      what = text_of("the loss of samples ", some.first, " to ", some.first + some.count - 1, " is ", J, where);
    }
    if (what.empty() && gradient != nullptr) {
      at.stage = Circumstances::Stage::gradient;
      at.outputs_are_finite = true;
      what = "the gradient is not finite, first dJ/d " + first_not_finite(net_.layers(), gradient);
    }
    raise_divergence(text_of(who, ", before its first step"), what, at);
  }

 private:
  static WeightedTargets<Scalar, Targets> all_targets(const View& data) { return {data.targets, weights_of(data, 0, data.size())}; }

  static const View& checked(const char* who, const Net& net, const View& data, Index threads) {
    NetworkAccess::check_data(who, net, data.features, all_targets(data));
    if (threads < 1 || threads > ThreadTeam::max_threads)
      raise<ValueError>(who, ": threads must be 1 to ", ThreadTeam::max_threads, ", got ", threads);
    return data;
  }

  // Refuses layers whose training pass, the only one that has a gradient, is another function than the prediction: those that use
  // statistics of the batch, and those that draw random numbers. A pass over the first samples with new weights finds them, whatever their
  // types. Weights may all be 0 in `net`, so they are drawn, and later replaced.
  void check_is_function_of_theta(const char* who, const Net& net) {
    if (net_.fewest_training_samples() > 1)
      raise<ValueError>(
          who,
          ": a layer (BatchNorm) computes with statistics of the batch in training and with others in prediction, so there is "
          "no single J(theta) to minimize; take LayerNorm or Normalize instead, or train with a Trainer");
    Random random{Seed{1}};
    NetworkAccess::sequence(net_).initialize(net_.parameters().data(), random);
    const ConstMatrixView<Scalar> first = x(piece(0));
    const Matrix<Scalar> trained = net_.forward(first, work_);
    const auto predicted = net_.predict_raw(first, work_);
    const Scalar tolerance = std::sqrt(std::numeric_limits<Scalar>::epsilon()) * trained.cwiseAbs().maxCoeff();
    for (Index j = 0; j < trained.cols(); ++j)
      for (Index i = 0; i < trained.rows(); ++i)
        if (is_finite(tolerance) && std::abs(trained(i, j) - predicted(i, j)) > tolerance)
          raise<ValueError>(who, ": in training, output ", i, " of sample ", j,
                            " is another number than in prediction, so J is no function of theta alone: a layer (Dropout) draws random "
                            "numbers; take a network without it, or train with a Trainer");
    net_.parameters() = net.parameters();
  }

  View data_;
  double mean_weight_;
  Net net_;
  std::optional<ThreadTeam> team_;
  typename Net::template Workspace<> work_;
};

}  // namespace chainrule::detail
