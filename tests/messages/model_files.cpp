#include <chainrule/chainrule.hpp>
#include <chainrule/io/model_file.hpp>
#include <fstream>
#include <limits>

#include "page.hpp"
#include "support/networks_from_descriptions.hpp"

using namespace chainrule;

namespace {

/// A user's own activation.
struct Cube {
  static constexpr std::string_view name = "Cube";
  XavierUniform default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z.cube();
  }
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    return 3 * z.square();
  }
};

}  // namespace

void messages::model_files(Page& page) {
  page.section("Saving and loading");
  Network<float, SquaredError, Dense<4, 8, Tanh>, Dense<8, 1>> net{Seed{1}};
  save(net, "model.safetensors");

  page.mistake("", [&] { load(net, "other.safetensors"); });
  page.mistake("", [] {
    Network<float, SquaredError, Dense<4, 8, ReLU>, Dense<8, 1>> other{Seed{1}};
    load(other, "model.safetensors");
  });
  page.mistake("", [] {
    Network<float, SquaredError, Dense<4, 16, Tanh>, Dense<16, 1>> larger{Seed{1}};
    load(larger, "model.safetensors", {.same_layers = false});
  });
  page.mistake("", [] {
    Network<double, SquaredError, Dense<4, 8, Tanh>, Dense<8, 1>> precise{Seed{1}};
    load(precise, "model.safetensors");
  });
  page.mistake("", [&] { load(net, "model.safetensors", {.names = {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}}); });
  page.mistake("Name the type when loading: `load_network<float, Cube>(\"cubes.safetensors\")`.", [] {
    Network<float, SquaredError, Dense<4, 8, Cube>, Dense<8, 1>> cubes{Seed{1}};
    save(cubes, "cubes.safetensors");
    load_network<float>("cubes.safetensors");
  });
  page.mistake("", [&] {
    std::ofstream("page.safetensors") << "<!DOCTYPE html>";
    load(net, "page.safetensors");
  });
  page.mistake("", [&] {
    std::ofstream("model.pt", std::ios::binary) << "PK\x03\x04 archive/data.pkl";
    load(net, "model.pt");
  });
  page.mistake("", [&] {
    const std::string bytes = file_text("model.safetensors");
    std::ofstream("half.safetensors", std::ios::binary) << bytes.substr(0, bytes.size() - 100);
    load(net, "half.safetensors");
  });

  page.mistake("", [] {
    Network<float, SquaredError, Dense<2, 2>> square{Seed{1}};
    const std::vector<float> w{1, 2, 3, 4}, b{0, 0};
    write_safetensors("square.safetensors", std::vector<TensorToWrite>{{"w", {2, 2}, w}, {"b", {2}, b}});
    load(square, "square.safetensors", {.names = {"w", "b"}});
  });

  page.section("Exporting a network as source code");

  page.mistake("", [] {
    Network<float, SquaredError, Dense<4, 8, Cube>, Dense<8, 1>> cubes{Seed{1}};
    export_source(cubes, "cubes.h", {.name = "cubes"});
  });
  page.mistake("", [&] { export_source(net, "net.h", {.name = "my net"}); });
  page.mistake("", [&] {
    net.parameters()[0] = std::numeric_limits<float>::infinity();
    export_source(net, "net.h", {.name = "net"});
  });
}
