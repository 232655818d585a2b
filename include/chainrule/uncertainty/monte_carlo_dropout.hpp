#pragma once

#include <chainrule/core/random.hpp>
#include <chainrule/network.hpp>
#include <chainrule/uncertainty/predictive_spread.hpp>

namespace chainrule {

/// Predictions of a network whose Dropout goes on dropping units, several passes with different masks, whose spread tells how unsure the
/// network is (Gal and Ghahramani 2016, "Dropout as a Bayesian approximation").
/// @code{.cpp}
/// MonteCarloDropout dropout(net, 50, Seed{1}, 256);
/// const auto& spread = dropout.predict(x);  // spread.mean(), spread.variance(), spread.mutual_information(sample)
/// @endcode
/// The masks depend on the seed, the pass and the place of a sample in x, not on earlier calls. A network without Dropout has a variance of
/// 0. A BatchNorm would use the statistics of x in such a pass, so a network with one is a ValueError.
///
/// Keeps a reference to the network, which must outlive it. Only the constructor allocates.
template <class Net>
class MonteCarloDropout {
  using Scalar = typename Net::ScalarType;

 public:
  /// Allocates the memory for up to max_samples samples. Throws ValueError for fewer than one pass and for a network with a BatchNorm,
  /// ShapeError for a max_samples below 1.
  MonteCarloDropout(const Net& net, Index passes, Seed seed, Index max_samples)
      : net_{net},
        passes_{checked(net, passes)},
        seed_{seed},
        work_{net.make_workspace(max_samples)},
        prediction_(net.outputs(), max_samples),
        spread_(net.outputs(), max_samples) {}
  MonteCarloDropout(const MonteCarloDropout&) = delete;  // chainrule: a MonteCarloDropout refers to its network
  MonteCarloDropout& operator=(const MonteCarloDropout&) = delete;

  Index passes() const { return passes_; }  ///< the number of passes of each prediction
  /// Sets the threads that share the work of a pass; results are the same bits for any team. See Network's Workspace.
  void set_team(Team* team) { work_.set_team(team); }

  /// The mean and the spread of the passes' predictions for x, inputs x samples. Throws what Network::forward throws.
  template <class X>
  const PredictiveSpread<Scalar>& predict(const Eigen::DenseBase<X>& x) {
    work_.set_seed(seed_);
    work_.set_step(0);
    for (Index pass = 0; pass < passes_; ++pass) {
      const auto z = net_.forward(x, work_);
      if (pass == 0) spread_.start(z.cols());
      auto y_hat = prediction_.leftCols(z.cols());
      y_hat = z;
      net_.loss_function().link(detail::mutable_view<Scalar>(y_hat));
      spread_.add(detail::const_view<Scalar>(y_hat));
    }
    return spread_;
  }

 private:
  static Index checked(const Net& net, Index passes) {
    if (passes < 1) detail::raise<ValueError>("MonteCarloDropout: it needs at least one pass, got ", passes);
    if (net.fewest_training_samples() > 1)
      detail::raise<ValueError>(
          "MonteCarloDropout: the network has a BatchNorm, which would use the statistics of x in a pass with Dropout; "
          "use LayerNorm, or an Ensemble");
    return passes;
  }

  const Net& net_;
  Index passes_;
  Seed seed_;
  typename Net::template Workspace<> work_;
  Matrix<Scalar> prediction_;
  PredictiveSpread<Scalar> spread_;
};

}  // namespace chainrule
