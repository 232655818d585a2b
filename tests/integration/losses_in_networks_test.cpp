// Gradients of whole networks with losses whose targets have fewer rows than the network has outputs, or whose labels are smoothed.

#include <chainrule/activations/tanh.hpp>
#include <chainrule/inspect/check_gradient.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/binary_focal.hpp>
#include <chainrule/losses/gaussian_nll.hpp>
#include <chainrule/losses/huber.hpp>
#include <chainrule/losses/kl_divergence.hpp>
#include <chainrule/losses/pinball.hpp>
#include <chainrule/losses/poisson_nll.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/losses/softmax_focal.hpp>
#include <chainrule/network.hpp>

#include "support/catch.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

template <class L>
using Net = Network<double, L, Dense<Dynamic, Dynamic, Tanh>, Dense<Dynamic, Dynamic>>;

template <class L, class Y>
void check_in_network(const L& loss, const Y& y) {
  const Net<L> net{Seed{3}, loss, {3, 5}, {5, 4}};
  Random random{Seed{1}};
  const GradientReport report = check_gradient(net, random_matrix<double>(3, 6, random), y);
  INFO(L::name << ": " << report.to_string());
  CHECK(report.passed);
  CHECK(report.kinks == 0);
}

}  // namespace

TEST_CASE("dJ/dtheta and dJ/dx are right with GaussianNLL, whose targets have half as many rows as the outputs", "[loss]") {
  Random random{Seed{2}};
  check_in_network(GaussianNLL{}, random_matrix<double>(2, 6, random));
}

TEST_CASE("dJ/dtheta and dJ/dx are right with PoissonNLL and Huber", "[loss]") {
  Random random{Seed{2}};
  const Matrix<double> counts = (3 + 3 * random_matrix<double>(4, 6, random).array()).floor();
  check_in_network(PoissonNLL{}, counts);
  check_in_network(Huber{.delta = 0.5}, random_matrix<double>(4, 6, random));
}

TEST_CASE("dJ/dtheta and dJ/dx are right with KLDivergence and smoothed labels", "[loss]") {
  Random random{Seed{2}};
  const Matrix<double> y = random_distributions<double>(4, 6, random);
  check_in_network(KLDivergence{}, y);
  check_in_network(SoftmaxCrossEntropy{.label_smoothing = 0.1}, y);
  check_in_network(SoftmaxCrossEntropy{.label_smoothing = 0.1}, random_labels(6, 4, random));
}

TEST_CASE("dJ/dtheta and dJ/dx are right with Pinball, BinaryFocal and SoftmaxFocal", "[loss]") {
  Random random{Seed{2}};
  check_in_network(Pinball{0.05, 0.5, 0.75, 0.95}, random_matrix<double>(4, 6, random));
  check_in_network(BinaryFocal{}, random_distributions<double>(4, 6, random));
  check_in_network(SoftmaxFocal{}, random_labels(6, 4, random));
}
