// Loads a net that was trained and saved in PyTorch, and computes the same logits.
#include <chainrule/chainrule.hpp>
#include <chainrule/io/model_file.hpp>
#include <cstdio>
#include <string>

#include "support/flags.hpp"
namespace cr = chainrule;
using cr::Index;

// Layers as in support/train_in_pytorch.py:
//     self.fc3(torch.tanh(self.fc2(torch.relu(self.fc1(x)))))
// A state_dict holds only names (fc1.weight, fc1.bias, ...) and numbers, so load() assigns the tensors in this order and checks each shape.
using Net = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<4, 16, cr::ReLU>, cr::Dense<16, 16, cr::Tanh>, cr::Dense<16, 3>>;

int main(int argc, char** argv) try {
  std::string model = CHAINRULE_EXAMPLE_DATA "/pytorch_iris.safetensors";
  std::string logits = CHAINRULE_EXAMPLE_DATA "/pytorch_iris_logits.safetensors";
  std::string data = CHAINRULE_EXAMPLE_DATA "/iris.csv";
  examples::Flags flags("Loads a net from PyTorch. examples/support/train_in_pytorch.py creates the files.");
  flags.add("--model", model, "Safetensors file with the state_dict of the module");
  flags.add("--logits", logits, "Safetensors file with PyTorch's outputs in a tensor \"logits\"");
  flags.add("--data", data, "CSV file with a header, four lengths and a column species");
  flags.parse(argc, argv);

  Net net{cr::Seed{0}};
  const cr::LoadReport report = cr::load(net, model);
  std::printf("%s%td numbers loaded from %s\n\n", cr::summary(net).c_str(), report.numbers, model.c_str());

  // PyTorch stores one sample per row, row-major; here one column is one sample, column-major. In memory the numbers have the same order.
  const cr::SafetensorsFile file = cr::read_safetensors(logits);
  const auto flowers = cr::read_csv<cr::Dataset<float>>(data, {.target = "species"});
  Eigen::MatrixXf theirs(net.outputs(), flowers.size());
  if (file.tensor("logits").size() != static_cast<std::size_t>(theirs.size()))
    throw cr::ShapeError(logits + ": expected 3 logits for each of " + std::to_string(flowers.size()) + " flowers");
  file.copy_numbers(file.tensor("logits"), theirs.data());

  auto work = net.make_workspace(flowers.size());
  const Eigen::MatrixXf ours = net.forward(flowers.features, work);  // forward returns the raw outputs, the logits
  std::printf("logits of the first flower: PyTorch   %9.5f %9.5f %9.5f\n", double(theirs(0, 0)), double(theirs(1, 0)),
              double(theirs(2, 0)));
  std::printf("                            chainrule %9.5f %9.5f %9.5f\n", double(ours(0, 0)), double(ours(1, 0)), double(ours(2, 0)));
  std::printf("accuracy %.4f\n", cr::accuracy(net.predict(flowers.features), flowers.targets));
  const double difference = double((ours - theirs).cwiseAbs().maxCoeff() / theirs.cwiseAbs().maxCoeff());
  std::printf("largest difference of %td logits, relative to the largest logit: %.1e\n", ours.size(), difference);
  return difference < 1e-5 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "from_pytorch: %s\n", error.what());
  return 1;
}
