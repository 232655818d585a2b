// Compiled with -ffast-math: the compiler may assume that there is no NaN and no infinity, and remove or invert comparisons with them. The
// library must notice them nevertheless, where they are passed as hyperparameters, targets, weights or monitored quantities.

#include <chainrule/activations/leaky_relu.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dropout.hpp>
#include <chainrule/losses/binary_focal.hpp>
#include <chainrule/losses/gaussian_nll.hpp>
#include <chainrule/losses/hinge.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/pinball.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chainrule/optimizers/clip.hpp>
#include <chainrule/optimizers/penalty.hpp>
#include <chainrule/optimizers/rprop.hpp>
#include <chainrule/schedules/cosine.hpp>
#include <chainrule/schedules/reduce_on_plateau.hpp>
#include <chainrule/training/average_weights.hpp>
#include <chainrule/training/early_stopping.hpp>
#include <chainrule/uncertainty/conformal.hpp>
#include <cstdio>
#include <limits>

#include "support/fake_run.hpp"

using namespace chainrule;

namespace {

// read from memory at run time, so that the compiler cannot compute with them
volatile double nan_in_memory = std::numeric_limits<double>::quiet_NaN();
volatile double infinity_in_memory = std::numeric_limits<double>::infinity();

int failures = 0;

void check(const char* what, bool holds) {
  if (holds) return;
  std::printf("%s\n", what);
  ++failures;
}

/// Checks that call() throws a ValueError whose message contains the name of the hyperparameter.
template <class Call>
void check_refused(const char* name, const Call& call) {
  std::string message;
  try {
    call();
  } catch (const ValueError& error) {
    message = error.what();
  }
  check(name, message.find(name) != std::string::npos);
}

/// The number of the epoch that EarlyStopping takes for the best of epochs with these losses.
Index best_epoch(std::initializer_list<double> losses) {
  chainrule_test::FakeNet net;
  Run<chainrule_test::FakeNet> run(net);
  run.quantities = {{"validation_loss"}};
  EarlyStopping stopping{.patience = 10};
  stopping.training_started(run);
  for (const double loss : losses) chainrule_test::end_epoch(run, stopping, {loss});
  return stopping.best.epoch;
}

}  // namespace

int main() {
  const double nan = nan_in_memory, infinity = infinity_in_memory;
  Vector<float> theta = Vector<float>::Ones(3), gradient = theta;
  const auto step = [&](const auto& rule) {
    auto state = rule.make_state(theta);
    rule.step(theta, gradient, state);
  };
  const auto check_loss = [](const auto& loss, const Matrix<float>& y) {
    const Matrix<float> y_hat = Matrix<float>::Zero(2, 1);
    loss.check(detail::const_view<float>(y_hat), detail::const_view<float>(y));
  };
  const Matrix<float> one = Matrix<float>::Ones(1, 1), two = Matrix<float>::Ones(2, 1) / 2;
  Matrix<float> bad = two;
  bad(1, 0) = static_cast<float>(nan);
  for (const double x : {nan, -nan, infinity}) {
    check_refused("learning_rate", [&] { step(Adam{.learning_rate = x}); });
    check_refused("beta1", [&] { step(Adam{.beta1 = x}); });
    check_refused("epsilon", [&] { step(Adam{.epsilon = x}); });
    check_refused("weight_decay", [&] { step(Adam{.weight_decay = x}); });
    check_refused("max_norm", [&] { clip_by_norm(gradient, x); });
    check_refused("limit", [&] { clip_by_value(gradient, x); });
    check_refused("strength", [&] { L1{x}.value(theta, {}); });
    check_refused("period", [&] { Cosine{.period = x}(1); });
    check_refused("multiplier", [&] { Cosine{.multiplier = x}(1); });
    check_refused("the time", [&] { Cosine{}(x); });
    check_refused("minimum must be", [&] { ReduceOnPlateau{.minimum = x}(1); });
    check_refused("minimum_variance", [&] { check_loss(GaussianNLL{.minimum_variance = x}, one); });
    check_refused("delta", [&] { check_loss(Huber{.delta = x}, two); });
    check_refused("tau", [&] { Pinball{x}; });
    check_refused("decay", [&] {
      chainrule_test::FakeNet net;
      Run<chainrule_test::FakeNet> run(net);
      AverageWeights average{.decay = x};
      average.training_started(run);
    });
    check_refused("alpha", [&] { check_loss(BinaryFocal{.alpha = x}, two); });
    check_refused("gamma", [&] { check_loss(BinaryFocal{.gamma = x}, two); });
    check_refused("label_smoothing", [&] { check_loss(SoftmaxCrossEntropy{.label_smoothing = x}, two); });
    check_refused("slope", [&] { LeakyReLU{x}; });
    check_refused("BatchNorm: epsilon", [&] { BatchNorm<2>(0.1, x); });
    check_refused("BatchNorm: momentum", [&] { BatchNorm<2>{x}; });
    check_refused("rate", [&] { Dropout<2>{x}; });
  }
  check_refused("score 1 is nan", [&] { conformal_quantile({1, nan}, 0.5); });
  check_refused("y(1, 0)", [&] { check_loss(Hinge{}, bad); });
  check_refused("y(1, 0)", [&] { check_loss(SoftmaxCrossEntropy{}, bad); });
  check_refused("weight of sample 1", [&] {
    const Vector<float> weights = bad.col(0);
    const Matrix<float> ones = one.replicate(1, 2);
    detail::check_weights(detail::target_view<float>(weighted(ones, weights)));
  });
  check("Adam's parameters are unchanged", theta == Vector<float>::Ones(3));

  // kernels of a single number, which long double has, choose between two numbers; steps of 1/2 and, where the sign stays, 3/4
  const Rprop rprop{.learning_rate = 0.5, .eta_minus = 0.5, .eta_plus = 1.5};
  Vector<long double> by_sign = Vector<long double>::Zero(3), slopes(3);
  auto state = rprop.make_state(by_sign);
  for (const long double first : {1, 100}) {
    slopes << first, -first, 2 - first;
    rprop.step(by_sign, slopes, state);
  }
  check("Rprop's steps of long double", by_sign[0] == -1.25L && by_sign[1] == 1.25L && by_sign[2] == -0.5L);

  check("EarlyStopping after NaN", best_epoch({nan, 3, 2, nan, 4}) == 3);
  check("EarlyStopping after infinity", best_epoch({infinity, 3, -infinity}) == 2);
  check("EarlyStopping of NaN alone", best_epoch({nan, nan}) == 0);
  ReduceOnPlateau plateau{.factor = 0.5, .patience = 1};
  double factor = 1;
  for (const double metric : {nan, nan, nan, 1.0, nan, nan}) factor = plateau(metric);
  check("ReduceOnPlateau counts NaN as no improvement", factor == 0.25 && plateau.memory.best == 1);
  check("a NaN is written as one", detail::text_of(nan) == "nan");
  return failures == 0 ? 0 : 1;
}
