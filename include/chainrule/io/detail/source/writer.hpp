#pragma once

#include <algorithm>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/io/detail/source/functions.hpp>
#include <chainrule/io/detail/source/weights.hpp>
#include <chainrule/kernels/sum_order.hpp>
#include <map>

namespace chainrule::detail {

/// Collects the parts of a network as source code: the body of predict, the weights that it reads, the functions that it calls, and how
/// large its arrays t1, t2, ... must be. `Written` is float or double. The overloads of source_form on the types of layers and losses add
/// to it.
template <class Written>
class SourceWriter {
  using Text = std::string;

 public:
  /// `name`: what all names in the source code begin with.
  explicit SourceWriter(const Text& name) : functions{name}, name_{name} {}

  SourceFunctions<Written> functions;
  SourceWeights<Written> weights;

  const Text& body() const { return body_; }

  // statements of predict
  void comment(const Text& text) { body_ += "\n  /* " + text + " */\n"; }
  /// Adds lines of code, where $, F and numbers in angle brackets stand for what SourceFunctions says.
  void code(std::string_view lines) { body_ += functions.filled_in(lines); }
  /// Adds a loop of the statement over i = 0, ..., n - 1.
  void loop(Index n, const Text& statement) { body_ += text_of("  for (int i = 0; i < ", n, "; ++i) ", statement, "\n"); }

  /// Adds a loop over `index` = 0, ..., n - 1 of the statement, which adds a term to the variable `sum`. More than kernels::max_chain terms
  /// are added in the blocks of kernels/sum_order.hpp, so that the error is that of 256 + n/256 additions instead of n, and the order that
  /// of the library's matrix products.
  void add_terms(const Text& margin, const Text& index, Index n, const Text& sum, const Text& statement) {
    const Index blocks = kernels::SumBlocks(n).count(), size = n / blocks, longer = n % blocks * (size + 1);
    if (blocks == 1) return code(text_of(margin, "for (int ", index, " = 0; ", index, " < ", n, "; ++", index, ") ", statement, "\n"));
    const Text next = longer > 0 ? text_of("end < ", longer, " ? ", size + 1, " : ", size) : text_of(size);
    code(text_of(margin, "for (int ", index, " = 0, end = 0; ", index, " < ", n, ";) {\n",                 //
                 margin, "  const $ before = ", index, " > 0 ? ", sum, " : <0>;\n",                        //
                 margin, "  if (", index, " > 0) ", sum, " = <0>;\n",                                      //
                 margin, "  for (end += ", next, "; ", index, " < end; ++", index, ") ", statement, "\n",  //
                 margin, "  ", sum, " += before;\n", margin, "}\n"));
  }

  /// 1 for the first thing of this kind, then 2, 3, ...
  Index next_number(const Text& kind) { return ++count_[kind]; }
  /// model_batch_norm1_mean for the parts "batch_norm", 1, "_mean".
  template <class... Parts>
  Text full_name(const Parts&... parts) const {
    return text_of(name_, "_", parts...);
  }
  /// Adds a constant array with a number after its name, and returns that name: model_scale1.
  template <class Derived>
  Text constants(const Text& name, const Eigen::MatrixBase<Derived>& vector) {
    const Text numbered = full_name(name, next_number(name));
    weights.add(numbered, vector);
    return numbered;
  }

  /// Reserves an array of at least n numbers until give_back, and returns its name: y where is_y, else the first of t1, t2, ... that is
  /// not in use.
  Text take_array(Index n, bool is_y) {
    if (is_y) return "y";
    auto free = std::find_if(arrays_.begin(), arrays_.end(), [](const Array& one) { return !one.in_use; });
    if (free == arrays_.end()) free = arrays_.insert(free, Array{});
    *free = {(std::max)(free->size, n), true};
    return text_of("t", free - arrays_.begin() + 1);
  }
  void give_back(const Text& array) {
    if (!is_kept(array) && array != "y") arrays_.at(to_size(std::stoul(array.substr(1))) - 1).in_use = false;
  }
  /// Returns the name of the array for the n outputs of a layer that can work in place: its input, or a reserved array if the input is
  /// kept.
  Text array_after(const Text& input, Index n, bool is_y) { return is_kept(input) ? take_array(n, is_y) : input; }
  /// Whether the array may not be overwritten: x, and what a Residual still needs.
  bool is_kept(const Text& array) const { return array == "x" || std::find(kept_.begin(), kept_.end(), array) != kept_.end(); }
  void keep(const Text& array) { kept_.push_back(array); }
  /// Undoes the last `keep`.
  void release() { kept_.pop_back(); }

  /// The sizes of t1, t2, ...
  std::vector<Index> array_sizes() const {
    std::vector<Index> sizes;
    for (const Array& array : arrays_) sizes.push_back(array.size);
    return sizes;
  }

 private:
  struct Array {
    Index size = 0;
    bool in_use = false;
  };

  Text name_;
  std::map<Text, Index> count_;
  std::vector<Array> arrays_;
  std::vector<Text> kept_;
  Text body_;
};

}  // namespace chainrule::detail
