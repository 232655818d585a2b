// write_nets FOLDER [SEED]: writes networks as source code into a folder: every activation, layer and link, and shapes that are difficult
// for the arrays of the generated code. nets.h includes them all and lists them in the macro NETS(DO), which expands to
// DO(name, NAME, type) for each. corrupted.h is a network with a wrong weight, control.h one for a controller. wide_*.h are networks with
// long sums and large numbers. quantized_nets.h includes networks in integers and lists them in QUANTIZED(DO), which expands to
// DO(name, NAME, type, hash) for each, and those that have functions on floats in QUANTIZED_FLOATS(DO); the hash is that of the library's
// predictions for the inputs that quantized.c draws.

#include <chainrule/any/from_description.hpp>
#include <chainrule/io/export_quantized_source.hpp>
#include <chainrule/io/export_source.hpp>
#include <chainrule/losses/class_weighted.hpp>
#include <chainrule/quantization/quantize.hpp>
#include <cstdio>
#include <cstring>

#include "support/kernels_compiled_once.hpp"
#include "support/networks_from_descriptions.hpp"

namespace cr = chainrule;
using cr::Description;
using cr::Index;

namespace {

std::string folder;
std::uint64_t seed = 1;
std::string includes, list;

Description activation(std::string kind, std::vector<std::pair<std::string, double>> hyperparameters = {}) {
  return {std::move(kind), 0, 0, std::move(hyperparameters), {}};
}
Description dense(Index inputs, Index outputs, Description f = activation("Identity")) {
  return {"Dense", inputs, outputs, {}, {std::move(f)}};
}
Description same(std::string kind, Index units, std::vector<std::pair<std::string, double>> hyperparameters = {}) {
  return {std::move(kind), units, units, std::move(hyperparameters), {}};
}
Description activate(Index units, Description f) { return {"Activate", units, units, {}, {std::move(f)}}; }
Description residual(Index units, std::vector<Description> inside) { return {"Residual", units, units, {}, std::move(inside)}; }
Description batch_norm(Index units) { return same("BatchNorm", units, {{"momentum", 0.1}, {"epsilon", 1e-5}}); }

const Description squared = activation("MeanSquaredError");

/// Changes biases, statistics and slopes at random, so that none has its initial value, as after a training. Keeps the weights.
template <class Net>
void randomize_all_but_weights(Net& net, cr::Random& random) {
  using Scalar = typename Net::ScalarType;
  const auto randomize = [&](const auto& shapes, Scalar* numbers) {
    for (const cr::TensorShape& shape : shapes) {
      const std::string_view name = shape.name;  // "weight", or "0.weight" inside a Residual
      for (Index i = 0; i < shape.size(); ++i) {
        Scalar& number = *numbers++;
        const double a = random.normal(), b = random.uniform();
        if (name.ends_with("running_variance") || name.ends_with("scale"))
          number = static_cast<Scalar>(0.5 + b);
        else if (name.ends_with("slope"))
          number = static_cast<Scalar>(0.4 * b - 0.1);
        else if (name.ends_with("batches"))
          number = 1;
        else if (shape.cols == 1)
          number += static_cast<Scalar>(0.3 * a);
      }
    }
    return numbers;
  };
  Scalar* parameters = net.parameters().data();
  Scalar* buffers = net.buffers().data();
  cr::detail::for_each_layer(net.layers(), [&](const auto& layer) {
    parameters = randomize(layer.tensors(), parameters);
    if constexpr (requires { layer.buffer_tensors(); }) buffers = randomize(layer.buffer_tensors(), buffers);
  });
}

template <class Net>
void write(const std::string& name, Net& net, bool doubles = false) {
  cr::Random random{cr::Seed{seed + 1}};
  randomize_all_but_weights(net, random);
  cr::export_source(net, folder + "/" + name + ".h", {.name = name, .doubles = doubles, .tests = {}, .jacobian = true});
  includes += "#include \"" + name + ".h\"\n";
  list += " \\\n  DO(" + name + ", " + cr::detail::in_capitals(name) + ", " + (doubles ? "double" : "float") + ")";
}
void write(const std::string& name, const Description& loss, const std::vector<Description>& layers) {
  cr::AnyNetwork<float> net{cr::Seed{seed}, cr::make_loss<float>(loss), cr::make_layers<float>(layers)};
  write(name, net);
}

/// Writes a network of doubles as float code and as double code. It has the functions whose constants differ between the two.
void write_doubles() {
  using Net = cr::Network<double, cr::SoftmaxCrossEntropy, cr::Dense<4, 6, cr::Tanh>, cr::BatchNorm<>, cr::Activate<cr::Sigmoid>,
                          cr::LayerNorm<>, cr::Activate<cr::GELU>, cr::Dense<6, 3>>;
  Net net{cr::Seed{seed}};
  write("of_double", net);
  write("in_double", net, true);
}

void write_all() {
  // each activation in twelve hidden units, most of them where it is not flat
  const std::vector<Description> activations{activation("ELU", {{"alpha", 0.7}}),
                                             activation("GELU"),
                                             activation("GELUTanh"),
                                             activation("HardSigmoid"),
                                             activation("HardSwish"),
                                             activation("HardTanh", {{"low", -0.5}, {"high", 0.75}}),
                                             activation("Identity"),
                                             activation("LeakyReLU", {{"slope", 0.2}}),
                                             activation("Mish"),
                                             activation("ReLU"),
                                             activation("SELU"),
                                             activation("Sigmoid"),
                                             activation("SiLU"),
                                             activation("Sine", {{"omega", 2.5}}),
                                             activation("Softplus", {{"beta", 1.5}}),
                                             activation("Softsign"),
                                             activation("Tanh")};
  for (const Description& f : activations) {
    std::string name = "net_" + f.kind;
    write(name, squared, {dense(6, 12, f), dense(12, 3)});
  }
  // each activation in the last layer, where its value is the prediction
  for (const Description& f : activations) write("last_" + f.kind, squared, {dense(3, 8, f)});

  const std::vector<Description> links{
      activation("SoftmaxCrossEntropy", {{"label_smoothing", 0}}), activation("KLDivergence"),
      activation("BinaryCrossEntropy", {{"label_smoothing", 0}}),  activation("PoissonNLL"),
      activation("GaussianNLL", {{"minimum_variance", 1e-3}}),     activation("SoftmaxFocal", {{"gamma", 2}}),
      activation("BinaryFocal", {{"alpha", 0.25}, {"gamma", 2}})};
  for (const Description& loss : links) write("link_" + loss.kind, loss, {dense(5, 8, activation("ReLU")), dense(8, 4)});
  Description weighted{"ClassWeighted", 0, 0, {{"weight", 1}, {"weight", 3}, {"weight", 1}}, {links[0]}};
  write("link_weighted", weighted, {dense(4, 3)});
  const auto head = [](double outputs, const Description& loss) {
    return Description{"Head", 0, 0, {{"outputs", outputs}, {"weight", 1}}, {loss}};
  };
  const Description heads{
      "Heads", 0, 0, {}, {head(2, links[3]), head(3, links[0]), head(1, squared), head(1, links[2]), head(2, links[4])}};
  write("link_heads", heads, {dense(5, 8, activation("ReLU")), dense(8, 9)});
  write("link_sum", {"SumOfLosses", 0, 0, {{"weight", 1}, {"weight", 0.5}}, {links[1], links[0]}}, {dense(4, 3)});
  for (const char* loss : {"SquaredError", "MeanAbsoluteError", "LogCosh"})
    write(std::string("of_") + loss, activation(loss), {dense(2, 2)});
  write("of_Huber", activation("Huber", {{"delta", 1}}), {dense(2, 2)});
  write("of_Pinball", activation("Pinball", {{"tau", 0.1}, {"tau", 0.9}}), {dense(2, 2)});
  write("of_Hinge", activation("Hinge"), {dense(2, 1)});

  write("layer_norms", squared,
        {same("Normalize", 4), dense(4, 7), batch_norm(7), activate(7, activation("Tanh")), same("LayerNorm", 7, {{"epsilon", 1e-5}}),
         same("Dropout", 7, {{"rate", 0.5}}), dense(7, 5), same("PReLU", 5, {{"initial_slope", 0.25}}), dense(5, 5),
         same("PReLUPerUnit", 5, {{"initial_slope", 0.25}}), batch_norm(5)});
  const Description relu = activation("ReLU");
  write("residuals", squared,
        {residual(
             4, {dense(4, 6, relu), residual(6, {dense(6, 6, relu), batch_norm(6), residual(6, {dense(6, 2), dense(2, 6)})}), dense(6, 4)}),
         dense(4, 5), residual(5, {same("Dropout", 5, {{"rate", 0.5}})}), residual(5, {activate(5, relu)}), dense(5, 2)});
  const Description tanh = activation("Tanh");
  const auto nest = [](std::string kind, Index inputs, Index outputs, std::vector<Description> inside) {
    return Description{std::move(kind), inputs, outputs, {}, std::move(inside)};
  };
  const Description chain = nest("Sequential", 4, 3, {dense(4, 6, tanh), batch_norm(6), dense(6, 3, relu)});
  const Description inner = nest("ParallelSum", 4, 2, {dense(4, 2), dense(4, 2, tanh)});
  write("parallel", squared, {nest("Parallel", 4, 9, {activate(4, activation("Identity")), chain, inner})});
  write("parallel_first", squared, {nest("Parallel", 4, 8, {activate(4, relu), activate(4, tanh)}), dense(8, 2)});
  write("parallel_inside", squared,
        {dense(5, 4), residual(4, {nest("ParallelSum", 4, 4, {dense(4, 4, tanh), same("Dropout", 4, {{"rate", 0.5}})})}), inner});
  write("residual_last", squared, {dense(3, 4, relu), residual(4, {dense(4, 9, relu), dense(9, 4)}), activate(4, relu)});
  write("residual_alone", squared, {residual(3, {same("Dropout", 3, {{"rate", 0.5}})})});
  write("nothing", squared, {same("Dropout", 3, {{"rate", 0.5}})});
  write("in_place", squared, {same("Normalize", 3), activate(3, relu), same("LayerNorm", 3, {{"epsilon", 1e-3}})});
  write("one_unit", activation("BinaryCrossEntropy", {{"label_smoothing", 0}}), {dense(1, 1, activation("Tanh")), dense(1, 1)});
  write("narrow", squared, {dense(40, 1), dense(1, 20, activation("Softsign")), dense(20, 1)});
}

/// Writes a network as a controller has it, whose size one_net.cpp shows.
void write_control() {
  const cr::AnyNetwork<float> net{
      cr::Seed{seed}, cr::make_loss<float>(squared),
      cr::make_layers<float>({dense(12, 32, activation("Tanh")), dense(32, 32, activation("Tanh")), dense(32, 12)})};
  cr::export_source(net, folder + "/control.h", {.name = "control", .doubles = false, .tests = {}, .jacobian = true});
}

/// Writes a network of one unit and inserts a 1 before the digits of its first weight.
void write_corrupted() {
  const cr::AnyNetwork<float> net{cr::Seed{1}, cr::make_loss<float>(squared), cr::make_layers<float>({dense(2, 1)})};
  std::string text = cr::to_source(net, {.name = "corrupted", .doubles = false, .tests = {}, .jacobian = false});
  text.insert(text.find_first_of("0123456789", text.find("{", text.find("corrupted_w1[") + 1)), "1");
  cr::detail::write_file("write_nets", folder + "/corrupted.h", text);
}

/// Writes networks with sums of 4096 and 10,000 terms, one of them in the Jacobian, and two whose predictions can be too large for a float.
void write_wide() {
  const auto write_one = [](const std::string& name, const Description& loss, const std::vector<Description>& layers,
                            bool jacobian = false) {
    const cr::AnyNetwork<float> net{cr::Seed{seed}, cr::make_loss<float>(loss), cr::make_layers<float>(layers)};
    cr::export_source(net, folder + "/" + name + ".h", {.name = name, .doubles = false, .tests = {}, .jacobian = jacobian});
  };
  write_one("wide_dense", squared, {dense(4096, 1)});
  write_one("wide_jacobian", squared, {dense(2, 4096), dense(4096, 1)}, true);
  write_one("wide_norm", squared, {same("LayerNorm", 4096, {{"epsilon", 1e-5}})});
  write_one("wide_softmax", activation("SoftmaxCrossEntropy", {{"label_smoothing", 0}}), {dense(1, 10000)});
  write_one("wide_poisson", activation("PoissonNLL"), {dense(1, 1)});
  write_one("wide_gaussian", activation("GaussianNLL", {{"minimum_variance", 1e-3}}), {dense(1, 2)});
}

std::string quantized_includes, quantized_list, quantized_floats;

/// Draws the inputs of quantized.c, and hashes outputs as it does.
struct Drawn {
  std::uint32_t state = 1, hash = 2166136261u;
  std::uint32_t next() {
    state = state * 1664525u + 1013904223u;
    return state >> 16;
  }
  void add(std::uint32_t number) { hash = (hash ^ number) * 16777619u; }
};
constexpr int drawn_samples = 50;

template <class Q>
void write_quantized(const std::string& name, const cr::QuantizedNetwork<Q>& net, bool integers_only = false) {
  cr::export_source(net, folder + "/" + name + ".h", {.name = name, .integers_only = integers_only});
  quantized_includes += "#include \"" + name + ".h\"\n";
  Drawn integers, floats;
  cr::Matrix<Q> q(net.inputs(), drawn_samples);
  for (Q& number : q.reshaped())
    number = static_cast<Q>(static_cast<int>(integers.next() >> (16 - 8 * sizeof(Q))) + std::numeric_limits<Q>::min());
  const cr::Matrix<Q> outputs = net.predict_quantized(q);
  for (const Q number : outputs.reshaped()) integers.add(static_cast<std::uint32_t>(number) & 0xffff);
  const auto item = [&](std::uint32_t hash) {
    return " \\\n  DO(" + name + ", " + cr::detail::in_capitals(name) + ", " + (sizeof(Q) == 1 ? "int8_t" : "int16_t") + ", " +
           std::to_string(hash) + "u)";
  };
  quantized_list += item(integers.hash);
  if (integers_only) return;
  cr::Matrix<float> x(net.inputs(), drawn_samples);
  for (float& number : x.reshaped()) number = static_cast<float>(static_cast<int>(floats.next()) - 32768) / 8192;
  const cr::Matrix<float> y = net.predict_raw(x);
  for (const float number : y.reshaped()) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    floats.add(bits);
  }
  quantized_floats += item(floats.hash);
}

