#include <chainrule/activations/relu.hpp>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/io/model_file.hpp>
#include <cmath>
#include <fstream>

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "support/catch.hpp"
#include "support/networks_from_descriptions.hpp"
#include "support/random_data.hpp"
#include "support/safetensors_bytes.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using Catch::Matchers::Contains;

namespace {

using Net = Network<float, SoftmaxCrossEntropy, Normalize<3>, Dense<3, 4, ReLU>, BatchNorm<>, Dropout<>,
                    Residual<Dense<4, 4, ReLU>, PReLU<>>, Dense<4, 2>>;
using Small = Network<float, SquaredError, Dense<2, 3, ReLU>, Dense<3, 1>>;

Net trained() {
  Net net{Seed{7}};
  net.buffers().setConstant(0.75f);
  net.buffers<0>().shift << 1, 2, 3;
  return net;
}

Matrix<float> some_x(Index rows) {
  Random random{Seed{5}};
  return chainrule_test::random_matrix<float>(rows, 20, random);
}

SafetensorsFile with(std::vector<TensorToWrite> tensors, const std::map<std::string, std::string>& metadata = {}) {
  return parse_safetensors(to_safetensors(tensors, metadata), "m.safetensors");
}

// row-major, as PyTorch writes them
const std::vector<float> w1{1, 2, 3, 4, 5, 6}, b1{7, 8, 9}, w2{10, 11, 12}, b2{13};

void check_is_loaded(const Small& net) {
  CHECK(net.layer<0>().weight == Eigen::MatrixXf{{1, 2}, {3, 4}, {5, 6}});
  CHECK(net.layer<0>().bias == Eigen::Vector3f(7, 8, 9));
  CHECK(net.layer<1>().weight == Eigen::RowVector3f(10, 11, 12));
  CHECK(net.layer<1>().bias[0] == 13);
}

template <class N>
std::string refused(const SafetensorsFile& file, N& net, const LoadOptions& options = {}) {
  const auto theta = net.parameters().eval();
  const auto buffers = net.buffers().eval();
  std::string why;
  try {
    detail::load_from(file, net, options);
  } catch (const Error& e) {
    why = e.what();
  }
  CHECK(net.parameters() == theta);
  CHECK(net.buffers() == buffers);
  return why;
}

}  // namespace

TEST_CASE("A saved network is loaded again with the same bits, into its own type and into one known at run time") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("model.safetensors");
  const Net net = trained();
  save(net, path);
  Net again{Seed{1}};
  const LoadReport report = load(again, path);
  CHECK(again.parameters() == net.parameters());
  CHECK(again.buffers() == net.buffers());
  CHECK(report.numbers == net.parameters().size() + net.buffers().size());
  CHECK(report.not_finite == 0);

  const auto any = load_network<float>(path);
  const Matrix<float> x = some_x(3);
  CHECK(any.predict(x) == net.predict(x));
  CHECK(describe_layers(any) == describe_layers(net));
  CHECK(to_model_file(any) == to_model_file(net));
}

TEST_CASE("Tensors are named and laid out as torch.nn.Sequential has them, an activation being a module") {
  const Net net = trained();
  const SafetensorsFile file = parse_safetensors(to_model_file(net));
  std::string names;
  for (const SafetensorsTensor& tensor : file.tensors()) names += tensor.name + " " + detail::shape_text(tensor.shape) + ", ";
  CHECK(names ==
        "0.scale 3, 0.shift 3, 1.bias 4, 1.weight 4 x 3, 3.bias 4, 3.num_batches_tracked a single number, 3.running_mean 4, "
        "3.running_var 4, 3.weight 4, 5.0.bias 4, 5.0.weight 4 x 4, 5.2.weight 1, 6.bias 2, 6.weight 2 x 4, ");
  float first_row[3];
  file.copy_numbers(file.tensor("1.weight"), std::vector<float>(12).data());
  std::vector<float> weight(12);
  file.copy_numbers(file.tensor("1.weight"), weight.data());
  for (int j = 0; j < 3; ++j) first_row[j] = weight[static_cast<std::size_t>(j)];
  CHECK(Eigen::Map<Eigen::RowVector3f>(first_row) == net.layer<1>().weight.row(0));
  CHECK(file.metadata().at("chainrule.scalar") == "float");
  CHECK(file.metadata().at("chainrule.loss") == R"({"kind":"SoftmaxCrossEntropy","hyperparameters":[["label_smoothing",0.0]]})");
}

TEST_CASE("A file from elsewhere is loaded in the natural order of its names, or by a list of them") {
  Small net{Seed{1}};
  detail::load_from(with({{"fc10.weight", {1, 3}, w2}, {"fc10.bias", {1}, b2}, {"fc2.weight", {3, 2}, w1}, {"fc2.bias", {3}, b1}}), net,
                    {});
  check_is_loaded(net);
  const auto file = with({{"a", {1, 3}, w2}, {"b", {}, b2}, {"c", {3, 2}, w1}, {"d", {3}, b1}, {"unused", {3}, b1}});
  Small other{Seed{2}};
  detail::load_from(file, other, {.names = {"c", "d", "a", "b"}});
  check_is_loaded(other);
  CHECK_THAT(refused(file, net), Contains("modules"));
  CHECK_THAT(refused(file, net, {.names = {"c", "d", "a"}}), Contains("3 names in the list, but the network has 4"));
  CHECK_THAT(refused(file, net, {.names = {"c", "d", "a", "e"}}), Contains("no tensor \"e\""));
}

