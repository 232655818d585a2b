#pragma once

#include <algorithm>
#include <chainrule/layers/detail/nested_layers.hpp>
#include <string_view>
#include <vector>

namespace chainrule {
namespace detail {

/// The name of each Parallel, for code that should not instantiate one.
inline constexpr std::string_view parallel_name = "Parallel";
/// The name of each ParallelSum.
inline constexpr std::string_view parallel_sum_name = "ParallelSum";

/// The branch's number of inputs; Dynamic for a type that is no layer, which a later static_assert reports.
template <class L>
constexpr int inputs_of() {
  if constexpr (requires { L::inputs_at_compile_time; })
    return L::inputs_at_compile_time;
  else
    return Dynamic;
}

/// How the outputs of branches are joined.
enum class Join { concatenated, added };

/// The branches of a Parallel, in a tuple here, and in a vector where their number is known at run time. Branches whose number of inputs is
/// Inferred take it from the first branch that knows it.
template <class... Branches>
struct BranchList {
  static constexpr int inputs_at_compile_time = [] {
    int inputs = Inferred;
    ((inputs = inputs == Inferred ? inputs_of<Branches>() : inputs), ...);
    return inputs;
  }();
  using Type = std::tuple<typename ResolvedLayer<inputs_at_compile_time, Branches>::Type...>;
  static constexpr bool are_layers = (Layer<typename ResolvedLayer<inputs_at_compile_time, Branches>::Type> && ...);
  static constexpr bool have_same_inputs = [](auto... n) {
    int fixed = Dynamic;
    ((fixed = fixed == Dynamic ? n : fixed), ...);
    return ((n == Dynamic || n == fixed) && ...);
  }(inputs_of<typename ResolvedLayer<inputs_at_compile_time, Branches>::Type>()...);
  static constexpr bool have_same_outputs = [](auto... n) {
    int fixed = Dynamic;
    ((fixed = fixed == Dynamic ? n : fixed), ...);
    return ((n == Dynamic || n == fixed) && ...);
  }(outputs_of<typename ResolvedLayer<inputs_at_compile_time, Branches>::Type>()...);
  static constexpr bool all_extents_are_types = ((inputs_of<Branches>() != Dynamic && outputs_of<Branches>() != Dynamic) && ...);
  static constexpr int outputs_at_compile_time(Join join) {
    Index sum = 0;
    int first = Dynamic;
    const auto add = [&](int outputs) {
      sum = extent_sum(sum, outputs);
      if (first == Dynamic) first = outputs;
    };
    (add(outputs_of<typename ResolvedLayer<inputs_at_compile_time, Branches>::Type>()), ...);
    return join == Join::added ? first : static_cast<int>(sum);
  }

  static Type list(const Branches&... branch) {
    Index inputs = 0;
    const auto look = [&](const auto& one) {
      if constexpr (!takes_inferred_inputs<std::remove_cvref_t<decltype(one)>>())
        if (inputs == 0) inputs = one.inputs();
    };
    (look(branch), ...);
    return Type(resolved<typename ResolvedLayer<inputs_at_compile_time, Branches>::Type>(branch, inputs)...);
  }
};
template <class L>
struct BranchList<std::vector<L>> {
  static constexpr int inputs_at_compile_time = Dynamic;
  using Type = std::vector<L>;
  static constexpr bool are_layers = Layer<L>, have_same_inputs = true, have_same_outputs = true, all_extents_are_types = false;
  static constexpr int outputs_at_compile_time(Join) { return Dynamic; }

