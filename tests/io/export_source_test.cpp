#include <array>
#include <chainrule/any/any_network.hpp>
#include <chainrule/io/export_source.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/layers/embedding.hpp>
#include <chainrule/layers/layer_norm.hpp>
#include <chainrule/layers/parallel.hpp>
#include <chainrule/layers/residual.hpp>
#include <chainrule/layers/sequential.hpp>
#include <chainrule/losses/binary_cross_entropy.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/network.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace cr = chainrule;
using chainrule_test::ContainsSubstring;

namespace {

/// An activation of the user's own. OwnLoss, below, is a loss.
struct Doubled {
  static constexpr std::string_view name = "Doubled";
  cr::XavierUniform default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z + z;
  }
  template <class Chunk>
  Chunk derivative_from_output(const Chunk&) const {
    return Chunk::Constant(2);
  }
};
struct OwnLoss : cr::MeanSquaredError {
  static constexpr std::string_view name = "OwnLoss";
};

using Line = cr::Network<float, cr::MeanSquaredError, cr::Dense<2, 1>>;
Line line() {
  Line net{cr::Seed{1}};
  net.layer<0>().weight << 0.1f, -2;
  net.layer<0>().bias << 1.0f / 3;
  return net;
}

cr::SourceOptions named(std::string name) { return {.name = std::move(name), .doubles = false, .tests = {}, .jacobian = false}; }

}  // namespace

TEST_CASE("a net as source code", "[io][export_source]") {
  const std::string text = cr::to_source(line(), named("my_net2"));
  CHECK_THAT(text, ContainsSubstring("#ifndef MY_NET2_SOURCE\n#define MY_NET2_SOURCE\n\n#include <math.h>\n\n"));
  CHECK_THAT(text, ContainsSubstring("enum { MY_NET2_INPUTS = 2, MY_NET2_OUTPUTS = 1 };\n"));
  CHECK_THAT(text, ContainsSubstring("static const float my_net2_w1[1][2] = {\n    {0.100000001f, -2.0f}};\n"));
  CHECK_THAT(text, ContainsSubstring("static const float my_net2_b1[1] = {0.333333343f};\n"));
  CHECK_THAT(text, ContainsSubstring("static inline void my_net2_predict(const float* x, float* y) {\n\n"
                                     "  /* Dense: z(2) = W(1) a(1) + b(1), a(2) = f(z(2)) with f = Identity, 2 -> 1 */\n"
                                     "  for (int i = 0; i < 1; ++i) {\n"
                                     "    float z = my_net2_b1[i];\n"
                                     "    for (int k = 0; k < 2; ++k) z = my_net2_fma(my_net2_w1[i][k], x[k], z);\n"
                                     "    y[i] = z;\n"
                                     "  }\n"
                                     "}\n"));
  CHECK_THAT(text, ContainsSubstring("12 bytes of constants; 0 bytes of arrays on the stack"));
  CHECK_THAT(text, ContainsSubstring("static inline int my_net2_self_check(void) {\n"));
  CHECK_THAT(text, ContainsSubstring("if (!(fabsf(y[i] - expected) <= 1e-6f * size)) return j + 1;\n"));
  CHECK_THAT(text, !ContainsSubstring("model"));
}

TEST_CASE("weights of a unit lie one after the other", "[io][export_source]") {
  cr::Network<float, cr::MeanSquaredError, cr::Dense<2, 2>> net{cr::Seed{1}};
  net.layer<0>().weight << 1, 2, 3, 4;
  CHECK_THAT(cr::to_source(net), ContainsSubstring("model_w1[2][2] = {\n    {1.0f, 2.0f},\n    {3.0f, 4.0f}};\n"));
}

TEST_CASE("source code of a layer without bias begins its sums with 0", "[io][export_source]") {
  cr::Network<float, cr::MeanSquaredError, cr::DenseWithoutBias<2, 1>> net{cr::Seed{1}};
  net.layer<0>().weight << 0.5f, -2;
  const std::string text = cr::to_source(net);
  CHECK_THAT(text, ContainsSubstring("  /* Dense: z(2) = W(1) a(1), a(2) = f(z(2)) with f = Identity, 2 -> 1 */\n"
                                     "  for (int i = 0; i < 1; ++i) {\n"
                                     "    float z = 0.0f;\n"));
  CHECK_THAT(text, !ContainsSubstring("model_b1"));
}

