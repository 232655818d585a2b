// Compares optimizers with PyTorch's, from the same theta and with the same gradients. make_pytorch_optimizer_reference.py wrote the
// literals.

#include "integration/pytorch_optimizer_reference.hpp"

#include <algorithm>
#include <chainrule/optimizers/adadelta.hpp>
#include <chainrule/optimizers/adagrad.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/adamw.hpp>
#include <chainrule/optimizers/lion.hpp>
#include <chainrule/optimizers/nadam.hpp>
#include <chainrule/optimizers/rmsprop.hpp>
#include <chainrule/optimizers/rprop.hpp>
#include <chainrule/optimizers/sgd.hpp>
#include <cmath>
#include <cstdio>

#include "support/catch.hpp"

using namespace chainrule;
namespace pytorch = chainrule_test::pytorch_optimizers;

namespace {

/// Compares theta after 1, 3 and 10 steps with PyTorch's, entry by entry, and keeps the worst relative difference.
template <class Scalar>
class Comparison {
 public:
  template <class Rule>
  void operator()(const Rule& rule, const pytorch::Reference& reference) {
    INFO(reference.name);
    Vector<Scalar> theta = vector(pytorch::theta);
    auto state = rule.make_state(theta);
    for (int t = 1; t <= pytorch::steps; ++t) {
      rule.step(theta, vector(pytorch::gradients[t - 1]), state);
      if (t == 1) compare(theta, reference.after_1);
      if (t == 3) compare(theta, reference.after_3);
      if (t == 10) compare(theta, reference.after_10);
    }
  }

  double worst() const { return worst_; }

 private:
  using Values = double[pytorch::size];

  static Vector<Scalar> vector(const Values& values) {
    Vector<Scalar> result(pytorch::size);
    for (int i = 0; i < pytorch::size; ++i) result[i] = static_cast<Scalar>(values[i]);
    return result;
  }

  void compare(const Vector<Scalar>& ours, const Values& theirs) {
    constexpr double tolerance = sizeof(Scalar) == 4 ? 1e-6 : 1e-12;
    for (int i = 0; i < pytorch::size; ++i) {
      const double difference = std::abs(static_cast<double>(ours[i]) - theirs[i]) / std::abs(theirs[i]);
      INFO("entry " << i << " is " << ours[i] << ", PyTorch has " << theirs[i]);
      CHECK(difference <= tolerance);
      worst_ = std::max(worst_, difference);
    }
  }

  double worst_ = 0;
};

/// Compares every optimizer of the script, with the same hyperparameters, and returns the worst relative difference.
template <class Scalar>
double compare_all() {
  Comparison<Scalar> compare;
  compare(SGD{.learning_rate = 0.1}, pytorch::sgd);
  compare(SGD{.learning_rate = 0.05, .momentum = 0.9}, pytorch::sgd_momentum);
  compare(SGD{.learning_rate = 0.05, .momentum = 0.8, .nesterov = true}, pytorch::sgd_nesterov);
  compare(SGD{.learning_rate = 0.1, .weight_decay = 0.01}, pytorch::sgd_decay);
  compare(SGD{.learning_rate = 0.02, .momentum = 0.7, .nesterov = true, .weight_decay = 0.1}, pytorch::sgd_nesterov_decay);
  compare(Adagrad{}, pytorch::adagrad);
  compare(Adagrad{.learning_rate = 0.1, .learning_rate_decay = 0.2, .initial_sum = 0.5, .epsilon = 1e-3, .weight_decay = 0.05},
          pytorch::adagrad_all);
  compare(RMSprop{}, pytorch::rmsprop);
  compare(RMSprop{.learning_rate = 0.02, .rho = 0.9, .centered = true}, pytorch::rmsprop_centered);
  compare(RMSprop{.learning_rate = 0.002, .momentum = 0.9, .weight_decay = 0.01}, pytorch::rmsprop_momentum);
  compare(RMSprop{.learning_rate = 0.005, .rho = 0.8, .epsilon = 1e-4, .momentum = 0.6, .centered = true, .weight_decay = 0.02},
          pytorch::rmsprop_all);
  compare(Adadelta{}, pytorch::adadelta);
  compare(Adadelta{.learning_rate = 0.5, .rho = 0.8, .epsilon = 1e-3, .weight_decay = 0.1}, pytorch::adadelta_all);
  compare(Adam{}, pytorch::adam);
  compare(Adam{.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.1}, pytorch::adam_decay);
  compare(Adam{.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.9, .amsgrad = true}, pytorch::adam_amsgrad);
  compare(AdamW{}, pytorch::adamw);
  compare(AdamW{.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-4, .weight_decay = 0.3, .amsgrad = true},
          pytorch::adamw_all);
  compare(NAdam{}, pytorch::nadam);
  compare(NAdam{.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-4, .momentum_decay = 0.5, .weight_decay = 0.1},
          pytorch::nadam_all);
  compare(Lion{.learning_rate = 0.01}, pytorch::lion);
  compare(Lion{.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.2}, pytorch::lion_decay);
  compare(Rprop{}, pytorch::rprop);
  compare(Rprop{.learning_rate = 0.02, .eta_minus = 0.3, .eta_plus = 1.5, .min_step = 0.01, .max_step = 0.1}, pytorch::rprop_all);
  return compare.worst();
}

}  // namespace

TEMPLATE_TEST_CASE("PyTorch agrees: ten steps of every optimizer", "[pytorch]", float, double) { compare_all<TestType>(); }

TEST_CASE("PyTorch agrees: how closely in optimizers", "[.report]") {
  std::printf("worst relative difference to PyTorch's optimizers: float %.1e, double %.1e\n", compare_all<float>(), compare_all<double>());
}
