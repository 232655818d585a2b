#pragma once

#include <algorithm>
#include <array>
#include <chainrule/core/category_row.hpp>
#include <chainrule/core/concepts.hpp>
#include <chainrule/core/description.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/kernels/sum_order.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <chainrule/layers/detail/output_jet.hpp>
#include <chainrule/layers/sample_gradients.hpp>
#include <vector>

namespace chainrule {

namespace detail {

/// Says what is wrong with the rows of an Embedding of so many inputs; nullptr where nothing is.
constexpr const char* wrong_category_rows(Index inputs, std::span<const CategoryRow> rows) {
  if (inputs < 1) return "the number of inputs must be at least 1";
  if (rows.empty()) return "it needs at least one row of categories";
  Index before = -1;
  for (const CategoryRow& of : rows) {
    if (of.row <= before || of.row >= inputs) return "each row must be one of the inputs, and the rows must be in ascending order";
    if (of.categories < 1 || of.categories > max_categories) return "a row must have from 1 to 2^24 categories";
    if (of.size < 1 || extent_product(of.size, of.categories) >= too_many) return "the size of an embedding must be at least 1, and fit";
    before = of.row;
  }
  return nullptr;
}

/// The number of outputs of an Embedding: the other rows of x, and the numbers of each embedding.
constexpr Index embedded_outputs(Index inputs, std::span<const CategoryRow> rows) {
  Index outputs = inputs - static_cast<Index>(rows.size());
  for (const CategoryRow& of : rows) outputs = extent_sum(outputs, of.size);
  return outputs;
}

/// The number of parameters of an Embedding.
constexpr Index embedding_parameters(std::span<const CategoryRow> rows) {
  Index parameters = 0;
  for (const CategoryRow& of : rows) parameters = extent_sum(parameters, extent_product(of.size, of.categories));
  return parameters;
}

}  // namespace detail

/// Turns categories into numbers that are learned, as the first layer of a net (torch.nn.Embedding, Embedding in Keras). Some rows of x
/// hold categories 0, 1, 2, ..., as exact whole numbers of the scalar type; all other rows are numbers. The output has the other rows of x
/// as they are, in their order, and then for each row of categories the column of its weight that belongs to the category:
///
///     a = [x of the rows without categories;  W_1(:, x(row_1));  W_2(:, x(row_2));  ...]
///
/// @code{.cpp}
/// Embedding<3, CategoryRow{.row = 0, .categories = 10, .size = 4}>{};                   // rows are types: 3 -> 2 + 4
/// Embedding<Dynamic>{3, {{.row = 0, .categories = 10, .size = 4}, {.row = 2, .categories = 5, .size = 2}}};  // 3 -> 1 + 4 + 2
/// @endcode
/// Rows are in ascending order. A weight W_k is size x categories and starts with standard normal numbers, as in PyTorch. In files it is
/// named "0.weight", "1.weight", ..., and is categories x size, as a torch.nn.ModuleList of torch.nn.Embedding has it.
///
/// A number in a row of categories that is not a whole number from 0 to categories - 1 is a ValueError of each pass, which names row,
/// sample and number. Where the Embedding is the first layer of a net, it is thrown before the pass changes anything; elsewhere the
/// workspace has lost its last forward pass. The derivatives by a row of categories are 0, because the output has none by it. So Normalize
/// and other layers that change numbers belong behind an Embedding; a data set's scaler should leave rows of categories as they are.
template <int In, CategoryRow... columns>
class Embedding {
  static constexpr bool rows_are_types = sizeof...(columns) > 0;
  static constexpr std::array<CategoryRow, sizeof...(columns)> rows_of_type = {columns...};
  static_assert(In >= 1 || In == Dynamic, "chainrule: Embedding<In, rows...>: In is the number of rows of x: at least 1, or Dynamic");
  static_assert(
      !rows_are_types || In != Dynamic,
      "chainrule: Embedding<In, rows...>: rows that are types need an In that is one; Embedding<Dynamic>{inputs, {rows...}} takes "
      "both as values");
  static_assert(
      !rows_are_types || In == Dynamic || detail::wrong_category_rows(In, rows_of_type) == nullptr,
      "chainrule: Embedding<In, CategoryRow{.row, .categories, .size}...>: rows must be in ascending order and below In, with 1 to "
      "2^24 categories and a size of at least 1 each");
  static constexpr int count_at_compile_time = rows_are_types ? static_cast<int>(sizeof...(columns)) : Dynamic;
  static constexpr int N = rows_are_types ? static_cast<int>(detail::embedded_outputs(In, rows_of_type)) : Dynamic;
  // Takes the place of the list of rows where they are types.
  struct NoRows {
    bool operator==(const NoRows&) const = default;
  };
  using Rows = detail::CopiedByMove<std::conditional_t<rows_are_types, NoRows, std::vector<CategoryRow>>>;

