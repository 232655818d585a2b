#pragma once
// Marks a file as in use, so that two programs, or two trainings of one program, do not write it in turn. Uses flock, which POSIX systems
// have; elsewhere, and on file systems without it, every file is free.

#include <cerrno>
#include <chainrule/core/detail/require_cpp20.hpp>
#include <cstdio>
#include <string>
#include <utility>

#if __has_include(<sys/file.h>) && __has_include(<unistd.h>) && !defined(_WIN32)
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#define CHAINRULE_HAS_FLOCK 1
#else
#define CHAINRULE_HAS_FLOCK 0
#endif

namespace chainrule::detail {

/// Holds a file until the object is destroyed or the program ends, however it ends. No other FileLock can hold the file meanwhile.
class FileLock {
 public:
  /// Holds nothing.
  FileLock() = default;
  FileLock(FileLock&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileLock() {
#if CHAINRULE_HAS_FLOCK
    if (descriptor_ >= 0) ::close(descriptor_);
#endif
  }

  /// Holds the file at `path`, or nothing where it cannot be held.
  static FileLock of_path([[maybe_unused]] const std::string& path) {
    FileLock lock;
#if CHAINRULE_HAS_FLOCK
    lock.take(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
#endif
    return lock;
  }
  /// Holds an open file, also after it is closed and renamed, or nothing where it cannot be held.
  static FileLock of_file([[maybe_unused]] std::FILE* file) {
    FileLock lock;
#if CHAINRULE_HAS_FLOCK
    lock.take(::fcntl(::fileno(file), F_DUPFD_CLOEXEC, 0));
#endif
    return lock;
  }

  /// Whether another FileLock than this one holds the file that is at `path` now.
  bool is_held_by_another([[maybe_unused]] const std::string& path) const {
#if CHAINRULE_HAS_FLOCK
    struct ::stat own, there;
    if (::stat(path.c_str(), &there) != 0 || !S_ISREG(there.st_mode)) return false;
    if (descriptor_ >= 0 && ::fstat(descriptor_, &own) == 0 && own.st_ino == there.st_ino && own.st_dev == there.st_dev) return false;
    FileLock tried;
    return tried.take(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) == EWOULDBLOCK;
#else
    return false;
#endif
  }

 private:
#if CHAINRULE_HAS_FLOCK
  // Takes over the descriptor, and closes it unless it holds the file. Returns 0 or the errno value.
  int take(int descriptor) {
    if (descriptor < 0) return errno;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int error_number = errno;
      ::close(descriptor);
      return error_number;
    }
    descriptor_ = descriptor;
    return 0;
  }
#endif

  int descriptor_ = -1;
};

}  // namespace chainrule::detail

#undef CHAINRULE_HAS_FLOCK