TEST_CASE("Some layers alone are loaded into a network with another last layer, and the report says what was loaded and left") {
  const Small saved{Seed{1}};
  using Other = Network<float, SoftmaxCrossEntropy, Dense<2, 3, ReLU>, Dense<3, 5>>;
  const Other before{Seed{2}};
  Other net = before;
  const auto file = parse_safetensors(to_model_file(saved));
  CHECK_THAT(refused(file, net), Contains("tensor \"2.weight\" is 1 x 3, but the network's 2.weight is 5 x 3"));
  const LoadReport report = detail::load_from(file, net, {.layers = {0}});
  using Names = std::vector<std::string>;
  CHECK((report.numbers == 9 && report.missing.empty() && report.loaded == Names{"0.weight", "0.bias"}));
  CHECK((report.kept == Names{"2.weight", "2.bias"} && report.left == Names{"2.bias", "2.weight"}));
  CHECK((net.layer<0>().weight == saved.layer<0>().weight && net.layer<0>().bias == saved.layer<0>().bias));
  CHECK(net.parameters().tail(20) == before.parameters().tail(20));
  const auto from_keras = with({{"hidden/kernel", {2, 3}, w1}, {"out/kernel", {3, 9}, std::vector<float>(27)}});
  const LoadReport by_names = detail::load_from(from_keras, net, {.names = {"hidden/kernel", ""}, .layers = {0}});
  CHECK((by_names.loaded == Names{"0.weight"} && by_names.missing == Names{"0.bias"} && by_names.left == Names{"out/kernel"}));
  CHECK((net.layer<0>().weight == Eigen::MatrixXf{{1, 4}, {2, 5}, {3, 6}} && net.layer<0>().bias.isZero(0)));

  CHECK_THAT(refused(file, net, {.layers = {2}}), Contains("there is no layer 2: the network has 2, counted from 0"));
  CHECK_THAT(refused(from_keras, net, {.layers = {0}}), Contains("no tensor in it belongs to the network's 0.weight"));
  Network<float, SquaredError, Dense<2, 3, Tanh>, Dense<3, 1>> other_activation{Seed{1}};
  CHECK_THAT(refused(file, other_activation, {.layers = {0}}), Contains("layer<0>.activation: ReLU"));
  CHECK(detail::load_from(file, other_activation, {.layers = {1, 1}}).numbers == 4);
  const LoadOptions first_layer{.layers = {0}};
  CHECK_THROWS_SAYING(parse_network<float>(file, first_layer), ValueError, ".layers must be empty", "use load(net, path");
}

TEST_CASE("Natural order: digits count as numbers") {
  CHECK(detail::natural_less("fc2", "fc10"));
  CHECK_FALSE(detail::natural_less("fc10", "fc2"));
  CHECK(detail::natural_less("2.0", "10"));
  CHECK(detail::natural_less("a", "a1"));
  CHECK_FALSE(detail::natural_less("a01", "a1"));
  CHECK(detail::natural_less("encoder.9.b", "encoder.10.a"));
}

TEST_CASE("What does not fit is refused, with what the file has and what the network wants, and nothing changes") {
  Small net{Seed{1}};
  CHECK_THAT(refused(with({{"0.weight", {3, 2}, w1}, {"0.bias", {3}, b1}, {"2.bias", {1}, b2}}), net),
             Contains("no tensor in it belongs to the network's 2.weight; .names lists the file's tensors") &&
                 Contains("The file has\n  0.bias: 3\n  0.weight: 3 x 2") && Contains("The network wants\n  0.weight: 3 x 2"));
  CHECK_THAT(refused(with({{"0.weight", {2, 3}, w1}, {"0.bias", {3}, b1}, {"2.weight", {1, 3}, w2}, {"2.bias", {1}, b2}}), net),
             Contains("tensor \"0.weight\" is 2 x 3, but the network's 0.weight is 3 x 2"));
  CHECK_THAT(
      refused(with({{"0.weight", {3, 2}, w1}, {"0.bias", {3}, b1}, {"2.weight", {1, 3}, w2}, {"2.bias", {1}, b2}, {"4.bias", {1}, b2}}),
              net),
      Contains("some of its tensors belong to none of the network's"));
  const auto saved = parse_safetensors(to_model_file(Network<float, SquaredError, Dense<2, 3>, Dense<3, 1>>{Seed{1}}));
  CHECK_THAT(refused(saved, net, {.names = {"0.weight", "0.bias", "1.weight", "1.bias"}}),
             Contains("does not fit the network: the file has \"layer<0>.activation: Identity\", but the network has "
                      "\"layer<0>.activation: ReLU\"; .same_layers = false loads it all the same"));
  CHECK(refused(parse_safetensors(to_model_file(net)), net).empty());
  Network<float, MeanSquaredError, Dense<2, 3, ReLU>, Dense<3, 1>> other_loss{Seed{1}};
  CHECK_THAT(refused(parse_safetensors(to_model_file(net)), other_loss, {.same_layers = false}),
             Contains("the file has \"loss: SquaredError\", but the network has \"loss: MeanSquaredError\"; .same_loss = false loads"));
  detail::load_from(parse_safetensors(to_model_file(net)), other_loss, {.same_loss = false});
  CHECK(other_loss.parameters() == net.parameters());
}

