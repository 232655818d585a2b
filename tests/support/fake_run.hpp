#pragma once
// A training whose epochs are ended by the test, for tests of observers.

#include <chainrule/training/progress.hpp>
#include <initializer_list>

namespace chainrule_test {

/// The part of a network that observers use: parameters and buffers.
struct FakeNet {
  Eigen::VectorXf theta = Eigen::VectorXf::Zero(3);
  Eigen::VectorXf numbers_in_buffers = Eigen::VectorXf::Zero(2);
  chainrule::VectorView<float> parameters() { return {theta.data(), theta.size()}; }
  chainrule::VectorView<float> buffers() { return {numbers_in_buffers.data(), numbers_in_buffers.size()}; }
};

/// Ends an epoch with these values of the quantities. Sets all parameters to the number of the epoch and all buffers to 10 times that.
template <class Observer>
void end_epoch(chainrule::Run<FakeNet>& run, Observer& observer, std::initializer_list<double> values) {
  ++run.epoch;
  std::size_t k = 0;
  for (const double value : values) run.quantities[k++].value = value;
  run.net.theta.setConstant(static_cast<float>(run.epoch));
  run.net.numbers_in_buffers.setConstant(static_cast<float>(10 * run.epoch));
  observer.epoch_ended(run);
}

}  // namespace chainrule_test
