#pragma once

#include <algorithm>
#include <chainrule/core/category_row.hpp>
#include <chainrule/io/detail/onnx/graph.hpp>
#include <chainrule/io/detail/onnx/layout.hpp>
#include <optional>

namespace chainrule::detail {

/// Embeddings of some columns of a value, beside its other columns: Concat(Gather(x, columns), Gather(table, Cast(Gather(x, column))), ...)
struct OnnxEmbedding {
  std::vector<CategoryRow> rows = {};
  std::vector<const OnnxGraph::Node*> tables = {};  ///< the Gather from the table of each row, whose input 0 is the table
};

/// Finds embeddings of the value `x`, whose samples are rows of `units` numbers.
class OnnxEmbeddingFinder {
 public:
  OnnxEmbeddingFinder(const OnnxGraph& graph, Index units, int x) : graph_{graph}, units_{units}, x_{x} {}

  /// The embeddings that make the value `end`; none if nodes make something else of x, such as several embeddings of one column, which are
  /// branches of a Parallel. Throws ValueError where the columns are in another order than an Embedding has them.
  std::optional<OnnxEmbedding> find(int end) const {
    const Node* last = graph_.maker(end);
    if (last == nullptr) return {};
    const bool is_concat = graph_.is_op(*last, "Concat") && is_last_axis(graph_.integer(*last, "axis", 0));
    OnnxEmbedding found;
    std::vector<std::int64_t> others, all;  // the columns that are no categories, and all as an Embedding orders them
    bool is_ordered = true;
    for (const int part : is_concat ? last->inputs : std::vector<int>{end}) {
      if (const std::optional<std::vector<std::int64_t>> columns = columns_of(part)) {
        is_ordered = is_ordered && found.rows.empty();
        others.insert(others.end(), columns->begin(), columns->end());
      } else if (!add_table(part, found)) {
        return {};
      }
    }
    if (found.rows.empty()) return {};
    for (const CategoryRow& of : found.rows) {
      if (std::find(all.begin(), all.end(), of.row) != all.end()) return {};
      all.push_back(of.row);
    }
    is_ordered = is_ordered && std::is_sorted(all.begin(), all.end()) && std::is_sorted(others.begin(), others.end());
    all.insert(all.end(), others.begin(), others.end());
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < all.size(); ++i) is_ordered = is_ordered && all[i] == static_cast<std::int64_t>(i);
    if (!is_ordered || static_cast<Index>(all.size()) != units_)
      raise<ValueError>(
          graph_.place(*last), ": expected each of the ", units_,
          " columns of x once: first those that are no categories, then the embeddings of the others, both in ascending order");
    return found;
  }

 private:
  using Node = OnnxGraph::Node;

  static bool is_last_axis(std::int64_t axis) { return axis == 1 || axis == -1; }

  // The columns of x, from 0, that a constant of one extent or a single number names.
  std::optional<std::vector<std::int64_t>> named_columns(const Node& gather, std::size_t extents) const {
    if (!graph_.is_op(gather, "Gather") || graph_.input_of(gather, 0) != x_ || !is_last_axis(graph_.integer(gather, "axis", 0))) return {};
    const OnnxConstant* constant = graph_.constant(gather, 1);
    if (constant == nullptr || constant->extents().size() != extents || static_cast<Index>(graph_.size(gather, 1)) > units_) return {};
    std::vector<std::int64_t> columns = graph_.numbers<std::int64_t>(gather, 1);
    for (std::int64_t& column : columns) column += column < 0 ? units_ : 0;
    return columns;
  }
  // The columns of x that a value is, made by Gather or Slice; none for another value.
  std::optional<std::vector<std::int64_t>> columns_of(int value) const {
    const Node* node = graph_.maker(value);
    if (node == nullptr || graph_.input_of(*node, 0) != x_) return {};
    if (!graph_.is_op(*node, "Slice")) return named_columns(*node, 1);
    const auto one = [&](const char* name, std::size_t i) -> std::optional<std::int64_t> {
      const auto numbers = graph_.integers(*node, name, i, 10);
      if (!numbers || numbers->size() != 1) return {};
      return (*numbers)[0];
    };
    const std::optional<std::int64_t> start = one("starts", 1), end = one("ends", 2), axis = one("axes", 3);
    const bool has_steps = graph_.operators() >= 10 && graph_.input_of(*node, 4) >= 0;
    if (!start || !end || !axis || !is_last_axis(*axis) || (has_steps && one("steps", 4) != 1)) return {};
    const auto place = [&](std::int64_t column) { return std::clamp<std::int64_t>(column < 0 ? column + units_ : column, 0, units_); };
    std::vector<std::int64_t> columns;
    for (std::int64_t column = place(*start); column < place(*end); ++column) columns.push_back(column);
    return columns;
  }
  // Adds the embedding of a column of x that a value is; returns false for another value.
  bool add_table(int value, OnnxEmbedding& found) const {
    const Node* gather = graph_.maker(value);
    if (gather == nullptr || !graph_.is_op(*gather, "Gather") || graph_.integer(*gather, "axis", 0) != 0) return false;
    const OnnxConstant* table = graph_.constant(*gather, 0);
    const Node* cast = graph_.maker(graph_.input_of(*gather, 1));
    if (table == nullptr || table->extents().size() != 2 || cast == nullptr || !graph_.is_op(*cast, "Cast")) return false;
    const std::int64_t to = graph_.integer(*cast, "to", 0);
    const Node* column = graph_.maker(graph_.input_of(*cast, 0));
    if ((to != pb::TensorProto::INT64 && to != pb::TensorProto::INT32) || column == nullptr) return false;
    const std::optional<std::vector<std::int64_t>> columns = named_columns(*column, 0);
    if (!columns || columns->size() != 1) return false;
    found.rows.push_back(
        {static_cast<Index>((*columns)[0]), static_cast<Index>(table->extents()[0]), static_cast<Index>(table->extents()[1])});
    found.tables.push_back(gather);
    return true;
  }

  const OnnxGraph& graph_;
  Index units_;
  int x_;
};

}  // namespace chainrule::detail
