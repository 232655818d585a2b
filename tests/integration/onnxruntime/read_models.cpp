// read_models FOLDER: reads the ONNX models that from_pytorch.py has exported and prints for each the difference of our predictions from
// PyTorch's: the largest |ours - theirs| over all outputs and samples, divided by the largest |theirs| if this is above 1.
#include <chainrule/io/from_onnx.hpp>
#include <cstdio>
#include <filesystem>
#include <set>

using namespace chainrule;

namespace {

/// Reads a file of doubles that holds `units` numbers for each sample, one sample after the other.
Matrix<float> numbers_of(const std::string& path, Index units) {
  const std::string bytes = detail::read_file("read_models", path);
  Matrix<float> numbers(units, static_cast<Index>(bytes.size() / sizeof(double)) / units);
  for (Index i = 0; i < numbers.size(); ++i)
    numbers(i) = static_cast<float>(
        detail::number_at<double>(bytes.data() + static_cast<std::size_t>(i) * sizeof(double), detail::ByteOrder::little));
  return numbers;
}

/// The network in a file, with the loss whose link the model ends in, or with one that has no link.
AnyNetwork<float> read(const std::string& model) {
  const std::string bytes = detail::read_file("read_models", model);
  try {
    return parse_onnx<float>(bytes, model);
  } catch (const ValueError&) {
    return parse_onnx<float>(bytes, model, MeanSquaredError{});
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) detail::raise<ValueError>("usage: read_models FOLDER");
  std::set<std::string> models;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1]))
    if (entry.path().extension() == ".onnx") models.insert(entry.path().string());
  float worst = 0;
  for (const std::string& model : models) {
    const AnyNetwork<float> net = read(model);
    const Matrix<float> x = numbers_of(model + ".x", net.inputs()), theirs = numbers_of(model + ".y", net.outputs());
    const float off = (net.predict(x) - theirs).cwiseAbs().maxCoeff() / std::max(1.0f, theirs.cwiseAbs().maxCoeff());
    std::string layers;
    for (const auto& layer : net.layers()) layers += " " + detail::to_text(layer.describe());
    std::printf("%8.1e  %s: %s%s\n", static_cast<double>(off), std::filesystem::path(model).stem().c_str(), net.loss_function().name.data(),
                layers.c_str());
    if (!(off <= worst)) worst = off;
  }
  std::printf("worst difference to PyTorch: %.1e in %zu models\n", static_cast<double>(worst), models.size());
  return worst < 1e-5f && !models.empty() ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "read_models: %s\n", error.what());
  return 1;
}
