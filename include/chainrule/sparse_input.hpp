#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chainrule/core/detail/layer_list.hpp>
#include <chainrule/core/detail/network_access.hpp>
#include <chainrule/kernels/elementwise.hpp>
#include <chainrule/kernels/sum_order.hpp>
#include <chainrule/kernels/vectors.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/workspace.hpp>
#include <cstdint>
#include <initializer_list>
#include <ranges>
#include <type_traits>
#include <utility>

namespace chainrule {

/// Predicts for inputs of which few are 1 and all others 0, such as the pieces on the squares of a chess board, and updates the first layer
/// where single inputs change (Nasu 2018, "Efficiently Updatable Neural-Network-based Evaluation Functions for Computer Shogi", NNUE). It
/// is the accumulator of NNUE: z of the first layer, to which the columns of W that belong to active inputs are added.
///
///     z = W x + b = b + sum of W(:, k) over the active inputs k, those with x_k = 1
///     add(k): z <- z + W(:, k);  remove(k): z <- z - W(:, k);  predict: a(2) = f(z), then the other layers
/// @code{.cpp}
/// Network<float, BinaryCrossEntropy, Dense<768, 256, ReLU>, Dense<256, 32, ReLU>, Dense<32, 1>> net{Seed{1}};  // trained as any other
/// SparseInput position(net);
/// auto work = net.make_workspace(1);
/// position.refresh({4, 60, 400});  // the inputs that are 1, in any range of integers
/// position.remove(60);
/// position.add(52);
/// float p = position.predict(work)[0];
/// @endcode
/// The network is any Network whose first layer is a Dense, of fixed or run-time extents, with or without bias. Inputs have no other values
/// than 0 and 1. The object keeps a pointer to the network, which must outlive it. It is a value: a search copies it before it makes a
/// move. Nothing allocates after it is made: not refresh, and not the assignment of one to another of the same network; a copy of one with
/// fixed extents does not either. Each thread needs a workspace of its own.
///
/// **Rounding.** After refresh, z has the bits that a first layer of two outputs or more has for this x in a batch. predict then gives the
/// bits of net.predict(x) for one sample where the first layer has 128 outputs or more; with fewer, a single sample is summed in another
/// order (see kernels/layer_products.hpp), and the last bits may differ. In a workspace in bfloat16 the first layer stays in Scalar here,
/// though not in net.predict. Each add and each remove rounds every z_i once, so n of them change it by at most n u m more than exact sums
/// would, where u is 2^-24 in float and 2^-53 in double and m is the largest |z_i| on the way. To remove what was added need not give the
/// bits from before. refresh() sums the active inputs anew, and all of that error is gone.
///
/// **When the network changes.** z belongs to the parameters at the time of the last refresh: call refresh() after each training step or
/// change of a parameter. add, remove and predict throw StateError where something was assigned to the network, it was moved, or
/// parameters were frozen; other changes of parameters are not noticed. All functions that throw have changed nothing.
template <class Net>
class SparseInput {
  using Access = detail::NetworkAccess;
  using Scalar = typename Net::ScalarType;
  using Sequence = std::remove_cvref_t<decltype(Access::sequence(std::declval<const Net&>()))>;
  using First = std::remove_cvref_t<decltype(detail::element(std::declval<const Net&>().layers(), detail::Constant<0>{}))>;
  static_assert(detail::is_dense<First>,
                "chainrule: SparseInput: the first layer of the network must be a Dense; an AnyNetwork does not tell the types of its "
                "layers, so load its file into a Network with a Dense");

 public:
  /// Starts with no active input, z = b. Keeps a pointer to the network.
  explicit SparseInput(const Net& net)
      : net_{&net}, active_("SparseInput", words(net.inputs())), next_("SparseInput", words(net.inputs())), z_(first().outputs(), 1) {
    refresh();
  }
  /// Does not compile, because a temporary network is gone when the object is used.
  template <class Nothing = void>
  explicit SparseInput(const Net&& net) : SparseInput(net) {
    static_assert(!std::is_same_v<Nothing, Nothing>,
                  "chainrule: SparseInput keeps a pointer to the network, so it cannot be a temporary; give it a name first: "
                  "const auto net = make_net(); SparseInput position(net);");
  }