  static Type list(const std::vector<L>& branches) {
    std::vector<L> all = branches;
    if constexpr (requires(const L& one) { one.is_inferred(); }) {
      const auto known = std::find_if(all.begin(), all.end(), [](const L& one) { return !one.is_inferred(); });
      if (known == all.end() && !all.empty()) raise<ShapeError>("Parallel: one of the branches must say its number of inputs");
      for (L& one : all) one = one.for_inputs(known->inputs());
    }
    return all;
  }
};

/// Branches that all read x, and whose outputs are joined; the layers Parallel and ParallelSum.
template <Join join, class... Branches>
class JoinedBranches : public NestedLayers<SequenceOf<typename BranchList<Branches...>::Type>> {
  using List = BranchList<Branches...>;
  static_assert(sizeof...(Branches) > 0, "chainrule: Parallel<Branches...> needs at least one branch");
  static_assert(List::inputs_at_compile_time != Inferred,
                "chainrule: Parallel<Branches...>: one of the branches must say its number of inputs, such as Activate<Identity, 8>");
  static_assert(List::inputs_at_compile_time == Inferred || List::are_layers,
                "chainrule: Parallel<Branches...>: each branch must be a layer, such as Dense<In, Out>, or a Sequential of layers");
  static_assert(List::have_same_inputs,
                "chainrule: Parallel<Branches...>: all branches read the same x, so they must have the same inputs");
  static_assert(join == Join::concatenated || List::have_same_outputs,
                "chainrule: ParallelSum<Branches...> adds the outputs of its branches, so they must have the same outputs");
  using Sequence = SequenceOf<typename List::Type>;
  using Nested = NestedLayers<Sequence>;
  static constexpr int In = List::inputs_at_compile_time, Out = List::outputs_at_compile_time(join);

 public:
  static constexpr std::string_view name =
      join == Join::added ? parallel_sum_name : parallel_name;  ///< the name in descriptions, files and messages
  static constexpr bool layers_are_branches = true;             ///< the layers inside all read x, and do not follow one another
  static constexpr int inputs_at_compile_time = In;             ///< the number of inputs, or Dynamic
  static constexpr int outputs_at_compile_time = Out;           ///< the number of outputs, or Dynamic

  /// For branches that can be made without arguments.
  JoinedBranches() requires(List::all_extents_are_types) : JoinedBranches(Branches{}...) {}
  /// Takes the branches, in the order of their outputs. Throws ShapeError where they do not fit together.
  explicit JoinedBranches(Branches... branch) : Nested(List::list(branch...)) {
    if (size_of(this->layers()) == 0) raise<ShapeError>(name, ": it needs at least one branch");
    for_each_index(this->layers(), [&](auto i) {
      const auto& one = element(this->layers(), i);
      if (one.inputs() != inputs())
        raise<ShapeError>(name, ": all branches read the same x, but branch ", std::size_t{i}, " has ", one.inputs(),
                          " inputs and the first one ", inputs());
      if (join == Join::added && one.outputs() != element(this->layers(), Constant<0>{}).outputs())
        raise<ShapeError>(name, ": the outputs of the branches are added, but branch ", std::size_t{i}, " has ", one.outputs(),
                          " outputs and the first one ", element(this->layers(), Constant<0>{}).outputs());
      check_category_rows(i, category_rows_of(one));
    });
  }

  /// The number of inputs of each branch, which is the number of rows of x.
  Index inputs() const { return element(this->layers(), Constant<0>{}).inputs(); }
  /// The number of outputs: those of all branches, or of one where they are added.
  Index outputs() const {
    Index sum = 0;
    for_each_branch([&](auto, const auto& branch, Index) { sum += branch.outputs(); });
    return join == Join::added ? element(this->layers(), Constant<0>{}).outputs() : sum;
  }

  /// The caches of the branches, storage for their deltas, and for dJ/dx of one of them.
  template <class Scalar, int MaxBatch>
  struct Cache {
    /// Allocates everything that passes over up to max_batch samples need.
    Cache(const JoinedBranches& layer, Index max_batch)
        : output(layer.outputs(), max_batch),
          caches(layer.inside_.template make_caches<Scalar, MaxBatch>(max_batch)),
          deltas(layer.inside_.template make_deltas<Scalar, MaxBatch>(max_batch)),
          input_delta(layer.inputs(), max_batch) {}
    SpacedBatchStorage<Scalar, Out, MaxBatch> output;             ///< a(l+1), outputs x max_batch
    typename Sequence::template Caches<Scalar, MaxBatch> caches;  ///< the caches of the branches
    typename Sequence::template Deltas<Scalar, MaxBatch> deltas;  ///< dJ/da of each branch
    BatchStorage<Scalar, In, MaxBatch> input_delta;               ///< dJ/dx of a branch that is not the first, inputs x max_batch
  };

