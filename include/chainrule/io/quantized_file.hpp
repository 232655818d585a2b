#pragma once
// Saves networks in integers as files in the safetensors format, and loads them. Needs nlohmann/json (link with chainrule::safetensors), so
// chainrule.hpp does not include it.

#include <chainrule/io/model_file.hpp>
#include <chainrule/quantization/quantized_network.hpp>
#include <deque>

namespace chainrule {

namespace detail {

inline constexpr const char* quantized_key = "chainrule.quantized";
inline constexpr const char* quantized_layers_key = "chainrule.quantized_layers";

/// The name of the type of activations in a file.
template <class Q>
inline constexpr std::string_view integer_name = sizeof(Q) == 1 ? "int8" : "int16";

/// Collects the tensors of a QuantizedNetwork, and keeps the numbers that it does not hold as arrays.
class QuantizedTensors {
 public:
  template <class Number>
  void add(const std::string& name, std::vector<std::uint64_t> shape, const std::vector<Number>& numbers) {
    if (!numbers.empty()) all_.push_back({name, std::move(shape), std::span<const Number>(numbers)});
  }
  void add(const std::string& name, const Quantization& of) {
    scales_.push_back({of.scale});
    zero_points_.push_back({of.zero_point});
    add(name + ".scale", {}, scales_.back());
    add(name + ".zero_point", {}, zero_points_.back());
  }
  void add(const std::string& name, const std::vector<FixedPoint>& factors) {
    std::vector<std::int32_t>&multipliers = integers_.emplace_back(), &shifts = integers_.emplace_back();
    for (const FixedPoint& one : factors) {
      multipliers.push_back(one.multiplier);
      shifts.push_back(one.shift);
    }
    add(name + ".multiplier", {factors.size()}, multipliers);
    add(name + ".shift", {factors.size()}, shifts);
  }
  void add(const std::string& name, const Vector<float>& numbers) {
    scales_.emplace_back(numbers.data(), numbers.data() + numbers.size());
    add(name, {static_cast<std::uint64_t>(numbers.size())}, scales_.back());
  }
  void add_limits(const std::string& name, std::int32_t lowest, std::int32_t highest) {
    integers_.push_back({lowest, highest});
    add(name, {2}, integers_.back());
  }
  const std::vector<TensorToWrite>& all() const { return all_; }

 private:
  std::vector<TensorToWrite> all_;
  std::deque<std::vector<float>> scales_;  // a deque, so that what it holds stays where it is
  std::deque<std::vector<std::int32_t>> zero_points_, integers_;
};

/// Reads the tensors of a QuantizedNetwork.
class QuantizedReader {
 public:
  explicit QuantizedReader(const SafetensorsFile& file) : file_{file} {}