  SparseInput(const SparseInput&) = default;             ///< copies z and the active inputs; so does a move
  SparseInput& operator=(const SparseInput&) = default;  ///< copies z, the active inputs and the pointer to the network
  ~SparseInput() = default;

  /// Makes input k active, x_k = 1. Throws ValueError where there is no such input and where it is active.
  ///
  ///     z <- z + W(:, k)
  void add(Index k) {
    check("add", k);
    if (is_in(active_, k)) detail::raise<ValueError>("SparseInput: add(", k, "): this input is active already, and inputs are 0 or 1");
    flip(active_, k);
    kernels::add_multiple<Scalar>(z_.rows(), Scalar{1}, column(k), z_.first(1).data());
  }

  /// Makes input k inactive, x_k = 0. Throws ValueError where there is no such input and where it is not active.
  ///
  ///     z <- z - W(:, k)
  void remove(Index k) {
    check("remove", k);
    if (!is_in(active_, k)) detail::raise<ValueError>("SparseInput: remove(", k, "): this input is not active; add makes it so");
    flip(active_, k);
    kernels::add_multiple<Scalar>(z_.rows(), Scalar{-1}, column(k), z_.first(1).data());
  }

  /// Makes these inputs active and all others inactive, and sums z anew. `active`: a range of integers in any order. Throws ValueError
  /// where there is no such input and where one occurs twice, ShapeError where a network of other extents was assigned to the network.
  template <class Indices>
  void refresh(const Indices& active) {
    constexpr bool are_indices = requires { requires std::integral<std::ranges::range_value_t<const Indices>>; };
    static_assert(are_indices,
                  "chainrule: SparseInput::refresh takes the indices of the active inputs as a range of integers, such as a "
                  "std::vector<int>; inputs are counted from 0");
    if constexpr (are_indices) {
      static_assert(!std::is_same_v<std::ranges::range_value_t<const Indices>, bool>,
                    "chainrule: SparseInput::refresh takes the indices of the active inputs, not a bool for each input");
      check_extents("refresh");
      std::fill_n(next_.data(), next_.size(), std::uint64_t{0});
      for (const auto i : active) {
        const Index k = static_cast<Index>(i);
        check_input("refresh", k);
        if (is_in(next_, k)) detail::raise<ValueError>("SparseInput: refresh: input ", k, " occurs twice, and inputs are 0 or 1");
        flip(next_, k);
      }
      std::swap(active_, next_);
      sum();
    }
  }
  /// Makes these inputs active, as above: refresh({3, 17, 42}).
  void refresh(std::initializer_list<Index> active) { refresh<std::initializer_list<Index>>(active); }
  /// Sums z of the active inputs anew: after the parameters have changed, and to get rid of the rounding errors of add and remove.
  /// Throws ShapeError where a network of other extents was assigned to the network.
  void refresh() {
    check_extents("refresh");
    sum();
  }

  /// Predicts y_hat of the active inputs, with the loss's link applied, as net.predict(x, work) does, without allocation. `work`: made by
  /// net.make_workspace. The view is valid until the next pass that uses the workspace.
  template <int MaxBatch>
  typename Net::Output predict(Workspace<Scalar, MaxBatch, Sequence>& work) const {
    return predict_from_z<true>("predict", work);
  }
  /// Computes the raw outputs, before the loss's link, as net.predict_raw(x, work) does.
  template <int MaxBatch>
  typename Net::Output predict_raw(Workspace<Scalar, MaxBatch, Sequence>& work) const {
    return predict_from_z<false>("predict_raw", work);
  }

  /// Whether input k is active. Throws ValueError where there is no such input.
  bool is_active(Index k) const {
    check_input("is_active", k);
    return is_in(active_, k);
  }
  /// z of the first layer as it is now, a view on this object.
  ConstVectorView<Scalar> z() const { return {z_.first(1).data(), z_.rows()}; }