 public:
  static constexpr std::string_view name = "Embedding";  ///< the name in descriptions, files and messages
  static constexpr int inputs_at_compile_time = In;      ///< the number of inputs, or Dynamic
  static constexpr int outputs_at_compile_time = N;      ///< the number of outputs, or Dynamic
  /// The number of parameters, or Dynamic.
  static constexpr Index parameters_at_compile_time = rows_are_types ? detail::embedding_parameters(rows_of_type) : Dynamic;

  /// For rows given by the template arguments.
  Embedding() requires(rows_are_types) : inputs_{In}, outputs_{N}, rows_{NoRows{}} {}
  /// Takes the number of rows of x, and those of them that are categories, as run-time values. Throws ShapeError for an empty list, for
  /// rows that are not in ascending order or not below `inputs`, for a number of categories that is not from 1 to 2^24, for a size below 1,
  /// for more weights than memory can address, and for a number of inputs that contradicts In.
  Embedding(Index inputs, std::vector<CategoryRow> rows) requires(!rows_are_types)
      : inputs_{inputs}, outputs_{detail::embedded_outputs(inputs, rows)}, rows_{rows} {
    if (const char* wrong = detail::wrong_category_rows(inputs, rows)) detail::raise<ShapeError>(name, ": ", wrong, shown(inputs, rows));
    if (inputs != inputs_.value()) detail::raise<ShapeError>(name, ": its type says ", inputs_.value(), " inputs, but it got ", inputs);
    if (outputs_.value() >= detail::too_many || detail::embedding_parameters(rows) >= detail::too_many)
      detail::raise<ShapeError>(name, ": its weights are more than memory can address");
  }

  Index inputs() const { return inputs_.value(); }         ///< the number of inputs, which is the number of rows of x
  Index outputs() const { return outputs_.value(); }       ///< the number of outputs, which is the number of rows of the output
  std::string_view activation_name() const { return ""; }  ///< empty, because there is no activation inside
  /// The rows of x that are categories.
  std::span<const CategoryRow> category_rows() const {
    if constexpr (rows_are_types)
      return rows_of_type;
    else
      return *rows_;
  }
  /// The number of rows of x that are no categories; they are the first rows of the output.
  Index numeric_rows() const { return inputs() - static_cast<Index>(category_rows().size()); }

  /// The name, extents and rows, from which the layer can be made again.
  Description describe() const {
    Description d{std::string(name), inputs(), outputs(), {}, {}};
    for (const CategoryRow& of : category_rows()) {
      d.hyperparameters.emplace_back("row", static_cast<double>(of.row));
      d.hyperparameters.emplace_back("categories", static_cast<double>(of.categories));
      d.hyperparameters.emplace_back("size", static_cast<double>(of.size));
    }
    return d;
  }

  /// Names and shapes of the parameters, in the order of the flat vector.
  auto tensors() const {
    std::conditional_t<rows_are_types, std::array<TensorShape, sizeof...(columns)>, std::vector<TensorShape>> all{};
    if constexpr (!rows_are_types) all.resize(category_rows().size());
    for (std::size_t k = 0; k < all.size(); ++k)
      all[k] = {TensorName(k, "weight"), category_rows()[k].size, category_rows()[k].categories, true};
    return all;
  }

