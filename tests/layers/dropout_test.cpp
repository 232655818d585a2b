#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/dropout.hpp>

#include "support/layer_contract.hpp"

using namespace chainrule;
using namespace chainrule_test;

namespace {

/// The mask of a net's only Dropout layer: its output for inputs of 1.
template <class Net, class Work>
Matrix<double> mask(const Net& net, Work& work, Index samples) {
  return net.forward(Matrix<double>::Ones(net.inputs(), samples).eval(), work);
}

}  // namespace

TEST_CASE("Dropout satisfies the layer contract") { check_layer(Dropout<5>{0.4}, Dropout<Dynamic>{5, 0.4}); }

// The literals come from SplitMix64, seeded for each column with derived_seed(derived_seed(derived_seed(Seed{0}, step), layer 0), sample).
TEST_CASE("Dropout's masks are the same on every platform and differ from step to step") {
  const Network<double, SquaredError, Dropout<3>> net{Seed{1}};
  auto work = net.make_workspace(4);
  CHECK(close(mask(net, work, 4), {{0, 2, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 2}}));
  CHECK(close(mask(net, work, 4), {{0, 2, 0, 0}, {2, 0, 0, 2}, {2, 0, 2, 2}}));
  CHECK(work.step() == 2);
  work.set_step(0);  // repeats the first step
  CHECK(close(mask(net, work, 4), {{0, 2, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 2}}));
}

TEST_CASE("Dropout by hand: kept numbers and their gradients are divided by the probability of being kept") {
  // mask for Seed{42} and rate 1/5:  1.25 1.25 1.25 1.25
  //                                  1.25 1.25    0    0
  const Matrix<double> x{{1, 2, 3, 4}, {5, 6, 7, 8}};
  const Matrix<double> dJ_da{{8, 4, 2, 1}, {4, 8, 12, 16}};
  const auto training = by_hand(Dropout<2>{0.2}, {}, x, dJ_da, {.mode = Mode::train, .seed = Seed{42}});
  CHECK(close(training.a, {{1.25, 2.5, 3.75, 5}, {6.25, 7.5, 0, 0}}));
  CHECK(close(training.dJ_dx, {{10, 5, 2.5, 1.25}, {5, 10, 0, 0}}));
  const auto predicting = by_hand(Dropout<2>{0.2}, {}, x, dJ_da, {.mode = Mode::predict, .seed = Seed{42}});
  const bool identity = predicting.a == x;
  CHECK(identity);
}

TEST_CASE("Dropout drops the given share, preserves the mean, and its masks are uncorrelated between units, samples and steps") {
  for (const double rate : {0.1, 0.5, 0.8}) {
    const auto net = make_network<double, SquaredError>(Seed{1}, Dropout<Dynamic>{63, rate});
    auto work = net.make_workspace(1000);
    const Matrix<double> m = mask(net, work, 1000);
    const double n = static_cast<double>(m.size());
    const double kept = 1 / (1 - rate);
    CAPTURE(rate);
    CHECK(((m.array() == 0) || (m.array() == kept)).all());
    const double dropped = static_cast<double>((m.array() == 0).count()) / n;
    CHECK(std::abs(dropped - rate) < 4 * std::sqrt(rate * (1 - rate) / n));
    CHECK(std::abs(m.mean() - 1) < 4 * std::sqrt(rate / (1 - rate) / n));
    // single units and samples: with 63 and 1,000 comparisons the bound is 5 standard deviations
    CHECK((m.rowwise().mean().array() - 1).abs().maxCoeff() < 5 * std::sqrt(rate / (1 - rate) / 1000));
    CHECK((m.colwise().mean().array() - 1).abs().maxCoeff() < 5 * std::sqrt(rate / (1 - rate) / 63));
    const auto correlation = [&](const auto& a, const auto& b) { return ((a.array() - 1) * (b.array() - 1)).mean() * (1 - rate) / rate; };
    CHECK(std::abs(correlation(m.topRows(62), m.bottomRows(62))) < 4 / std::sqrt(n));
    CHECK(std::abs(correlation(m.leftCols(999), m.rightCols(999))) < 4 / std::sqrt(n));
    CHECK(std::abs(correlation(m, mask(net, work, 1000))) < 4 / std::sqrt(n));  // with the mask of the next step
  }
}

TEST_CASE("a sample's Dropout mask depends only on the workspace's seed, the step and the sample's position in the whole batch") {
  const Network<double, SquaredError, Dropout<40>> net{Seed{1}};
  const Network<double, SquaredError, Dropout<40>> other{Seed{2}};
  auto work = net.make_workspace(6);
  auto half = other.make_workspace(3);
  const Matrix<double> whole = mask(net, work, 6);
  half.set_first_sample(3);
  const bool right_half = mask(other, half, 3) == whole.rightCols(3);
  CHECK(right_half);
  CHECK(half.first_sample() == 3);
  half.set_first_sample(0);
  half.set_step(0);
  const bool left_half = mask(other, half, 3) == whole.leftCols(3);
  CHECK(left_half);
  half.set_seed(Seed{1});
  half.set_step(0);
  const bool another = mask(other, half, 3) == whole.leftCols(3);
  CHECK_FALSE(another);
  CHECK(half.seed().value == 1);
}

TEST_CASE("two Dropout layers of a net draw different masks") {
  const Network<double, SquaredError, Dropout<40>, Dropout<>> net{Seed{1}};
  auto work = net.make_workspace(1);
  const Matrix<double> both = mask(net, work, 1);
  const Matrix<double> first = work.cache<0>().output.first(1);
  const auto kept = [](const Matrix<double>& m) { return (m.array() != 0).count(); };
  CHECK(kept(first) > 10);
  CHECK(kept(both) > 2);
  CHECK(kept(both) < kept(first));
}

TEST_CASE("Dropout is the identity in predict and evaluate, which do not advance the step") {
  const Network<float, SquaredError, Dropout<2>> net{Seed{1}};
  const Matrix<float> x{{1, 2, 3}, {4, 5, 6}};
  auto work = net.make_workspace(3);
  const bool identity = net.predict(x) == x && net.predict(x, work) == x && net.evaluate(x, x, work).prediction == x;
  CHECK(identity);
  CHECK(net.evaluate(x, x, work).loss == 0);
  CHECK(work.step() == 0);
}

TEST_CASE("Dropout with a rate of 0 drops nothing") {
  const Network<double, SquaredError, Dropout<50>> net{Seed{1}, Dropout<50>{0.0}};
  auto work = net.make_workspace(50);
  CHECK(mask(net, work, 50).isOnes(0));
}

TEST_CASE("Dropout infers its extent from the layer before and keeps its rate") {
  const auto net = make_network<float, SquaredError>(Seed{1}, Dense<Dynamic, Dynamic>{2, 3}, Dropout<>{0.25});
  CHECK(std::get<1>(net.layers()).inputs() == 3);
  CHECK(std::get<1>(net.layers()).rate() == 0.25);
  CHECK(Dropout<>{}.rate() == 0.5);
}

TEST_CASE("Dropout rejects a rate that is not at least 0 and below 1") {
  CHECK_THROWS_SAYING(Dropout<>{1.0}, ValueError, "Dropout: the rate must be at least 0 and below 1, got 1");
  CHECK_THROWS_SAYING(Dropout<>{-0.1}, ValueError, "got -0.1");
  CHECK_THROWS_SAYING(Dropout<>{std::numeric_limits<double>::quiet_NaN()}, ValueError, "got nan");
  CHECK_THROWS_SAYING((Dropout<Dynamic>{0, 0.5}), ShapeError, "Dropout: the number of units must be at least 1, got 0");
}
