#include <chainrule/any/any_network.hpp>
#include <chainrule/inspect/summary.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/embedding.hpp>
#include <chainrule/optimizers/descend.hpp>

#include "support/layer_contract.hpp"

using namespace chainrule;
using chainrule_test::by_hand;
using chainrule_test::close;

namespace {

// rows 0 and 2 are categories: 3 of size 2, and 2 of size 1; row 1 is a number
using Fixed = Embedding<3, CategoryRow{.row = 0, .categories = 3, .size = 2}, CategoryRow{.row = 2, .categories = 2, .size = 1}>;
Embedding<Dynamic> dynamic() { return {3, {{.row = 0, .categories = 3, .size = 2}, {.row = 2, .categories = 2, .size = 1}}}; }

const std::vector<double> theta{1, 2, 3, 4, 5, 6, 7, 8};  // W_1 = (1 3 5; 2 4 6), W_2 = (7 8)

}  // namespace

TEST_CASE("Embedding satisfies the contract of a layer, with rows as types and as values") {
  static_assert(Fixed::outputs_at_compile_time == 4 && Fixed::parameters_at_compile_time == 8);
  chainrule_test::check(testing::check_layer<double>(Fixed{}, dynamic()));
}

TEST_CASE("Embedding by hand: numbers first, then the column of each category, and the gradient adds up over samples") {
  const Matrix<double> x{{2, 0, 2}, {-1, 0.5, 3}, {1, 1, 0}}, delta{{10, 20, 30}, {1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  for (const auto& of : {by_hand(Fixed{}, theta, x, delta), by_hand(dynamic(), theta, x, delta)}) {
    CHECK(close(of.a, {{-1, 0.5, 3}, {5, 1, 5}, {6, 2, 6}, {8, 8, 7}}));
    CHECK(of.gradient == Vector<double>{{2, 5, 0, 0, 1 + 3, 4 + 6, 9, 7 + 8}});
    CHECK(close(of.dJ_dx, {{0, 0, 0}, {10, 20, 30}, {0, 0, 0}}));
  }
}

TEST_CASE("Embedding refuses what is no category, before anything changes, and names row, sample and number") {
  const auto net = make_network<float, SquaredError>(Seed{1}, dynamic(), Dense<Dynamic, Dynamic>{4, 1});
  const AnyNetwork<float> any{Seed{1}, SquaredError{}, {dynamic(), Dense<Dynamic, Dynamic>{4, 1}}};
  const Matrix<float> x{{2, 0}, {-1, 0.5f}, {1, 1}};
  const Matrix<float> y = net.predict(x);
  CHECK(any.predict(x) == y);
  auto work = net.make_workspace(2);
  auto any_work = any.make_workspace(2);
  net.forward(x, work);
  const float J = net.loss(y, work);
  for (const float wrong : {3.0f, -1.0f, 0.5f, 1e30f}) {
    Matrix<float> bad = x;
    bad(0, 1) = wrong;
    CHECK_THROWS_SAYING(net.forward(bad, work), ValueError, "forward: x(0, 1) is", "sample 1 must have a whole number from 0 to 2 there");
    CHECK_THROWS_SAYING(any.forward(bad, any_work), ValueError, "forward: x(0, 1) is");
    CHECK_THROWS_SAYING(net.predict(bad), ValueError, "predict: x(0, 1) is");
    CHECK(net.loss(y, work) == J);  // the workspace still has the pass before
  }
  Embedding<Dynamic>::Cache<float, Dynamic> cache(dynamic(), 1);  // anywhere but in front, the layer itself looks
  const Matrix<float> no_category{{2.0f}, {1.0f}, {2.0f}};
  const std::vector<float> weights(8);
  CHECK_THROWS_AS(dynamic().forward(weights.data(), detail::const_view<float>(no_category), cache), ValueError);
}

TEST_CASE("Embedding with descend touches only the categories of the batch, with the bits of backward and a step") {
  // 600 samples are added in three blocks
  const Embedding<Dynamic> layer{2, {{.row = 1, .categories = 9, .size = 5}}};
  for (const Index samples : {1, 40, 600}) {
    auto net = make_network<float, SquaredError>(Seed{1}, layer, Dense<Dynamic, Dynamic>{6, 2});
    auto other = net;
    Random random{Seed{2}};
    Matrix<float> x(2, samples), y(2, samples);
    for (Index j = 0; j < samples; ++j) {
      x.col(j) << static_cast<float>(random.normal()), static_cast<float>(random.below(7));
      y.col(j) << static_cast<float>(random.normal()), 1;
    }
    auto work = net.make_workspace(samples);
    auto dJ = net.make_gradients();
    OptimizerState<float> state(net.parameters(), 0), other_state(other.parameters(), 0);
    for (int step = 0; step < 3; ++step) {
      net.forward(x, work);
      net.backward(x, y, work, dJ);
      SGD{0.1}.step(net.parameters(), dJ, state);
      other.forward(x, work);
      descend(other, x, y, work, dJ, SGD{0.1}, other_state);
    }
    CHECK(other.parameters() == net.parameters());
    CHECK(net.layer<0>().weight(0).col(8) ==
          make_network<float, SquaredError>(Seed{1}, layer, Dense<Dynamic, Dynamic>{6, 2}).layer<0>().weight(0).col(8));
  }
}

TEST_CASE("Embedding adds the terms of a category in blocks, so that many samples give a small error") {
  const Embedding<Dynamic> layer{1, {{.row = 0, .categories = 1, .size = 1}}};
  constexpr Index samples = 60000;
  Matrix<float> x = Matrix<float>::Zero(1, samples), delta = Matrix<float>::Constant(1, samples, 0.1f);
  const auto of = by_hand(layer, std::vector<float>{0}, x, delta);
  CHECK(std::abs(static_cast<double>(of.gradient[0]) / (samples * static_cast<double>(0.1f)) - 1) < 500 * 0x1p-24);
}

TEST_CASE("Embedding starts with standard normal numbers, and its rows are checked") {
  Random random{Seed{3}};
  const Embedding<Dynamic> layer{1, {{.row = 0, .categories = 1000, .size = 20}}};
  Vector<double> weights(20000);
  layer.initialize(weights.data(), random);
  CHECK(std::abs(weights.mean()) < 0.03);
  CHECK(std::abs(weights.squaredNorm() / 20000 - 1) < 0.04);
  const auto made = [](Index inputs, std::vector<CategoryRow> rows) { return Embedding<Dynamic>{inputs, rows}; };
  CHECK_THROWS_SAYING(made(3, {}), ShapeError, "Embedding: it needs at least one row of categories; got 3 inputs");
  CHECK_THROWS_SAYING(made(3, {{3, 2, 2}}), ShapeError, "one of the inputs", "row 3 with 2 categories of size 2");
  CHECK_THROWS_SAYING(made(3, {{1, 2, 2}, {1, 2, 2}}), ShapeError, "ascending order");
  CHECK_THROWS_SAYING(made(3, {{1, 0, 2}}), ShapeError, "from 1 to 2^24 categories");
  CHECK_THROWS_SAYING(made(3, {{1, (Index{1} << 24) + 1, 2}}), ShapeError, "from 1 to 2^24 categories");
  CHECK_THROWS_SAYING(made(3, {{1, 2, 0}}), ShapeError, "size of an embedding must be at least 1");
}

TEST_CASE("Embedding refuses a workspace that was made for other rows of as many outputs") {
  const Dense<Dynamic, Dynamic> last{4, 1};
  const auto net = make_network<float, SquaredError>(Seed{1}, dynamic(), last);
  const auto other = make_network<float, SquaredError>(Seed{1}, Embedding<Dynamic>{3, {{.row = 0, .categories = 3, .size = 2}}}, last);
  auto work = other.make_workspace(2);
  CHECK_THROWS_SAYING(net.forward(Matrix<float>::Zero(3, 2).eval(), work), ShapeError, "made for another network", "Embedding");
}

TEST_CASE("Embedding is in the summary, and has named views of its weights") {
  auto net = make_network<float, SquaredError>(Seed{1}, Fixed{}, Dense<4, 1>{});
  CHECK_THAT(summary(net), chainrule_test::ContainsSubstring("Embedding"));
  net.layer<0>().weight(1) << 3, 4;
  CHECK(net.parameters()[6] == 3);
  CHECK(net.tensor("0.1.weight")(0, 1) == 4);
}
