#pragma once
// Saves networks as files in the safetensors format, and loads them. Needs nlohmann/json (link with chainrule::safetensors), so
// chainrule.hpp does not include it.

#include <chainrule/any/from_description.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/scalar_name.hpp>
#include <chainrule/core/version.hpp>
#include <chainrule/io/detail/fingerprint.hpp>
#include <chainrule/io/detail/safetensors/description_json.hpp>
#include <chainrule/io/detail/safetensors/match_tensors.hpp>
#include <chainrule/io/load_network.hpp>
#include <chainrule/kernels/all_finite.hpp>
#include <map>

namespace chainrule {

namespace detail {

inline constexpr const char* layers_key = "chainrule.layers";
inline constexpr const char* loss_key = "chainrule.loss";

/// The text under this key of the metadata, as errors name it.
inline std::string place_of(const SafetensorsFile& file, const char* key) { return text_of(file.name(), ", ", key); }

/// The description of a loss without class weights, its own and those of losses inside, because they are no part of a prediction.
inline Description without_class_weights(const Description& loss) {
  Description plain = describes<DescribedClassWeighted>(loss) ? only_part(loss, "a loss") : loss;
  for (Description& part : plain.parts) part = without_class_weights(part);
  return plain;
}

/// Whether layer i of the network is to be loaded.
inline bool is_to_be_loaded(const LoadOptions& options, Index i) {
  return options.layers.empty() || std::find(options.layers.begin(), options.layers.end(), i) != options.layers.end();
}

/// Throws ValueError if the file names layers or a loss that are not those of the network.
template <class Net>
void check_same_layers(const SafetensorsFile& file, const Net& net, const LoadOptions& options) {
  const auto& said = file.metadata();
  const auto compare = [&](const std::string& what, const Description& there, const Description& here, const char* option) {
    if (there == here) return;
    std::string has, wants;
    add_description(has, what, there);
    add_description(wants, what, here);
    const auto [theirs, ours] = first_difference(has, wants);
    raise<ValueError>(file.name(), " does not fit the network: the file has ", theirs, ", but the network has ", ours, "; .", option,
                      " = false loads it all the same");
  };
  if (const auto text = said.find(layers_key); options.same_layers && text != said.end()) {
    const auto there = DescriptionReader(place_of(file, layers_key)).list(text->second);
    const auto here = describe_layers(net);
    if (options.layers.empty() && there.size() != here.size())
      raise<ValueError>(file.name(), " does not fit the network: it has ", there.size(), " layers, but the network has ", here.size());
    for (std::size_t i = 0; i < here.size(); ++i) {
      if (!is_to_be_loaded(options, static_cast<Index>(i))) continue;
      if (i >= there.size())
        raise<ValueError>(file.name(), " does not fit the network: it has ", there.size(), " layers, and no layer<", i, ">");
      compare(text_of("layer<", i, ">"), there[i], here[i], "same_layers");
    }
  }
  if (const auto text = said.find(loss_key); options.same_loss && options.layers.empty() && text != said.end()) {
    const Description there = DescriptionReader(place_of(file, loss_key)).one(text->second), here = describe(net.loss_function());
    compare("loss", without_class_weights(there), without_class_weights(here), "same_loss");
  }
}

/// Throws ValueError for numbers of another type than Scalar, unless `convert`.
template <class Scalar>
void check_type(const SafetensorsFile& file, const SafetensorsTensor& tensor, bool convert) {
  using enum SafetensorsType;
  const bool wide = tensor.type == F64, narrow = tensor.type == F32;
  if (!convert && !wide && !narrow && tensor.type != F16 && tensor.type != BF16)
    raise<ValueError>(safetensors_place(file.name(), tensor.name), ": expected numbers of ", scalar_name<Scalar>(), ", but found ",
                      info_of(tensor.type).name, ", which may be quantized; load with .convert = true to take them as they are");
  if (!convert && ((wide && sizeof(Scalar) < 8) || (narrow && sizeof(Scalar) > 4)))
    raise<ValueError>(safetensors_place(file.name(), tensor.name), ": expected numbers of ", scalar_name<Scalar>(), ", but found ",
                      wide ? "double" : "float", "; load with .convert = true to take them all the same");
}

/// Throws ValueError for a number that is too large for Scalar, that is NaN or infinite where options.all_finite, or that is negative in a
/// tensor of variances, of which no prediction could be computed.
template <class Scalar>
void check_values(const SafetensorsFile& file, const SafetensorsTensor& tensor, bool are_variances, const LoadOptions& options) {
  std::vector<Scalar> numbers(to_size(tensor.size()));
  file.copy_numbers(tensor, numbers.data());
  if (options.all_finite && !kernels::all_finite(static_cast<Index>(numbers.size()), numbers.data())) {
    std::size_t i = 0;
    while (is_finite(numbers[i])) ++i;
    raise<ValueError>(safetensors_place(file.name(), tensor.name), ": expected finite numbers, but number ", i, " is ", numbers[i],
                      ", so predictions would be wrong; .all_finite = false loads them all the same");
  }
  for (std::size_t i = 0; are_variances && i < numbers.size(); ++i)
    if (numbers[i] < 0)
      raise<ValueError>(safetensors_place(file.name(), tensor.name), ": a variance cannot be negative, but number ", i, " is ", numbers[i]);
}

/// Fills the network from the file. Throws before anything has changed.
template <class Net>
LoadReport load_from(const SafetensorsFile& file, Net& net, const LoadOptions& options) {
  using Scalar = typename Net::ScalarType;
  auto wanted = file_tensors(net);
  const Index layers = static_cast<Index>(size_of(net.layers()));
  for (const Index i : options.layers)
    if (i < 0 || i >= layers) raise<ValueError>("load: there is no layer ", i, ": the network has ", layers, ", counted from 0");
  LoadReport report;
  for (const auto& one : wanted)
    if (!is_to_be_loaded(options, one.layer)) report.kept.push_back(one.full_name());
  std::erase_if(wanted, [&](const auto& one) { return !is_to_be_loaded(options, one.layer); });
  const TensorMatch<Scalar> match(file, wanted, options.names, options.layout, !options.layers.empty());
  check_same_layers(file, net, options);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (match[i]) check_type<Scalar>(file, match[i]->tensor, options.convert || wanted[i].is_count_of_batches());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (match[i]) check_values<Scalar>(file, match[i]->tensor, wanted[i].name == "running_var", options);

  std::vector<std::string_view> taken;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const FileTensor<Scalar>& to = wanted[i];
    if (!match[i]) {
      std::fill_n(to.numbers, to.size(), *to.if_missing);
      if (!to.is_count_of_batches()) report.missing.push_back(to.full_name());
      continue;
    }
    file.copy_numbers(match[i]->tensor, to.numbers, match[i]->order);
    const Index count = static_cast<Index>(to.size());
    report.numbers += count;
    report.loaded.push_back(to.full_name());
    taken.push_back(match[i]->tensor.name);
    if (kernels::all_finite(count, to.numbers)) continue;
    if (report.first_not_finite.empty()) report.first_not_finite = match[i]->tensor.name;
    for (Index k = 0; k < count; ++k) report.not_finite += is_finite(to.numbers[k]) ? 0 : 1;
  }
  std::sort(taken.begin(), taken.end());
  for (const SafetensorsTensor& tensor : file.tensors())
    if (!std::binary_search(taken.begin(), taken.end(), std::string_view(tensor.name))) report.left.push_back(tensor.name);
  return report;
}

/// Returns make(). The file's name begins the message of a ShapeError or ValueError that it throws.
template <class Make>
auto in_name_of(const std::string& file, const Make& make) {
  try {
    return make();
  } catch (const ShapeError& error) {
    raise<ShapeError>(file, ": ", error.what());
  } catch (const ValueError& error) {
    raise<ValueError>(file, ": ", error.what());
  }
}

}  // namespace detail

