#include <chainrule/activations/relu.hpp>
#include <chainrule/io/model_file.hpp>
#include <fstream>

#include "support/catch.hpp"
#include "support/networks_from_descriptions.hpp"
#include "support/random_data.hpp"
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
  CHECK_THAT(refused(with({{"0.weight", {3, 2}, w1}, {"0.bias", {3}, b1}, {"2.weight", {1, 3}, w2}}), net),
             Contains("no tensor in it belongs to the network's 2.bias") && Contains("The file has\n  0.bias: 3\n  0.weight: 3 x 2") &&
                 Contains("The network wants\n  0.weight: 3 x 2"));
  CHECK_THAT(refused(with({{"0.weight", {2, 3}, w1}, {"0.bias", {3}, b1}, {"2.weight", {1, 3}, w2}, {"2.bias", {1}, b2}}), net),
             Contains("tensor \"0.weight\" is 2 x 3, but the network's 0.weight is 3 x 2"));
  CHECK_THAT(
      refused(with({{"0.weight", {3, 2}, w1}, {"0.bias", {3}, b1}, {"2.weight", {1, 3}, w2}, {"2.bias", {1}, b2}, {"4.bias", {1}, b2}}),
              net),
      Contains("some of its tensors belong to none of the network's"));
  const auto saved = parse_safetensors(to_model_file(Network<float, SquaredError, Dense<2, 3>, Dense<3, 1>>{Seed{1}}));
  CHECK_THAT(refused(saved, net, {.names = {"0.weight", "0.bias", "1.weight", "1.bias"}}),
             Contains("its layer<0> is {") && Contains("ReLU") && Contains(".same_layers = false"));
  CHECK(refused(parse_safetensors(to_model_file(net)), net).empty());
  Network<float, MeanSquaredError, Dense<2, 3, ReLU>, Dense<3, 1>> other_loss{Seed{1}};
  CHECK_THAT(refused(parse_safetensors(to_model_file(net)), other_loss), Contains("its loss is {\"kind\":\"SquaredError\"}"));
  detail::load_from(parse_safetensors(to_model_file(net)), other_loss, {.same_layers = false});
  CHECK(other_loss.parameters() == net.parameters());
}

TEST_CASE("Numbers of another type are loaded when that is asked for; NaN is loaded, and counted") {
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
  const std::vector<float> with_nan{1, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
  const LoadReport report = detail::load_from(
      with({{"0.weight", {3, 2}, w1}, {"0.bias", {3}, with_nan}, {"2.weight", {1, 3}, w2}, {"2.bias", {1}, b2}}), net, {});
  CHECK(report.not_finite == 2);
  CHECK(report.first_not_finite == "0.bias");
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
  CHECK_THAT(refusal(described("[")), Contains("expected a description in JSON"));
  CHECK_THAT(refusal(described("{}")), Contains("expected an array of descriptions"));
  CHECK_THAT(refusal(described(R"([{"kind":"Dense","inputs":-2,"outputs":3}])")), Contains("expected a number of units"));
  CHECK_THAT(refusal(described(R"([{"kind":"Dense","inputs":1000000,"outputs":1000000,"parts":[{"kind":"ReLU"}]}])")),
             Contains("its layers have 1000001000000 numbers, but its tensors 6"));
  CHECK_THAT(refusal(described(std::string(100, '[').c_str())), Contains("nested more than 16 deep"));
  CHECK_THAT(refusal(described("[]")), Contains("numbers") || Contains("at least one layer"));
}

TEST_CASE("Layers that are nested too deep to be read again are not saved") {
  const auto nested = [](int residuals) {
    AnyLayers<float> layers{LayerNorm<Dynamic>{2}};
    for (int i = 0; i < residuals; ++i) layers = AnyLayers<float>{Residual<AnyLayers<float>>{layers}};
    return to_model_file(AnyNetwork<float>{Seed{1}, MeanSquaredError{}, layers});
  };
  CHECK(parse_network<float>(parse_safetensors(nested(max_nesting))).inputs() == 2);
  CHECK_THROWS_WITH(nested(max_nesting + 1), Contains("Residual: the description is nested more than 16 deep"));
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