TEST_CASE("A network with class weights is loaded into one without them or with others, for they are no part of a prediction") {
  using Weighted = Network<float, ClassWeighted<SoftmaxCrossEntropy>, Dense<2, 3>>;
  using Plain = Network<float, SoftmaxCrossEntropy, Dense<2, 3>>;
  const Weighted saved{Seed{1}, {{1, 5, 2}}};
  const SafetensorsFile file = parse_safetensors(to_model_file(saved), "m.safetensors");
  Weighted without{Seed{2}}, with_others{Seed{3}, {{3, 1, 1}}};
  Plain plain{Seed{4}};
  detail::load_from(file, without, {});
  detail::load_from(file, with_others, {});
  detail::load_from(file, plain, {});
  CHECK(without.parameters() == saved.parameters());
  CHECK(with_others.parameters() == saved.parameters());
  CHECK(plain.parameters() == saved.parameters());
  detail::load_from(parse_safetensors(to_model_file(plain)), without, {});
  Network<float, Heads<Head<ClassWeighted<SoftmaxCrossEntropy>, 3>>, Dense<2, 3>> heads{
      Seed{5}, Heads{Head<ClassWeighted<SoftmaxCrossEntropy>, 3>{1, {1, 2, 3}}}};
  AnyNetwork<float> other_weights{Seed{6}, Heads{Head<ClassWeighted<SoftmaxCrossEntropy>, 3>{1, {2, 2, 1}}}, {Dense<2, 3>{}}};
  detail::load_from(parse_safetensors(to_model_file(heads)), other_weights, {});
  CHECK(other_weights.parameters() == heads.parameters());
  Plain smoothed{Seed{4}, SoftmaxCrossEntropy{.label_smoothing = 0.5}};
  CHECK_THAT(refused(file, smoothed), Contains("\"loss.label_smoothing: 0\"") && Contains(".same_loss = false"));
}

// A kernel of Keras is inputs x outputs: row i has the weights of input i. Here W is the same as w1 and w2 of the other tests.
TEST_CASE("Weights called kernel are inputs x outputs, whatever their shape; other weights are what the metadata or the caller say") {
  const std::vector<float> k1{1, 3, 5, 2, 4, 6};
  const std::vector<std::string> names{"dense/kernel:0", "dense/bias:0", "dense_1/kernel:0", "dense_1/bias:0"};
  Small net{Seed{1}};
  detail::load_from(
      with({{"dense/kernel:0", {2, 3}, k1}, {"dense/bias:0", {3}, b1}, {"dense_1/kernel:0", {3, 1}, w2}, {"dense_1/bias:0", {1}, b2}}), net,
      {.names = names});
  check_is_loaded(net);

  using Square = Network<float, SquaredError, Dense<2, 2>>;
  Square square{Seed{1}};
  const std::vector<float> rows{1, 2, 3, 4}, zeros{0, 0};
  const Eigen::MatrixXf as_it_lies{{1, 2}, {3, 4}}, transposed{{1, 3}, {2, 4}};
  const auto loaded = [&](const char* name, const char* format, WeightLayout layout = WeightLayout::by_name) {
    const auto metadata = *format == 0 ? std::map<std::string, std::string>{} : std::map<std::string, std::string>{{"format", format}};
    detail::load_from(with({{name, {2, 2}, rows}, {"b", {2}, zeros}}, metadata), square, {.names = {name, "b"}, .layout = layout});
    return Eigen::MatrixXf(square.layer<0>().weight);
  };
  CHECK(loaded("dense/kernel", "") == transposed);
  CHECK(loaded("params.Dense_0.kernel", "flax") == transposed);
  CHECK(loaded("fc.weight", "") == as_it_lies);
  CHECK(loaded("fc.weight", "pt") == as_it_lies);
  CHECK(loaded("w", "pt") == as_it_lies);
  CHECK(loaded("w", "tf") == transposed);
  CHECK(loaded("w", "", WeightLayout::outputs_by_inputs) == as_it_lies);
  CHECK(loaded("w", "", WeightLayout::inputs_by_outputs) == transposed);
  CHECK(loaded("dense/kernel", "", WeightLayout::outputs_by_inputs) == as_it_lies);
  CHECK(loaded("fc.weight", "", WeightLayout::inputs_by_outputs) == transposed);
  const auto untold = [&](const char* name, const char* format) {
    return refused(with({{name, {2, 2}, rows}, {"b", {2}, zeros}}, {{"format", format}}), square, {.names = {name, "b"}});
  };
  for (const std::string& why : {untold("w", "np"), untold("kernel", "pt"), untold("weight", "tf")})
    CHECK_THAT(why, Contains("is 2 x 2, and neither its name nor the metadata say whether that is outputs x inputs") &&
                        Contains(".layout = WeightLayout::outputs_by_inputs or inputs_by_outputs"));

  const auto asks = [&](const char* name, std::vector<std::uint64_t> shape, const char* is, const char* option) {
    const auto file = with({{name, shape, w1}, {"b", {3}, b1}, {"weight", {1, 3}, w2}, {"b2", {1}, b2}});
    CHECK_THAT(refused(file, net, {.names = {name, "b", "weight", "b2"}}),
               Contains(is) && Contains("is it transposed? .layout = WeightLayout::" + std::string(option)));
  };
  asks("fc.weight", {2, 3}, "is 2 x 3, but the network's 0.weight is 3 x 2;", "inputs_by_outputs");
  asks("w", {2, 3}, "is 2 x 3, but the network's 0.weight is 3 x 2;", "inputs_by_outputs");
  asks("kernel", {3, 2}, "is 3 x 2, but the network's 0.weight is 2 x 3, inputs x outputs;", "outputs_by_inputs");
}

