#pragma once
// A training that tests drive by hand, to see what an observer does with it.

#include <chainrule/training/progress.hpp>
#include <initializer_list>

namespace chainrule_test {

/// What observers need of a network: its numbers.
struct FakeNet {
  Eigen::VectorXf theta = Eigen::VectorXf::Zero(3);
  Eigen::VectorXf kept = Eigen::VectorXf::Zero(2);
  chainrule::VectorView<float> parameters() { return {theta.data(), theta.size()}; }
  chainrule::VectorView<float> buffers() { return {kept.data(), kept.size()}; }
};

/// Ends an epoch with these quantities, after which the parameters are all `epoch` and the buffers 10 times that.
template <class Observer>
void end_epoch(chainrule::Run<FakeNet>& run, Observer& observer, std::initializer_list<double> values) {
  ++run.epoch;
  std::size_t k = 0;
  for (const double value : values) run.quantities[k++].value = value;
  run.net.theta.setConstant(static_cast<float>(run.epoch));
  run.net.kept.setConstant(static_cast<float>(10 * run.epoch));
  observer.epoch_ended(run);
}

}  // namespace chainrule_test
