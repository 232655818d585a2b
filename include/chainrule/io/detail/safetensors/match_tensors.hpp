#pragma once
// Finds out which tensor of a file belongs to which tensor of a network.

#include <chainrule/io/detail/safetensors/file_tensors.hpp>
#include <chainrule/io/safetensors.hpp>
#include <map>

namespace chainrule::detail {

/// Pairs each tensor of a network with one of a file. With `names`, one for each tensor in the network's order, it takes these. Otherwise
/// it takes the network's own names; if the file has none of them, it pairs module by module, in the natural order of the file's names
/// (fc1.weight, fc1.bias, fc2.weight, ...). Throws ValueError that lists both sides unless every tensor has a partner of the same shape.
template <class Scalar>
class TensorMatch {
 public:
  using Wanted = std::vector<FileTensor<Scalar>>;

  TensorMatch(const SafetensorsFile& file, const Wanted& wanted, const std::vector<std::string>& names)
      : file_{file}, wanted_{wanted}, found_(wanted.size(), nullptr) {
    if (!names.empty())
      by_list(names);
    else if (std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) { return file.find(one.full_name()) != nullptr; }))
      by_name();
    else
      by_order();
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (found_[i] != nullptr && !same_shape(found_[i]->shape, wanted[i].shape))
        refuse(text_of("tensor ", in_quotes(found_[i]->name), " is ", shape_text(found_[i]->shape), ", but the network's ",
                       wanted[i].full_name(), " is ", shape_text(wanted[i].shape)));
  }

  /// The file's tensor for the network's tensor i, or nullptr where it may be missing and is.
  const SafetensorsTensor* operator[](std::size_t i) const { return found_[i]; }

 private:
  void by_list(const std::vector<std::string>& names) {
    if (names.size() != wanted_.size())
      refuse(text_of("there are ", names.size(), " names in the list, but the network has ", wanted_.size(), " tensors"));
    for (std::size_t i = 0; i < names.size(); ++i) {
      found_[i] = file_.find(names[i]);
      if (found_[i] == nullptr) refuse(text_of("there is no tensor ", in_quotes(names[i])));
    }
  }

  void by_name() {
    for (std::size_t i = 0; i < wanted_.size(); ++i) found_[i] = file_.find(wanted_[i].full_name());
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
      refuse(text_of("its tensors are of ", theirs.size(), " modules, but those of the network of ", ours.size()));
    std::map<std::string, std::string> partner;
    std::size_t next = 0;
    for (const auto& [module, unused] : theirs) partner[ours[next++]] = module;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const std::string& module = partner[wanted_[i].module];
      found_[i] = file_.find(module.empty() ? wanted_[i].name : module + "." + wanted_[i].name);
    }
    check_all_taken();
  }

  static std::string module_of(const std::string& name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string::npos ? "" : name.substr(0, dot);
  }

  void check_all_taken() {
    std::size_t taken = 0;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (found_[i] != nullptr)
        ++taken;
      else if (!wanted_[i].may_be_missing)
        refuse(text_of("no tensor in it belongs to the network's ", wanted_[i].full_name()));
    }
    if (taken != file_.tensors().size()) refuse("some of its tensors belong to none of the network's");
  }

  // (n) and (n, 1) count as the same
  static bool same_shape(std::vector<std::uint64_t> a, std::vector<std::uint64_t> b) {
    for (auto* shape : {&a, &b})
      while (!shape->empty() && shape->back() == 1) shape->pop_back();
    return a == b;
  }

  [[noreturn]] void refuse(const std::string& why) const {
    constexpr std::size_t max_lines = 40;
    std::string has, wants;
    for (std::size_t i = 0; i < file_.tensors().size() && i < max_lines; ++i)
      has += text_of("\n  ", file_.tensors()[i].name, ": ", shape_text(file_.tensors()[i].shape));
    for (std::size_t i = 0; i < wanted_.size() && i < max_lines; ++i)
      wants += text_of("\n  ", wanted_[i].full_name(), ": ", shape_text(wanted_[i].shape));
    if (file_.tensors().size() > max_lines) has += text_of("\n  and ", file_.tensors().size() - max_lines, " more");
    if (wanted_.size() > max_lines) wants += text_of("\n  and ", wanted_.size() - max_lines, " more");
    raise<ValueError>(file_.name(), " does not fit the network: ", why, "\nThe file has", has.empty() ? " no tensors" : has,
                      "\nThe network wants", wants.empty() ? " none" : wants);
  }

  const SafetensorsFile& file_;
  const Wanted& wanted_;
  std::vector<const SafetensorsTensor*> found_;
};

}  // namespace chainrule::detail