  /// The numbers of a tensor. Throws ValueError unless there is one of this name with numbers of this type.
  template <class Number>
  std::vector<Number> numbers(const std::string& name) {
    const SafetensorsTensor& tensor = file_.tensor(name);
    const SafetensorsType type = std::is_same_v<Number, float> ? SafetensorsType::F32
                                 : sizeof(Number) == 4         ? SafetensorsType::I32
                                 : sizeof(Number) == 2         ? SafetensorsType::I16
                                                               : SafetensorsType::I8;
    if (tensor.type != type)
      raise<ValueError>(safetensors_place(file_.name(), name), ": expected numbers of ", info_of(type).name, ", but found ",
                        info_of(tensor.type).name);
    std::vector<Number> read(to_size(tensor.size()));
    file_.copy_numbers(tensor, read.data());
    ++count_;
    return read;
  }
  template <class Number>
  Number number(const std::string& name) {
    const std::vector<Number> read = numbers<Number>(name);
    if (read.size() != 1) raise<ValueError>(safetensors_place(file_.name(), name), ": expected one number, but found ", read.size());
    return read[0];
  }
  Quantization quantization(const std::string& name) {
    return {number<float>(name + ".scale"), number<std::int32_t>(name + ".zero_point")};
  }
  std::vector<FixedPoint> factors(const std::string& name) {
    const std::vector<std::int32_t> multipliers = numbers<std::int32_t>(name + ".multiplier"),
                                    shifts = numbers<std::int32_t>(name + ".shift");
    if (multipliers.size() != shifts.size())
      raise<ValueError>(file_.name(), ": ", name, " has ", multipliers.size(), " multipliers, but ", shifts.size(), " shifts");
    std::vector<FixedPoint> read;
    for (std::size_t i = 0; i < shifts.size(); ++i) read.push_back({multipliers[i], shifts[i]});
    return read;
  }
  Vector<float> vector(const std::string& name) {
    if (!has(name)) return {};
    const std::vector<float> read = numbers<float>(name);
    return Eigen::Map<const Vector<float>>(read.data(), static_cast<Index>(read.size()));
  }
  bool has(const std::string& name) const { return file_.find(name) != nullptr; }
  /// Throws ValueError where the file has tensors that were not read.
  void check_all_read() const {
    if (count_ != file_.tensors().size())
      raise<ValueError>(file_.name(), ": it has ", file_.tensors().size(), " tensors, but its layers need ", count_);
  }

