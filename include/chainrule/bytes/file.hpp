#pragma once
// Whole files, read and written at once. Errors give the system's reason.

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

/// "No such file or directory" and the like.
inline std::string reason(int error_number) {
  return error_number == 0 ? std::string("for an unknown reason") : std::generic_category().message(error_number);
}

/// All bytes of the file, or of the pipe, at `path`. Throws ValueError where it cannot be read.
inline std::string read_file(const char* who, const std::string& path) {
  errno = 0;
  const OpenFile file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) raise<ValueError>(who, ": cannot read \"", path, "\": ", reason(errno));
  constexpr std::size_t piece = std::size_t{1} << 20;
  std::string bytes;
  std::error_code unknown;
  if (const auto size = std::filesystem::file_size(path, unknown); !unknown) bytes.reserve(static_cast<std::size_t>(size) + piece);
  for (std::size_t read = piece; read == piece;) {  // until a piece comes short, whatever was said of the size
    const std::size_t size = bytes.size();
    bytes.resize(size + piece);
    read = std::fread(bytes.data() + size, 1, piece, file.get());
    bytes.resize(size + read);
  }
  if (std::ferror(file.get()) != 0) raise<ValueError>(who, ": cannot read \"", path, "\": ", reason(errno));
  return bytes;
}

/// Compressed files are not what they are named after; `file` is the name for errors.
inline void refuse_gzip(const std::string& file, std::string_view bytes) {
  if (bytes.starts_with("\x1f\x8b"))
    raise<ValueError>(file, " is compressed by gzip; unpack it, or read it with gunzip_file of <chainrule/data/gzip.hpp>");
}

/// What a written file outlives: the end of the program; or a power cut too, which takes longer.
enum class Outlives { program, power_cut };

/// Puts all bytes into the open file and closes it. Gives 0, or the error's number.
inline int write_and_close(OpenFile file, std::string_view bytes, Outlives outlives) {
  errno = 0;
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() && std::fflush(file.get()) == 0 &&
                       (outlives == Outlives::program || flush_to_disk(file.get()) == 0);
  const int error_number = errno;
  const bool closed = std::fclose(file.release()) == 0;
  if (written && closed) return 0;
  return written ? errno : error_number == 0 ? EIO : error_number;
}

/// Writes a new neighbour of the file, path.part, and gives it the file's name at the end: so the old file is there until the new one
/// is whole, and stays where the disk is full. What is no file (a pipe, a device) is written to as it is. Throws ValueError.
/// A file that outlives power cuts is written again and again, by one program at a time: its neighbour, which a killed one may have
/// left, is taken away.
inline void write_file(const char* who, const std::string& path, std::string_view bytes, Outlives outlives = Outlives::program) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path target(path);
  const fs::file_status status = fs::status(target, error);
  const bool replaces = fs::is_regular_file(status);
  if (replaces) target = fs::canonical(target, error);  // the file that a symbolic link leads to
  const bool by_neighbour = replaces || !fs::exists(status);

  fs::path written = target;
  OpenFile file;
  if (by_neighbour) {
    if (outlives == Outlives::power_cut) fs::remove(target.string() + ".part", error);
    errno = 0;
    for (int i = 0; file == nullptr && (i == 0 || (errno == EEXIST && i < 100)); ++i) {  // left over by a program that was stopped
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
  if (const int error_number = write_and_close(std::move(file), bytes, outlives); error_number != 0) why = reason(error_number);
  if (why.empty() && by_neighbour) {
    if (replaces) fs::permissions(written, status.permissions(), error);
    fs::rename(written, target, error);
    if (error) why = error.message();
  }
  if (why.empty() && by_neighbour && outlives == Outlives::power_cut)
    if (const int error_number = flush_to_disk(target.parent_path()); error_number != 0) why = reason(error_number);
  if (why.empty()) return;
  if (by_neighbour) fs::remove(written, error);
  raise<ValueError>(who, ": cannot write \"", path, "\": ", why);
}

}  // namespace chainrule::detail
