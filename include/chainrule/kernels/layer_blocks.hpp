#pragma once
// How the passes of a dense layer are cut for a team of threads: into blocks of the matrix that is written.

#include <chainrule/kernels/pieces.hpp>

namespace chainrule::kernels {

/// Some of a matrix's rows, or of its columns, whole.
struct Block {
  Index first_row, rows, first_column, columns;
  /// Whether its matrix begins with it.
  bool is_first() const { return first_row == 0 && first_column == 0; }
  /// That block of m, as a view.
  template <class View>
  View of(View m) const {
    return {m.data() + first_row + first_column * m.outerStride(), rows, columns, Eigen::OuterStride<>(m.outerStride())};
  }
};

/// The blocks of a matrix of so many rows or columns, and what lies across.
struct Blocks {
  bool are_rows;
  Pieces pieces;
  Index across;
  Block operator[](Index i) const {
    const Index first = pieces.first(i), length = pieces.length(i);
    return are_rows ? Block{first, length, 0, across} : Block{0, across, first, length};
  }
};

/// Those of a layer with Out x In weights in a pass over so many samples: f(block) for each of them, by the team if there is one. A thread
/// has again what it had before where that can be, for what another one has written comes from far. A thread alone has the whole matrix,
/// as if nothing were cut: with one sample to predict that shows, so f is inlined there.
class LayerBlocks {
 public:
  LayerBlocks(Index outputs, Index inputs, Index samples, Team* team)
      : outputs_{outputs}, inputs_{inputs}, samples_{samples}, team_{team} {}

  /// Of a(l+1), Out x samples: units, so that each thread reads no more of W than its own rows. Or samples, where W is small: of ten times
  /// the work if there is more of a(l), which another thread may have computed, than of a(l+1).
  template <class F>
  [[gnu::flatten]] void for_activation(const F& f) const {
    if (team_ == nullptr) return f(Block{0, outputs_, 0, samples_});
    share(has_many_units() ? units(samples_) : samples(outputs_ < inputs_ ? operations() / 10 : operations()), f);
  }

  /// Of delta(l+1), Out x samples, where it is multiplied by f': samples, so that each is in memory in one piece.
  template <class F>
  void for_derivative(const F& f) const {
    if (team_ == nullptr) return f(Block{0, outputs_, 0, samples_});
    constexpr double of_one_number = 8;  // read and written, it takes as long as so many operations
    share(samples(of_one_number * static_cast<double>(outputs_ * samples_)), f);
  }

  /// Of W or dJ/dW, Out x In: columns, for of dJ/da(l) = W^T delta(l+1) they are rows. Where nobody asks for dJ/da(l) and W changes, the
  /// rows that each thread has read for a(l+1).
  template <class F>
  void for_weight(bool may_be_rows, const F& f) const {
    if (team_ == nullptr) return f(Block{0, outputs_, 0, inputs_});
    share(
        may_be_rows && has_many_units() ? units(inputs_) : Blocks{false, cut(inputs_, unit_block(inputs_), operations(), team_), outputs_},
        f);
  }

 private:
  bool has_many_units() const { return outputs_ >= 32 && inputs_ >= 64; }
  // multiplications and additions of one product
  double operations() const { return 2.0 * static_cast<double>(outputs_ * inputs_) * static_cast<double>(samples_); }
  Blocks units(Index columns) const { return {true, cut(outputs_, unit_block(outputs_), operations(), team_), columns}; }
  Blocks samples(double work) const { return {false, cut(samples_, sample_unit, work, team_), outputs_}; }

  template <class F>
  [[gnu::noinline]] void share(const Blocks& blocks, const F& f) const {
    detail::for_items(team_, blocks.pieces.count(), [&](Index i) { f(blocks[i]); });
  }

  Index outputs_;
  Index inputs_;
  Index samples_;
  Team* team_;
};

}  // namespace chainrule::kernels
