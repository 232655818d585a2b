#pragma once
// Counts the allocations of a thread by replacing malloc and its relatives, which new and Eigen call. Include it in a single file of a
// program. Works with glibc and without sanitizers; elsewhere nothing is counted and counts_allocations is false.

#include <atomic>
#include <cerrno>
#include <cstdlib>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHAINRULE_EXAMPLE_SANITIZED
#endif
#endif
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(CHAINRULE_EXAMPLE_SANITIZED)
#define CHAINRULE_EXAMPLE_COUNTS
#endif

namespace examples {

#if defined(CHAINRULE_EXAMPLE_COUNTS)
inline constexpr bool counts_allocations = true;
#else
inline constexpr bool counts_allocations = false;
#endif

inline std::atomic<long> allocations{0};
inline thread_local bool is_counted = false;

/// Counts the allocations of the current thread during its lifetime.
struct CountAllocations {
  CountAllocations() { is_counted = true; }
  ~CountAllocations() { is_counted = false; }
  CountAllocations(const CountAllocations&) = delete;
  CountAllocations& operator=(const CountAllocations&) = delete;
};

}  // namespace examples

#if defined(CHAINRULE_EXAMPLE_COUNTS)
// glibc's own names of the replaced functions
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  if (examples::is_counted) ++examples::allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  if (examples::is_counted) ++examples::allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  if (examples::is_counted) ++examples::allocations;
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  if (examples::is_counted) ++examples::allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  if (examples::is_counted) ++examples::allocations;
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}
#endif
