#pragma once
// Writes the Jacobian of a network's predictions by x: the values that the derivative at x needs, then the linear steps of the derivative
// for each input (forward mode) or for each output (reverse mode), whichever are fewer.

#include <chainrule/io/detail/source/writer.hpp>

namespace chainrule::detail {

/// Writes what one direction does: from unit vector j of x to column j of J in forward mode, from unit vector j of y to row j of J in
/// reverse mode. The unit vector is an array only if a step needs it.
template <class Written>
class SourceDirection {
 public:
  SourceDirection(SourceWriter<Written>& writer, bool forward) : writer_{writer}, forward_{forward} {}

  void write(Index inputs, Index outputs) {
    const std::vector<SourceStep>& steps = writer_.steps();
    n_ = forward_ ? inputs : outputs;
    for (const SourceStep& step : steps)
      arrays_left_ += std::holds_alternative<SourceProduct>(step) || std::holds_alternative<SourceSelection>(step) || begins_fork(step);
    for (std::size_t i = 0; i < steps.size(); ++i)
      std::visit([&](const auto& step) { add(step); }, steps[forward_ ? i : steps.size() - 1 - i]);
    make_array();
    if (!forward_) {
      if (v_ != "row") writer_.loop(inputs, text_of("row[i] = ", v_, "[i];"));
      return;
    }
    writer_.loop(outputs, text_of("J[i * ", inputs, " + j] = ", v_, "[i];"));
    writer_.give_back(v_);
  }

 private:
  void add(const SourceScaling& step) {
    if (v_.empty() && step.first == 0 && step.last == n_) {
      std::string factor = step.factor;
      for (std::size_t at; (at = factor.find("[i]")) != std::string::npos;) factor.replace(at, 3, "[j]");
      unit_ += (unit_.empty() ? "" : " * ") + factor;
      return;
    }
    make_array();
    writer_.code(text_of("  for (int i = ", step.first, "; i < ", step.last, "; ++i) ", v_, "[i] *= ", step.factor, ";\n"));
  }

  void add(const SourceProduct& step) {
    const Index n = forward_ ? step.outputs : step.inputs;
    --arrays_left_;
    const std::string out = take_array(n), fma = writer_.functions.multiply_add();
    if (v_.empty()) {
      writer_.loop(n, text_of(out, "[i] = ", step.w, forward_ ? "[i][j]" : "[j][i]", unit_.empty() ? "" : " * ", unit_, ";"));
    } else if (forward_) {
      writer_.code(text_of("  for (int i = 0; i < ", n, "; ++i) {\n    $ sum = <0>;\n"));
      writer_.add_terms("    ", "k", step.inputs, "sum", text_of("sum = ", fma, "(", step.w, "[i][k], ", v_, "[k], sum);"));
      writer_.code(text_of("    ", out, "[i] = sum;\n  }\n"));
    } else {
      add_transposed(step, out);
    }
    if (!v_.empty()) writer_.give_back(v_);
    v_ = out;
    n_ = n;
  }

  // out = W^T v, row by row of W, which is how it lies in memory. Long sums are added in blocks, as in SourceWriter::add_terms.
  void add_transposed(const SourceProduct& step, const std::string& out) {
    const std::string next = writer_.next_block(step.outputs), each = text_of("for (int i = 0; i < ", step.inputs, "; ++i) ");
    const auto product = [&](const std::string& sum) {
      return text_of(each, sum, "[i] = ", writer_.functions.multiply_add(), "(", step.w, "[k][i], ", v_, "[k], ", sum, "[i]);\n");
    };
    writer_.loop(step.inputs, out + "[i] = <0>;");
    if (next.empty()) return writer_.code(text_of("  for (int k = 0; k < ", step.outputs, "; ++k)\n    ", product(out)));
    const std::string part = writer_.take_array(step.inputs, false);
    writer_.code(text_of("  for (int k = 0, end = 0; k < ", step.outputs, ";) {\n    ", each, part, "[i] = <0>;\n",  //
                         "    for (end += ", next, "; k < end; ++k)\n      ", product(part),                         //
                         "    ", each, out, "[i] += ", part, "[i];\n  }\n"));
    writer_.give_back(part);
  }

  void add(const SourceSelection& step) {
    make_array();
    --arrays_left_;
    const Index n = forward_ ? step.outputs : step.inputs;
    const std::string out = take_array(n);
    writer_.loop(n, out + "[i] = <0>;");
    for (const auto& [from, to, size] : step.runs)
      writer_.loop(size, text_of(out, "[", forward_ ? to : from, " + i] = ", v_, "[", forward_ ? from : to, " + i];"));
    writer_.give_back(v_);
    v_ = out;
    n_ = n;
  }

  void add(const SourceCentering& step) {
    make_array();
    const std::string units = writer_.functions.literal(static_cast<double>(step.n));
    writer_.code("  {\n    $ mean = <0>;\n    $ along = <0>;\n");
    writer_.add_terms("    ", "i", step.n, "mean", text_of("mean += ", v_, "[i];"));
    writer_.add_terms("    ", "i", step.n, "along", text_of("along += ", v_, "[i] * ", step.x_hat, "[i];"));
    writer_.code(text_of("    mean /= ", units, ";\n    along /= ", units, ";\n    for (int i = 0; i < ", step.n, "; ++i) ", v_,
                         "[i] = ", step.factor, " * (", v_, "[i] - mean - along * ", step.x_hat, "[i]);\n  }\n"));
  }

