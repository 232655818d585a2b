// Files that are no ONNX models, or models of something other than a feedforward network. The error must say what is wrong and where.
#include "io/onnx_models.hpp"
#include "support/catch.hpp"

using namespace chainrule;
using chainrule_test::Model;

namespace {

AnyNetwork<float> read_onnx(const std::string& bytes) { return chainrule_test::read_onnx(bytes, std::nullopt); }

/// x -> Gemm -> Relu -> x + F(x) -> Softmax -> y
Model small_model() {
  Model m;
  m.constant("w", {2, 2}, {1, 2, 3, 4}).constant("b", {2}, {5, 6}).constant("s", {}, {0.5f});
  m.node("Gemm", {"x", "w", "b"}, "z").with("transB", 1).node("Relu", {"z"}, "a");
  m.node("MatMul", {"a", "w"}, "f").node("Add", {"f", "b"}, "g").node("Mul", {"g", "s"}, "h").node("Add", {"a", "h"}, "r");
  m.node("Softmax", {"r"}, "y");
  return m;
}

/// Whether the bytes are read as a model. Any exception but an Error of the library fails the test.
bool is_read(const std::string& bytes) {
  try {
    return read_onnx(bytes).parameters().size() > 0;
  } catch (const Error& error) {
    CHECK(std::string_view(error.what()).starts_with("m.onnx"));
    return false;
  }
}

}  // namespace

TEST_CASE("A model that is cut short is an error, wherever it is", "[onnx]") {
  const std::string bytes = small_model().bytes();
  REQUIRE(is_read(bytes));
  CHECK(chainrule_test::kinds(read_onnx(bytes)) == "Dense(ReLU) Residual(Dense(Identity),Normalize)");
  std::size_t read = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) read += is_read(bytes.substr(0, size)) ? 1 : 0;
  CHECK(read == 0);
  CHECK_THROWS_SAYING(read_onnx(""), ValueError, "m.onnx is empty");
  CHECK_THROWS_SAYING(read_onnx("sepal_length,sepal_width\n"), ValueError, "m.onnx is no model of ONNX");
}

TEST_CASE("A model with any byte changed is read or is an error", "[onnx]") {
  const std::string bytes = small_model().bytes();
  std::size_t errors = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (const int flipped : {0x01, 0x80, 0xff, 0x10}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flipped);
      errors += is_read(changed) ? 0 : 1;
    }
  CHECK(errors > bytes.size());  // out of 4 * bytes.size(), because some bytes are weights and some are optional
}

TEST_CASE("An operator that is no layer here is named with its node", "[onnx]") {
  Model m;
  m.constant("w", {1, 2, 1}, {1, 2}).node("Conv", {"x", "w"}, "conv1").node("Relu", {"conv1"}, "y");
  CHECK_THROWS_SAYING(m.read(), ValueError, "m.onnx: node \"conv1\" (Conv): there is no layer");
  CHECK_THROWS_SAYING(Model().node("Cos", {"x"}, "y").read(), ValueError, "node \"y\" (Cos): there is no layer or activation");
  Model two;
  two.constant("w", {2, 2}, {1, 2, 3, 4}).node("MatMul", {"x", "w"}, "a").node("Tanh", {"a"}, "t").node("Relu", {"a"}, "r");
  two.node("Concat", {"t", "r", "x"}, "y");
  CHECK_THROWS_SAYING(two.read(), ValueError, "m.onnx: node \"a\" (MatMul)");
  Model own;
  own.node("Relu", {"x"}, "y").last().set_domain("my.company");
  CHECK_THROWS_SAYING(own.read(), ValueError, "node \"y\" (Relu)");
}