TEST_CASE("Modules of the same shapes are paired in the order of numbers in their names; without numbers nobody knows their order") {
  using Net3 = Network<float, SquaredError, Dense<2, 2>, Dense<2, 2>, Dense<2, 1>>;
  Net3 net{Seed{1}};
  const std::vector<float> first{1, 2, 3, 4}, second{5, 6, 7, 8}, last{9, 10};
  const auto load_named = [&](const std::string& a, const std::string& b, const std::string& c) {
    return with({{a + ".weight", {2, 2}, first},
                 {a + ".bias", {2}, last},
                 {b + ".weight", {2, 2}, second},
                 {b + ".bias", {2}, last},
                 {c + ".weight", {1, 2}, last},
                 {c + ".bias", {1}, b2}});
  };
  CHECK_THAT(
      refused(load_named("input", "hidden", "output"), net),
      Contains(
          "modules \"hidden\" and \"input\" have tensors of the same shapes, and their names do not say which is first; .names lists"));
  CHECK_THAT(refused(load_named("encoder.0", "decoder.0", "out"), net), Contains("do not say which is first"));
  detail::load_from(load_named("fc9", "fc10", "out"), net, {});
  CHECK(net.layer<0>().weight == Eigen::MatrixXf{{1, 2}, {3, 4}});
  CHECK(net.layer<1>().weight == Eigen::MatrixXf{{5, 6}, {7, 8}});
  detail::load_from(load_named("input", "hidden", "output"), net,
                    {.names = {"hidden.weight", "hidden.bias", "input.weight", "input.bias", "output.weight", "output.bias"}});
  CHECK(net.layer<0>().weight == Eigen::MatrixXf{{5, 6}, {7, 8}});
}

// y = W x where PyTorch's Linear has bias=False; BatchNorm1d(affine=False) is (x - mean)/sqrt(variance + epsilon)
TEST_CASE("Biases and scales that another framework left out are 0 and 1, and the report lists them; nothing else may be missing") {
  using Normed = Network<float, SquaredError, Dense<2, 3>, BatchNorm<>, Dense<3, 1>>;
  Normed net{Seed{1}};
  net.parameters().setConstant(7);
  const std::vector<float> mean{1, 2, 3}, variance{4, 9, 16};
  const std::vector<TensorToWrite> tensors{
      {"0.weight", {3, 2}, w1}, {"1.running_mean", {3}, mean}, {"1.running_var", {3}, variance}, {"2.weight", {1, 3}, w2}};
  const LoadReport report = detail::load_from(with(tensors), net, {});
  CHECK(report.missing == std::vector<std::string>{"0.bias", "1.weight", "1.bias", "2.bias"});
  CHECK(report.numbers == 15);
  CHECK(net.layer<0>().bias == Eigen::Vector3f(0, 0, 0));
  CHECK(net.layer<1>().weight == Eigen::Vector3f(1, 1, 1));
  CHECK(net.layer<1>().bias == Eigen::Vector3f(0, 0, 0));
  CHECK(net.layer<2>().bias[0] == 0);
  // W x = (5, 11, 17), less the means (4, 9, 14), divided by the deviations (2, 3, 3.99..)
  const Eigen::Vector2f x(1, 2);
  const double expected = 10 * 4 / std::sqrt(4 + 1e-5) + 11 * 9 / std::sqrt(9 + 1e-5) + 12 * 14 / std::sqrt(16 + 1e-5);
  CHECK(double(net.predict(x)(0, 0)) == chainrule_test::Approx(expected).epsilon(1e-6));

  net.parameters().setConstant(7);
  detail::load_from(with(tensors), net,
                    {.names = {"0.weight", "", "", "", "1.running_mean", "1.running_var", "2.weight", ""}});  // without num_batches_tracked
  CHECK(net.layer<2>().weight == Eigen::RowVector3f(10, 11, 12));
  CHECK(net.layer<1>().bias == Eigen::Vector3f(0, 0, 0));

  CHECK_THAT(refused(with({{"0.weight", {3, 2}, w1}, {"1.running_mean", {3}, mean}, {"2.weight", {1, 3}, w2}}), net),
             Contains("no tensor in it belongs to the network's 1.running_var") && Contains(".names lists the file's tensors"));
  CHECK_THAT(refused(with({{"0.weight", {3, 2}, w1}, {"2.weight", {1, 3}, w2}}), net), Contains("belongs to the network's 1.weight"));
  CHECK_THAT(refused(with(tensors), net, {.names = {"", "", "", "", "1.running_mean", "1.running_var", "2.weight", ""}}),
             Contains("no tensor \"\""));
  CHECK_THAT(
      refused(with(tensors), net, {.names = {"0.weight"}}),
      Contains("1 names in the list, but the network has 8 tensors, which num_batches_tracked need not be among; \"\" stands for a bias"));
  // a file of save() has everything
  const Small small{Seed{1}};
  Small again{Seed{2}};
  const auto saved = parse_safetensors(to_model_file(small)).metadata();
  CHECK_THAT(refused(with({{"0.weight", {3, 2}, w1}, {"2.weight", {1, 3}, w2}, {"2.bias", {1}, b2}}, saved), again),
             Contains("belongs to the network's 0.bias"));
}

TEST_CASE("A file without biases is loaded into layers without bias, and one with biases is refused there") {
  const SafetensorsFile file = with({{"fc1.weight", {3, 2}, w1}, {"fc2.weight", {1, 3}, w2}});
  Network<float, SquaredError, DenseWithoutBias<2, 3, ReLU>, DenseWithoutBias<3, 1>> net{Seed{1}};
  CHECK(detail::load_from(file, net, {}).missing.empty());
  CHECK(net.layer<0>().weight == Eigen::MatrixXf{{1, 2}, {3, 4}, {5, 6}});
  CHECK(net.layer<1>().weight == Eigen::RowVector3f(10, 11, 12));
  const SafetensorsFile with_biases = with({{"0.weight", {3, 2}, w1}, {"0.bias", {3}, b1}, {"2.weight", {1, 3}, w2}, {"2.bias", {1}, b2}});
  CHECK_THAT(refused(with_biases, net), Contains("some of its tensors belong to none of the network's"));
  const AnyNetwork<float> again = parse_network<float>(parse_safetensors(to_model_file(net)));
  CHECK(again.parameters() == net.parameters());
  CHECK(again.layers()[0].name == "DenseWithoutBias");
}

