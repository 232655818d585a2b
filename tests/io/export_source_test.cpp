#include <chainrule/io/export_source.hpp>
#include <chainrule/layers/batch_norm.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/mean_squared_error.hpp>
#include <chainrule/network.hpp>
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

cr::SourceOptions named(std::string name) { return {.name = std::move(name), .doubles = false, .tests = {}}; }

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
  const std::string doubles = cr::to_source(net, {.name = "model", .doubles = true, .tests = {}});
  CHECK_THAT(doubles, ContainsSubstring("{0.10000000000000001}") && ContainsSubstring("const double* x") && !ContainsSubstring("float") &&
                          !ContainsSubstring("fmaf"));
  CHECK_THROWS_WITH(cr::to_source(line(), {.name = "model", .doubles = true, .tests = {}}),
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