cr::AnyNetwork<float> net_of(const Description& loss, const std::vector<Description>& layers) {
  cr::AnyNetwork<float> net{cr::Seed{seed}, cr::make_loss<float>(loss), cr::make_layers<float>(layers)};
  cr::Random random{cr::Seed{seed + 1}};
  randomize_all_but_weights(net, random);
  return net;
}
cr::Matrix<float> calibration_of(Index inputs) {
  cr::Random random{cr::Seed{seed + 2}};
  return cr::Matrix<float>::NullaryExpr(inputs, 200, [&](Index, Index) { return static_cast<float>(random.normal()); });
}

/// Writes networks in integers: each kind of activation, rows of every remainder by 4, one and several outputs, a factor above 1.
void write_quantized_nets() {
  const Description relu = activation("ReLU"), tanh = activation("Tanh"),
                    softmax = activation("SoftmaxCrossEntropy", {{"label_smoothing", 0}});
  const auto both = [&](const std::string& name, const Description& loss, const std::vector<Description>& layers) {
    const auto net = net_of(loss, layers);
    const auto x = calibration_of(net.inputs());
    write_quantized("q8_" + name, cr::quantize<std::int8_t>(net, x));
    write_quantized("q16_" + name, cr::quantize<std::int16_t>(net, x));
  };
  both("folded", squared,
       {same("Normalize", 5), dense(5, 7, relu), batch_norm(7), dense(7, 6, activation("LeakyReLU", {{"slope", 0.2}})),
        dense(6, 9, activation("HardTanh", {{"low", -0.5}, {"high", 0.75}})), same("Dropout", 9, {{"rate", 0.5}}), dense(9, 4),
        batch_norm(4), same("PReLUPerUnit", 4, {{"initial_slope", 0.25}}), dense(4, 3)});
  both("tables", softmax,
       {activate(3, tanh), dense(3, 8, activation("GELU")), dense(8, 5, activation("Sigmoid")), activate(5, tanh), dense(5, 4)});
  both("yes_or_no", activation("BinaryCrossEntropy", {{"label_smoothing", 0}}), {dense(2, 1)});
  const auto control = net_of(squared, {dense(12, 32, tanh), dense(32, 32, tanh), dense(32, 12)});
  write_quantized("q8_control", cr::quantize<std::int8_t>(control, calibration_of(12)), true);
  const auto digits = net_of(softmax, {dense(64, 32, relu), dense(32, 10)});
  write_quantized("q8_digits", cr::quantize<std::int8_t>(digits, calibration_of(64), {.scale_per_output = false, .clipped = 0.001}), true);
  cr::export_source(digits, folder + "/digits.h", {.name = "digits", .doubles = false, .tests = {}, .jacobian = false});
  auto layers = cr::quantize<std::int8_t>(net_of(squared, {dense(3, 2)}), calibration_of(3)).layers();
  layers[0].factor = {{1 << 30, 3}, {2000000000, 29}};
  write_quantized("q8_above_1", cr::QuantizedNetwork<std::int8_t>({}, {}, {1, 0}, layers, cr::make_loss<float>(squared)));
  cr::detail::write_file("write_nets", folder + "/quantized_nets.h",
                         quantized_includes + "#define QUANTIZED(DO)" + quantized_list + "\n#define QUANTIZED_FLOATS(DO)" +
                             quantized_floats + "\nenum { DRAWN_SAMPLES = " + std::to_string(drawn_samples) + " };\n");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) cr::detail::raise<cr::ValueError>("expected a folder");
  folder = argv[1];
  if (argc > 2) seed = std::stoull(argv[2]);
  std::filesystem::create_directories(folder);
  write_all();
  write_doubles();
  write_corrupted();
  write_control();
  write_wide();
  write_quantized_nets();
  cr::detail::write_file("write_nets", folder + "/nets.h", includes + "#define NETS(DO)" + list + "\n");
} catch (const std::exception& error) {
  std::fprintf(stderr, "write_nets: %s\n", error.what());
  return 1;
}