TEST_CASE("A graph whose values are not made, or made twice, or in a circle", "[onnx]") {
  CHECK_THROWS_SAYING(Model().node("Relu", {"nobody"}, "y").read(), ValueError, "node \"y\" (Relu) takes \"nobody\"");
  CHECK_THROWS_SAYING(Model().node("Add", {"x", "b"}, "a").node("Relu", {"a"}, "b").read(), ValueError, "\"a\" (Add) takes \"b\"");
  CHECK_THROWS_SAYING(Model().node("Relu", {"x"}, "y").node("Tanh", {"x"}, "y").read(), ValueError, "\"y\"", "two values");
  CHECK_THROWS_SAYING(Model().node("Relu", {"x"}, "z").read(), ValueError, "nothing makes the output \"y\"");
  CHECK_THROWS_SAYING(Model().constant("c", {}, {1}).node("Identity", {"c"}, "y").read(), ValueError, "\"y\"",
                      "does not depend on the input");
  CHECK(Model().node("Relu", {"x"}, "y").node("Conv", {"y"}, "unused").read().layers().size() == 1);
  Model two_inputs;
  two_inputs.graph().add_input()->set_name("state");
  CHECK_THROWS_SAYING(two_inputs.node("Add", {"x", "state"}, "y").read(), ValueError, "one input", "\"state\"");
  Model two_outputs;
  two_outputs.graph().add_output()->set_name("z");
  CHECK_THROWS_SAYING(two_outputs.node("Relu", {"x"}, "y").node("Tanh", {"x"}, "z").read(), ValueError, "one output", "\"y\", \"z\"");
  CHECK_THROWS_SAYING(Model({0, 2}, 5).node("Relu", {"x"}, "y").read(), ValueError, "operators of set 6", "set 5");
}

TEST_CASE("Tensors whose numbers are not there, or too many, or elsewhere", "[onnx]") {
  const auto with_weight = [](const std::vector<std::int64_t>& shape) {
    return Model().constant("w", shape, {1, 2, 3, 4}).node("Gemm", {"x", "w"}, "y");
  };
  CHECK(with_weight({2, 2}).read().outputs() == 2);
  CHECK_THROWS_SAYING(with_weight({2, 3}).read(), ValueError,
                      "m.onnx: node \"y\" (Gemm), tensor \"w\": expected 2 x 3 numbers, but found 4");
  CHECK_THROWS_SAYING(with_weight({-2, -2}).read(), ValueError, "\"w\"");
  CHECK_THROWS_SAYING(with_weight({std::int64_t{1} << 62, 4}).read(), ValueError, "\"w\"");
  CHECK_THROWS_SAYING(with_weight({std::int64_t{1} << 32, std::int64_t{1} << 32}).read(), ValueError, "\"w\"");
  CHECK_THROWS_SAYING(with_weight({4}).read(), ShapeError, "\"w\": expected a matrix, but found 4");
  CHECK_THROWS_SAYING(with_weight({4, 1}).read(), ShapeError, "node \"y\" (Gemm): expected 4 units, but found 2");

  Model outside = with_weight({2, 2});
  outside.graph().mutable_initializer(0)->set_data_location(detail::pb::TensorProto::EXTERNAL);
  CHECK_THROWS_SAYING(outside.read(), ValueError, "\"w\"", "external data");
  Model text = with_weight({2, 2});
  text.graph().mutable_initializer(0)->set_data_type(detail::pb::TensorProto::STRING);
  CHECK_THROWS_SAYING(text.read(), ValueError, "\"w\"", "type 8");
  CHECK_THROWS_SAYING(Model().node("Gemm", {"x", "x"}, "y").read(), ValueError, "(Gemm)", "weight that is a constant");
  CHECK_THROWS_SAYING(Model().node("MatMul", {"x"}, "y").read(), ValueError, "(MatMul)", "weight that is a constant");
  CHECK_THROWS_SAYING(Model().constant("s", {3}, {1, 2, 3}).node("PRelu", {"x", "s"}, "y").read(), ShapeError, "(PRelu)",
                      "expected 2 numbers, one for each unit", "1 x 3");
  CHECK_THROWS_SAYING(Model().constant("s", {3}, {1, 2, 3}).node("Add", {"x", "s"}, "y").read(), ShapeError, "(Add)", "\"s\"");
}

