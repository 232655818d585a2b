#pragma once

#include <chainrule/core/types.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace chainrule::detail {

/// How a tensor of an ONNX graph holds the numbers of the samples.
struct OnnxLayout {
  /// Where the samples are: along the first axis, as nearly all models have them; along the second axis of a matrix; or the tensor is one
  /// sample.
  enum class Samples { rows, columns, one };
  static constexpr Index max_units = (std::numeric_limits<std::int32_t>::max)();
  static constexpr std::size_t max_rank = 16;
  static constexpr std::int64_t any_batch = (std::numeric_limits<std::int64_t>::min)();  ///< stands for the batch size in a shape

  std::vector<std::int64_t> extents = {0};  ///< the extents of one sample; 0 where the model does not say one
  Samples samples = Samples::rows;
  std::int64_t batch = 0;  ///< how many samples; 0 where the model does not say it

  std::size_t rank() const { return extents.size() + (samples == Samples::one ? 0 : 1); }
  /// Whether the samples are along this axis.
  bool is_batch(std::size_t axis) const { return samples == Samples::rows ? axis == 0 : samples == Samples::columns && axis == 1; }
  /// The number in `extents` of an axis that is not the samples'.
  std::size_t index_of(std::size_t axis) const { return samples == Samples::rows ? axis - 1 : axis; }
  /// The extent of an axis; any_batch for samples whose number the model does not say.
  std::int64_t extent(std::size_t axis) const { return !is_batch(axis) ? extents[index_of(axis)] : batch == 0 ? any_batch : batch; }

  /// The product of extents from `begin` to `end`; 0 if one of them is not known, none above max_units.
  std::optional<Index> product(std::size_t begin, std::size_t end) const {
    Index numbers = 1;
    for (std::size_t k = begin; k < end; ++k) {
      if (extents[k] < 0 || extents[k] > max_units || numbers * extents[k] > max_units) return {};
      numbers *= static_cast<Index>(extents[k]);
    }
    return numbers;
  }
  /// How many numbers a sample has; 0 where the model does not say it.
  Index units() const { return product(0, extents.size()).value_or(0); }

  /// Whether each sample is one row of numbers: no extent but the last is above 1.
  bool is_row() const { return !extents.empty() && product(0, extents.size() - 1) == 1; }
  /// The axis that an operator's attribute says, counted from the end if it is negative; none if there is no such axis.
  std::optional<std::size_t> axis(std::int64_t number) const {
    const auto n = static_cast<std::int64_t>(rank());
    if (number < -n || number >= n) return {};
    return static_cast<std::size_t>(number < 0 ? number + n : number);
  }
  /// Whether these axes are those of one whole sample: all whose extent is not 1, and not that of the samples.
  bool is_whole_sample(const std::vector<std::int64_t>& numbers) const {
    std::vector<bool> is_there(rank(), false);
    for (const std::int64_t number : numbers) {
      const std::optional<std::size_t> found = axis(number);
      if (!found) return false;
      is_there[*found] = true;
    }
    for (std::size_t k = 0; k < rank(); ++k)
      if (extent(k) != 1 && is_there[k] == is_batch(k)) return false;
    return true;
  }
  /// is_whole_sample for the axes from this one to the last.
  bool is_whole_sample_from(std::int64_t first) const {
    const std::optional<std::size_t> found = axis(first);
    if (!found) return false;
    std::vector<std::int64_t> all;
    for (std::size_t k = *found; k < rank(); ++k) all.push_back(static_cast<std::int64_t>(k));
    return is_whole_sample(all);
  }

  bool operator==(const OnnxLayout&) const = default;
};

}  // namespace chainrule::detail