TEST_CASE("source code of an Embedding gives the library's numbers and Jacobian, and NaN for what is no category", "[io][export_source]") {
  const cr::Network<
      float, cr::MeanSquaredError,
      cr::Embedding<4, cr::CategoryRow{.row = 0, .categories = 3, .size = 2}, cr::CategoryRow{.row = 2, .categories = 2, .size = 3}>,
      cr::Dense<7, 2>>
      net{cr::Seed{1}};
  const chainrule_test::TemporaryFolder folder;
  const cr::SourceReport report =
      cr::export_source(net, folder.path("net.h"), {.name = "net", .doubles = false, .tests = {}, .jacobian = true});
  CHECK(report.predict_difference < 1e-6);
  CHECK(report.jacobian_difference < 1e-6);
  CHECK_THAT(cr::to_source(net),
             ContainsSubstring("const int category = x[0] >= 0.0f && x[0] < 3.0f ? (int)x[0] : 0;\n    for (int i = 0; i < 2; "
                               "++i) t1[2 + i] = x[0] == (float)category ? model_embedding1[category][i] : sqrtf(-1.0f);"));
}

TEST_CASE("source code of branches gives the library's numbers and Jacobian, along inputs and along outputs", "[io][export_source]") {
  using namespace cr;
  using Branches = std::vector<AnyLayer<float>>;
  const Parallel<Branches> joined{Branches{Activate<Identity, 3>{},
                                           Sequential<AnyLayers<float>>{{Dense<3, 5, Tanh>{}, LayerNorm<>{}, Dense<5, 2>{}}},
                                           ParallelSum<Branches>{Branches{Dense<3, 2>{}, Dense<3, 2, Tanh>{}}}}};
  const Parallel<Branches> elementwise{Branches{Activate<Identity, 4>{}, Activate<Tanh>{}}};
  const ParallelSum<Branches> added{Branches{Dense<4, 4, Tanh>{}, Sequential<AnyLayers<float>>{{Dense<4, 6>{}, Dense<6, 4>{}}}}};
  const ParallelSum<Branches> last{Branches{Dense<4, 1>{}, Sequential<AnyLayers<float>>{{Activate<Tanh, 4>{}, Dense<4, 1>{}}}}};
  const Embedding<Dynamic> one{3, {{.row = 1, .categories = 4, .size = 2}}}, two{3, {{.row = 1, .categories = 4, .size = 5}}};
  const Parallel<Branches> embedded{Branches{one, Sequential<AnyLayers<float>>{{two, Dense<7, 2>{}}}}};
  const chainrule_test::TemporaryFolder folder;
  for (const AnyLayers<float>& layers : {AnyLayers<float>{joined},                                                    // 3 -> 7
                                         AnyLayers<float>{elementwise, Dense<8, 2>{}},                                // 4 -> 2
                                         AnyLayers<float>{Dense<5, 4>{}, Residual<AnyLayers<float>>{{added}}, last},  // 5 -> 1
                                         AnyLayers<float>{embedded, Dense<6, 1>{}}}) {
    const AnyNetwork<float> net{Seed{1}, MeanSquaredError{}, layers};
    const SourceReport report = export_source(net, folder.path("net.h"), {.name = "net", .doubles = false, .tests = {}, .jacobian = true});
    CHECK(report.predict_difference < 1e-6);
    CHECK(report.jacobian_difference < 1e-6);
  }
}

TEST_CASE("source code adds more than 256 terms in blocks of nearly equal length", "[io][export_source]") {
  const cr::Network<float, cr::MeanSquaredError, cr::Dense<cr::Dynamic, cr::Dynamic>> net{cr::Seed{1}, {515, 1}};
  CHECK_THAT(cr::to_source(net), ContainsSubstring("    float z = model_b1[i];\n"
                                                   "    for (int k = 0, end = 0; k < 515;) {\n"
                                                   "      const float before = k > 0 ? z : 0.0f;\n"
                                                   "      if (k > 0) z = 0.0f;\n"
                                                   "      for (end += end < 344 ? 172 : 171; k < end; ++k) "
                                                   "z = model_fma(model_w1[i][k], x[k], z);\n"
                                                   "      z += before;\n"
                                                   "    }\n"));
}

