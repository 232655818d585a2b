// write_models FOLDER: writes ONNX models of networks, one for each activation, layer and loss, in float and in double, and for each model
// a file with inputs and expected outputs; then models in integers. Prints a line for each model with its name, scalar type, shape and the
// names of its input and output, which compare.js reads, and for a model in integers the step of its outputs.
#include <chainrule/any/from_description.hpp>
#include <chainrule/io/quantized_onnx.hpp>
#include <chainrule/quantization/quantize.hpp>
#include <cstdio>
#include <filesystem>
#include <span>

using namespace chainrule;

namespace {

constexpr Index samples = 64;
std::string folder;

Description activation(const Description& f) { return {"Activate", 5, 5, {}, {f}}; }
Description dense(Index inputs, Index outputs, const Description& f) { return {"Dense", inputs, outputs, {}, {f}}; }
template <class F = Identity>
Description dense(Index inputs, Index outputs) {
  return dense(inputs, outputs, describe(F{}));
}

/// Writes the model of a network with random parameters and buffers. With is_raw the model ends before the loss's link. Rows of x in
/// `categories` hold category numbers, the others normally distributed numbers.
template <class Scalar>
void write(std::string name, const Description& loss, const std::vector<Description>& layers, bool is_raw = false,
           std::span<const CategoryRow> categories = {}) {
  const auto made = [&](const Description& with) {
    AnyNetwork<Scalar> net{Seed{3}, make_loss<Scalar>(with), make_layers<Scalar>(layers)};
    Random random{Seed{7}};
    for (Index i = 0; i < net.parameters().size(); ++i) net.parameters()(i) += static_cast<Scalar>(0.1 * random.normal());
    for (Index i = 0; i < net.buffers().size(); ++i) net.buffers()(i) = static_cast<Scalar>(0.3 + 0.01 * static_cast<double>(i));
    return net;
  };
  const AnyNetwork<Scalar> net = made(loss);
  Random random{Seed{8}};
  Matrix<Scalar> x(net.inputs(), samples);
  for (Index i = 0; i < x.size(); ++i) x(i) = static_cast<Scalar>(4 * random.normal());
  for (const CategoryRow& of : categories)
    for (Index j = 0; j < samples; ++j) x(of.row, j) = static_cast<Scalar>(random.below(static_cast<std::uint64_t>(of.categories)));
  const Matrix<Scalar> y = is_raw ? made(describe(MeanSquaredError{})).predict(x) : net.predict(x);

  name += sizeof(Scalar) == sizeof(float) ? "_float" : "_double";
  const OnnxOptions options{.raw_outputs = is_raw, .input = is_raw ? "pixels" : "x", .output = is_raw ? "logits" : "y"};
  save_onnx(net, folder + "/" + name + ".onnx", options);
  std::string bytes;
  for (const Matrix<Scalar>* numbers : std::initializer_list<const Matrix<Scalar>*>{&x, &y})
    for (Index i = 0; i < numbers->size(); ++i) detail::append_bytes(bytes, (*numbers)(i));
  detail::write_file("write_models", folder + "/" + name + ".numbers", bytes);
  std::printf("%s %s %td %td %td %s %s\n", name.c_str(), sizeof(Scalar) == sizeof(float) ? "float32" : "float64", samples, net.inputs(),
              net.outputs(), options.input.c_str(), options.output.c_str());
}

template <class... T>
std::vector<Description> described(Types<T...>) {
  return {describe(T{})...};
}

template <class Scalar>
void write_all() {
  const Description mse = describe(MeanSquaredError{});

  std::vector<Description> activations = described(Activations{});
  for (const Description& more :
       {describe(LeakyReLU{0.2}), describe(ELU{0.4}), describe(HardTanh{0, 6}), describe(Softplus{3}), describe(Sine{1})})
    activations.push_back(more);
  for (std::size_t i = 0; i < activations.size(); ++i)
    write<Scalar>("activation_" + detail::to_text(activations[i]), mse, {activation(activations[i])});

  std::vector<Description> losses = described(Losses{});
  for (const Description& more :
       {describe(ClassWeighted<SoftmaxCrossEntropy>{{1, 2, 3, 4}}), describe(GaussianNLL{.minimum_variance = 0.1}),
        describe(Heads{Head<SoftmaxCrossEntropy, 2>{}, Head<Huber, 1>{}, Head<BinaryCrossEntropy, 1>{}})})
    losses.push_back(more);
  for (const Description& loss : losses) write<Scalar>("loss_" + detail::to_text(loss), loss, {dense(5, 4)});

  const auto write_layer = [&](const Description& layer) {
    write<Scalar>("layer_" + layer.kind, mse, {dense<Tanh>(5, 6), layer, dense(6, 3)});
  };
  [&]<class... L>(Types<L...>) {
    (write_layer(describe([] {
       if constexpr (std::is_same_v<L, Dropout<Dynamic>>)
         return L(6, 0.2);
       else
         return L(6);
     }())),
     ...);
  }(SameShapeLayers{});
  const Description inner{"Residual", 4, 4, {}, {dense<SiLU>(4, 4), describe(LayerNorm<Dynamic>(4))}};
  write_layer({"Residual", 6, 6, {}, {dense<Tanh>(6, 4), inner, dense(4, 6)}});

  write_layer({"DenseWithoutBias", 6, 6, {}, {describe(LeakyReLU{0.2})}});
  const Description chain{"Sequential", 6, 3, {}, {dense<Tanh>(6, 5), describe(LayerNorm<Dynamic>(5)), dense(5, 3)}};
  write_layer({"Sequential", 6, 6, {}, {chain, dense<ReLU>(3, 6)}});
  const Description identity{"Activate", 6, 6, {}, {describe(Identity{})}};
  const Description joined{"Parallel", 6, 14, {}, {identity, chain, dense<Sigmoid>(6, 5)}};
  write<Scalar>("layer_Parallel", mse, {dense<Tanh>(5, 6), joined, dense(14, 3)});
  write_layer({"ParallelSum", 6, 6, {}, {identity, dense<SiLU>(6, 6), dense(6, 6)}});

  const auto write_embedding = [&](const std::string& name, const Embedding<Dynamic>& layer) {
    write<Scalar>("embedding_" + name, mse, {describe(layer), dense(layer.outputs(), 3)}, false, layer.category_rows());
  };
  write_embedding("beside_numbers", {5, {{.row = 1, .categories = 7, .size = 3}, {.row = 4, .categories = 2, .size = 1}}});
  write_embedding("of_all_rows", {2, {{.row = 0, .categories = 7, .size = 3}, {.row = 1, .categories = 2, .size = 2}}});
  write_embedding("of_one_row", {1, {{.row = 0, .categories = 7, .size = 3}}});

  const std::vector<Description> digits{dense<ReLU>(784, 256), dense<ReLU>(256, 128), dense(128, 10)};
  write<Scalar>("digits", describe(SoftmaxCrossEntropy{}), digits);
  write<Scalar>("digits_raw", describe(SoftmaxCrossEntropy{}), digits, true);
}

/// Writes the model of a network in integers, up to its raw outputs.
void write_quantized(const std::string& name, const std::vector<Description>& layers, bool scale_per_output = true) {
  AnyNetwork<float> net{Seed{3}, MeanSquaredError{}, make_layers<float>(layers)};
  Random random{Seed{7}};
  for (float& number : net.parameters()) number += static_cast<float>(0.1 * random.normal());
  for (float& number : net.buffers()) number = static_cast<float>(0.5 + random.uniform());
  const Matrix<float> x = Matrix<float>::NullaryExpr(net.inputs(), 1000, [&](Index, Index) { return static_cast<float>(random.normal()); });
  const auto q = quantize<std::int8_t>(net, x, {.scale_per_output = scale_per_output});
  const Matrix<float> y = q.predict_raw(x);
  save_onnx(q, folder + "/" + name + ".onnx", {.raw_outputs = true});
  std::string bytes;
  for (const Matrix<float>* numbers : {&x, &y})
    for (const float number : numbers->reshaped()) detail::append_bytes(bytes, number);
  detail::write_file("write_models", folder + "/" + name + ".numbers", bytes);
  std::printf("%s float32 %td %td %td x y %.9g\n", name.c_str(), x.cols(), net.inputs(), net.outputs(),
              static_cast<double>(q.output().scale));
}
void write_all_quantized() {
  const Description relu = describe(ReLU{}), tanh = describe(Tanh{});
  write_quantized("quantized_relu", {dense(20, 30, relu), dense(30, 10, relu), dense<Identity>(10, 4)});
  write_quantized("quantized_per_tensor", {dense(20, 30, relu), dense<Identity>(30, 4)}, false);
  write_quantized("quantized_folded",
                  {describe(Normalize<Dynamic>(5)), dense(5, 7, describe(LeakyReLU{0.2})), describe(BatchNorm<Dynamic>(7)),
                   dense(7, 6, describe(HardTanh{-0.5, 0.75})), dense<Identity>(6, 3)});
  write_quantized("quantized_tables", {dense(6, 12, tanh), dense(12, 8, describe(GELU{})), dense<Identity>(8, 3)});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) detail::raise<ValueError>("usage: write_models FOLDER");
  folder = argv[1];
  std::filesystem::create_directories(folder);
  write_all<float>();
  write_all<double>();
  write_all_quantized();
} catch (const std::exception& error) {
  std::fprintf(stderr, "write_models: %s\n", error.what());
  return 1;
}
