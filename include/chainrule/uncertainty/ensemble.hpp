#pragma once

#include <chainrule/core/random.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/blend.hpp>
#include <chainrule/uncertainty/predictive_spread.hpp>
#include <utility>
#include <vector>

namespace chainrule {

/// Several networks with the same layers that were trained apart, whose mean predicts better than one of them and whose spread tells how
/// unsure it is (Lakshminarayanan et al. 2017, "Deep ensembles").
/// @code{.cpp}
/// const Ensemble<Net> ensemble(5, Seed{1}, [&](Index, Seed seed) {
///   Net member{seed};
///   Trainer{member, Adam{}}.fit(train, {.epochs = 20, .seed = seed});
///   return member;
/// });
/// auto work = ensemble.make_workspace(256);
/// const auto& spread = ensemble.predict(x, work);  // spread.mean(), spread.variance(), spread.mutual_information(sample)
/// @endcode
/// For members trained on folds, use the first argument: k_fold(data, 5)[member].train; cross_validate trains and measures them on several
/// threads, and its documentation shows how to keep the networks.
template <class Net>
class Ensemble {
  using Scalar = typename Net::ScalarType;

 public:
  /// Calls train(member, seed) for member 0, ..., members - 1, one after the other, and keeps the networks that it returns. Each member has
  /// a seed of its own, derived from `seed`. Throws ValueError for no members, ShapeError where a network has other layers than the first.
  template <class Train>
  Ensemble(Index members, Seed seed, const Train& train) {
    if (members < 1) detail::raise<ValueError>("Ensemble: it needs at least one member, got ", members);
    for (Index m = 0; m < members; ++m) add(train(m, derived_seed(seed, static_cast<std::uint64_t>(m))));
  }
  /// Takes networks that are trained already. Throws ValueError for none, ShapeError where they have different layers.
  explicit Ensemble(std::vector<Net> members) {
    if (members.empty()) detail::raise<ValueError>("Ensemble: it needs at least one member, got 0");
    for (Net& net : members) add(std::move(net));
  }

  const std::vector<Net>& members() const { return members_; }  ///< the networks

  /// Memory for predictions.
  class Workspace {
   public:
    /// Allocates the memory for up to max_samples samples.
    Workspace(const Ensemble& of, Index max_samples)
        : work_(of.members().front().make_workspace(max_samples)), spread_(of.members().front().outputs(), max_samples) {}
    /// Sets the threads that share the work of a prediction; results are the same bits for any team. See Network's Workspace.
    void set_team(Team* team) { work_.set_team(team); }

   private:
    friend Ensemble;
    typename Net::template Workspace<> work_;
    PredictiveSpread<Scalar> spread_;
  };
  /// Allocates the memory for predictions for up to max_samples samples. Throws ShapeError for a max_samples below 1.
  Workspace make_workspace(Index max_samples) const { return Workspace(*this, max_samples); }

  /// The mean and the spread of the members' predictions for x, inputs x samples. The result is in `work`. Allocates nothing. Throws
  /// what Network::predict throws.
  template <class X>
  const PredictiveSpread<Scalar>& predict(const Eigen::DenseBase<X>& x, Workspace& work) const {
    bool has_started = false;
    for (const Net& net : members_) {
      const auto y_hat = net.predict(x, work.work_);
      if (!std::exchange(has_started, true)) work.spread_.start(y_hat.cols());
      work.spread_.add(detail::const_view<Scalar>(y_hat));
    }
    return work.spread_;
  }

 private:
  void add(Net net) {
    if (!members_.empty())
      detail::check_same_layers("Ensemble", detail::NetworkAccess::sequence(members_.front()), detail::NetworkAccess::sequence(net));
    members_.push_back(std::move(net));
  }

  std::vector<Net> members_;
};

}  // namespace chainrule
