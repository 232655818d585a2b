#pragma once
// Declares load_network without its code, which contains every layer, activation and loss of the library and takes a minute or two to
// compile: for programs that link with chainrule::load_network_float or chainrule::load_network_double, where it is compiled already.

#include <chainrule/any/any_network.hpp>
#include <chainrule/io/safetensors_types.hpp>
#include <string>
#include <vector>

namespace chainrule {

/// How a model file is read.
struct LoadOptions {
  /// Names of the file's tensors, in the network's order; where empty, load finds them. They may leave out all num_batches_tracked; ""
  /// stands for a bias that the file lacks.
  std::vector<std::string> names = {};
  WeightLayout layout = WeightLayout::by_name;  ///< whether weights in the file are outputs x inputs or inputs x outputs
  /// Allow numbers of double for a network of float, the other way round, and whole numbers, which may be quantized.
  bool convert = false;
  bool same_layers = true;  ///< require that layers in the file, where it names them, are those of the network
  bool same_loss = true;    ///< require that the loss in the file, where it names one, is that of the network, apart from class weights
  bool all_finite = true;   ///< require that no number in the file is NaN or infinite
  /// Indices of the layers of the network to load, the others of which keep their numbers: the first layers of a network with another
  /// last layer. Then `names` are those for these layers, and the file may have other layers after them and another loss. Empty: all.
  std::vector<Index> layers = {};
};

/// The numbers that load found in a file.
struct LoadReport {
  Index numbers = 0;                 ///< how many numbers were read
  Index not_finite = 0;              ///< how many of them are NaN or infinite; 0 unless LoadOptions::all_finite is false
  std::string first_not_finite;      ///< the name of the first tensor with NaN or infinity
  std::vector<std::string> missing;  ///< tensors of the network that the file lacks: biases, which are 0 now, and scales, which are 1
  std::vector<std::string> loaded;   ///< tensors of the network that were loaded, by the names that save() gives them
  std::vector<std::string> kept;     ///< tensors of the network that kept their numbers, because their layers were not to be loaded
  std::vector<std::string> left;     ///< tensors of the file that were not loaded, by their names there
};

/// Makes a network from a file that save() has written. `Own`: activations, layers and losses of yours that are in it. Throws what
/// parse_network throws, and ValueError where the file cannot be read.
/// @code{.cpp}
/// AnyNetwork<float> net = load_network<float>("model.safetensors");
/// @endcode
/// Its code is in io/model_file.hpp. A program that includes only this header must get it from elsewhere, or the linker does not find it:
/// from the CMake targets chainrule::load_network_float and chainrule::load_network_double, or from one source file of the program that
/// instantiates it, as the page of io/ shows; for networks with types of yours after the scalar: load_network<float, MyActivation>.
template <class Scalar, class... Own>
AnyNetwork<Scalar> load_network(const std::string& path, const LoadOptions& options = {}, LoadReport* report = nullptr);

}  // namespace chainrule