  void add(const SourceSoftmaxStep& step) {
    make_array();
    const std::string at = step.first == 0 ? "[i]" : text_of("[i + ", step.first, "]"), v = v_ + at, y = "y" + at;
    writer_.code("  {\n    $ sum = <0>;\n");
    writer_.add_terms("    ", "i", step.n, "sum", text_of("sum += ", y, " * ", v, ";"));
    writer_.code(text_of("    for (int i = 0; i < ", step.n, "; ++i) ", v, " = ", y, " * (", v, " - sum);\n  }\n"));
  }

  void add(const SourceBranch& step) {
    make_array();
    if (step.is_begin == forward_) {
      branches_.push_back(writer_.take_array(step.n, false));
      writer_.loop(step.n, text_of(branches_.back(), "[i] = ", v_, "[i];"));
    } else {
      writer_.loop(step.n, text_of(v_, "[i] += ", branches_.back(), "[i];"));
      writer_.give_back(branches_.back());
      branches_.pop_back();
    }
  }

  // Where this direction enters a fork, v is kept for all branches. Where it leaves the fork, v becomes what the branches have computed:
  // their joined outputs in forward mode, the sum of what comes back through them in reverse mode.
  void add(const SourceFork& step) {
    make_array();
    if (step.is_begin == forward_) {
      --arrays_left_;
      forks_.push_back({v_, writer_.take_array(forward_ ? step.outputs : step.inputs, false), step.inputs});
      writer_.loop(forward_ ? step.outputs : step.inputs, forks_.back().joined + "[i] = <0>;");
    } else {
      writer_.give_back(forks_.back().kept);
      v_ = forks_.back().joined;
      n_ = forward_ ? step.outputs : step.inputs;
      forks_.pop_back();
    }
  }
  void add(const SourceForkBranch& step) {
    const std::string part = step.first == 0 ? "[i]" : text_of("[i + ", step.first, "]");
    if (step.is_begin == forward_) {
      n_ = forward_ ? forks_.back().inputs : step.outputs;
      v_ = writer_.take_array(n_, false);
      writer_.loop(n_, text_of(v_, "[i] = ", forks_.back().kept, forward_ ? "[i]" : part, ";"));
    } else {
      writer_.loop(n_, text_of(forks_.back().joined, forward_ ? part : "[i]", " += ", v_, "[i];"));
      writer_.give_back(v_);
    }
  }
  // whether the step is the end of a fork at which this direction comes to it
  bool begins_fork(const SourceStep& step) const {
    const SourceFork* fork = std::get_if<SourceFork>(&step);
    return fork != nullptr && fork->is_begin == forward_;
  }

  // the array for a new v; in reverse mode that of the last step which makes a new one is the row of J
  std::string take_array(Index n) { return !forward_ && arrays_left_ == 0 && forks_.empty() ? "row" : writer_.take_array(n, false); }

  // Makes v an array, where it is still unit vector j times a number.
  void make_array() {
    if (!v_.empty()) return;
    v_ = take_array(n_);
    writer_.loop(n_, v_ + "[i] = <0>;");
    writer_.code(text_of("  ", v_, "[j] = ", unit_.empty() ? "<1>" : unit_, ";\n"));
  }

  SourceWriter<Written>& writer_;
  bool forward_;
  std::string v_, unit_;  // the array of v; if there is none yet, v is unit vector j times unit_
  Index n_ = 0, arrays_left_ = 0;
  std::vector<std::string> branches_;
  // for each fork around this place: the arrays of v where it was entered and of what the branches have made so far, and its inputs
  struct Fork {
    std::string kept, joined;
    Index inputs;
  };
  std::vector<Fork> forks_;
};

/// Returns the function NAME_jacobian. The writer must have written the network, with its derivatives.
template <class Written>
std::string source_jacobian(SourceWriter<Written>& writer, Index inputs, Index outputs) {
  const std::string scalar = writer.functions.scalar, values = writer.take_values();
  const bool forward = inputs <= outputs;
  SourceDirection<Written>(writer, forward).write(inputs, outputs);
  const std::string direction = writer.body();

  std::string arrays;
  for (const auto& [array, size] : writer.arrays()) arrays += text_of("  ", scalar, " ", array, "[", size, "];\n");
  std::string ignored;
  for (const std::string& array : writer.unread()) ignored += "  (void)" + array + ";\n";
  std::string text = text_of("/* J[i * ", inputs, " + k] = dy_i/dx_k, computed ",
                             forward ? "column by column, along each input (forward mode)" : "row by row, for each output (reverse mode)",
                             " */\nstatic inline void ", writer.full_name("jacobian"), "(const ", scalar, "* x, ", scalar, "* J) {\n",
                             arrays, values, ignored, "\n  for (int j = 0; j < ", forward ? inputs : outputs, "; ++j) {\n");
  if (!forward) text += text_of("    ", scalar, "* row = J + j * ", inputs, ";\n");
  for (std::size_t at = 0, end; at < direction.size(); at = end + 1) {
    end = direction.find('\n', at);
    text += (end > at ? "  " : "") + direction.substr(at, end - at + 1);
  }
  return text + "  }\n}\n";
}

}  // namespace chainrule::detail