TEST_CASE("Embeddings are saved and loaded as PyTorch has them, categories x size") {
  Network<float, SquaredError, Embedding<2, CategoryRow{.row = 1, .categories = 3, .size = 2}>, Dense<3, 1>> net{Seed{1}};
  const SafetensorsFile saved = parse_safetensors(to_model_file(net));
  CHECK(saved.tensor("0.0.weight").shape == std::vector<std::uint64_t>{3, 2});
  const AnyNetwork<float> again = parse_network<float>(saved);
  CHECK(again.parameters() == net.parameters());
  CHECK(describe_layers(again) == describe_layers(net));
  const SafetensorsFile file =
      with({{"embeddings.0.weight", {3, 2}, w1}, {"mlp.0.weight", {1, 3}, w2}, {"mlp.0.bias", {1}, b2}}, {{"format", "pt"}});
  detail::load_from(file, net, {});
  CHECK(net.layer<0>().weight(0) == Eigen::MatrixXf{{1, 3, 5}, {2, 4, 6}});
  const SafetensorsFile transposed = with({{"0.0.weight", {2, 3}, w1}, {"1.weight", {1, 3}, w2}, {"1.bias", {1}, b2}});
  CHECK_THAT(refused(transposed, net), Contains("is 2 x 3, but the network's 0.0.weight is 3 x 2"));
  CHECK_THAT(refused(transposed, net, {.layout = WeightLayout::inputs_by_outputs}), Contains("the network's 0.0.weight is 3 x 2"));
}

TEST_CASE("A name in the list of names may leave out num_batches_tracked, also where it is in the file") {
  Network<float, SquaredError, Dense<2, 3>, BatchNorm<>> net{Seed{1}};
  const std::vector<float> ones{1, 1, 1}, count{5};
  const auto file = with({{"w.weight", {3, 2}, w1},
                          {"w.b", {3}, b1},
                          {"gamma", {3}, ones},
                          {"beta", {3}, b1},
                          {"mean", {3}, ones},
                          {"var", {3}, ones},
                          {"n", {}, count}});
  detail::load_from(file, net, {.names = {"w.weight", "w.b", "gamma", "beta", "mean", "var"}});
  CHECK(net.buffers<1>().batches == 1);
  detail::load_from(file, net, {.names = {"w.weight", "w.b", "gamma", "beta", "mean", "var", "n"}});
  CHECK(net.buffers<1>().batches == 5);
}

TEST_CASE("A list of names in another order is refused where the names say so, though all shapes fit") {
  Network<float, SquaredError, Dense<2, 3>, BatchNorm<>> net{Seed{1}};
  const std::vector<float> ones{1, 1, 1};
  const auto file = with({{"d/kernel", {2, 3}, w1},
                          {"d/bias", {3}, b1},
                          {"bn/gamma", {3}, ones},
                          {"bn/beta", {3}, b1},
                          {"bn/moving_mean", {3}, b1},
                          {"bn/moving_variance", {3}, ones}});
  CHECK_THAT(refused(file, net, {.names = {"d/kernel", "d/bias", "bn/beta", "bn/gamma", "bn/moving_mean", "bn/moving_variance"}}),
             Contains("tensor \"bn/beta\" is in the place of 1.weight in the list of names, but its name says that it is 1.bias"));
  CHECK_THAT(refused(file, net, {.names = {"d/kernel", "d/bias", "bn/gamma", "bn/beta", "bn/moving_variance", "bn/moving_mean"}}),
             Contains("in the place of 1.running_mean") && Contains("that it is 1.running_var"));
  detail::load_from(file, net, {.names = {"d/kernel", "d/bias", "bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"}});
  CHECK(net.layer<1>().bias == Eigen::Map<const Eigen::Vector3f>(b1.data()));
}

TEST_CASE("A negative variance in a file is refused, as no prediction could be computed with it") {
  Network<float, SquaredError, Dense<2, 3>, BatchNorm<>> net{Seed{1}};
  const std::vector<float> ones{1, 1, 1}, variances{1, -0.5f, 1};
  const auto file = with({{"d/kernel", {2, 3}, w1},
                          {"d/bias", {3}, b1},
                          {"bn/gamma", {3}, ones},
                          {"bn/beta", {3}, b1},
                          {"bn/moving_mean", {3}, b1},
                          {"bn/moving_variance", {3}, variances}});
  CHECK_THAT(refused(file, net, {.names = {"d/kernel", "d/bias", "bn/gamma", "bn/beta", "bn/moving_mean", "bn/moving_variance"}}),
             Contains("a variance cannot be negative, but number 1 is -0.5"));
}

TEST_CASE("A tensor with extents of 1 after its own is loaded as if it had none, and whole numbers only when that is asked for") {
  Small net{Seed{1}};
  detail::load_from(with({{"0.weight", {3, 2, 1}, w1}, {"0.bias", {3, 1}, b1}, {"2.weight", {1, 3, 1, 1}, w2}, {"2.bias", {}, b2}}), net,
                    {});
  check_is_loaded(net);
  const SafetensorsFile quantized = parse_safetensors(chainrule_test::file_of(
      R"({"0.weight":{"dtype":"I8","shape":[2,1],"data_offsets":[0,2]},"0.bias":{"dtype":"I8","shape":[2],"data_offsets":[2,4]}})",
      "\1\2\3\4"));
  Network<float, SquaredError, Dense<1, 2>> tiny{Seed{1}};
  CHECK_THAT(refused(quantized, tiny),
             Contains("expected numbers of float, but found I8, which may be quantized; load with .convert = true"));
  detail::load_from(quantized, tiny, {.convert = true});
  CHECK(tiny.layer<0>().bias == Eigen::Vector2f(3, 4));
}