/// The bytes of a safetensors file with the network's parameters and buffers, under the names and with the shapes of a torch.nn.Sequential.
/// The layers, the loss, the scalar and the library's version are written as texts, beside `texts`, more of them by key. long double is
/// written as double. Throws ValueError for layers nested more than max_nesting deep, and for a text or key that is not UTF-8.
template <class Net>
std::string to_model_file(const Net& net, std::map<std::string, std::string> texts = {}) {
  using Scalar = typename Net::ScalarType;
  using Written = std::conditional_t<std::is_same_v<Scalar, float>, float, double>;
  const auto own = detail::file_tensors(net);
  std::vector<std::vector<Written>> converted(own.size());
  std::vector<TensorToWrite> tensors;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const std::size_t size = own[i].size();
    std::span<const Written> numbers;
    if constexpr (std::is_same_v<Scalar, Written>) {
      numbers = {own[i].numbers, size};
    } else {
      for (std::size_t k = 0; k < size; ++k) converted[i].push_back(static_cast<Written>(own[i].numbers[k]));
      numbers = converted[i];
    }
    tensors.push_back({own[i].full_name(), own[i].shape, numbers, own[i].shape.size() == 2 ? own[i].order : TensorOrder::row_major});
  }
  detail::OrderedJson layers = detail::OrderedJson::array();
  for (const Description& layer : describe_layers(net)) layers.push_back(detail::to_json(layer));
  texts["format"] = "pt";
  texts["chainrule.version"] = version;
  texts["chainrule.scalar"] = std::string(detail::scalar_name<Scalar>());
  texts[detail::layers_key] = layers.dump();
  texts[detail::loss_key] = detail::to_json(describe(net.loss_function())).dump();
  return to_safetensors(tensors, texts);
}

