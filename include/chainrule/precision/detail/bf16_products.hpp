#pragma once

#include <chainrule/core/product_precision.hpp>
#include <chainrule/kernels/bf16_product.hpp>
#include <chainrule/kernels/layer_blocks.hpp>
#include <chainrule/kernels/layer_products.hpp>
#include <cstddef>
#include <vector>

namespace chainrule::detail {

/// The products of dense layers whose operands W, x and delta are rounded to bfloat16 first. Sums are floats.
///
/// With a unit that multiplies bfloat16, operands are packed for it (kernels/bf16_product.hpp). Without one, rounded copies of them are
/// multiplied as floats. Nothing is kept from one product to the next, because W changes in each step, and the backward pass needs each
/// operand in another order than the forward pass.
///
/// (Scalar is float. It is a template so that programs which do not use it need not compile it.)
template <class Scalar>
class Bf16Products final : public DenseProducts<Scalar> {
  static_assert(std::is_same_v<Scalar, float>);
  using Const = ConstMatrixView<Scalar>;
  using View = MatrixView<Scalar>;

 public:
  /// Allocates for layers whose weights are among these parameters, and batches of up to max_batch samples. The unit is one that this
  /// processor has. Throws ShapeError where memory cannot hold the operands.
  Bf16Products(std::span<const TensorShape> parameters, Index max_batch, kernels::Bf16Unit unit) : unit_{unit} {
    for (const TensorShape& tensor : parameters)
      if (takes(tensor.rows, tensor.cols))
        allocate_or_refuse("the operands of a layer in bfloat16", extent_sum(tensor.rows, tensor.cols), max_batch,
                           [&] { reserve(tensor.rows, tensor.cols, max_batch); });
  }

  std::unique_ptr<DenseProducts<Scalar>> clone() const override { return std::unique_ptr<DenseProducts<Scalar>>(new Bf16Products(*this)); }

  /// Small layers stay in float: they would not become faster, and have a kernel of their own.
  bool takes(Index outputs, Index inputs) const override {
    constexpr Index few = 8, enough_weights = 512;
    return outputs >= few && inputs >= few && outputs * inputs >= enough_weights;
  }

  void affine(const float* w, const float* b, Const x, View z, Team* team) override {
    const Index outputs = z.rows(), inputs = x.rows(), samples = x.cols();
    const Layout at = reserve(outputs, inputs, samples);
    if (unit_ == kernels::Bf16Unit::none) {
      const Const rounded_x = rounded(x, at.x, team);
      const float* rounded_w = rounded(matrix_view(w, outputs, inputs), at.w, team).data();
      blocks(outputs, inputs, samples, team).for_activation(true, [&](const kernels::Block& block) {
        const Const columns = columns_of(rounded_x, block.first_column, block.columns);
        products(outputs, inputs).affine(rounded_w, columns, b, block.first_row, block.of(z), samples);
      });
      return;
    }
    kernels::Bf16* const left = pack(true, {x.data(), x.outerStride(), false, samples, inputs}, at.x, team);
    kernels::Bf16* const right = pack(false, {w, outputs, true, outputs, inputs}, at.w, team);
    multiply(inputs, left, right, {z.data(), z.outerStride(), samples, outputs, b}, team);
  }

  void backward(const float* w, Const x, Const delta, float* dJ_dW, View* dJ_dx, Team* team) override {
    const Index outputs = delta.rows(), inputs = x.rows(), samples = delta.cols();
    const Layout at = reserve(outputs, inputs, samples);
    if (unit_ == kernels::Bf16Unit::none) {
      const Rounded of = rounded_operands(w, x, delta, dJ_dW != nullptr, dJ_dx != nullptr, at, team);
      blocks(outputs, inputs, samples, team).for_weight(false, [&](const kernels::Block& block) {
        if (dJ_dW != nullptr) products(outputs, inputs).weight_gradient(of.delta, of.x, block, dJ_dW);
        if (dJ_dx != nullptr) products(outputs, inputs).input_gradient(of.w, of.delta, block, *dJ_dx);
      });
      return;
    }
    if (dJ_dx != nullptr) input_gradient(w, delta, *dJ_dx, at, team);
    if (dJ_dW != nullptr) weight_gradient(x, delta, {dJ_dW, outputs, inputs, outputs}, at, team);
  }

  void backward_and_step(float* w, Const x, Const delta, float factor, float* scratch, View* dJ_dx, Team* team) override {
    const Index outputs = delta.rows(), inputs = x.rows(), samples = x.cols();
    const Layout at = reserve(outputs, inputs, samples);
    if (unit_ == kernels::Bf16Unit::none) {
      const Rounded of = rounded_operands(w, x, delta, true, dJ_dx != nullptr, at, team);
      blocks(outputs, inputs, samples, team).for_weight(dJ_dx == nullptr, [&](const kernels::Block& block) {
        if (dJ_dx != nullptr) products(outputs, inputs).input_gradient(of.w, of.delta, block, *dJ_dx);
        products(outputs, inputs).add_multiple_of_gradient(factor, of.delta, of.x, block, w, scratch);
      });
      return;
    }
    if (dJ_dx != nullptr) input_gradient(w, delta, *dJ_dx, at, team);
    if (samples <= kernels::most_terms_at_once(unit_)) {
      weight_gradient(x, delta, {w, outputs, inputs, outputs, nullptr, &factor}, at, team);
    } else {
      weight_gradient(x, delta, {scratch, outputs, inputs, outputs}, at, team);
      share(outputs * inputs, 64, 8, team,
            [&](Index first, Index count) { kernels::add_multiple<float>(count, factor, scratch + first, w + first); });
    }
  }

