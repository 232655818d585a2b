#pragma once
// Checks that memory which a call writes to is not memory that it reads: it would read what it has overwritten.

#include <algorithm>
#include <chainrule/core/detail/views.hpp>
#include <cstdint>
#include <ranges>

namespace chainrule::detail {

/// Where numbers lie in memory: `count` columns of `bytes` bytes each, one every `stride` bytes.
struct Memory {
  std::intptr_t begin;
  std::intptr_t bytes;
  std::intptr_t stride;
  std::intptr_t count;

  /// The distance from the begin of the first column to the end of the last.
  std::intptr_t span() const { return (count - 1) * stride + bytes; }
};

/// The memory of `size` contiguous numbers.
template <class T>
[[gnu::always_inline]] inline Memory memory_of(const T* data, Index size) {
  return {reinterpret_cast<std::intptr_t>(data), size * static_cast<std::intptr_t>(sizeof(T)), 0, 1};
}
/// The memory of an Eigen matrix, vector, block or map, or of a contiguous range such as integer labels. That of a fixed size takes no
/// instructions to compute.
template <class T>
[[gnu::always_inline]] inline Memory memory_of(const T& m) {
  if constexpr (std::ranges::contiguous_range<T> && !EigenDense<T>)
    return memory_of(std::ranges::data(m), static_cast<Index>(std::ranges::size(m)));
  else if constexpr (!EigenDense<T>)
    return {};  // target_view has a static_assert that reports such an argument
  else if constexpr (std::is_base_of_v<Eigen::PlainObjectBase<T>, T>)
    return memory_of(m.data(), m.size());
  else if constexpr (!has_columns_in_memory<T>())
    return {};  // const_view has a static_assert that reports such an argument
  else
    return {reinterpret_cast<std::intptr_t>(m.data()), m.rows() * static_cast<Index>(sizeof(typename T::Scalar)),
            column_stride(m) * static_cast<Index>(sizeof(typename T::Scalar)), m.cols()};
}

/// Whether one of the columns of `a` and one of `b` have a byte in common, for memories whose ranges from begin to end overlap. Blocks of
/// rows of one matrix have overlapping ranges but no byte in common. (Takes numbers, so that callers keep them in registers.)
[[gnu::noinline, gnu::cold]] inline bool columns_overlap(std::intptr_t a_begin, std::intptr_t a_bytes, std::intptr_t a_stride,
                                                         std::intptr_t a_count, std::intptr_t b_begin, std::intptr_t b_bytes,
                                                         std::intptr_t b_stride, std::intptr_t b_count) {
  const Memory a{a_begin, a_bytes, a_stride, a_count}, b{b_begin, b_bytes, b_stride, b_count};
  for (std::intptr_t j = 0; j < a.count && a.bytes > 0 && b.bytes > 0; ++j) {
    const std::intptr_t begin = a.begin + j * a.stride, end = begin + a.bytes;
    // the first column of b that does not end before `begin`
    const std::intptr_t before = begin - b.begin - b.bytes;
    const std::intptr_t k = before < 0 || b.stride == 0 ? 0 : before / b.stride + 1;
    if (k < b.count && b.begin + k * b.stride < end && begin < b.begin + k * b.stride + b.bytes) return true;
  }
  return false;
}

/// Whether a and b have a byte in common.
[[gnu::always_inline]] inline bool overlap(Memory a, Memory b) {
  // one comparison for: the ranges [a.begin, a.begin + span of a) and [b.begin, b.begin + span of b) overlap
  const std::intptr_t span_a = a.span(), spans = span_a + b.span();
  if (static_cast<std::uintptr_t>(b.begin - a.begin + b.span() - 1) >= static_cast<std::uintptr_t>(spans - 1)) [[likely]]
    return false;
  return columns_overlap(a.begin, a.bytes, a.stride, a.count, b.begin, b.bytes, b.stride, b.count);
}

[[noreturn, gnu::noinline, gnu::cold]] inline void lies_in_workspace(const char* who, const char* name) {
  raise<ValueError>(who, ": ", name,
                    " lies in the workspace that this call writes to (the result of an earlier call?); copy it first with .eval()");
}
[[noreturn, gnu::noinline, gnu::cold]] inline void lies_in_output(std::string_view who, const char* name, const char* output) {
  raise<ValueError>(who, ": ", name, " and ", output, " share memory, but this call writes to ", output, " while it reads ", name,
                    "; give each its own memory, or copy one with .eval()");
}

/// Throws ValueError where the argument `name` and `output`, which the call writes to, have a byte in common.
[[gnu::always_inline]] inline void check_no_overlap(std::string_view who, const char* name, Memory argument, const char* output,
                                                    Memory written) {
  if (overlap(argument, written)) lies_in_output(who, name, output);
}

}  // namespace chainrule::detail
