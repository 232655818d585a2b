#pragma once
// From the system's memory to the disk, where a file outlives a power cut. The standard library has no word for it; POSIX has fsync.

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>

#if __has_include(<fcntl.h>) && __has_include(<unistd.h>) && !defined(_WIN32)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace chainrule::detail {

/// 0, or the error's number; 0 also for what cannot be flushed, as a pipe, and on systems without fsync.
inline int flush_to_disk([[maybe_unused]] std::FILE* file) {
#if __has_include(<fcntl.h>) && __has_include(<unistd.h>) && !defined(_WIN32)
  if (::fsync(::fileno(file)) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) return errno;
#endif
  return 0;
}

/// The same for the names in a folder, so that a renamed file is found under its new one.
inline int flush_to_disk([[maybe_unused]] const std::filesystem::path& folder) {
#if __has_include(<fcntl.h>) && __has_include(<unistd.h>) && !defined(_WIN32)
  const int opened = ::open(folder.empty() ? "." : folder.string().c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return errno == EACCES ? 0 : errno;  // a folder that may be written to need not be readable
  const int error_number = ::fsync(opened) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EBADF ? 0 : errno;
  ::close(opened);
  return error_number;
#else
  return 0;
#endif
}

}  // namespace chainrule::detail