 private:
  // Where operands lie in the memory, in bytes: packed, or as rounded floats.
  struct Layout {
    std::size_t w, x, delta, bytes;
  };
  struct Rounded {
    const float* w;
    Const x, delta;
  };

  Layout layout(Index outputs, Index inputs, Index samples) const {
    const auto bytes_of = [&](Index lines, Index terms) {
      const Index bytes = unit_ == kernels::Bf16Unit::none
                              ? lines * terms * static_cast<Index>(sizeof(float))
                              : 2 * (std::max)(kernels::packed_size(lines, terms), kernels::packed_size(terms, lines));
      return (static_cast<std::size_t>(bytes) + 63) / 64 * 64;
    };
    const std::size_t w = bytes_of(outputs, inputs), x = bytes_of(inputs, samples), delta = bytes_of(outputs, samples);
    return {0, w, w + x, w + x + delta};
  }
  // A layer whose weights are not among the parameters that the constructor saw, such as one in a layer of the user's, allocates once.
  Layout reserve(Index outputs, Index inputs, Index samples) {
    const Layout at = layout(outputs, inputs, samples);
    if (at.bytes > memory_.size()) [[unlikely]]
      memory_.resize(at.bytes);
    return at;
  }

  // The operand that begins after so many bytes of the memory.
  template <class T>
  T* operand(std::size_t place) {
    return static_cast<T*>(static_cast<void*>(memory_.data() + place));
  }

  static kernels::LayerProducts<float> products(Index outputs, Index inputs) { return {outputs, inputs}; }
  static kernels::LayerBlocks blocks(Index outputs, Index inputs, Index samples, Team* team) { return {outputs, inputs, samples, team}; }

  // Calls f(first, count) for parts of `extent`, in multiples of granularity.
  template <class F>
  static void share(Index extent, Index granularity, Index operations_of_each, Team* team, const F& f) {
    const auto operations = static_cast<double>(extent) * static_cast<double>(operations_of_each);
    const kernels::Partition parts = kernels::partition(extent, granularity, operations, team);
    for_items(team, parts.count(), [&](Index i) { f(parts.first(i), parts.length(i)); });
  }

  Const rounded(Const m, std::size_t place, Team* team) {
    float* const copy = operand<float>(place);
    const Index rows = m.rows();
    share(m.cols(), 4, 8 * rows, team, [&](Index first, Index count) {
      if (m.outerStride() == rows) return kernels::round_to_bf16(count * rows, m.data() + first * rows, copy + first * rows);
      for (Index j = first; j < first + count; ++j) kernels::round_to_bf16(rows, m.data() + j * m.outerStride(), copy + j * rows);
    });
    return matrix_view(static_cast<const float*>(copy), rows, m.cols());
  }
  Rounded rounded_operands(const float* w, Const x, Const delta, bool needs_x, bool needs_w, const Layout& at, Team* team) {
    return {needs_w ? rounded(matrix_view(w, delta.rows(), x.rows()), at.w, team).data() : nullptr, needs_x ? rounded(x, at.x, team) : x,
            rounded(delta, at.delta, team)};
  }

  kernels::Bf16* pack(bool is_left, const kernels::Unpacked& from, std::size_t place, Team* team) {
    kernels::Bf16* const packed = operand<kernels::Bf16>(place);
    share(from.lines, kernels::lines_of_block, 8 * from.terms, team, [&](Index first, Index count) {
      kernels::Unpacked part = from;
      part.data += from.across ? first : first * from.step;
      part.lines = count;
      kernels::pack_bf16(is_left, part, packed + kernels::packed_size(first, from.terms));
    });
    return packed;
  }
  // Threads share the rows or the columns of C, whichever are more.
  void multiply(Index terms, const kernels::Bf16* left, const kernels::Bf16* right, const kernels::Bf16Result& result, Team* team) {
    const bool by_rows = result.rows > result.columns;
    share(by_rows ? result.rows : result.columns, by_rows ? 32 : 96, 2 * terms * (by_rows ? result.columns : result.rows), team,
          [&](Index first, Index count) {
            kernels::Bf16Result part = by_rows ? result.from(first, 0) : result.from(0, first);
            (by_rows ? part.rows : part.columns) = count;
            const Index skipped = kernels::packed_size(first, terms);
            kernels::bf16_product(unit_, terms, by_rows ? left + skipped : left, by_rows ? right : right + skipped, part);
          });
  }

  void input_gradient(const float* w, Const delta, View dJ_dx, const Layout& at, Team* team) {
    const Index outputs = delta.rows(), inputs = dJ_dx.rows(), samples = delta.cols();
    const kernels::Bf16* left = pack(true, {delta.data(), delta.outerStride(), false, samples, outputs}, at.delta, team);
    const kernels::Bf16* right = pack(false, {w, outputs, false, inputs, outputs}, at.w, team);
    multiply(outputs, left, right, {dJ_dx.data(), dJ_dx.outerStride(), samples, inputs}, team);
  }
  // dJ/dW^T = x delta^T, of which each row is a column of dJ/dW
  void weight_gradient(Const x, Const delta, const kernels::Bf16Result& result, const Layout& at, Team* team) {
    const Index samples = x.cols();
    const kernels::Bf16* left = pack(true, {x.data(), x.outerStride(), true, x.rows(), samples}, at.x, team);
    const kernels::Bf16* right = pack(false, {delta.data(), delta.outerStride(), true, delta.rows(), samples}, at.delta, team);
    multiply(samples, left, right, result, team);
  }

  kernels::Bf16Unit unit_;
  std::vector<std::byte, CacheLineAllocator<std::byte>> memory_;  // operands, each from a cache line on
};

}  // namespace chainrule::detail
