#pragma once
// Flushes files from the operating system's cache to the disk, so that they survive a power loss. Uses POSIX fsync, because the C++
// standard library has no such function.

#include <cerrno>
#include <chainrule/core/detail/require_cpp20.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#if __has_include(<fcntl.h>) && __has_include(<unistd.h>) && !defined(_WIN32)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace chainrule::detail {

/// Flushes an open file to the disk. Returns 0 or the errno value. Returns 0 also for what cannot be flushed, such as a pipe, and does
/// nothing on systems without fsync.
inline int flush_to_disk([[maybe_unused]] std::FILE* file) {
#if __has_include(<fcntl.h>) && __has_include(<unistd.h>) && !defined(_WIN32)
  if (::fsync(::fileno(file)) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) return errno;
#endif
  return 0;
}

/// Flushes the entries of a folder to the disk, so that a renamed file is found under its new name after a power loss. An empty path is
/// the current folder. Returns 0 or the errno value, as the overload for files does.
inline int flush_to_disk([[maybe_unused]] const std::filesystem::path& folder) {
#if __has_include(<fcntl.h>) && __has_include(<unistd.h>) && !defined(_WIN32)
  const int opened = ::open(folder.empty() ? "." : folder.string().c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return errno == EACCES ? 0 : errno;  // a writable folder need not be readable
  const int error_number = ::fsync(opened) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EBADF ? 0 : errno;
  ::close(opened);
  return error_number;
#else
  return 0;
#endif
}

}  // namespace chainrule::detail
