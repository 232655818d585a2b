#include <chainrule/any/from_description.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "support/catch.hpp"
#include "support/networks_from_descriptions.hpp"
#include "support/random_data.hpp"

using namespace chainrule;
using chainrule_test::ContainsSubstring;

namespace {

template <class... T, class F>
void for_each_type(Types<T...>, const F& f) {
  (f.template operator()<T>(), ...);
}

template <class... T>
std::set<std::string> names_of(Types<T...>) {
  return {std::string(T::name)...};
}

// gives every hyperparameter a valid value that is not its default
Description with_others(Description of) {
  for (auto& [name, value] : of.hyperparameters) value += 0.125;
  for (Description& part : of.parts) part = with_others(part);
  return of;
}

// the names of the types in the headers of a folder
std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(CHAINRULE_SOURCE_DIR "/include/chainrule/" + folder)) {
    std::ifstream file(entry.path());
    const std::regex quoted("\"([A-Za-z]+)\""), name("string_view ((residual|sequential|parallel|parallel_sum|head)_)?name = ");
    for (std::string line; std::getline(file, line);)
      if (std::regex_search(line, name))
        for (std::sregex_iterator it(line.begin(), line.end(), quoted); it != std::sregex_iterator(); ++it) names.insert((*it)[1]);
  }
  return names;
}

struct Cubic {
  static constexpr std::string_view name = "Cubic";
  double factor = 1;
  auto hyperparameters() const { return std::tuple{Hyperparameter{"factor", factor}}; }
  XavierUniform default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return static_cast<typename Chunk::Scalar>(factor) * z * z * z;
  }
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    return 3 * static_cast<typename Chunk::Scalar>(factor) * z * z;
  }
};

}  // namespace

TEST_CASE("known.hpp lists every activation, loss and layer that has a header") {
  CHECK(names_in("activations") == names_of(Activations{}));
  auto losses = names_of(Losses{});
  losses.insert({"Head", "Heads", "SumOfLosses"});
  CHECK(names_in("losses") == losses);
  auto layers = names_of(SameShapeLayers{});
  layers.merge(names_of(FakeQuantizeLayers{}));
  layers.insert({"Dense", "DenseWithoutBias", "Embedding", "Activate", "Residual", "Sequential", "Parallel", "ParallelSum"});
  CHECK(names_in("layers") == layers);
}

TEST_CASE("make_layer makes every layer with every activation from its description, with the same predictions bit for bit") {
  AnyLayers<float> layers{Normalize<3>{}};
  for_each_type(Activations{}, [&]<class F>() {
    const auto f = detail::make<F>(with_others(describe(F{})));
    layers.add(Dense<Dynamic, Dynamic, F>{3, 3, f});
    if constexpr (std::is_same_v<F, Identity> || std::is_same_v<F, LeakyReLU>) layers.add(DenseWithoutBias<Dynamic, Dynamic, F>{3, 3, f});
    layers.add(Activate<F>{f});
  });
  for_each_type(SameShapeLayers{},
                [&]<class L>() { layers.add(detail::make_layer_of_type<L>(with_others(describe(typename L::template ForInputs<3>{})))); });
  layers.add(Residual<Dense<Dynamic, Dynamic>, Residual<LayerNorm<>>>{{3, 3}, Residual<LayerNorm<>>{}});
  AnyNetwork<float> net{Seed{7}, SquaredError{}, layers};
  net.buffers().setConstant(0.75f);

  auto again = AnyNetwork<float>::zeros(make_loss<float>(describe(net.loss_function())), make_layers<float>(describe_layers(net)));
  CHECK(describe_layers(again) == describe_layers(net));
  again.parameters() = net.parameters();
  again.buffers() = net.buffers();
  Random random{Seed{5}};
  const Matrix<float> x = chainrule_test::random_matrix<float>(3, 20, random);
  const Matrix<float> y_hat = net.predict(x);
  CHECK(y_hat.allFinite());
  CHECK(again.predict(x) == y_hat);

  auto work = net.make_workspace(20);
  auto dJ = net.make_gradients();
  auto dJ_again = again.make_gradients();
  net.forward(x, work);
  net.backward(x, x, work, dJ);
  auto work_again = again.make_workspace(20);
  again.forward(x, work_again);
  again.backward(x, x, work_again, dJ_again);
  CHECK(dJ.flat().allFinite());
  CHECK(dJ_again.flat() == dJ.flat());
}

