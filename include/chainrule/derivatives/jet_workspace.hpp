#pragma once

#include <chainrule/core/detail/overlap.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/jet.hpp>
#include <chainrule/workspace.hpp>
#include <initializer_list>
#include <vector>

namespace chainrule {

/// The directions in the space of x along which a network is differentiated, and the second derivatives that are wanted.
/// @code{.cpp}
/// JetDirections<double>{Eigen::Matrix2d::Identity(), {{{0, 0}, {1, 1}}}};  // du/dx, du/dy and the Laplacian d2u/dx2 + d2u/dy2
/// JetDirections<double>{Eigen::Matrix2d::Identity(), {{{0, 0}}, {{0, 1}}}};  // du/dx, du/dy, d2u/dx2 and d2u/(dx dy)
/// @endcode
template <class Scalar>
struct JetDirections {
  /// One term of a second derivative: coefficient d2/(dt_k dt_l) along the directions k and l, counted from 0.
  struct Term {
    Index k = 0;             ///< one direction
    Index l = 0;             ///< the other direction, which may be the same
    double coefficient = 1;  ///< the factor of the term
  };
  Matrix<Scalar> directions;                   ///< u_1, u_2, ..., inputs x number of directions: x depends on t as x + sum t_k u_k
  std::vector<std::vector<Term>> second = {};  ///< the terms of each second derivative
};

/// The memory for derivatives of second order, made by `net.make_jet_workspace(...)`, which allocates; the functions that use it do not. It
/// is also a Workspace for all other passes.
///
/// After net.forward_jet it holds F(x) and its derivatives along the directions, each outputs x batch. Before net.backward_jet, write the
/// derivatives of J by each of them to dJ_dvalue(), dJ_dfirst(k) and dJ_dsecond(p).
template <class Scalar, class Sequence>
class JetWorkspace : public Workspace<Scalar, Dynamic, Sequence> {
  using Base = Workspace<Scalar, Dynamic, Sequence>;

 public:
  /// Allocates for passes over up to max_batch samples with these directions. Throws ShapeError where there is no direction or directions
  /// have another number of rows than the network has inputs, ValueError for a direction that is not finite and for a term whose directions
  /// do not exist or whose coefficient is not finite, StateError for a layer or activation that has no derivatives of second order.
  JetWorkspace(const Sequence& sequence, Index max_batch, const JetDirections<Scalar>& of)
      : JetWorkspace(sequence, max_batch, channels_of(sequence, of)) {
    directions_ = of.directions;
    second_ = static_cast<Index>(of.second.size());
    for (std::size_t p = 0; p < of.second.size(); ++p)
      for (const auto& term : of.second[p]) terms_.push_back({static_cast<Index>(p), term.k, term.l, term.coefficient});
  }

  /// Allocates for up to max_batch samples, and jets of so many channels. Throws StateError for a layer or activation that has no
  /// derivatives of second order.
  JetWorkspace(const Sequence& sequence, Index max_batch, Index channels)
      : Base(sequence, checked(sequence, max_batch)),
        max_columns_{detail::extent_product(max_batch, channels)},
        points_(sequence.inputs(), max_batch),
        points_gradient_(sequence.inputs(), max_batch),
        jet_(sequence.inputs(), max_columns_),
        jet_gradient_(sequence.inputs(), max_columns_),
        jet_caches_{sequence.template make_jet_caches<Scalar>(max_batch, max_columns_)},
        jet_deltas_{sequence.template make_deltas<Scalar, Dynamic>(max_columns_)},
        dJ_dvalue_(sequence.outputs(), max_batch) {
    detail::make_contiguous(detail::NetworkAccess::deltas(*this));
    for (Index k = 0; k < sequence.inputs(); ++k) terms_of_laplacian_.push_back({0, k, k, 1});
  }

  /// The number of directions and of second derivatives that forward_jet computes, and the number of samples of the last one.
  JetShape shape() const { return {detail::NetworkAccess::jet_samples(*this), directions_.cols(), second_, terms_}; }

  /// F(x) of the last forward_jet, outputs x batch. Throws StateError where there is none.
  ConstMatrixView<Scalar> value() const { return detail::last_of(this->caches()).output.first(checked_batch("value")); }
  /// dF/dt_k, the derivative along direction k, outputs x batch. Throws StateError where there is no forward_jet, ValueError for another k.
  ConstMatrixView<Scalar> first(Index k) const {
    check_number("first", k, directions_.cols());
    return shape().first_of(jet_of_output(), k);
  }
  /// Second derivative number p, outputs x batch. Throws StateError where there is no forward_jet, ValueError for another p.
  ConstMatrixView<Scalar> second(Index p) const {
    check_number("second", p, second_);
    return shape().second_of(jet_of_output(), p);
  }

