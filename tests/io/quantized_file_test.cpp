#include <chainrule/io/quantized_file.hpp>

#include "support/catch.hpp"
#include "support/quantized_nets.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using chainrule_test::quantized_net;

namespace {

/// Whether two networks have the same numbers.
template <class Q>
bool are_equal(const QuantizedNetwork<Q>& a, const QuantizedNetwork<Q>& b) {
  return a.layers() == b.layers() && a.input() == b.input() && a.input_shift() == b.input_shift() && a.input_scale() == b.input_scale() &&
         describe(a.loss_function()) == describe(b.loss_function());
}

template <class Q>
void check_saved_and_loaded(bool with_scaling) {
  const auto net = quantized_net<Q>(with_scaling);
  const auto file = parse_safetensors(to_model_file(net), "net");
  const auto again = parse_quantized_network<Q>(file);
  CHECK(are_equal(net, again));
  CHECK(file.tensor("0.weight").type == SafetensorsType::I8);
  CHECK(file.tensor("0.weight").shape == std::vector<std::uint64_t>{5, 3});
  CHECK(file.tensor("0.bias").type == SafetensorsType::I32);
  CHECK(file.tensor("1.table").type == (sizeof(Q) == 1 ? SafetensorsType::I8 : SafetensorsType::I16));
  const Matrix<float> x = Matrix<float>::Random(3, 20);
  CHECK(again.predict(x) == net.predict(x));
}

}  // namespace

TEST_CASE("a network in integers is the same after saving and loading") {
  check_saved_and_loaded<std::int8_t>(true);
  check_saved_and_loaded<std::int16_t>(false);
  const chainrule_test::TemporaryFolder folder;
  const auto net = quantized_net<std::int8_t>();
  save(net, folder.path("net.safetensors"));
  CHECK(are_equal(load_quantized_network<std::int8_t>(folder.path("net.safetensors")), net));
}

TEST_CASE("a file that holds no network in integers, or a wrong one, is refused by name") {
  const std::string bytes = to_model_file(quantized_net<std::int8_t>());
  const auto load_as_int16 = [&] { return parse_quantized_network<std::int16_t>(parse_safetensors(bytes, "net")).outputs(); };
  CHECK_THROWS_SAYING(load_as_int16(), ValueError, "net: expected activations of int16, but found \"int8\"");
  const auto load = [](const std::string& of) { return parse_quantized_network<std::int8_t>(parse_safetensors(of, "net")).outputs(); };
  CHECK_THROWS_SAYING(load(to_safetensors({})), ValueError, "net holds no network in integers", "quantize it");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = bytes;
    for (std::size_t at = other.find(from); at != std::string::npos; at = other.find(from, at + to.size()))
      other.replace(at, from.size(), to);
    return other;
  };
  CHECK(load(changed("none", "none")) == 2);
  CHECK_THROWS_SAYING(load(changed("\"1.table\"", "\"1.tabel\"")), Error, "net: ");
  CHECK_THROWS_SAYING(load(changed("\"0.bias\"", "\"0.bios\"")), ValueError, "there is no tensor \"0.bias\"");
  CHECK_THROWS_SAYING(load(changed("\"2.factor.shift\"", "\"2.factor.shaft\"")), ValueError, "there is no tensor");
  CHECK_THROWS_SAYING(load(changed("[5,3]", "[3,5]")), ShapeError, "net", "0.weight", "expected outputs x inputs, 5 x 3, but found 3 x 5");
  CHECK_THROWS_SAYING(load(changed("SoftmaxCrossEntropy", "SoftmaxCrossEntropi")), ValueError, "SoftmaxCrossEntropi");
}