  /// Computes F_k(x) of each branch and joins them.
  ///
  ///     a = (F_0(x), F_1(x), ...), one below the other, or a = F_0(x) + F_1(x) + ...        (outputs x batch)
  template <class Scalar, int MaxBatch>
  void forward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, const ForwardContext<Scalar>& pass) const {
    const MatrixView<Scalar> a = cache.output.first(x.cols());
    for_each_branch([&](auto i, const auto& branch, Index first) {
      auto& of_branch = element(cache.caches, i);
      const Scalar* slice = theta + this->inside_.parameter_offset(i);
      if constexpr (ModeIndependent<std::remove_cvref_t<decltype(branch)>>)
        branch.forward(slice, x, of_branch);
      else
        branch.forward(slice, x, of_branch, this->inside_.context_of(i, pass));
      join_output(i, branch, first, std::as_const(of_branch).output.first(x.cols()), a);
    });
  }

  /// Does not write the gradient of branches, and of layers in them, whose parameters are all frozen.
  ///
  ///     dJ/dx = the sum of what comes back through the branches        (inputs x batch)
  template <class Scalar, int MaxBatch>
  void backward(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta, Scalar* gradient,
                MatrixView<Scalar>* input_gradient, const FrozenSlice& frozen = {}) const {
    split_delta(delta, cache.deltas);
    for_each_branch([&](auto i, const auto& branch, Index) {
      const Index offset = this->inside_.parameter_offset(i), end = this->inside_.parameter_offset(i + 1);
      if (input_gradient == nullptr && (offset == end || frozen.contains(offset, end))) return;  // nothing in it learns
      add_input_gradient(i, input_gradient, cache.input_delta, [&](MatrixView<Scalar>* dX) {
        backward_of(branch, theta + offset, x, element(cache.caches, i), element(cache.deltas, i).first(x.cols()), gradient + offset, dX,
                    frozen.from(offset));
      });
    });
  }

  /// Computes the derivative of a along directions dx, for the last forward pass.
  ///
  ///     da = (dF_0/dx dx, dF_1/dx dx, ...), or their sum        (outputs x directions batch)
  template <class Scalar, int MaxBatch>
  void jvp(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, ConstMatrixView<Scalar> direction,
           MatrixView<Scalar> derivative) const requires(Sequence::template have_input_derivatives<Scalar>()) {
    for_each_branch([&](auto i, const auto& branch, Index first) {
      const MatrixView<Scalar> of_branch = element(cache.deltas, i).first(direction.cols());
      branch.jvp(theta + this->inside_.parameter_offset(i), x, element(cache.caches, i), direction, of_branch);
      join_output(i, branch, first, as_const(of_branch), derivative);
    });
  }

  /// Computes dJ/dx from `delta`, which is dJ/da.
  ///
  ///     dJ/dx = sum over branches of (dF_k/dx)^T dJ/dF_k        (inputs x directions batch)
  template <class Scalar, int MaxBatch>
  void vjp(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
           MatrixView<Scalar>& input_gradient) const requires(Sequence::template have_input_derivatives<Scalar>()) {
    split_delta(delta, cache.deltas);
    for_each_branch([&](auto i, const auto& branch, Index) {
      add_input_gradient(i, &input_gradient, cache.input_delta, [&](MatrixView<Scalar>* dX) {
        branch.vjp(theta + this->inside_.parameter_offset(i), x, element(cache.caches, i), element(cache.deltas, i).first(delta.cols()),
                   *dX);
      });
    });
  }

  /// Gives the gradient by the parameters inside of each column of `delta` by itself, and computes dJ/dx if input_gradient is not null.
  /// `delta` is dJ/da; column k batch + j belongs to sample j.
  template <class Scalar, int MaxBatch>
  void sample_gradients(const Scalar* theta, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache, MatrixView<Scalar> delta,
                        const SampleGradients<Scalar>& gradients, MatrixView<Scalar>* input_gradient) const
      requires(Sequence::template have_sample_gradients<Scalar>()) {
    split_delta(delta, cache.deltas);
    for_each_branch([&](auto i, const auto& branch, Index) {
      const Index offset = this->inside_.parameter_offset(i);
      const bool learns = offset != this->inside_.parameter_offset(i + 1);
      if (input_gradient == nullptr && !learns) return;
      add_input_gradient(i, input_gradient, cache.input_delta, [&](MatrixView<Scalar>* dX) {
        const MatrixView<Scalar> of_branch = element(cache.deltas, i).first(delta.cols());
        if (!learns)
          branch.vjp(theta + offset, x, element(cache.caches, i), of_branch, *dX);
        else if constexpr (HasSampleGradients<std::remove_cvref_t<decltype(branch)>, Scalar>)
          branch.sample_gradients(theta + offset, x, element(cache.caches, i), of_branch, gradients.of_parameters_from(offset), dX);
      });
    });
  }