/// Saves a network, with everything that its predictions depend on. An existing file is replaced only when the new one is complete. Throws
/// ValueError with the system's reason where the file cannot be written.
/// @code{.cpp}
/// save(net, "model.safetensors");
/// @endcode
/// PyTorch loads the file into a torch.nn.Sequential: `model.load_state_dict(safetensors.torch.load_file("model.safetensors"))`.
template <class Net>
void save(const Net& net, const std::string& path) {
  detail::write_file("save", path, to_model_file(net));
}

/// Loads the numbers of a network from a file that save() or another framework has written. Tensors are found by the names that save()
/// gives them; in a file without these names, module by module in the natural order of its names; or options.names lists them. Weights
/// called "kernel" are inputs x outputs, as in Keras, others as options.layout says. options.layers loads some layers alone, to go on with
/// another last layer. In a file of another framework, biases of Dense, BatchNorm and LayerNorm may be missing beside other tensors of
/// their module, and become 0; missing scales of BatchNorm and LayerNorm become 1. The report lists them. Where something does not fit, or
/// it is not certain what belongs where, ValueError lists what the file has and what the network wants, and the network is unchanged. NaN
/// and infinity are a ValueError, too; with options.all_finite = false they are loaded, and counted in the report.
template <class Net>
LoadReport load(Net& net, const std::string& path, const LoadOptions& options = {}) {
  return detail::load_from(read_safetensors(path), net, options);
}

/// Makes a network from a file that save() has written, which names layers and loss. `Own`: activations, layers and losses of yours that
/// are in it. Throws ValueError for a file that names no layers, because another program wrote it: build the network and use load(net,
/// path), for options.layers, because all layers are loaded, and for NaN and infinity, unless options.all_finite is false. The file's name
/// begins the message of every error. Takes at most 16 times the memory of the file.
template <class Scalar, class... Own>
AnyNetwork<Scalar> parse_network(const SafetensorsFile& file, const LoadOptions& options = {}, LoadReport* report = nullptr) {
  if (!options.layers.empty())
    detail::raise<ValueError>(file.name(), ": a network made from a file has all of its layers, so .layers must be empty; to load some ",
                              "layers alone, build the network and use load(net, path, {.layers = ...})");
  const auto text_at = [&](const char* key) -> std::string_view {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end())
      detail::raise<ValueError>(file.name(), " does not say its layers and loss (no ", key,
                                "), so it is not from save(); build the network and use load(net, path)");
    return found->second;
  };
  const Description loss = detail::DescriptionReader(detail::place_of(file, detail::loss_key)).one(text_at(detail::loss_key));
  const auto described = detail::DescriptionReader(detail::place_of(file, detail::layers_key)).list(text_at(detail::layers_key));
  const auto layers = detail::in_name_of(file.name(), [&] { return make_layers<Scalar, Own...>(described); });
  std::uint64_t held = 0;
  for (const SafetensorsTensor& tensor : file.tensors()) held += tensor.size();
  Index wanted = 0;
  for (const auto& layer : layers.list())
    wanted += detail::size_of_tensors(layer.tensors()) + detail::size_of_tensors(layer.buffer_tensors());
  if (static_cast<std::uint64_t>(wanted) != held)  // checked before memory is allocated for as many numbers as the file claims
    detail::raise<ValueError>(file.name(), ": its layers have ", wanted, " numbers, but its tensors ", held);
  auto net = detail::in_name_of(file.name(), [&] { return AnyNetwork<Scalar>::zeros(make_loss<Scalar, Own...>(loss), layers); });
  const LoadReport loaded = detail::load_from(file, net, options);
  if (report != nullptr) *report = loaded;
  return net;
}

template <class Scalar, class... Own>
AnyNetwork<Scalar> load_network(const std::string& path, const LoadOptions& options, LoadReport* report) {
  return parse_network<Scalar, Own...>(read_safetensors(path), options, report);
}

}  // namespace chainrule
