#pragma once
// Finds out which tensor of a file belongs to which tensor of a network.

#include <chainrule/bytes/decimal.hpp>
#include <chainrule/io/detail/safetensors/file_tensors.hpp>
#include <chainrule/io/safetensors.hpp>
#include <map>

namespace chainrule::detail {

/// Returns the end of a tensor's name, after the last dot or slash and without Keras's ":0" at the end: "kernel" of "dense_1/kernel:0".
inline std::string_view last_word(std::string_view name) {
  if (const std::size_t colon = name.rfind(':'); colon != std::string_view::npos) name = name.substr(0, colon);
  return name.substr(name.find_last_of("./") + 1);
}

/// The layout of a weight that its name and the file's metadata say, or by_name where they say none or contradict each other.
inline WeightLayout layout_by_name(const SafetensorsFile& file, std::string_view tensor) {
  using enum WeightLayout;
  const std::string_view word = last_word(tensor);
  const WeightLayout by_word = word == "weight" ? outputs_by_inputs : word == "kernel" ? inputs_by_outputs : by_name;
  const auto found = file.metadata().find("format");
  const std::string_view format = found == file.metadata().end() ? std::string_view() : found->second;
  const WeightLayout by_format = format == "pt"                                            ? outputs_by_inputs
                                 : format == "tf" || format == "flax" || format == "keras" ? inputs_by_outputs
                                                                                           : by_name;
  if (by_word == by_name || by_format == by_name) return by_word == by_name ? by_format : by_word;
  return by_word == by_format ? by_word : by_name;
}

/// The name in a network of what a file's tensor is by its own name, from PyTorch or Keras; empty where that name says nothing.
inline std::string_view meaning_by_name(std::string_view tensor) {
  const std::string_view word = last_word(tensor);
  if (word == "weight" || word == "kernel" || word == "gamma") return "weight";
  if (word == "bias" || word == "beta") return "bias";
  if (word == "running_mean" || word == "moving_mean") return "running_mean";
  if (word == "running_var" || word == "moving_variance") return "running_var";
  return {};
}

/// Pairs each tensor of a network with one of a file. With `names`, one for each tensor in the network's order, it takes these. Otherwise
/// it takes the network's own names; if the file has none of them, it pairs module by module, in the natural order of the file's names
/// (fc1.weight, fc1.bias, fc2.weight, ...). Throws ValueError that lists both sides unless every tensor has a partner of the same shape and
/// it is certain which one. With `is_part`, for some layers of a network alone, tensors of the file may be left over.
template <class Scalar>
class TensorMatch {
 public:
  using Wanted = std::vector<FileTensor<Scalar>>;

  /// A tensor of the file, with the shape that the network gives it, and the order in which copy_numbers makes it column-major.
  struct Found {
    SafetensorsTensor tensor;
    TensorOrder order;
  };