  /// The derivatives of J by the numbers of value(), which the caller sets before backward_jet; 0 after forward_jet.
  MatrixView<Scalar> dJ_dvalue() { return dJ_dvalue_.first(checked_batch("dJ_dvalue")); }
  /// The derivatives of J by the numbers of first(k), which the caller sets before backward_jet; 0 after forward_jet.
  MatrixView<Scalar> dJ_dfirst(Index k) {
    check_number("dJ_dfirst", k, directions_.cols());
    return shape().first_of(detail::last_of(jet_deltas_).first(shape().columns()), k);
  }
  /// The derivatives of J by the numbers of second(p), which the caller sets before backward_jet; 0 after forward_jet.
  MatrixView<Scalar> dJ_dsecond(Index p) {
    check_number("dJ_dsecond", p, second_);
    return shape().second_of(detail::last_of(jet_deltas_).first(shape().columns()), p);
  }

 private:
  friend struct detail::NetworkAccess;

  static Index checked(const Sequence& sequence, Index max_batch) {
    constexpr const char* who = "make_jet_workspace";
    if (max_batch < 1) detail::raise<ShapeError>(who, ": the number of samples must be at least 1, got ", max_batch);
    const std::string missing = sequence.template missing_derivative<Scalar>(2);
    if (!missing.empty()) detail::raise<StateError>(who, ": ", missing);
    return max_batch;
  }

  static Index channels_of(const Sequence& sequence, const JetDirections<Scalar>& of) {
    constexpr const char* who = "make_jet_workspace";
    if (of.directions.rows() != sequence.inputs() || of.directions.cols() < 1)
      detail::raise<ShapeError>(who, ": the directions are ", of.directions.rows(), " x ", of.directions.cols(), ", but the network has ",
                                sequence.inputs(), " inputs; one column is one direction, and there is at least one");
    if (!of.directions.allFinite()) detail::raise<ValueError>(who, ": the directions must be finite");
    for (const auto& terms : of.second)
      for (const auto& term : terms)
        if (term.k < 0 || term.l < 0 || term.k >= of.directions.cols() || term.l >= of.directions.cols() ||
            !detail::is_finite(static_cast<Scalar>(term.coefficient)))
          detail::raise<ValueError>(who, ": a second derivative along directions ", term.k, " and ", term.l, " with coefficient ",
                                    term.coefficient, ", but there are ", of.directions.cols(),
                                    " directions, counted from 0, and coefficients are finite");
    return of.directions.cols() + static_cast<Index>(of.second.size());
  }

  Index checked_batch(const char* who) const {
    const Index batch = detail::NetworkAccess::jet_samples(*this);
    if (batch < 1) detail::raise<StateError>(who, ": the workspace holds no derivatives; call forward_jet(x, work) first");
    return batch;
  }
  void check_number(const char* who, Index i, Index count) const {
    checked_batch(who);
    if (i < 0 || i >= count)
      detail::raise<ValueError>(who, "(", i, "): the workspace has ", count, " of these derivatives, counted from 0");
  }
  // Whether `memory` overlaps with memory on which a user has views: the jet of the output, and the gradients by the output and by its jet.
  // (The Workspace checks its own caches.)
  bool holds(detail::Memory memory) const {
    const Index columns = max_columns_;
    return detail::overlap(memory, detail::memory_of(detail::last_of(jet_caches_).output.first(columns))) ||
           detail::overlap(memory, detail::memory_of(detail::last_of(jet_deltas_).first(columns))) ||
           detail::overlap(memory, detail::memory_of(dJ_dvalue_.first(this->max_batch())));
  }
  ConstMatrixView<Scalar> jet_of_output() const { return detail::last_of(jet_caches_).output.first(shape().columns()); }

  using Storage = BatchStorage<Scalar, Dynamic, Dynamic>;
  detail::ZeroAfterMove max_columns_;
  Index second_ = 0;
  std::vector<SecondDerivativeTerm> terms_;
  std::vector<SecondDerivativeTerm> terms_of_laplacian_;  // d2/dt_k^2 for each direction k, all terms of one second derivative
  Matrix<Scalar> directions_;                             // inputs x number of directions
  Storage points_, points_gradient_;
  Storage jet_, jet_gradient_;
  typename Sequence::template JetCaches<Scalar> jet_caches_;
  typename Sequence::template Deltas<Scalar, Dynamic> jet_deltas_;
  Storage dJ_dvalue_;
};

}  // namespace chainrule