 private:
  const SafetensorsFile& file_;
  std::size_t count_ = 0;
};

}  // namespace detail

/// The bytes of a safetensors file with a network in integers: for layer i the tensors i.weight (I8, outputs x inputs), i.weight_scale,
/// i.bias (I32), i.factor.multiplier, i.factor.shift, i.limits, i.table, and i.z and i.output with scale and zero_point, where it has them,
/// and its loss and the names of layers as texts. The report of quantize is not in it. Throws ValueError for a loss nested more than
/// max_nesting deep.
template <class Q>
std::string to_model_file(const QuantizedNetwork<Q>& net) {
  detail::QuantizedTensors tensors;
  tensors.add("input", net.input());
  if (net.input_scale().size() > 0) {
    tensors.add("input.shift_of_features", net.input_shift());
    tensors.add("input.scale_of_features", net.input_scale());
  }
  detail::OrderedJson layers = detail::OrderedJson::array();
  for (std::size_t i = 0; i < net.layers().size(); ++i) {
    const QuantizedLayer<Q>& layer = net.layers()[i];
    const std::string name = std::to_string(i);
    const auto outputs = static_cast<std::uint64_t>(layer.outputs), inputs = static_cast<std::uint64_t>(layer.inputs);
    tensors.add(name + ".weight", {outputs, inputs}, layer.weight);
    tensors.add(name + ".weight_scale", {layer.weight_scale.size()}, layer.weight_scale);
    tensors.add(name + ".bias", {outputs}, layer.bias);
    if (!layer.factor.empty()) tensors.add(name + ".factor", layer.factor);
    if (!layer.factor_below_0.empty()) tensors.add(name + ".factor_below_0", layer.factor_below_0);
    tensors.add_limits(name + ".limits", layer.lowest, layer.highest);
    tensors.add(name + ".table", {layer.table.size()}, layer.table);
    tensors.add(name + ".z", layer.z);
    tensors.add(name + ".output", layer.output);
    layers.push_back(detail::to_json(Description{layer.name, layer.inputs, layer.outputs, {}, {}}));
  }
  return to_safetensors(tensors.all(), {{"chainrule.version", version},
                                        {detail::quantized_key, std::string(detail::integer_name<Q>)},
                                        {detail::quantized_layers_key, layers.dump()},
                                        {detail::loss_key, detail::to_json(describe(net.loss_function())).dump()}});
}

/// Saves a network in integers. An existing file is replaced only when the new one is complete. Throws ValueError with the system's reason
/// where the file cannot be written.
template <class Q>
void save(const QuantizedNetwork<Q>& net, const std::string& path) {
  detail::write_file("save", path, to_model_file(net));
}

/// Makes a network in integers from a file that save() has written; its predictions have the same bits. `Own`: losses of yours that are in
/// it. Throws ValueError or ShapeError, in whose message the file's name comes first, for a file that holds no network in integers or one
/// with activations of another type, and for numbers that the constructor of QuantizedNetwork refuses.
template <class Q, class... Own>
QuantizedNetwork<Q> parse_quantized_network(const SafetensorsFile& file) {
  const auto text_at = [&](const char* key) -> std::string_view {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end())
      detail::raise<ValueError>(file.name(), " holds no network in integers (no ", key,
                                "); load one in floating point with load_network, and quantize it");
    return found->second;
  };
  if (const std::string_view type = text_at(detail::quantized_key); type != detail::integer_name<Q>)
    detail::raise<ValueError>(file.name(), ": expected activations of ", detail::integer_name<Q>, ", but found ", detail::in_quotes(type));
  const auto described =
      detail::DescriptionReader(detail::place_of(file, detail::quantized_layers_key)).list(text_at(detail::quantized_layers_key));
  const Description loss = detail::DescriptionReader(detail::place_of(file, detail::loss_key)).one(text_at(detail::loss_key));
  detail::QuantizedReader reader(file);
  const Quantization input = reader.quantization("input");
  Vector<float> shift = reader.vector("input.shift_of_features"), scale = reader.vector("input.scale_of_features");
  std::vector<QuantizedLayer<Q>> layers;
  for (const Description& of : described) {
    const std::string name = std::to_string(layers.size());
    QuantizedLayer<Q>& layer = layers.emplace_back();
    layer.name = of.kind;
    layer.inputs = of.inputs;
    layer.outputs = of.outputs;
    if (reader.has(name + ".weight")) {
      const std::vector<std::uint64_t> shape{static_cast<std::uint64_t>(of.outputs), static_cast<std::uint64_t>(of.inputs)};
      if (const SafetensorsTensor& weight = file.tensor(name + ".weight"); weight.shape != shape)
        detail::raise<ShapeError>(detail::safetensors_place(file.name(), weight.name), ": expected outputs x inputs, ",
                                  detail::shape_text(shape), ", but found ", detail::shape_text(weight.shape));
      layer.weight = reader.template numbers<std::int8_t>(name + ".weight");
      layer.weight_scale = reader.template numbers<float>(name + ".weight_scale");
      layer.bias = reader.template numbers<std::int32_t>(name + ".bias");
      layer.factor = reader.factors(name + ".factor");
      if (reader.has(name + ".factor_below_0.shift")) layer.factor_below_0 = reader.factors(name + ".factor_below_0");
    }
    if (reader.has(name + ".table")) layer.table = reader.template numbers<Q>(name + ".table");
    const std::vector<std::int32_t> limits = reader.template numbers<std::int32_t>(name + ".limits");
    if (limits.size() != 2) detail::raise<ValueError>(file.name(), ": ", name, ".limits: expected 2 numbers, but found ", limits.size());
    layer.lowest = limits[0];
    layer.highest = limits[1];
    layer.z = reader.quantization(name + ".z");
    layer.output = reader.quantization(name + ".output");
  }
  reader.check_all_read();
  return detail::in_name_of(file.name(), [&] {
    return QuantizedNetwork<Q>(std::move(shift), std::move(scale), input, std::move(layers), make_loss<float, Own...>(loss));
  });
}
/// Makes a network in integers from a file that save() has written. Throws what parse_quantized_network throws, and ValueError where the
/// file cannot be read.
/// @code{.cpp}
/// const auto q = load_quantized_network<std::int8_t>("model_int8.safetensors");
/// @endcode
template <class Q, class... Own>
QuantizedNetwork<Q> load_quantized_network(const std::string& path) {
  return parse_quantized_network<Q, Own...>(read_safetensors(path));
}

}  // namespace chainrule
