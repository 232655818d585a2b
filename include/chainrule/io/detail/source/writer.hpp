#pragma once

#include <algorithm>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/io/detail/source/functions.hpp>
#include <chainrule/io/detail/source/steps.hpp>
#include <chainrule/io/detail/source/weights.hpp>
#include <chainrule/kernels/sum_order.hpp>
#include <map>
#include <utility>
#include <vector>

namespace chainrule::detail {

/// Collects the parts of a network as source code: the body of predict, the weights that it reads, the functions that it calls, and how
/// large its arrays t1, t2, ... must be. `Written` is float or double. The overloads of source_form on the types of layers and losses add
/// to it. With derivatives, the body also keeps what they need of the sample, in arrays d1, d2, ..., and their steps are recorded.
template <class Written, class Step = SourceStep>  // the step is a parameter, so that only programs that export compile a list of it
class SourceWriter {
  using Text = std::string;

 public:
  /// `name`: what all names in the source code begin with.
  explicit SourceWriter(const Text& name, bool differentiates = false) : functions{name}, name_{name}, differentiates_{differentiates} {}

  SourceFunctions<Written> functions;
  SourceWeights<Written> weights;

  const Text& body() const { return body_; }

  // statements of predict
  void comment(const Text& text) { body_ += "\n  /* " + text + " */\n"; }
  /// Adds lines of code, where $, F and numbers in angle brackets stand for what SourceFunctions says.
  void code(std::string_view lines) { body_ += functions.filled_in(lines); }
  /// Adds a loop of the statement over i = 0, ..., n - 1.
  void loop(Index n, const Text& statement) { code(text_of("  for (int i = 0; i < ", n, "; ++i) ", statement, "\n")); }

  /// Adds a loop over `index` = 0, ..., n - 1 of the statement, which adds a term to the variable `sum`. More than kernels::max_chain terms
  /// are added in the blocks of kernels/sum_order.hpp, so that the error is that of 256 + n/256 additions instead of n, and the order that
  /// of the library's matrix products.
  void add_terms(const Text& margin, const Text& index, Index n, const Text& sum, const Text& statement) {
    const Text next = next_block(n);
    if (next.empty()) return code(text_of(margin, "for (int ", index, " = 0; ", index, " < ", n, "; ++", index, ") ", statement, "\n"));
    code(text_of(margin, "for (int ", index, " = 0, end = 0; ", index, " < ", n, ";) {\n",                 //
                 margin, "  const $ before = ", index, " > 0 ? ", sum, " : <0>;\n",                        //
                 margin, "  if (", index, " > 0) ", sum, " = <0>;\n",                                      //
                 margin, "  for (end += ", next, "; ", index, " < end; ++", index, ") ", statement, "\n",  //
                 margin, "  ", sum, " += before;\n", margin, "}\n"));
  }

  /// How many terms the block of a sum of n terms has that begins with term `end`, as an expression of C. Empty where there is one block.
  static Text next_block(Index n) {
    const Index blocks = kernels::SumBlocks(n).count(), size = n / blocks, longer = n % blocks * (size + 1);
    if (blocks == 1) return "";
    return longer > 0 ? text_of("end < ", longer, " ? ", size + 1, " : ", size) : text_of(size);
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
    if (is_y) {
      y_size_ = n;
      return "y";
    }
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

  /// The names and sizes of the arrays that the body uses besides x and y, or with derivatives besides x.
  std::vector<std::pair<Text, Index>> arrays() const {
    std::vector<std::pair<Text, Index>> all;
    if (differentiates_ && y_size_ > 0) all.push_back({"y", y_size_});
    for (std::size_t i = 0; i < arrays_.size(); ++i)
      if (arrays_[i].size > 0) all.emplace_back(text_of("t", i + 1), arrays_[i].size);
    for (std::size_t i = 0; i < derivative_sizes_.size(); ++i) all.emplace_back(text_of("d", i + 1), derivative_sizes_[i]);
    return all;
  }

  /// Whether the derivative is written too.
  bool differentiates() const { return differentiates_; }
  const std::vector<Step>& steps() const { return steps_; }
  /// Reserves an array for n numbers that the derivative needs of the sample, and returns its name: d1, d2, ...
  Text take_derivative_array(Index n) {
    derivative_sizes_.push_back(n);
    return text_of("d", derivative_sizes_.size());
  }
  /// Records the next step of the derivative.
  void add_step(Step step) { steps_.push_back(std::move(step)); }
  /// Records the next step, which reads numbers that the body has computed. `unread`: an array that the body has written for later
  /// statements only, or nothing.
  void add_step_at_values(Step step, const Text& unread = {}) {
    add_step(std::move(step));
    values_end_ = body_.size();
    unread_.clear();
    if (!unread.empty()) unread_.push_back(unread);
  }
  /// Ends the body behind the last statement that a step needs, and returns it. The body is empty then, and all arrays are free.
  Text take_values() {
    const Text values = std::exchange(body_, {}).substr(0, values_end_);
    std::vector<Array> used;
    for (const Array& array : arrays_) used.push_back({mentions(values, text_of("t", used.size() + 1)) ? array.size : 0, false});
    arrays_ = used;
    y_size_ = mentions(values, "y") ? y_size_ : 0;
    if (!mentions(values, "x")) unread_ = {"x"};
    if (y_size_ > 0 && !reads_y(values) && std::find(unread_.begin(), unread_.end(), "y") == unread_.end()) unread_.push_back("y");
    return values;
  }
  /// The names of x and of arrays that no statement reads up to the end of take_values, which compilers would warn of.
  const std::vector<Text>& unread() const { return unread_; }
  /// Whether a text reads y, and does not just assign to its numbers.
  static bool reads_y(std::string_view text) {
    for (std::size_t at = 0; (at = text.find(" y[", at)) != std::string_view::npos; ++at) {
      const std::string_view behind = text.substr(text.find(']', at) + 1);
      if (!behind.starts_with(" = ") && !behind.starts_with(" += ")) return true;
    }
    return text.find("(y") != std::string_view::npos || text.find("-y[") != std::string_view::npos;
  }
  /// Whether a text uses an array.
  static bool mentions(std::string_view text, const Text& array) {
    for (std::size_t at = 0; (at = text.find(array + "[", at)) != std::string_view::npos; ++at) {
      const char before = at == 0 ? ' ' : text[at - 1];
      if (before == ' ' || before == '(' || before == '-') return true;
    }
    return false;
  }

 private:
  struct Array {
    Index size = 0;
    bool in_use = false;
  };

  Text name_;
  bool differentiates_;
  std::map<Text, Index> count_;
  std::vector<Array> arrays_;
  std::vector<Text> kept_;
  Index y_size_ = 0;
  Text body_;

  // for the derivative: the sizes of d1, d2, ..., and the end of what the steps need in the body
  std::vector<Index> derivative_sizes_;
  std::vector<Step> steps_;
  std::size_t values_end_ = 0;
  std::vector<Text> unread_;
};

}  // namespace chainrule::detail
