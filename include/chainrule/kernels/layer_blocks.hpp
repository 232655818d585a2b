#pragma once
// How the threads of a team share the passes of a dense layer: each computes blocks of the matrix that is written. layer_products.hpp has
// the products that fill a block, partition.hpp the division of an extent.

#include <chainrule/kernels/partition.hpp>

namespace chainrule::kernels {

/// A block of a matrix: some of its rows with all columns, or some of its columns with all rows.
struct Block {
  Index first_row, rows, first_column, columns;
  /// Whether the block holds entry (0, 0); exactly one block of a partition does.
  bool is_first() const { return first_row == 0 && first_column == 0; }
  /// The view of this block of m.
  template <class View>
  View of(View m) const {
    return {m.data() + first_row + first_column * m.outerStride(), rows, columns, Eigen::OuterStride<>(m.outerStride())};
  }
};

/// A matrix divided into blocks by rows or by columns.
struct MatrixPartition {
  bool by_rows;
  Partition parts;  ///< the division of the rows or of the columns
  Index across;     ///< the other extent, which each block has whole
  Block operator[](Index i) const {
    const Index first = parts.first(i), length = parts.length(i);
    return by_rows ? Block{first, length, 0, across} : Block{0, across, first, length};
  }
};

/// The blocks of a layer with Out x In weights, in a pass over `samples` samples. Each function calls f(block) for all blocks of one
/// matrix, on the threads of the team. Blocks of equal numbers cover the same rows or samples from pass to pass and a team gives them to
/// the same thread, because lines that another core has written are slow to read. Without a team, f is called once, inlined, with the whole
/// matrix: for a single sample the calls would take a noticeable part of the time.
class LayerBlocks {
 public:
  LayerBlocks(Index outputs, Index inputs, Index samples, Team* team)
      : outputs_{outputs}, inputs_{inputs}, samples_{samples}, team_{team} {}

  /// Divides a(l+1), an Out x samples matrix, into blocks. With Out >= 32 and In >= 64 each block is a range of units (rows), so that a
  /// thread reads only its own rows of W. For a smaller W each block is a range of samples (columns). If Out < In as well, a(l) holds more
  /// data than a(l+1), and another thread may have written it; so a division by samples must then have ten times as many operations as
  /// otherwise.
  ///
  /// In predictions nobody has changed W, and blocks are ranges of samples: each thread then reads what it has written in the layer before.
  /// All threads read all of W, which pays where it stays in the L2 cache or each of its numbers is used for 128 samples by a thread.
  template <class F>
  [[gnu::flatten]] void for_activation(bool predicts, const F& f) const {
    if (team_ == nullptr) return f(Block{0, outputs_, 0, samples_});
    if (predicts && samples_ >= team_->threads() * (outputs_ * inputs_ <= few_weights ? 16 : 128)) return share(samples(operations()), f);
    share(has_many_units() ? units(samples_) : samples(outputs_ < inputs_ ? operations() / 10 : operations()), f);
  }

  /// Divides delta(l+1), an Out x samples matrix, into blocks for the multiplication by f'. Each block is a range of samples (columns),
  /// which is contiguous in memory.
  template <class F>
  void for_derivative(const F& f) const {
    if (team_ == nullptr) return f(Block{0, outputs_, 0, samples_});
    constexpr double operations_per_number = 8;  // to read and write a number takes as long as 8 operations
    share(samples(operations_per_number * static_cast<double>(outputs_ * samples_)), f);
  }

  /// Divides W or dJ/dW, an Out x In matrix, into blocks. Each block is a range of columns, so that a thread can also compute the matching
  /// rows of dJ/da(l) = W^T delta(l+1). If dJ/da(l) is not needed, pass may_be_rows = true: the blocks are then the ranges of rows that
  /// for_activation uses, if it divides by rows, because each thread has just read those rows of W.
  template <class F>
  void for_weight(bool may_be_rows, const F& f) const {
    if (team_ == nullptr) return f(Block{0, outputs_, 0, inputs_});
    share(may_be_rows && has_many_units()
              ? units(inputs_)
              : MatrixPartition{false, partition(inputs_, unit_granularity(inputs_), operations(), team_, enough_units), outputs_},
          f);
  }

 private:
  static constexpr Index few_weights = Index{1} << 18;  // 1 MiB of floats
  bool has_many_units() const { return outputs_ >= 32 && inputs_ >= 64; }
  // The multiplications and additions of one matrix product.
  double operations() const { return 2.0 * static_cast<double>(outputs_ * inputs_) * static_cast<double>(samples_); }
  MatrixPartition units(Index columns) const {
    return {true, partition(outputs_, unit_granularity(outputs_), operations(), team_, enough_units), columns};
  }
  MatrixPartition samples(double work) const { return {false, partition(samples_, sample_granularity, work, team_), outputs_}; }

  template <class F>
  [[gnu::noinline]] void share(const MatrixPartition& blocks, const F& f) const {
    detail::for_items(team_, blocks.parts.count(), [&](Index i) { f(blocks[i]); });
  }

  Index outputs_;
  Index inputs_;
  Index samples_;
  Team* team_;
};

}  // namespace chainrule::kernels
