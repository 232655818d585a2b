#pragma once
// Single checks of arguments, made before anything is written. Each throws an error that says who expected what and what it got. Functions
// that write a message take values and are not inlined, so that a pass keeps these values in registers.

#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/error.hpp>
#include <chainrule/core/types.hpp>

namespace chainrule::detail {

inline void check_batch(const char* who, Index samples) {
  if (samples < 1) raise<ShapeError>(who, ": the batch is empty; it needs at least one sample (one column)");
}

inline void check_not_moved_from(const char* who, Index max_batch) {
  if (max_batch < 1)
    raise<StateError>(who, ": this workspace was moved to another object and holds nothing; use that one, or make_workspace again");
}

[[noreturn, gnu::noinline, gnu::cold]] inline void too_many_samples(const char* who, Index samples, Index max_batch) {
  check_not_moved_from(who, max_batch);
  raise<ShapeError>(who, ": the batch has ", samples, " samples, but the workspace has room for ", max_batch, "; make_workspace(", samples,
                    ") makes one that fits");
}

inline void check_capacity(const char* who, Index samples, Index max_batch) {
  if (samples > max_batch) too_many_samples(who, samples, max_batch);
}

[[noreturn, gnu::noinline, gnu::cold]] inline void wrong_rows(const char* who, const char* name, Index rows, Index expected,
                                                              const char* what) {
  raise<ShapeError>(who, ": ", name, " has ", rows, " rows, but the network has ", expected, " ", what, " (one column is one sample)");
}

inline void check_rows(const char* who, const char* name, Index rows, Index expected, const char* what) {
  if (rows != expected) wrong_rows(who, name, rows, expected, what);
}

[[noreturn, gnu::noinline, gnu::cold]] inline void no_forward_pass(const char* who) {
  raise<StateError>(who, ": the workspace holds no forward pass; call forward(x, work) first");
}

inline void check_forward_ran(const char* who, Index cached_samples) {
  if (cached_samples < 1) no_forward_pass(who);
}

[[noreturn, gnu::noinline, gnu::cold]] inline void forward_of_other_network(const char* who) {
  raise<StateError>(who,
                    ": the last forward pass in this workspace was made by another network (or by this one before it was copied, moved or "
                    "assigned to); call forward(x, work) of this network first");
}

[[noreturn, gnu::noinline, gnu::cold]] inline void wrong_samples(const char* who, const char* name, Index samples, Index expected,
                                                                 const char* of) {
  raise<ShapeError>(who, ": ", name, " has ", samples, " samples, but ", of, " had ", expected);
}

inline void check_samples(const char* who, const char* name, Index samples, Index expected, const char* of) {
  if (samples != expected) wrong_samples(who, name, samples, expected, of);
}

inline void check_input_gradient(const char* who, Index rows, Index cols, Index inputs, Index samples) {
  if (rows != inputs || cols != samples)
    raise<ShapeError>(who, ": dJ/dx is ", inputs, " x ", samples, " here, but the matrix given for it is ", rows, " x ", cols);
}

inline void check_made_for(const char* who, const char* what, Index layer, Index extent, Index expected) {
  if (extent != expected)
    raise<ShapeError>(who, ": ", what, " made for another network: layer<", layer, "> has an extent of ", extent, " there and of ",
                      expected, " here");
}

}  // namespace chainrule::detail