  /// The jet caches of the branches, and storage for the gradients by their jets.
  template <class Scalar>
  struct JetCache {
    /// Allocates everything that jets of up to max_columns columns need.
    JetCache(const JoinedBranches& layer, Index max_batch, Index max_columns)
        : output(layer.outputs(), max_columns),
          caches(layer.inside_.template make_jet_caches<Scalar>(max_batch, max_columns)),
          deltas(layer.inside_.template make_deltas<Scalar, Dynamic>(max_columns)),
          input_delta(layer.inputs(), max_columns) {}
    BatchStorage<Scalar, Dynamic, Dynamic> output;               ///< the jet of a(l+1), outputs x columns
    typename Sequence::template JetCaches<Scalar> caches;        ///< the jet caches of the branches
    typename Sequence::template Deltas<Scalar, Dynamic> deltas;  ///< the gradient by the jet of each branch
    BatchStorage<Scalar, Dynamic, Dynamic> input_delta;          ///< the gradient by the jet of x of a branch that is not the first
  };

  /// Computes the jet of a from the jet of x; theta_direction is as in Dense::forward_jet.
  template <class Scalar, int MaxBatch>
  void forward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache,
                   const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result) const
      requires(Sequence::template have_jets<Scalar>()) {
    const MatrixView<Scalar> joined = result.output.first(shape.columns());
    for_each_branch([&](auto i, const auto& branch, Index first) {
      auto& of_branch = element(result.caches, i);
      const Index offset = this->inside_.parameter_offset(i);
      branch.forward_jet(theta + offset, theta_direction == nullptr ? nullptr : theta_direction + offset, x, element(cache.caches, i),
                         shape, jet, of_branch);
      join_output(i, branch, first, std::as_const(of_branch).output.first(shape.columns()), joined);
    });
  }

  /// Computes the gradients of a J that depends on a and on its jet, as Dense::backward_jet says.
  template <class Scalar, int MaxBatch>
  void backward_jet(const Scalar* theta, const Scalar* theta_direction, ConstMatrixView<Scalar> x, Cache<Scalar, MaxBatch>& cache,
                    const JetShape& shape, ConstMatrixView<Scalar> jet, JetCache<Scalar>& result, MatrixView<Scalar> delta,
                    MatrixView<Scalar> deltas, Scalar* gradient, MatrixView<Scalar>* input_gradient, MatrixView<Scalar>* jet_gradient) const
      requires(Sequence::template have_jets<Scalar>()) {
    split_delta(delta, cache.deltas);
    split_delta(deltas, result.deltas);
    for_each_branch([&](auto i, const auto& branch, Index) {
      const Index offset = this->inside_.parameter_offset(i);
      add_input_gradient(i, input_gradient, cache.input_delta, [&](MatrixView<Scalar>* dX) {
        add_input_gradient(i, jet_gradient, result.input_delta, [&](MatrixView<Scalar>* dX_jet) {
          branch.backward_jet(theta + offset, theta_direction == nullptr ? nullptr : theta_direction + offset, x, element(cache.caches, i),
                              shape, jet, element(result.caches, i), element(cache.deltas, i).first(delta.cols()),
                              element(result.deltas, i).first(deltas.cols()), gradient == nullptr ? nullptr : gradient + offset, dX,
                              dX_jet);
        });
      });
    });
  }

