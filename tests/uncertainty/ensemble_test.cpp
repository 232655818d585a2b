#include <chainrule/activations/tanh.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/softmax_cross_entropy.hpp>
#include <chainrule/threads/thread_team.hpp>
#include <chainrule/uncertainty/ensemble.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

using Net = Network<float, SoftmaxCrossEntropy, Dense<Dynamic, Dynamic, Tanh>, Dense<Dynamic, Dynamic>>;

Net untrained(Seed seed, Index hidden = 300) { return Net{seed, {2, hidden}, {hidden, 3}}; }

}  // namespace

TEST_CASE("An ensemble predicts the mean and the variance of its members, which have seeds of their own") {
  std::vector<Seed> seeds;
  const Ensemble<Net> ensemble(3, Seed{7}, [&](Index member, Seed seed) {
    CHECK(member == static_cast<Index>(seeds.size()));
    seeds.push_back(seed);
    return untrained(seed);
  });
  REQUIRE(ensemble.members().size() == 3);
  CHECK(seeds[0].value != seeds[1].value);
  const Matrix<float> x = Matrix<float>::Random(2, 300);
  Matrix<double> mean = Matrix<double>::Zero(3, 300), squares = mean;
  for (const Net& net : ensemble.members()) mean += net.predict(x).cast<double>() / 3;
  for (const Net& net : ensemble.members()) squares += (net.predict(x).cast<double>() - mean).array().square().matrix() / 3;
  auto work = ensemble.make_workspace(300);
  const PredictiveSpread<float>& spread = ensemble.predict(x, work);
  CHECK(spread.predictions() == 3);
  CHECK((spread.mean().cast<double>() - mean).cwiseAbs().maxCoeff() < 1e-6);
  CHECK((spread.variance().cast<double>() - squares).cwiseAbs().maxCoeff() < 1e-6);
  CHECK(spread.mutual_information(0) > 0);

  const Matrix<float> alone = spread.mean(), variance = spread.variance();
  ThreadTeam team(3);
  work.set_team(&team);
  CHECK(Matrix<float>(ensemble.predict(x, work).mean()) == alone);
  CHECK(ensemble.predict(x, work).variance() == variance);
}

TEST_CASE("An ensemble takes trained networks and refuses none or different ones") {
  std::vector<Net> nets{untrained(Seed{1}, 4), untrained(Seed{2}, 4)};
  CHECK(Ensemble<Net>(nets).members().size() == 2);
  nets.push_back(untrained(Seed{3}, 5));
  CHECK_THROWS_SAYING(Ensemble<Net>(nets), ShapeError, "Ensemble: both must have the same layers", "layer<0>");
  CHECK_THROWS_SAYING(Ensemble<Net>(std::vector<Net>{}), ValueError, "Ensemble: it needs at least one member, got 0");
  CHECK_THROWS_SAYING(Ensemble<Net>(0, Seed{1}, [](Index, Seed seed) { return untrained(seed); }), ValueError, "got 0");
}