  /// Views of the weights in theta, or of the gradients by them. It must not outlive the layer.
  template <class Scalar>
  struct Parameters {
    std::span<const CategoryRow> rows;  ///< the rows of x that are categories
    Scalar* numbers;                    ///< the weights one after the other

    /// W_k, size x categories: column c belongs to category c of category_rows()[k].
    TensorView<Scalar, Dynamic, Dynamic> weight(std::size_t k) const {
      return {numbers + detail::embedding_parameters(rows.first(k)), rows[k].size, rows[k].categories};
    }
    /// Prints the tensors with their names, shapes and numbers.
    template <class Stream>
    friend Stream& operator<<(Stream& out, const Parameters& views) {
      for (std::size_t k = 0; k < views.rows.size(); ++k) detail::print_tensor(out, detail::text_of(k, ".weight").c_str(), views.weight(k));
      return out;
    }
  };
  /// The parameters by name, as views on this layer's slice of theta or of dJ/dtheta.
  template <class Scalar>
  Parameters<Scalar> parameters(Scalar* theta) const {
    return {category_rows(), theta};
  }

  /// Draws all weights from the standard normal distribution.
  template <class Scalar>
  void initialize(Scalar* theta, Random& random) const {
    for (Index i = 0; i < parameter_count(); ++i) theta[i] = static_cast<Scalar>(random.normal());
  }

  /// Storage that forward fills for backward, for up to max_batch samples; part of a Workspace.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const Embedding& layer, Index max_batch)
        : output(layer.outputs(), max_batch),
          categories("the workspace of a layer", static_cast<Index>(layer.category_rows().size()), max_batch),
          rows(layer.rows_),
          block_sums(max_batch > kernels::max_chain ? static_cast<std::size_t>(layer.parameter_count()) : 0) {}
    /// Whether it was made for a layer with the same rows of categories.
    bool was_made_for(const Embedding& layer) const { return *rows == *layer.rows_; }
    SpacedBatchStorage<Scalar, N, MaxBatch> output;  ///< a(l+1), outputs x max_batch
    /// The categories of the samples of the last forward pass, one sample after the other.
    detail::Storage<Index, detail::extent_product(count_at_compile_time, MaxBatch)> categories;
    Rows rows;                       ///< the rows of categories of the layer
    std::vector<Scalar> block_sums;  ///< for batches of more than one block of a sum: the sums of one block, 0 between passes
  };