 private:
  // Throws ShapeError unless the rows of x that are categories for branch i are those of the first branch. (Any other branch would compute
  // with the number of a category as if it were a quantity.)
  void check_category_rows(std::size_t i, std::span<const CategoryRow> rows) const {
    const std::span<const CategoryRow> first = this->category_rows();
    const bool same = std::equal(rows.begin(), rows.end(), first.begin(), first.end(),
                                 [](const CategoryRow& a, const CategoryRow& b) { return a.row == b.row && a.categories == b.categories; });
    if (!same)
      raise<ShapeError>(
          name, ": branch ", i,
          " takes other rows of x for categories than the first one; begin each branch with an Embedding of the same rows and "
          "categories, or put one Embedding before the ",
          name);
  }

  // Calls f(i, branch, first) for each branch, where `first` is the row with which its outputs begin where they are concatenated.
  template <class F>
  void for_each_branch(const F& f) const {
    Index first = 0;
    for_each_index(this->layers(), [&](auto i) {
      const auto& branch = element(this->layers(), i);
      f(i, branch, first);
      first += branch.outputs();
    });
  }

  // Writes what branch i computed to its rows of `joined`, or adds it.
  template <class I, class Branch, class Scalar>
  static void join_output(I i, const Branch& branch, Index first, const ConstMatrixView<Scalar>& of_branch, MatrixView<Scalar> joined) {
    if constexpr (join == Join::concatenated)
      rows_of(joined, first, branch.outputs()) = of_branch;
    else if (i == 0)
      joined = of_branch;
    else
      joined += of_branch;
  }

  // Copies the rows of `delta` that belong to each branch to its own delta; all rows where the outputs are added.
  template <class Scalar, class DeltaList>
  void split_delta(const MatrixView<Scalar>& delta, DeltaList& deltas) const {
    for_each_branch([&](auto i, const auto& branch, Index first) {
      element(deltas, i).first(delta.cols()) = join == Join::concatenated ? rows_of(delta, first, branch.outputs()) : delta;
    });
  }

  // Calls compute(where branch i shall write dJ/dx), and adds that to what the branches before it have written. Nothing is written where
  // `sum` is null.
  template <class I, class Scalar, class Storage, class Compute>
  static void add_input_gradient(I i, MatrixView<Scalar>* sum, Storage& storage, const Compute& compute) {
    if (sum == nullptr || i == 0) return compute(sum);
    MatrixView<Scalar> part = storage.first(sum->cols());
    compute(&part);
    *sum += part;
  }
};

}  // namespace detail

/// Branches that all read x, and whose outputs stand one below the other (concatenation in Keras and PyTorch; DenseNet, Huang and others
/// 2017):
///
///     a = (F_0(x), F_1(x), ...)        (outputs of all branches x batch)
///
/// A branch is a layer, a Sequential of layers, or an Activate<Identity>, which passes x on:
/// @code{.cpp}
/// Parallel<Activate<Identity>, Sequential<Dense<8, 16, ReLU>, Dense<16, 4>>>{};  // 8 -> 12
/// @endcode
/// All branches have the same inputs: a mismatch of fixed extents does not compile, a mismatch of run-time extents throws ShapeError.
/// Branches without a number of inputs take that of the others. The parameters of the branches are in a tuple; in tensors() those of branch
/// 1 are "1.weight", or "1.0.weight" for the first layer of a Sequential. A std::vector of layers of one type is for branches known at run
/// time: Parallel<std::vector<AnyLayer<float>>>.
template <class... Branches>
class Parallel : public detail::JoinedBranches<detail::Join::concatenated, Branches...> {
 public:
  using detail::JoinedBranches<detail::Join::concatenated, Branches...>::JoinedBranches;
};
/// Deduces the types of the branches.
template <class... Branches>
Parallel(Branches...) -> Parallel<Branches...>;

/// Branches that all read x, and whose outputs are added. Everything else is as for Parallel.
///
///     a = F_0(x) + F_1(x) + ...        (outputs of one branch x batch)
template <class... Branches>
class ParallelSum : public detail::JoinedBranches<detail::Join::added, Branches...> {
 public:
  using detail::JoinedBranches<detail::Join::added, Branches...>::JoinedBranches;
};
/// Deduces the types of the branches.
template <class... Branches>
ParallelSum(Branches...) -> ParallelSum<Branches...>;

}  // namespace chainrule