TEST_CASE("Names from a file are cut to a readable length and shown without characters that act on a terminal") {
  Small net{Seed{1}};
  const std::string evil = std::string(1'000'000, 'x') + "\x1b[2J";
  const std::string why = refused(with({{evil, {1}, b2}, {"\x1b[31m", {1}, b2}}), net);
  CHECK(why.size() < 1000);
  CHECK(why.find('\x1b') == std::string::npos);
  const auto refusal = [&](const std::string& layers, const std::string& loss) {
    std::string text;
    try {
      parse_network<float>(with({}, {{"chainrule.layers", layers}, {"chainrule.loss", loss}}));
    } catch (const Error& e) {
      text = e.what();
    }
    CHECK(text.size() < 600);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK_THAT(text, Catch::Matchers::StartsWith("m.safetensors"));
    return text;
  };
  const std::string evil_json = std::string(1'000'000, 'x') + "\\u001b[2J", loss = R"({"kind":"SquaredError"})";
  CHECK_THAT(refusal(R"([{"kind":")" + evil_json + R"("}])", loss), Contains("there is no layer"));
  CHECK_THAT(refusal(R"([{"kind":"\u001b[2J"}])", loss), Contains("there is no layer \"?[2J\""));
  CHECK_THAT(refusal(R"([{"kind":"Dropout","inputs":2,"outputs":2,"hyperparameters":[[")" + evil_json + R"(",0.5]]}])", loss),
             Contains("Dropout: expected"));
  CHECK_THAT(refusal(R"([{"kind":"Dropout","inputs":2,"outputs":2,"hyperparameters":[["rate",2]]}])", loss),
             Contains("m.safetensors: Dropout"));
  CHECK_THAT(refusal(R"([{"kind":"Dense","inputs":2,"outputs":0,"parts":[{"kind":"ReLU"}]}])", loss), Contains("m.safetensors: Dense"));
  CHECK_THAT(refusal("[]", loss), Contains("at least one layer"));
  CHECK_THAT(refusal(R"([{"kind":"Dropout","inputs":2,"outputs":2,"hyperparameters":[["rate",0.5]]}])", R"({"kind":"\u001bLoss"})"),
             Contains("there is no loss \"?Loss\""));
}

TEST_CASE("Numbers of another type are loaded when that is asked for") {
  Small net{Seed{1}};
  const std::vector<double> wide{1, 2, 3, 4, 5, 1e300};
  std::vector<double> narrow(wide);
  narrow[5] = 6;
  auto tensors = [&](const std::vector<double>& w) {
    return with({{"0.weight", {3, 2}, w}, {"0.bias", {3}, b1}, {"2.weight", {1, 3}, w2}, {"2.bias", {1}, b2}});
  };
  CHECK_THAT(refused(tensors(narrow), net), Contains("expected numbers of float, but found double; load with .convert = true"));
  CHECK_THAT(refused(tensors(wide), net, {.convert = true}), Contains("1e+300"));
  detail::load_from(tensors(narrow), net, {.convert = true});
  check_is_loaded(net);
}

TEST_CASE("NaN and infinity in a model file are refused, or loaded and counted where that is asked for") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> with_nan{1, std::numeric_limits<float>::quiet_NaN(), infinity};
  const auto file = with({{"0.weight", {3, 2}, w1}, {"0.bias", {3}, with_nan}, {"2.weight", {1, 3}, w2}, {"2.bias", {1}, b2}});
  Small net{Seed{1}};
  CHECK_THAT(refused(file, net), Contains("m.safetensors") && Contains("0.bias") && Contains("number 1 is nan") &&
                                     Contains(".all_finite = false loads them all the same"));
  const LoadReport report = detail::load_from(file, net, {.all_finite = false});
  CHECK(report.not_finite == 2);
  CHECK(report.first_not_finite == "0.bias");
  CHECK(std::isnan(net.layer<0>().bias[1]));

  // a file from save() with infinity in a buffer
  Net other = trained();
  other.buffers<0>().scale[1] = -infinity;
  const SafetensorsFile described = parse_safetensors(to_model_file(other), "m.safetensors");
  CHECK_THROWS_SAYING(parse_network<float>(described), ValueError, "m.safetensors", "0.scale", "number 1 is -inf");
  LoadReport counted;
  const AnyNetwork<float> again = parse_network<float>(described, {.all_finite = false}, &counted);
  CHECK(again.buffers() == other.buffers());
  CHECK(counted.not_finite == 1);
  const std::vector<double> largest{1, 2, 1e39};
  const auto wide = with({{"0.weight", {3, 2}, w1}, {"0.bias", {3}, largest}, {"2.weight", {1, 3}, w2}, {"2.bias", {1}, b2}});
  Small fresh{Seed{2}};
  CHECK_THAT(refused(wide, fresh, {.convert = true, .all_finite = false}), Contains("1e+39"));  // no infinity by conversion
}