TEST_CASE("numbers in source code are read as the same", "[io][export_source]") {
  for (const float number : {0.1f, 16777216.0f, 1e-45f, 3.40282347e38f, -1.17549435e-38f, 1.0f / 3}) {
    const std::string text = cr::detail::source_literal(number);
    INFO(text);
    CHECK(text.find_first_of(".e") != std::string::npos);
    CHECK(text.back() == 'f');
    CHECK(std::strtof(text.c_str(), nullptr) == number);
  }
  CHECK(cr::detail::source_literal(0.1) == "0.10000000000000001");
  CHECK(cr::detail::source_literal(-0.0f) == "-0.0f");
  CHECK(cr::detail::source_literal(2.0) == "2.0");
}

TEST_CASE("names in source code are checked, so that they cannot be those of the compiler", "[io][export_source]") {
  for (const char* name : {"model", "Net_2", "a", "int"}) CHECK_NOTHROW(cr::to_source(line(), named(name)));
  for (const char* name : {"", "2nd", "_net", "net_", "my__net", "my-net", "my net", "n\xc3\xa4", "a;"}) {
    INFO(name);
    CHECK_THROWS_AS(cr::to_source(line(), named(name)), cr::ValueError);
  }
  CHECK_THROWS_WITH(cr::to_source(line(), named("2nd")), ContainsSubstring("begins with a letter, but found \"2nd\""));
}

TEST_CASE("tests of source code are the user's, or drawn", "[io][export_source]") {
  Line net = line();
  net.layer<0>().weight << 0.25f, -2;
  net.layer<0>().bias << 0.5f;
  cr::SourceOptions options;
  options.tests.resize(2, 3);
  options.tests << 1, 2, 3, 0.5, 0, -1;
  const std::string text = cr::to_source(net, options);
  CHECK_THAT(text, ContainsSubstring("model_test_x[3][2] = {\n    {1.0f, 0.5f},\n    {2.0f, 0.0f},\n    {3.0f, -1.0f}};\n"));
  CHECK_THAT(text, ContainsSubstring("model_test_y[3][1] = {\n    {-0.25f},\n    {1.0f},\n    {3.25f}};\n"));
  CHECK(cr::to_source(line()) == cr::to_source(line()));
  options.tests.resize(3, 2);
  CHECK_THROWS_AS(cr::to_source(line(), options), cr::ShapeError);
  CHECK_THROWS_WITH(cr::to_source(line(), options), ContainsSubstring("expected tests of 2 x 3 (inputs x samples), but they are 3 x 2"));
}

TEST_CASE("a net of double has floats in its source code, or doubles", "[io][export_source]") {
  cr::Network<double, cr::MeanSquaredError, cr::Dense<1, 1>> net{cr::Seed{1}};
  net.layer<0>().weight << 0.1;
  CHECK_THAT(cr::to_source(net),
             ContainsSubstring("{0.100000001f}") && ContainsSubstring("rounded to float") && ContainsSubstring("const float* x"));
  const std::string doubles = cr::to_source(net, {.name = "model", .doubles = true, .tests = {}, .jacobian = false});
  CHECK_THAT(doubles, ContainsSubstring("{0.10000000000000001}") && ContainsSubstring("const double* x") && !ContainsSubstring("float") &&
                          !ContainsSubstring("fmaf"));
  CHECK_THROWS_WITH(cr::to_source(line(), {.name = "model", .doubles = true, .tests = {}, .jacobian = false}),
                    ContainsSubstring("doubles are for networks of double"));
  net.layer<0>().weight << 1e300;
  CHECK_THROWS_AS(cr::to_source(net), cr::ValueError);
}