  ///     a = [x of the rows without categories;  W_k(:, x(row_k)) for each k]        (outputs x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache) const {
    detail::check_categories("forward", category_rows(), x);
    MatrixView<Scalar> a = cache.output.first(x.cols());
    Index* category = cache.categories.data();
    for (Index j = 0; j < x.cols(); ++j) {
      const Scalar* x_j = x.data() + j * x.outerStride();
      Scalar* a_j = copy_numeric_rows(x_j, a.data() + j * a.outerStride());
      for (const CategoryRow& of : category_rows()) *category++ = static_cast<Index>(x_j[of.row]);
      for_each_weight(cache, j, [&](Index first, Index size) {
        std::copy_n(theta + first, size, a_j);
        a_j += size;
      });
    }
  }

  /// Computes the gradient by the weights, and by x if input_gradient is not null. The terms of a category are added in the order of the
  /// samples, in blocks of at most 256 samples whose sums are added one after the other.
  ///
  ///     dJ/dW_k(:, c) = sum of dJ/da of embedding k over the samples with x(row_k) = c
  ///     dJ/dx         = dJ/da of the same row, or 0 for a row of categories        (inputs x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar*, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient) const {
    std::fill_n(gradient, parameter_count(), Scalar{0});
    add_weight_gradients(cache, detail::as_const(delta), x.cols(), gradient);
    if (input_gradient != nullptr) spread_numeric_rows(detail::as_const(delta), *input_gradient);
  }

  /// Does what backward and a following step theta <- theta + factor dJ/dtheta do, with the same bits, but touches only the columns of the
  /// categories in the batch. `scratch` is as large as this layer's gradient; its content afterwards is unspecified.
  template <class Scalar, int MaxBatch>
  void backward_and_step(Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar factor,
                         Scalar* scratch, MatrixView<Scalar>* input_gradient) const {
    for (Index j = 0; j < x.cols(); ++j)
      for_each_weight(cache, j, [&](Index first, Index size) { std::fill_n(scratch + first, size, Scalar{0}); });
    add_weight_gradients(cache, detail::as_const(delta), x.cols(), scratch);
    for (Index j = 0; j < x.cols(); ++j)
      for_each_weight(cache, j, [&](Index first, Index size) {
        kernels::add_multiple<Scalar>(size, factor, scratch + first, theta + first);
        std::fill_n(scratch + first, size, Scalar{0});  // another sample of this category then changes nothing more
      });
    if (input_gradient != nullptr) spread_numeric_rows(detail::as_const(delta), *input_gradient);
  }

  /// Computes the derivative of a along directions dx: dx of the rows without categories, and 0 for embeddings.
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>&, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const {
    keep_numeric_rows(direction, derivative);
  }
  /// Computes dJ/dx from `delta`, which is dJ/da: the same rows, and 0 for rows of categories.
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>&, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const {
    spread_numeric_rows(detail::as_const(delta), input_gradient);
  }

  /// Gives the gradient by the weights of each column of `delta` by itself, and computes dJ/dx if input_gradient is not null. `delta` is
  /// dJ/da; column k batch + j belongs to sample j.
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar*, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const {
    for (Index c = 0; c < delta.cols(); ++c) {
      const Scalar* delta_k = delta.data() + c * delta.outerStride() + numeric_rows();
      Index end = 0;  // parameters before it are set
      for_each_weight(cache, gradients.sample_of(c), [&](Index first, Index size) {
        gradients.zeros(c, end, first - end);
        gradients.numbers(c, first, size, delta_k);
        delta_k += size;
        end = first + size;
      });
      gradients.zeros(c, end, parameter_count() - end);
    }
    if (input_gradient != nullptr) spread_numeric_rows(detail::as_const(delta), *input_gradient);
  }

  /// Storage that forward_jet fills, for jets of up to max_columns columns.
  template <class Scalar>
  using JetCache = detail::OutputJet<Scalar>;

  /// Computes the jet of a from the jet of x; theta_direction is as in Dense::forward_jet.
  ///
  ///     a_c = [x_c of the rows without categories;  0],  where theta_direction = V is given  a_1 = [x_1;  V_k(:, x(row_k)) for each k]
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar*, const Scalar* theta_direction, ConstMatrixView<Scalar>, const Cache<Scalar, MaxBatch>& cache,
                   const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const {
    MatrixView<Scalar> a = result.output.first(shape.columns());
    keep_numeric_rows(jet, a);
    if (theta_direction == nullptr) return;
    for (Index j = 0; j < shape.batch; ++j) {
      Scalar* a_1 = a.data() + j * a.outerStride() + numeric_rows();
      for_each_weight(cache, j, [&](Index first, Index size) {
        std::copy_n(theta_direction + first, size, a_1);
        a_1 += size;
      });
    }
  }
  /// Computes the gradients of a J that depends on a and on its jet, as Dense::backward_jet says. The jet of an embedding does not depend
  /// on its weight.
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar*, const Scalar*, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const JetShape&,
                    ConstMatrixView<Scalar>, const JetCache<Scalar>&, MatrixView<Scalar> delta, MatrixView<Scalar> deltas, Scalar* gradient,
                    MatrixView<Scalar>* input_gradient, MatrixView<Scalar>* jet_gradient) const {
    if (gradient != nullptr) {
      std::fill_n(gradient, parameter_count(), Scalar{0});
      add_weight_gradients(cache, detail::as_const(delta), x.cols(), gradient);
    }
    if (input_gradient == nullptr) return;
    spread_numeric_rows(detail::as_const(delta), *input_gradient);
    spread_numeric_rows(detail::as_const(deltas), *jet_gradient);
  }

 private:
  static std::string shown(Index inputs, const std::vector<CategoryRow>& rows) {
    constexpr std::size_t max_shown = 20;
    std::string text = detail::text_of("; got ", inputs, " inputs");
    for (std::size_t k = 0; k < (std::min)(rows.size(), max_shown); ++k)
      detail::append(text, detail::text_of(", row ", rows[k].row, " with ", rows[k].categories, " categories of size ", rows[k].size));
    return text;
  }

  Index parameter_count() const { return rows_are_types ? parameters_at_compile_time : detail::embedding_parameters(category_rows()); }

  // Calls f(first, size) for each embedding, where the parameters first, ..., first + size - 1 are the column of sample j's category.
  template <class Cache, class F>
  void for_each_weight(const Cache& cache, Index j, const F& f) const {
    const Index* category = cache.categories.data() + j * static_cast<Index>(category_rows().size());
    Index first = 0;
    for (const CategoryRow& of : category_rows()) {
      f(first + *category++ * of.size, of.size);
      first += of.size * of.categories;
    }
  }

  // gradient <- gradient + the sums over the samples, in blocks
  template <class Cache, class Scalar>
  void add_weight_gradients(Cache& cache, const ConstMatrixView<Scalar>& delta, Index samples, Scalar* gradient) const {
    const kernels::SumBlocks blocks(samples);
    add_block(cache, delta, 0, blocks.length(0), gradient);
    for (Index block = 1; block < blocks.count(); ++block) {
      Scalar* sums = cache.block_sums.data();
      add_block(cache, delta, blocks.first(block), blocks.length(block), sums);
      for (Index j = blocks.first(block); j < blocks.first(block + 1); ++j)
        for_each_weight(cache, j, [&](Index first, Index size) {
          for (Index i = first; i < first + size; ++i) {
            gradient[i] += sums[i];
            sums[i] = 0;  // another sample of this category then adds nothing more
          }
        });
    }
  }
  template <class Cache, class Scalar>
  void add_block(const Cache& cache, const ConstMatrixView<Scalar>& delta, Index first_sample, Index samples, Scalar* sums) const {
    for (Index j = first_sample; j < first_sample + samples; ++j) {
      const Scalar* delta_k = delta.data() + j * delta.outerStride() + numeric_rows();
      for_each_weight(cache, j, [&](Index first, Index size) {
        for (Index i = 0; i < size; ++i) sums[first + i] += delta_k[i];
        delta_k += size;
      });
    }
  }

  // Copies the numbers of one sample that are no categories to `to`, and returns where they end.
  template <class Scalar>
  Scalar* copy_numeric_rows(const Scalar* x, Scalar* to) const {
    Index begin = 0;
    for (const CategoryRow& of : category_rows()) {
      to = std::copy(x + begin, x + of.row, to);
      begin = of.row + 1;
    }
    return std::copy(x + begin, x + inputs(), to);
  }
  // Copies the rows of x that are no categories to the first rows of `a`, and sets the other rows of `a` to 0.
  template <class Scalar>
  void keep_numeric_rows(const ConstMatrixView<Scalar>& x, MatrixView<Scalar>& a) const {
    for (Index c = 0; c < x.cols(); ++c)
      std::fill_n(copy_numeric_rows(x.data() + c * x.outerStride(), a.data() + c * a.outerStride()), outputs() - numeric_rows(), Scalar{0});
  }
  // Copies the first rows of `delta` to the rows of `dX` that are no categories, and sets those of categories to 0.
  template <class Scalar>
  void spread_numeric_rows(const ConstMatrixView<Scalar>& delta, MatrixView<Scalar>& dX) const {
    for (Index c = 0; c < delta.cols(); ++c) {
      const Scalar* from = delta.data() + c * delta.outerStride();
      Scalar* to = dX.data() + c * dX.outerStride();
      Index begin = 0;
      for (const CategoryRow& of : category_rows()) {
        std::copy_n(from, of.row - begin, to + begin);
        to[of.row] = 0;
        from += of.row - begin;
        begin = of.row + 1;
      }
      std::copy_n(from, inputs() - begin, to + begin);
    }
  }

  [[no_unique_address]] detail::Extent<In> inputs_;
  [[no_unique_address]] detail::Extent<N> outputs_;
  [[no_unique_address]] Rows rows_;
};

}  // namespace chainrule