TEST_CASE("A network is not made from a file that does not describe it, or describes another one") {
  const auto refusal = [](const SafetensorsFile& file) {
    try {
      parse_network<float>(file);
      return std::string();
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  const auto described = [](const char* layers) {
    return with({{"0.weight", {3, 2}, w1}}, {{"chainrule.layers", layers}, {"chainrule.loss", R"({"kind":"SquaredError"})"}});
  };
  CHECK_THAT(refusal(with({{"0.weight", {3, 2}, w1}})), Contains("does not say its layers and loss") && Contains("load(net, path)"));
  CHECK_THAT(refusal(described("[")), Contains("expected a description in JSON") && Contains("m.safetensors, chainrule.layers: "));
  CHECK_THAT(refusal(described("{}")), Contains("expected an array of descriptions"));
  CHECK_THAT(refusal(described(R"([{"kind":"Dense","inputs":-2,"outputs":3}])")), Contains("expected a number of units"));
  CHECK_THAT(refusal(described(R"([{"kind":"Dense","inputs":1000000,"outputs":1000000,"parts":[{"kind":"ReLU"}]}])")),
             Contains("its layers have 1000001000000 numbers, but its tensors 6"));
  CHECK_THAT(refusal(described(R"([{"kind":"Dense","kind":"Dense"}])")), Contains("kind is there twice"));
  CHECK_THAT(refusal(described(R"([{"kind":"Dense","colour":1}])")), Contains("hyperparameters or parts, but found \"colour\""));
  CHECK_THAT(refusal(described(R"([{"inputs":1}])")), Contains("a description that says its kind"));
  CHECK_THAT(refusal(described(R"([{"kind":"ELU","hyperparameters":[["alpha"]]}])")),
             Contains("expected a hyperparameter, [name, number]"));
  CHECK_THAT(refusal(described(R"([{"kind":"ELU","hyperparameters":[["alpha",1,2]]}])")),
             Contains("expected a hyperparameter, [name, number]"));
  CHECK_THAT(refusal(described(R"([{"kind":"ELU","hyperparameters":[["alpha",true]]}])")), Contains("but found true"));
  CHECK_THAT(refusal(described(R"([{"kind":"ELU","parts":{}}])")), Contains("expected an array of descriptions, but found an object"));
  CHECK_THAT(refusal(described(std::string(1'000'000, '[').c_str())), Contains("expected a description, an object, but found an array"));
  std::string deep;
  for (int i = 0; i < 1'000'000; ++i) deep += R"([{"kind":"Residual","parts":)";
  CHECK_THAT(refusal(described(deep.c_str())), Contains("nested more than 16 deep"));
  CHECK_THAT(refusal(described("[]")), Contains("numbers") || Contains("at least one layer"));
}

TEST_CASE("Layers that are nested too deep to be read again are not saved; others come back with their own numbers") {
  // the innermost layers have the longest names: 10.10. ... .running_variance
  const auto nested = [](int residuals, AnyLayers<float> layers) {
    for (int i = 0; i < residuals; ++i) {
      AnyLayers<float> around;
      for (int k = 0; k < 10; ++k) around.add(Dropout<Dynamic>{2, 0.5});
      around.add(Residual<AnyLayers<float>>{layers});
      layers = around;
    }
    return AnyNetwork<float>{Seed{1}, MeanSquaredError{}, layers};
  };
  const AnyLayers<float> inside{BatchNorm<Dynamic>{2}, LayerNorm<Dynamic>{2}};
  for (const int residuals : {1, 12, max_nesting}) {
    auto net = nested(residuals, inside);
    net.parameters() << 1, 2, 3, 4, 5, 6, 7, 8;
    net.buffers() << 9, 10, 11, 12, 13;
    const SafetensorsFile file = parse_safetensors(to_model_file(net));
    const auto again = parse_network<float>(file);
    CHECK(again.parameters() == net.parameters());
    CHECK(again.buffers() == net.buffers());
    std::string path;
    for (int i = 0; i < residuals; ++i) path += "10.";
    float shown[2];
    file.copy_numbers(file.tensor(path + "0.running_var"), shown);
    CHECK((shown[0] == 11 && shown[1] == 12));
    CHECK(net.tensor(path + "1.weight")(1, 0) == 6);
  }
  const auto too_deep = nested(max_nesting + 1, inside);
  CHECK_THROWS_WITH(to_model_file(too_deep), Contains("Residual: the description is nested more than 16 deep"));
  auto other = nested(max_nesting + 1, inside);
  CHECK_THAT(refused(with({}), other), Contains("Residual: the description is nested more than 16 deep"));
  const auto with_activation = nested(max_nesting, AnyLayers<float>{Dense<Dynamic, Dynamic>{2, 2}});
  CHECK_THROWS_WITH(to_model_file(with_activation), Contains("nested more than 16 deep"));
}

TEST_CASE("Branches are modules of their own in model files, and come back as types and as values") {
  using Branched = Network<float, SquaredError, Parallel<Dense<3, 2, ReLU>, Sequential<Dense<3, 4, ReLU>, BatchNorm<>, Dense<4, 2>>>,
                           ParallelSum<Dense<4, 1>, Dense<4, 1, ReLU>>>;
  Branched net{Seed{1}};
  net.buffers().setConstant(0.75f);
  const SafetensorsFile file = parse_safetensors(to_model_file(net));
  float shown[2];
  file.copy_numbers(file.tensor("0.1.3.bias"), shown);  // after Linear, ReLU and BatchNorm1d in branch 1
  CHECK((shown[0] == net.tensor("0.1.2.bias")(0, 0) && shown[1] == net.tensor("0.1.2.bias")(1, 0)));
  for (const char* name : {"0.0.weight", "0.1.0.weight", "0.1.2.running_var", "1.0.weight", "1.1.weight"}) CHECK_NOTHROW(file.tensor(name));
  Branched other{Seed{2}};
  detail::load_from(file, other, LoadOptions{});
  const auto again = parse_network<float>(file);
  CHECK(describe_layers(again) == describe_layers(net));
  const Matrix<float> x = some_x(3);
  CHECK(other.predict(x) == net.predict(x));
  CHECK(again.predict(x) == net.predict(x));
}

TEST_CASE("Time and memory to read a file grow with its length, not with its square") {
  // Quadratic time would be minutes here.
  AnyLayers<float> inside;
  for (int i = 0; i < 50'000; ++i) inside.add(LayerNorm<Dynamic>{1});
  const AnyNetwork<float> net{Seed{1}, MeanSquaredError{}, AnyLayers<float>{Residual<AnyLayers<float>>{inside}}};
  const auto again = parse_network<float>(parse_safetensors(to_model_file(net)));
  CHECK(again.parameters() == net.parameters());
  std::string keys;
  for (int i = 0; i < 400'000; ++i) keys += "\"k" + std::to_string(i) + "\":1,";
  detail::DescriptionReader reader("m");
  CHECK_THROWS_AS(reader.one("{" + keys + "\"kind\":\"A\"}"), ValueError);
  std::string numbers;
  for (int i = 0; i < 400'000; ++i) numbers += "[\"\",1],";
  numbers.pop_back();
  CHECK(reader.one("{\"kind\":\"A\",\"hyperparameters\":[" + numbers + "]}").hyperparameters.size() == 400'000);
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
#define CHAINRULE_HAS_SANITIZER (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer))
#else
#define CHAINRULE_HAS_SANITIZER 0
#endif
#if !CHAINRULE_HAS_SANITIZER
namespace {

/// Whether f() ends, with or without an Error, in a process that may allocate no more than this much more memory.
template <class F>
bool fits_into(std::size_t bytes, const F& f) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t most = static_cast<rlim_t>(pages) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + bytes;
    const rlimit limit{most, most};
    ::setrlimit(RLIMIT_AS, &limit);
    try {
      f();
    } catch (const Error&) {
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

}  // namespace

TEST_CASE("Reading a model file takes at most 16 times the memory of the file, whatever is in it") {
  const std::string loss = R"({"kind":"SquaredError"})";
  const auto repeated = [](const std::string& text) {
    std::string all;
    while (all.size() < 3'000'000) all += text;
    all.pop_back();
    return all;
  };
  const auto described = [&](const std::string& layers) {
    return to_safetensors({}, {{"chainrule.layers", layers}, {"chainrule.loss", loss}});
  };
  std::string tensors, texts;
  for (int i = 0; i < 40'000; ++i) {
    tensors += ",\"" + std::to_string(i) + R"(":{"dtype":"U8","shape":[],"data_offsets":[0,0]})";
    texts += ",\"" + std::to_string(i) + R"(":"")";
  }
  for (const std::string& bytes :
       {described("[" + repeated(R"({"kind":"A"},)") + "]"),
        described(R"([{"kind":"A","hyperparameters":[)" + repeated(R"(["",1],)") + "]}]"),
        described("[" + repeated(R"({"kind":"Dropout","inputs":1,"outputs":1,"hyperparameters":[["rate",0.5]]},)") + "]"),
        described(R"([{"kind":"Dense","inputs":2147483647,"outputs":2147483647,"parts":[{"kind":"ReLU"}]}])"),
        chainrule_test::file_of("{" + tensors.substr(1) + "}"), chainrule_test::file_of("{\"__metadata__\":{" + texts.substr(1) + "}}")})
    CHECK(fits_into(16 * bytes.size() + 1'000'000, [&] { parse_network<float>(parse_safetensors(bytes)); }));
}
#endif
#undef CHAINRULE_HAS_SANITIZER
#endif

TEST_CASE("A file that is not a model file says what it is") {
  Small net{Seed{1}};
  const chainrule_test::TemporaryFolder folder;
  const auto says = [&](std::string_view bytes, const char* what) {
    CHECK_THROWS_SAYING(load(net, folder.file("m", bytes)), ValueError, "m is no safetensors file, but ", what);
  };
  says("PK\x03\x04 archive/data.pkl", "an archive of torch.save; in Python, write its state_dict with safetensors.torch.save_file");
  says("version https://git-lfs.github.com/spec/v1\n", "a pointer of git-lfs to a file that is not here; git lfs pull fetches it");
  says(R"({"metadata":{},"weight_map":{}})", "an index, which names the files that hold the tensors");
  says("\x89HDF\r\n\x1a\n\0\0\0\0", "an HDF5 file");
  says("<!DOCTYPE html>", "a page in HTML");
}

TEST_CASE("Any byte of a saved network may be wrong: it loads, or there is an error and nothing has changed") {
  const Small net{Seed{1}};
  const std::string bytes = to_model_file(net);
  Small again{Seed{2}};
  const auto before = again.parameters().eval();
  int loaded = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 0x20);
    try {
      detail::load_from(parse_safetensors(std::move(broken)), again, {});
      ++loaded;
      again.parameters() = before;
    } catch (const Error&) {
      REQUIRE(again.parameters() == before);
    }
  }
  CHECK(loaded >= 52);  // a wrong bit in the 52 bytes of the 13 numbers cannot be noticed
}

TEST_CASE("A file that cannot be written is an error, and the one before stays") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("model.safetensors");
  Small net{Seed{1}};
  save(net, path);
  CHECK_THROWS_WITH(save(net, folder.path("nowhere/model.safetensors")), Contains("save: cannot write"));
#if defined(__linux__)
  CHECK_THROWS_WITH(save(net, "/dev/full"), Contains("No space left"));
#endif
  Small again{Seed{2}};
  load(again, path);
  CHECK(again.parameters() == net.parameters());
}