TEST_CASE("what has no form in source code is refused by name", "[io][export_source]") {
  const cr::Network<float, cr::MeanSquaredError, cr::Dense<2, 1, Doubled>> activation{cr::Seed{1}};
  CHECK_THROWS_AS(cr::to_source(activation), cr::ValueError);
  CHECK_THROWS_WITH(cr::to_source(activation), "to_source: the activation Doubled has no form in source code");
  const cr::Network<float, OwnLoss, cr::Dense<2, 1>> loss{cr::Seed{1}};
  CHECK_THROWS_WITH(cr::to_source(loss), ContainsSubstring("the loss OwnLoss"));

  const cr::Network<float, cr::MeanSquaredError, cr::Dense<2, 2>, cr::BatchNorm<>> untrained{cr::Seed{1}};
  CHECK_THROWS_AS(cr::to_source(untrained), cr::StateError);
  Line infinite = line();
  infinite.layer<0>().bias << std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(cr::to_source(infinite), ContainsSubstring("model_b1 would hold inf"));
}

TEST_CASE("the Jacobian in source code is that of the predictions, with the link", "[io][export_source]") {
  using Net = cr::Network<float, cr::BinaryCrossEntropy, cr::Dense<2, 3, cr::Tanh>, cr::Dense<3, 2>>;
  const Net net{cr::Seed{3}};
  cr::SourceOptions options = named("model");
  options.jacobian = true;
  const std::string text = cr::to_source(net, options);
  CHECK_THAT(text, ContainsSubstring("static inline void model_jacobian(const float* x, float* J) {\n  float y[2];\n  float t1[3];\n"));
  CHECK_THAT(text, ContainsSubstring("    for (int i = 0; i < 3; ++i) t1[i] = model_w1[i][j];\n"));  // along input j
  CHECK_THAT(text,
             ContainsSubstring("68 bytes of constants; 12 bytes of arrays on the stack of model_predict, 40 on that of model_jacobian"));
  CHECK_THAT(text, ContainsSubstring("static const float model_test_J[3][4] = {"));
  CHECK_THAT(text, ContainsSubstring("if (!(fabsf(J[i] - expected) <= 1e-5f * size)) return j + 1;\n"));
  CHECK_THAT(text, ContainsSubstring("Largest difference of model_predict from the library ") && ContainsSubstring(", of model_jacobian "));
  CHECK_THAT(cr::to_source(net), !ContainsSubstring("jacobian") && !ContainsSubstring("test_J"));

  // y = sigma(z) and dy_i/dx_k = y_i (1 - y_i) sum_m V_im (1 - tanh(u_m)^2) W_mk in long double
  const auto begin = text.find("static const float model_w1"), end = text.find("/* Three samples");
  cr::detail::SourceProgram<float> program(std::string_view(text).substr(begin, end - begin));
  const std::array<float, 2> x{0.4f, -1.1f};
  std::array<float, 4> J{};
  std::array<float, 2> y{};
  program.run("model_predict", x.data(), y.data());
  program.run("model_jacobian", x.data(), J.data());
  const auto W = net.layer<0>().weight.cast<long double>().eval();
  const auto V = net.layer<1>().weight.cast<long double>().eval();
  for (Eigen::Index i = 0; i < 2; ++i) {
    long double z = 0;
    std::array<long double, 2> by_x{};
    for (Eigen::Index m = 0; m < 3; ++m) {
      const long double tanh = std::tanh(W(m, 0) * 0.4f - W(m, 1) * 1.1f);
      z += V(i, m) * tanh;
      for (Eigen::Index k = 0; k < 2; ++k) by_x[static_cast<std::size_t>(k)] += V(i, m) * (1 - tanh * tanh) * W(m, k);
    }
    const long double sigma = 1 / (1 + std::exp(-z));
    const auto row = static_cast<std::size_t>(i);
    CHECK(std::abs(static_cast<long double>(y[row]) - sigma) < 2e-7L);
    for (std::size_t k = 0; k < 2; ++k) CHECK(std::abs(static_cast<long double>(J[2 * row + k]) - sigma * (1 - sigma) * by_x[k]) < 2e-7L);
  }
}