  TensorMatch(const SafetensorsFile& file, const Wanted& wanted, const std::vector<std::string>& names, WeightLayout layout,
              bool is_part = false)
      : file_{file}, wanted_{wanted}, is_part_{is_part}, partners_(wanted.size(), nullptr) {
    if (!names.empty())
      by_list(names);
    else if (std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) { return file.find(one.full_name()) != nullptr; }))
      by_name();
    else
      by_order();
    for (std::size_t i = 0; i < wanted.size(); ++i)
      found_.push_back(partners_[i] == nullptr ? std::nullopt : std::optional<Found>(in_shape(*partners_[i], wanted[i], layout)));
  }

  /// The file's tensor for the network's tensor i, or nothing where it may be missing and is.
  const std::optional<Found>& operator[](std::size_t i) const { return found_[i]; }

 private:
  using Shape = std::vector<std::uint64_t>;

  void by_list(const std::vector<std::string>& names) {
    std::size_t counts = 0;
    for (const auto& one : wanted_) counts += one.is_count_of_batches() ? 1u : 0u;
    const bool with_counts = names.size() == wanted_.size();
    if (!with_counts && names.size() != wanted_.size() - counts)
      refuse(text_of("there are ", names.size(), " names in the list, but the network has ", wanted_.size() - counts, " tensors",
                     counts > 0 ? ", which num_batches_tracked need not be among; " : "; ", "\"\" stands for a bias that the file lacks"));
    auto name = names.begin();
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (!with_counts && wanted_[i].is_count_of_batches()) continue;
      partners_[i] = file_.find(*name);
      if (partners_[i] == nullptr && !(name->empty() && wanted_[i].if_missing)) refuse(text_of("there is no tensor ", in_quotes(*name)));
      if (partners_[i] != nullptr) check_meaning(*name, wanted_[i]);
      ++name;
    }
  }

  // A list in another order, such as beta before gamma, would be loaded in silence where the shapes are the same.
  void check_meaning(const std::string& name, const FileTensor<Scalar>& wanted) const {
    const std::string_view meaning = meaning_by_name(name);
    if (meaning.empty() || meaning == wanted.name) return;
    for (const auto& other : wanted_)
      if (other.module == wanted.module && other.name == meaning)
        refuse(text_of("tensor ", in_quotes(name), " is in the place of ", wanted.full_name(), " in the list of names, but its name says ",
                       "that it is ", other.full_name()));
  }

  void by_name() {
    for (std::size_t i = 0; i < wanted_.size(); ++i) partners_[i] = file_.find(wanted_[i].full_name());
    check_all_taken();
  }

  void by_order() {
    // pairs the modules of the network, in their order, with those of the file, in natural order
    std::vector<std::string> ours;
    for (const auto& one : wanted_)
      if (ours.empty() || ours.back() != one.module) ours.push_back(one.module);
    const auto less = [](const std::string& a, const std::string& b) { return natural_less(a, b) || (!natural_less(b, a) && a < b); };
    std::map<std::string, std::size_t, decltype(less)> theirs(less);
    for (const SafetensorsTensor& tensor : file_.tensors()) theirs.emplace(module_of(tensor.name), 0);
    if (theirs.size() != ours.size())
      refuse(text_of("its tensors are of ", theirs.size(), " modules, but those of the network of ", ours.size(), name_them));
    std::map<std::string, std::string> partner;
    std::size_t next = 0;
    for (const auto& [module, unused] : theirs) partner[ours[next++]] = module;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const std::string& module = partner[wanted_[i].module];
      partners_[i] = file_.find(module.empty() ? wanted_[i].name : module + "." + wanted_[i].name);
    }
    check_all_taken();
    check_order(partner);
  }

  /// Modules whose tensors have the same names and shapes could be taken for each other, so their order must be told by numbers: fc1, fc2.
  /// `partner`: the file's module for each of the network.
  void check_order(const std::map<std::string, std::string>& partner) const {
    std::map<std::string, std::string> first;  // the first module for each list of names and shapes
    for (std::size_t i = 0; i < wanted_.size();) {
      const std::string& module = wanted_[i].module;
      std::string tensors;
      for (; i < wanted_.size() && wanted_[i].module == module; ++i) tensors += wanted_[i].name + " " + shape_text(wanted_[i].shape) + ", ";
      const std::string& here = partner.at(module);
      const std::string& before = first.emplace(tensors, here).first->second;
      if (without_numbers(before) != without_numbers(here))
        refuse(text_of("modules ", in_quotes(before), " and ", in_quotes(here),
                       " have tensors of the same shapes, and their names do not say which is first", name_them));
    }
  }

  static std::string without_numbers(const std::string& name) {
    std::string text;
    for (const char c : name)
      if (!is_digit(c) && c != '_' && c != '.') text += c;
    return text;
  }

  static std::string module_of(const std::string& name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string::npos ? "" : name.substr(0, dot);
  }

  void check_all_taken() {
    // A bias or a scale that is missing was left out on purpose only where its module has another tensor. save() leaves out none.
    std::map<std::string, bool> has_tensors;
    std::size_t taken = 0;
    for (std::size_t i = 0; i < wanted_.size(); ++i)
      if (partners_[i] != nullptr) {
        ++taken;
        has_tensors[wanted_[i].module] = true;
      }
    const bool is_saved = file_.metadata().contains("chainrule.layers");
    for (std::size_t i = 0; i < wanted_.size(); ++i)
      if (const auto& one = wanted_[i]; partners_[i] == nullptr)
        if (!one.if_missing || (!one.is_count_of_batches() && (is_saved || !has_tensors[one.module])))
          refuse(text_of("no tensor in it belongs to the network's ", one.full_name(), name_them));
    if (taken != file_.tensors().size() && !is_part_) refuse(text_of("some of its tensors belong to none of the network's", name_them));
  }

  // (n) and (n, 1) count as the same
  static bool same_shape(Shape a, Shape b) {
    for (auto* shape : {&a, &b})
      while (!shape->empty() && shape->back() == 1) shape->pop_back();
    return a == b;
  }

  Found in_shape(const SafetensorsTensor& tensor, const FileTensor<Scalar>& wanted, WeightLayout layout) const {
    using enum WeightLayout;
    const Shape& shape = wanted.shape;
    const bool is_matrix = shape.size() == 2 && wanted.order == TensorOrder::column_major;  // an embedding is categories x size everywhere
    const bool fits = same_shape(tensor.shape, shape);
    const bool fits_transposed = is_matrix && same_shape(tensor.shape, {shape[1], shape[0]});
    const WeightLayout said = layout == by_name ? layout_by_name(file_, tensor.name) : layout;
    const auto with_shape = [&](const Shape& its, TensorOrder order) {
      return Found{{tensor.name, tensor.type, its, tensor.bytes}, order};
    };
    const bool is_vector = !is_matrix || shape[0] == 1 || shape[1] == 1;  // either layout has the numbers in the same order
    if (is_vector && (fits || fits_transposed)) return with_shape(shape, TensorOrder::row_major);
    if (fits && fits_transposed && said == by_name)
      refuse(text_of(
          "tensor ", in_quotes(tensor.name), " is ", shape_text(tensor.shape), ", and neither its name nor the metadata say whether ",
          "that is outputs x inputs, as in PyTorch, or inputs x outputs, as in Keras; .layout = WeightLayout::outputs_by_inputs ",
          "or inputs_by_outputs says it"));
    if (fits && said != inputs_by_outputs) return with_shape(shape, TensorOrder::column_major);
    // inputs x outputs in rows is outputs x inputs in columns
    if (fits_transposed && said == inputs_by_outputs) return with_shape({shape[1], shape[0]}, TensorOrder::row_major);
    refuse(text_of("tensor ", in_quotes(tensor.name), " is ", shape_text(tensor.shape), ", but the network's ", wanted.full_name(), " is ",
                   shape_text(said == inputs_by_outputs && is_matrix ? Shape{shape[1], shape[0]} : shape),
                   said == inputs_by_outputs && is_matrix ? ", inputs x outputs" : "",
                   fits              ? "; is it transposed? .layout = WeightLayout::outputs_by_inputs loads it so"
                   : fits_transposed ? "; is it transposed? .layout = WeightLayout::inputs_by_outputs loads it so"
                                     : ""));
  }

  [[noreturn]] void refuse(const std::string& why) const {
    constexpr std::size_t max_lines = 40, max_name = 80;
    std::string has, wants;
    for (std::size_t i = 0; i < file_.tensors().size() && i < max_lines; ++i)
      has += text_of("\n  ", excerpt(file_.tensors()[i].name, max_name), ": ", shape_text(file_.tensors()[i].shape));
    for (std::size_t i = 0; i < wanted_.size() && i < max_lines; ++i)
      wants += text_of("\n  ", wanted_[i].full_name(), ": ", shape_text(wanted_[i].shape));
    if (file_.tensors().size() > max_lines) has += text_of("\n  and ", file_.tensors().size() - max_lines, " more");
    if (wanted_.size() > max_lines) wants += text_of("\n  and ", wanted_.size() - max_lines, " more");
    raise<ValueError>(file_.name(), " does not fit the network: ", why, "\nThe file has", has.empty() ? " no tensors" : has,
                      "\nThe network wants", wants.empty() ? " none" : wants);
  }

  static constexpr const char* name_them = "; .names lists the file's tensors in the network's order, where they are the right ones";

  const SafetensorsFile& file_;
  const Wanted& wanted_;
  bool is_part_;
  std::vector<const SafetensorsTensor*> partners_;
  std::vector<std::optional<Found>> found_ = {};
};

}  // namespace chainrule::detail
