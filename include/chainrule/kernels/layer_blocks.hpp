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

/// How threads divide the activations a(l+1) of a layer, Out x samples numbers.
enum class Division {
  by_units,             ///< each computes some rows, and so reads only its own rows of W, but all of a(l)
  by_samples,           ///< each computes some columns from its own columns of a(l), and reads all of W
  by_samples_if_large,  ///< W is small: by samples where that has enough operations, else one thread computes all
};
/// "by units", "by samples" or "by samples if large".
template <class Stream>
Stream& operator<<(Stream& out, Division division) {
  out << (division == Division::by_units ? "by units" : division == Division::by_samples ? "by samples" : "by samples if large");
  return out;
}

/// The blocks of a layer with Out x In weights, in a pass over `samples` samples. Each function calls f(block) for all blocks of one
/// matrix, on the threads of the team. Blocks of equal numbers cover the same rows or samples from pass to pass and a team gives them to
/// the same thread, because lines that another core has written are slow to read. Without a team, f is called once, inlined, with the whole
/// matrix: for a single sample the calls would take a noticeable part of the time.
class LayerBlocks {
 public:
  LayerBlocks(Index outputs, Index inputs, Index samples, Team* team)
      : outputs_{outputs}, inputs_{inputs}, samples_{samples}, team_{team} {}

  /// How a(l+1) is divided, in training or in predictions: so that threads exchange little, because a line that another core has written
  /// takes some 100 ns.
  ///
  /// In predictions nobody has changed W, and a division by samples exchanges nothing. All threads read all of W, which pays where it stays
  /// in the L2 cache or each of its numbers is used for 128 samples by a thread.
  ///
  /// In training other threads have written their part of each of these numbers, which a thread reads or writes beside them:
  ///
  ///     by samples: W, Out In
  ///     by units:   a(l), In samples;  a(l+1), Out samples, where a thread's part of each column lies beside another thread's, and
  ///                 processors also fetch the lines after those that they need; counted twice, for z(l+1) and f
  ///
  /// A division by samples may exchange 5/3 as many, because W is prefetched. (Measured with two threads on Sapphire Rapids: it was faster
  /// for 300 x 300 weights with 64 samples and for 128 x 784 with 128, equally fast for 128 x 784 with 64, and slower for 500 x 784 with
  /// 100 and for 1000 x 300 with 32.) Neither pays where W is small, with Out < 32 or In < 64, and the samples are few.
  Division division(bool predicts) const {
    const Index moved_by_samples = outputs_ * inputs_, moved_by_units = samples_ * (inputs_ + 2 * outputs_);
    const bool is_small = outputs_ * inputs_ <= few_weights;
    const bool pays = predicts || (is_small && 3 * moved_by_samples <= 5 * moved_by_units);
    if (pays && samples_ >= threads() * (is_small ? 16 : 128)) return Division::by_samples;
    return outputs_ >= 32 && inputs_ >= 64 ? Division::by_units : Division::by_samples_if_large;
  }

  /// Divides a(l+1), an Out x samples matrix, into blocks of units (rows) or of samples (columns), as `division` says. If Out < In where W
  /// is too small to be divided by units, a(l) holds more data than a(l+1), and another thread may have written it; so a division by
  /// samples must then have ten times as many operations as otherwise.
  template <class F>
  [[gnu::flatten]] void for_activation(bool predicts, const F& f) const {
    if (team_ == nullptr) return f(Block{0, outputs_, 0, samples_});
    const Division by = division(predicts);
    const bool must_be_large = by == Division::by_samples_if_large && outputs_ < inputs_;
    share(by == Division::by_units ? units(samples_) : samples(must_be_large ? operations() / 10 : operations()), f);
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
  /// for_activation uses in training, if it divides by rows, because each thread has just read those rows of W.
  template <class F>
  void for_weight(bool may_be_rows, const F& f) const {
    if (team_ == nullptr) return f(Block{0, outputs_, 0, inputs_});
    share(may_be_rows && division(false) == Division::by_units
              ? units(inputs_)
              : MatrixPartition{false, partition(inputs_, unit_granularity(inputs_), operations(), team_, enough_units), outputs_},
          f);
  }

 private:
  static constexpr Index few_weights = Index{1} << 18;  // 1 MiB of floats
  Index threads() const { return team_ == nullptr ? 1 : team_->threads(); }
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