TEST_CASE("make_loss makes every loss from its description, alone and inside ClassWeighted") {
  for_each_type(Losses{}, []<class L>() {
    const Description loss = with_others(describe(L{}));
    CHECK(describe(make_loss<float>(loss)) == loss);
    const Description of_classes{"ClassWeighted", 0, 0, {{"weight", 1}, {"weight", 3}}, {loss}};
    CHECK(describe(make_loss<float>(of_classes)) == of_classes);
  });
  const Description huber = describe(Huber{2}), sum = describe(SumOfLosses<MeanSquaredError, Huber>{{1, 0.5}});
  const Description heads{"Heads",
                          0,
                          0,
                          {},
                          {{"Head", 0, 0, {{"outputs", 3}, {"weight", 1}}, {describe(SoftmaxCrossEntropy{})}},  //
                           {"Head", 0, 0, {{"outputs", 2}, {"weight", 0.5}}, {sum}}}};
  CHECK(describe(make_loss<float>(sum)) == sum);
  CHECK(describe(make_loss<float>(heads)) == heads);
}

TEST_CASE("make_layers makes user-defined types that are given as template arguments") {
  const Description layer = describe(Dense<2, 3, Cubic>{Cubic{2}});
  CHECK_THROWS_WITH(make_layer<float>(layer), ContainsSubstring("there is no activation \"Cubic\"; known are: ELU, GELU,"));
  const AnyLayer<float> made = make_layer<float, Cubic>(layer);
  CHECK(made.describe() == layer);
}

TEST_CASE("make_layer and make_loss reject invalid descriptions") {
  const auto refused = [](const Description& of) {
    try {
      make_layer<float>(of);
      return std::string();
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  CHECK_THAT(refused({"Conv", 3, 3, {}, {}}), ContainsSubstring("there is no layer \"Conv\"") && ContainsSubstring("BatchNorm, Dropout"));
  CHECK_THAT(refused({"Dense", 3, 0, {}, {{"ReLU", 0, 0, {}, {}}}}), ContainsSubstring("must be at least 1, got 3 and 0"));
  CHECK_THAT(refused({"Dense", 3, 4, {}, {}}), ContainsSubstring("expected an activation in its description, but found 0 parts"));
  CHECK_THAT(refused({"Dense", 3, 4, {}, {{"LeakyReLU", 0, 0, {{"slope", 7}}, {}}}}), ContainsSubstring("slope must be at least 0"));
  CHECK_THAT(refused({"Dense", 3, 4, {}, {{"LeakyReLU", 0, 0, {{"alpha", 0.1}}, {}}}}),
             ContainsSubstring("expected the hyperparameters slope = 0.1, but found the hyperparameters alpha = 0.1"));
  CHECK_THAT(refused({"Dropout", 3, 3, {}, {}}), ContainsSubstring("Dropout: expected 1 of them, but found the hyperparameters none"));
  CHECK_THAT(refused({"Dropout", 3, 4, {{"rate", 0.5}}, {}}), ContainsSubstring("expected 3 -> 3 units, but found 3 -> 4"));
  Description deep{"LayerNorm", 3, 3, {{"epsilon", 1e-5}}, {}};
  for (int i = 0; i < 40; ++i) deep = {"Residual", 3, 3, {}, {deep}};
  CHECK_THAT(refused(deep), ContainsSubstring("more than 16 deep"));
}
