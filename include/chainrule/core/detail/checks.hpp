#pragma once
// Single checks of arguments, made before anything is written. Each throws an error that says who expected what and what it got.

#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>
#include <functional>

namespace chainrule::detail {

/// Throws ValueError where x overlaps the memory that a pass writes to: h = predict(h, work) would read what it has overwritten.
template <class Scalar>
[[gnu::always_inline]] inline void check_no_overlap(const char* who, const ConstMatrixView<Scalar>& x,
                                                    const ConstMatrixView<Scalar>& written) {
  const std::less<const Scalar*> before;
  const Scalar* end = x.data() + (x.cols() - 1) * x.outerStride() + x.rows();
  if (before(x.data(), written.data() + written.size()) && before(written.data(), end))
    raise<ValueError>(who,
                      ": x lies in the workspace that this call writes to (the result of an earlier call?); copy it first with .eval()");
}

inline void check_batch(const char* who, Index samples) {
  if (samples < 1) raise<ShapeError>(who, ": the batch is empty; it needs at least one sample (one column)");
}

inline void check_capacity(const char* who, Index samples, Index max_batch) {
  if (samples > max_batch)
    raise<ShapeError>(who, ": the batch has ", samples, " samples, but the workspace has room for ", max_batch, "; make_workspace(",
                      samples, ") makes one that fits");
}

inline void check_rows(const char* who, const char* name, Index rows, Index expected, const char* what) {
  if (rows != expected)
    raise<ShapeError>(who, ": ", name, " has ", rows, " rows, but the network has ", expected, " ", what, " (one column is one sample)");
}

inline void check_forward_ran(const char* who, Index cached_samples) {
  if (cached_samples < 1) raise<StateError>(who, ": the workspace holds no forward pass; call forward(x, work) first");
}

inline void check_samples(const char* who, const char* name, Index samples, Index expected, const char* of) {
  if (samples != expected) raise<ShapeError>(who, ": ", name, " has ", samples, " samples, but ", of, " had ", expected);
}

inline void check_input_gradient(Index rows, Index cols, Index inputs, Index samples) {
  if (rows != inputs || cols != samples)
    raise<ShapeError>("backward: dJ/dx is ", inputs, " x ", samples, " here, but the matrix given for it is ", rows, " x ", cols);
}

inline void check_made_for(const char* who, const char* what, Index layer, Index extent, Index expected) {
  if (extent != expected)
    raise<ShapeError>(who, ": ", what, " made for another network: layer<", layer, "> has an extent of ", extent, " there and of ",
                      expected, " here");
}

}  // namespace chainrule::detail
