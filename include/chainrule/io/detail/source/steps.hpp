#pragma once
// The derivative of a network at one sample as a chain of linear steps, from the first layer to the link. The layers and the link record
// theirs, and jacobian.hpp writes them in either direction.

#include <chainrule/core/types.hpp>
#include <string>
#include <variant>
#include <vector>

namespace chainrule::detail {

/// v <- D v with a diagonal matrix D. `factor` is the text of D_i, in which [i] follows each array; D_i is 1 unless first <= i < last.
struct SourceScaling {
  std::string factor;
  Index first, last;
};
/// v <- W v, with the constant array w[outputs][inputs].
struct SourceProduct {
  std::string w;
  Index inputs, outputs;
};
/// v <- the `inputs` rows of v that a layer passes on, as rows of `outputs` ones; all other rows are 0. The rows are in runs.
struct SourceSelection {
  struct Run {
    Index from, to, size;
  };
  std::vector<Run> runs;
  Index inputs, outputs;
};
/// v <- factor (v - mean v - x_hat mean(v x_hat)), the derivative of LayerNorm's x_hat, which is symmetric. `x_hat` is the name of an array
/// of n numbers, `factor` the text of a number.
struct SourceCentering {
  std::string x_hat, factor;
  Index n;
};
/// v <- y o v - y (y.v) for the n numbers from number `first` on, the derivative of their softmax y, which is symmetric.
struct SourceSoftmaxStep {
  Index first, n;
};
/// Where a Residual of n units begins or ends: v at one end is added to v at the other.
struct SourceBranch {
  Index n;
  bool is_begin;
};

/// Where branches that read the same n numbers begin, or where their `outputs` numbers have been joined.
struct SourceFork {
  Index inputs, outputs;
  bool is_begin;
};
/// Where one branch begins or ends, whose `outputs` numbers are those from number `first` on of the joined ones. Where outputs are added,
/// `first` is 0 for each branch.
struct SourceForkBranch {
  Index first, outputs;
  bool is_begin;
};

using SourceStep = std::variant<SourceScaling, SourceProduct, SourceSelection, SourceCentering, SourceSoftmaxStep, SourceBranch, SourceFork,
                                SourceForkBranch>;

}  // namespace chainrule::detail