 private:
  static constexpr int bits = 64;
  static constexpr Index words(Index inputs) { return (inputs + bits - 1) / bits; }
  using Set = detail::Storage<std::uint64_t, First::inputs_at_compile_time == Dynamic ? Dynamic : words(First::inputs_at_compile_time)>;

  static std::uint64_t bit(Index k) { return std::uint64_t{1} << (k % bits); }
  static bool is_in(const Set& set, Index k) { return (set.data()[k / bits] & bit(k)) != 0; }
  static void flip(Set& set, Index k) { set.data()[k / bits] ^= bit(k); }

  const First& first() const { return detail::element(net_->layers(), detail::Constant<0>{}); }
  const Scalar* column(Index k) const { return first().parameters(Access::theta(*net_)).weight.data() + k * z_.rows(); }

  void check_input(const char* who, Index k) const {
    if (k < 0 || k >= inputs_.value())
      detail::raise<ValueError>("SparseInput: ", who, ": there is no input ", k, ": the network has ", inputs_.value(), ", counted from 0");
  }
  void check_extents(const char* who) const {
    if (first().inputs() != inputs_.value() || first().outputs() != z_.rows())
      detail::raise<ShapeError>("SparseInput: ", who, ": the first layer of the network now is ", first().outputs(), " x ",
                                first().inputs(), ", but it was ", z_.rows(), " x ", inputs_.value(),
                                " when this object was made; make a new one");
  }
  void check_same_network(const char* who) const {
    if (!(Access::identity(*net_) == summed_))
      detail::raise<StateError>("SparseInput: ", who,
                                ": the network was assigned to, moved or frozen in part since z was summed; call refresh() first");
  }
  void check(const char* who, Index k) const {
    check_same_network(who);
    check_input(who, k);
  }

  // Calls f(k) for each active input with begin <= k < end, in ascending order.
  template <class F>
  void for_each_active(Index begin, Index end, const F& f) const {
    for (Index word = begin / bits; word * bits < end; ++word) {
      std::uint64_t left = active_.data()[word];
      const Index k = word * bits;
      if (k < begin) left &= ~std::uint64_t{0} << (begin - k);
      if (end - k < bits) left &= bit(end) - 1;
      for (; left != 0; left &= left - 1) f(k + std::countr_zero(left));
    }
  }

  // z = W x + b in the order of a product of matrices (kernels/sum_order.hpp): block by block, the first one from b, each other one from 0
  void sum() {
    const auto layer = first().parameters(Access::theta(*net_));
    const Scalar* const W = layer.weight.data();
    const Index outputs = z_.rows();
    Scalar* const z = z_.first(1).data();
    if constexpr (First::has_bias)
      std::copy_n(layer.bias.data(), outputs, z);
    else
      std::fill_n(z, outputs, Scalar{0});
    const kernels::SumBlocks blocks(inputs_.value());
    std::array<const Scalar*, static_cast<std::size_t>(kernels::max_chain)> columns;
    for (Index block = 0; block < blocks.count(); ++block) {
      std::size_t count = 0;
      for_each_active(blocks.first(block), blocks.first(block + 1), [&](Index k) { columns[count++] = W + k * outputs; });
      if (count > 0) kernels::add_columns(outputs, static_cast<Index>(count), columns.data(), block == 0, z);
    }
    summed_ = Access::identity(*net_);
  }

  template <bool applies_link, class Work>
  typename Net::Output predict_from_z(const char* who, Work& work) const {
    check_same_network(who);
    return Access::template predict_after_first<applies_link>(
        *net_, who, work, [&](Scalar* a) { kernels::activate(first().activation(), z_.rows(), z_.first(1).data(), a); });
  }

  const Net* net_;
  [[no_unique_address]] detail::Extent<First::inputs_at_compile_time> inputs_{net_->inputs()};
  Set active_;
  Set next_;  // the active inputs of a refresh that may still throw
  BatchStorage<Scalar, First::outputs_at_compile_time, 1> z_;
  detail::NetworkIdentity<Scalar> summed_{};
};

}  // namespace chainrule