TEST_CASE("Huge extents take no memory", "[onnx]") {
  CHECK(Model({0, 2'000'000'000}).node("Relu", {"x"}, "y").read().inputs() == 2'000'000'000);
  CHECK_THROWS_SAYING(Model({0, std::int64_t{1} << 40}).node("Relu", {"x"}, "y").read(), ShapeError, "m.onnx", "extent");
  CHECK_THROWS_SAYING(Model({0, 1 << 20, 1 << 20}).node("Relu", {"x"}, "y").read(), ShapeError, "m.onnx");
  CHECK_THROWS_SAYING(Model({0, 2'000'000'000}).constant("c", {}, {2}).node("Mul", {"x", "c"}, "y").read(), ValueError, "(Mul)",
                      "numbers in all layers");
  CHECK_THROWS_SAYING(Model({0}).node("Relu", {"x"}, "y").read(), ShapeError, "how many inputs");
  Model number{std::vector<std::int64_t>{}};
  number.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  CHECK_THROWS_SAYING(number.node("Relu", {"x"}, "y").read(), ShapeError, "batch x units");
  CHECK_THROWS_SAYING(Model({0, 0}).node("Relu", {"x"}, "y").read(), ShapeError, "how many inputs");
}

TEST_CASE("Small files take little memory, whatever extents they say", "[onnx]") {
  // each of these layers would have 2^30 numbers
  const std::int64_t many = std::int64_t{1} << 30;
  Model norm({0, many}, 14);
  norm.constant("two", {}, {2}).constant("eps", {}, {1e-3f}).node("ReduceMean", {"x"}, "mean").with_integers("axes", {1});
  norm.node("Sub", {"x", "mean"}, "c").node("Pow", {"c", "two"}, "q").node("ReduceMean", {"q"}, "v").with_integers("axes", {1});
  norm.node("Add", {"v", "eps"}, "e").node("Sqrt", {"e"}, "s").node("Div", {"c", "s"}, "y");
  CHECK_THROWS_SAYING(norm.read(), ValueError, "(ReduceMean)", "numbers in all layers");
  for (const char* op : {"Add", "Mul", "LayerNormalization", "Neg", "Celu"}) {
    Model m({0, many});
    m.constant("c", {}, {2}).node(op, *op == 'N' || *op == 'C' ? std::vector<std::string>{"x"} : std::vector<std::string>{"x", "c"}, "y");
    if (*op == 'C') m.with_number("alpha", 2);
    CHECK_THROWS_SAYING(m.read(), ValueError, op, "numbers in all layers");
  }
  // a matrix that many nodes share
  Model large({0, 1024});
  large.constant("w", {1024, 1024}, std::vector<float>(1 << 20, 1));
  std::string value = "x";
  for (int i = 0; i < 40; ++i) large.node("MatMul", {value, "w"}, std::to_string(i)), value = std::to_string(i);
  CHECK_THROWS_SAYING(large.node("Identity", {value}, "y").read(), ValueError, "(MatMul)", "numbers in all layers");
}

TEST_CASE("A file of many small parts is refused before they take memory", "[onnx]") {
  const auto graph_of = [](std::size_t parts, std::string_view part) {  // a model with a graph of these parts
    std::string graph;
    while (graph.size() < parts * part.size()) graph += part;
    std::string bytes(1, '\x3a');
    std::size_t size = graph.size();
    for (; size > 127; size >>= 7) bytes += static_cast<char>((size & 127) | 128);
    return bytes + static_cast<char>(size) + graph;
  };
  using namespace std::string_view_literals;
  // a node, a tensor, an input, and a node with a name: 2 to 4 bytes, of which protobuf makes objects of up to 280 bytes
  for (const std::string_view part : {"\x0a\x00"sv, "\x2a\x00"sv, "\x5a\x00"sv, "\x0a\x02\x1a\x00"sv})
    CHECK_THROWS_SAYING(read_onnx(graph_of(1'000'000, part)), ValueError, "m.onnx", "nodes, names, tensors and other parts in a file of");
  CHECK_THROWS_SAYING(read_onnx(graph_of(60'000, "\x0a\x00"sv)), ValueError, "m.onnx: expected");  // fewer are read: no operators
  CHECK_THROWS_SAYING(read_onnx(graph_of(1'000, "\x0b\x0c"sv)), ValueError, "no model of ONNX");   // groups, which ONNX has none of
}

TEST_CASE("Texts of a file stand in messages cut and without control characters", "[onnx]") {
  const std::string text = "\x1b[31m" + std::string(100000, 'a') + "\n";
  const auto check = [](const Model& model) {
    try {
      model.read_with_its_loss();
      FAIL("it was read");
    } catch (const Error& error) {
      const std::string_view said = error.what();
      CHECK(said.starts_with("m.onnx"));
      CHECK(said.size() < 1000);
      CHECK(said.find('\x1b') == said.npos);
      CHECK(said.find('\n') == said.npos);
    }
  };
  check(Model().node(text, {"x"}, "y"));
  check(Model().node("Relu", {text}, "y"));
  check(Model().node("Relu", {"x"}, text));
  check(Model().node("Relu", {"x"}, text).node("Tanh", {"x"}, text));
  check(Model().constant(text, {3}, {1, 2, 3}).node("Add", {"x", text}, "y"));
  Model outputs = Model().node("Relu", {"x"}, "y");
  for (int i = 0; i < 1000; ++i) outputs.graph().add_output()->set_name("x");
  check(outputs);
  Model inputs = Model().node("Relu", {"x"}, "y");
  inputs.graph().add_input()->set_name(text);
  check(inputs);
  for (const std::string& loss : {text, "Huber(" + text + "=1)", "Huber(delta=" + text + ")", "(" + text}) {
    Model m = Model().node("Relu", {"x"}, "y");
    auto* entry = m.model.add_metadata_props();
    entry->set_key("chainrule.loss");
    entry->set_value(loss);
    check(m);
  }
  Model attribute;
  check(attribute.node("Softmax", {"x"}, text).with_number("axis", 1).node("Relu", {text}, "y"));
}

TEST_CASE("A graph that is deep or long is an error or is read, in little time", "[onnx]") {
  Model deep;
  std::string value = "x";
  for (int i = 0; i < 300; ++i) deep.node("Tanh", {value}, std::to_string(i)), value = std::to_string(i);
  for (int i = 298; i >= 0; --i) deep.node("Add", {value, std::to_string(i)}, "r" + std::to_string(i)), value = "r" + std::to_string(i);
  deep.node("Relu", {value}, "y");
  CHECK_THROWS_SAYING(deep.read(), ValueError, "m.onnx");

  Model longest;
  value = "x";
  for (int i = 0; i < 200; ++i) longest.node(i % 2 == 0 ? "Tanh" : "Sigmoid", {value}, std::to_string(i)), value = std::to_string(i);
  longest.node("Relu", {value}, "y");
  CHECK(longest.read().layers().size() == 201);
}

TEST_CASE("Metadata that names no loss of ours", "[onnx]") {
  const auto with_loss = [](const std::string& text) {
    Model m = small_model();
    auto* entry = m.model.add_metadata_props();
    entry->set_key("chainrule.loss");
    entry->set_value(text);
    return m;
  };
  CHECK(with_loss("KLDivergence").read_with_its_loss().loss_function().name == "KLDivergence");
  CHECK_THROWS_SAYING(with_loss("Mine").read_with_its_loss(), ValueError, "m.onnx", "no loss \"Mine\"");
  CHECK_THROWS_SAYING(with_loss("PoissonNLL").read_with_its_loss(), ValueError, "m.onnx", "expected Exp before the output");
  CHECK_THROWS_SAYING(with_loss("Huber(alpha=2)").read_with_its_loss(), ValueError, "m.onnx", "delta");
  for (const char* broken :
       {"(", "Huber(", "Huber(delta)", "Huber(delta=", "Huber(delta=x)", "Huber(delta=1", "Huber(delta=1))", "a(b(c(d(e(f(g(h(i(j(k"})
    CHECK_THROWS_SAYING(with_loss(broken).read_with_its_loss(), ValueError, "m.onnx");
}