TEST_CASE("the Jacobian in source code of more inputs than outputs is computed row by row", "[io][export_source]") {
  cr::SourceOptions options = named("model");
  options.jacobian = true;
  CHECK_THAT(cr::to_source(line(), options), ContainsSubstring("static inline void model_jacobian(const float* x, float* J) {\n"
                                                               "  (void)x;\n\n"
                                                               "  for (int j = 0; j < 1; ++j) {\n"
                                                               "    float* row = J + j * 2;\n"
                                                               "    for (int i = 0; i < 2; ++i) row[i] = model_w1[j][i];\n"
                                                               "  }\n"
                                                               "}\n"));
}

TEST_CASE("source code is run as it is written", "[io][export_source]") {
  cr::detail::SourceProgram<float> program(R"(static const float w[2][3] = {
    {1.0f, -2.5f, 1e-3f},
    {4.0f, 5.0f, 6.0f}};
/* a comment */
static inline float half(float z, int* n) {
  *n = (int)z;
#if defined(ANYTHING)
  return fmaf(z, 0.5f, 0.0f);
#else
  return 0.0f;
#endif
}

static inline void f(const float* x, float* y) {
  float t[3];
  int n;
  (void)x;
  for (int i = 0; i < 3; ++i) t[i] = i > 0 && x[i] != x[0] ? w[1][i] : -w[0][i];
  y[0] = half(t[0] - 6.0f, &n);
  y[1] = (float)n;
  float* rest = y + 2;
  for (int k = 0, end = 2; k < 3;) {
    for (end += k < end ? 1 : 100; k < end; ++k) rest[k] = t[k] / x[1];
  }
  while (y[0] < 0.0f) y[0] += 1.0f;
})");
  const std::array<float, 3> x{1, 2, 1};
  std::array<float, 5> y{};
  program.run("f", x.data(), y.data());
  CHECK(y == std::array<float, 5>{0.5f, -7, -0.5f, 2.5f, -5e-4f});
  CHECK_THROWS_AS(cr::detail::SourceProgram<float>("static inline float f(float z) { goto end; }"), cr::ValueError);
}

TEST_CASE("export_source reports how exact the source code is, and how large", "[io][export_source]") {
  const chainrule_test::TemporaryFolder folder;
  cr::SourceOptions options = named("model");
  options.jacobian = true;
  const cr::SourceReport report = cr::export_source(line(), folder.path("model.h"), options);
  CHECK(report.predict_difference < 1e-6);
  CHECK(report.jacobian_difference == 0);  // the weights
  CHECK(report.constant_bytes == 12);
  CHECK(report.predict_bytes == 0);
  CHECK(report.jacobian_bytes == 0);

  // a difference is relative to the number, or to a quarter of the largest
  cr::detail::SourceProgram<float> program("static inline void f(const float* x, float* y) {\n  y[0] = x[0];\n  y[1] = 0.5f;\n}\n");
  const cr::Matrix<float> x = cr::Matrix<float>::Constant(1, 1, 4.5f);
  cr::Matrix<float> expected(2, 1);
  expected << 4, 0.5f;
  CHECK(cr::detail::largest_difference(program, "f", x, expected) == 0.125);
  expected << 4.5f, 0.25f;
  CHECK_THAT(cr::detail::largest_difference(program, "f", x, expected), Catch::Matchers::WithinAbs(0.25 / 1.125, 1e-9));
}

TEST_CASE("a file of source code is written completely or not at all", "[io][export_source]") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("model.hpp");
  cr::export_source(line(), path);
  CHECK(cr::detail::read_file("test", path) == cr::to_source(line()));

  CHECK_THROWS_AS(cr::export_source(line(), path, named("-")), cr::ValueError);
  CHECK(cr::detail::read_file("test", path) == cr::to_source(line()));
  CHECK_THROWS_WITH(cr::export_source(line(), folder.path("none/model.hpp")), ContainsSubstring("export_source: cannot write"));
  if (std::filesystem::exists("/dev/full")) CHECK_THROWS_WITH(cr::export_source(line(), "/dev/full"), ContainsSubstring("No space left"));
}
