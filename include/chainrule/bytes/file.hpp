#pragma once
// Reads and writes whole files at once. Errors are ValueErrors that give the operating system's reason.

#include <cerrno>
#include <chainrule/bytes/flush_to_disk.hpp>
#include <chainrule/core/error.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace chainrule::detail {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<std::FILE, CloseFile>;

/// Returns the operating system's text for an errno value: "No such file or directory".
inline std::string reason(int error_number) {
  return error_number == 0 ? std::string("for an unknown reason") : std::generic_category().message(error_number);
}

/// Reads all bytes of the file or pipe at `path`. `who` is the caller's name for error messages. Throws ValueError where it cannot be
/// read.
inline std::string read_file(const char* who, const std::string& path) {
  errno = 0;
  const OpenFile file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) raise<ValueError>(who, ": cannot read \"", path, "\": ", reason(errno));
  constexpr std::size_t chunk = std::size_t{1} << 20;
  std::string bytes;
  std::error_code has_no_size;
  if (const auto size = std::filesystem::file_size(path, has_no_size); !has_no_size) bytes.reserve(static_cast<std::size_t>(size) + chunk);
  for (std::size_t read = chunk; read == chunk;) {  // until a short read: the reported size may be wrong, and a pipe has none
    const std::size_t size = bytes.size();
    bytes.resize(size + chunk);
    read = std::fread(bytes.data() + size, 1, chunk, file.get());
    bytes.resize(size + read);
  }
  if (std::ferror(file.get()) != 0) raise<ValueError>(who, ": cannot read \"", path, "\": ", reason(errno));
  return bytes;
}

/// The first bytes of a file compressed by gzip.
inline constexpr std::string_view gzip_magic = "\x1f\x8b";

/// Throws ValueError where `bytes` are compressed by gzip, for readers of other formats. `file` is the name for error messages.
inline void refuse_gzip(const std::string& file, std::string_view bytes) {
  if (bytes.starts_with(gzip_magic))
    raise<ValueError>(file, " is compressed by gzip; unpack it, or read it with gunzip_file of <chainrule/data/gzip.hpp>");
}

/// The event that a written file must survive. Surviving a power loss takes longer, because the file is flushed to the disk.
enum class Durability { process_exit, power_loss };

/// Writes all bytes to the open file and closes it. Returns 0 or the errno value.
inline int write_and_close(OpenFile file, std::string_view bytes, Durability durability) {
  errno = 0;
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() && std::fflush(file.get()) == 0 &&
                       (durability == Durability::process_exit || flush_to_disk(file.get()) == 0);
  const int error_number = errno;
  const bool closed = std::fclose(file.release()) == 0;
  if (written && closed) return 0;
  return written ? errno : error_number == 0 ? EIO : error_number;
}

/// Writes a file atomically: writes a temporary file `path`.part beside it, then renames that to `path`. The old file remains until the
/// new one is complete, also where the disk is full. A pipe or device is written to directly. Throws ValueError where it cannot be
/// written.
///
/// With Durability::power_loss an existing `path`.part is deleted first: such files (checkpoints) are rewritten again and again by one
/// program at a time, so one that exists was left behind by a killed run. Otherwise an existing `path`.part is left alone, and
/// `path`.part1, `path`.part2, ... are tried instead.
inline void write_file(const char* who, const std::string& path, std::string_view bytes, Durability durability = Durability::process_exit) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path target(path);
  const fs::file_status status = fs::status(target, error);
  const bool replaces = fs::is_regular_file(status);
  if (replaces) target = fs::canonical(target, error);  // the file that a symbolic link leads to
  const bool uses_temporary = replaces || !fs::exists(status);

  fs::path written = target;
  OpenFile file;
  if (uses_temporary) {
    if (durability == Durability::power_loss) fs::remove(target.string() + ".part", error);
    errno = 0;
    for (int i = 0; file == nullptr && (i == 0 || (errno == EEXIST && i < 100)); ++i) {  // skips files left behind by stopped programs
      written = target;
      written += i == 0 ? std::string(".part") : ".part" + std::to_string(i);
      file.reset(std::fopen(written.string().c_str(), "wbx"));
    }
  } else {
    errno = 0;
    file.reset(std::fopen(path.c_str(), "wb"));
  }
  if (file == nullptr) raise<ValueError>(who, ": cannot write \"", path, "\": ", reason(errno));

  std::string why;
  if (const int error_number = write_and_close(std::move(file), bytes, durability); error_number != 0) why = reason(error_number);
  if (why.empty() && uses_temporary) {
    if (replaces) fs::permissions(written, status.permissions(), error);
    fs::rename(written, target, error);
    if (error) why = error.message();
  }
  if (why.empty() && uses_temporary && durability == Durability::power_loss)
    if (const int error_number = flush_to_disk(target.parent_path()); error_number != 0) why = reason(error_number);
  if (why.empty()) return;
  if (uses_temporary) fs::remove(written, error);
  raise<ValueError>(who, ": cannot write \"", path, "\": ", why);
}

}  // namespace chainrule::detail
