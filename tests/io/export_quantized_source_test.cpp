#include <chainrule/io/export_quantized_source.hpp>
#include <chainrule/io/export_source.hpp>  // has functions of the same names, for other networks

#include "support/catch.hpp"
#include "support/quantized_nets.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using chainrule_test::quantized_net;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

// tests/integration/export_source/run compiles what is written, and compares all bits with the library's.
TEST_CASE("a network in integers is written as source code with its constants and its size") {
  const auto net = quantized_net<std::int8_t>();
  const std::string text = to_source(net, {.name = "gate"});
  CHECK(contains(text, "static const int8_t gate_w3[10] = {-127, -50, 27, 104, -74, 3, 80, -98, -21, 56};"));
  CHECK(contains(text, "static const int32_t gate_factor3[2] = {1073741824, 1073741824};"));
  CHECK(contains(text, "static const int8_t gate_right3[2] = {-3, 4};"));
  CHECK(contains(text, "static const float gate_input_scale[3] = {2.0f, 3.0f, 0.00100000005f};"));
  CHECK(contains(text, "static inline void gate_predict(const float* x, float* y)"));
  const chainrule_test::TemporaryFolder folder;
  const QuantizedSourceReport report = export_source(net, folder.path("gate.h"), {.name = "gate"});
  CHECK(report.weight_bytes == 25);
  // weights, starts, multipliers with shifts, a table
  CHECK(report.constant_bytes == 25 + 4 * 7 + 5 * (5 + 5 + 2) + 256);
  CHECK(report.predict_bytes == 5 + 5);
  CHECK(detail::read_file("test", folder.path("gate.h")) == text);
}

TEST_CASE("source code of integers only has no float") {
  for (const std::string& text : {to_source(quantized_net<std::int8_t>(), {.name = "gate", .integers_only = true}),
                                  to_source(quantized_net<std::int16_t>(false), {.name = "gate", .integers_only = true})}) {
    CHECK(!contains(text, "float "));
    CHECK(!contains(text, "math.h"));
    CHECK(contains(text, "gate_predict_quantized(const int"));
  }
  CHECK(contains(to_source(quantized_net<std::int8_t>(), {.integers_only = true}), "shift of the inputs: {0.5f, -1.0f, 0.0f}"));
  CHECK_THROWS_SAYING(to_source(quantized_net<std::int8_t>(), {.name = "2nd"}), ValueError, "expected a name of letters", "2nd");
}

TEST_CASE("The name of a layer, which a file may say, adds no code to exported source", "[quantization]") {
  const QuantizedNetwork<std::int8_t> net = quantized_net<std::int8_t>();
  auto layers = net.layers();
  layers[0].name = "x */ int injected = 1; /* $ @";
  const QuantizedNetwork<std::int8_t> renamed(net.input_shift(), net.input_scale(), net.input(), layers, net.loss_function());
  const std::string text = to_source(renamed, {.name = "gate"});
  CHECK(contains(text, "/* x __ int injected = 1; __ _ _, "));
  CHECK(!contains(text, "*/ int injected"));
}
