#pragma once
// Reads and writes whole files at once. Errors are ValueErrors that give the operating system's reason.

#include <algorithm>
#include <cerrno>
#include <chainrule/bytes/crc64.hpp>
#include <chainrule/bytes/file_lock.hpp>
#include <chainrule/bytes/flush_to_disk.hpp>
#include <chainrule/bytes/path.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/error.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace chainrule::detail {

/// Returns the operating system's text for an errno value: "No such file or directory".
inline std::string reason(int error_number) {
  return error_number == 0 ? std::string("for an unknown reason") : std::generic_category().message(error_number);
}

/// Whether memory for this many bytes can be allocated.
inline bool can_allocate(std::uintmax_t bytes) {
  if (bytes > std::string().max_size()) return false;
  void* memory = ::operator new(to_size(bytes), std::nothrow);
  ::operator delete(memory);
  return memory != nullptr;
}

/// Reads all bytes of the file or pipe at `path`. `who` is the caller's name for error messages. Throws ValueError where it cannot be
/// read, or is too large for the memory.
inline std::string read_file(const char* who, const std::string& path) {
  const auto refuse = [&](const std::string& why) { raise<ValueError>(who, ": cannot read \"", path.c_str(), "\": ", why); };
  if (path.find('\0') != std::string::npos) refuse("the path contains a zero byte");
  errno = 0;
  const OpenFile file = open_file(path_of(path), "rb");
  if (file == nullptr) refuse(reason(errno));
  constexpr std::size_t chunk = std::size_t{1} << 20;
  std::string bytes;
  std::error_code has_no_size;
  if (const auto size = std::filesystem::file_size(path_of(path), has_no_size); !has_no_size) {
    if (size > bytes.max_size() - chunk || !can_allocate(size + chunk)) refuse(text_of("there is no memory for its ", size, " bytes"));
    bytes.reserve(static_cast<std::size_t>(size) + chunk);
  }
  for (std::size_t read = chunk; read == chunk;) {  // until a short read: the reported size may be wrong, and a pipe has none
    const std::size_t size = bytes.size();
    bytes.resize(size + chunk);
    read = std::fread(bytes.data() + size, 1, chunk, file.get());
    bytes.resize(size + read);
  }
  if (std::ferror(file.get()) != 0) refuse(reason(errno));
  return bytes;
}

/// Reads `count` bytes of the file at `path`, from byte number `first`. Throws ValueError where they cannot be read, or memory cannot hold
/// them.
inline std::string read_file_range(const char* who, const std::string& path, std::uintmax_t first, std::uintmax_t count) {
  const auto refuse = [&](const std::string& why) { raise<ValueError>(who, ": cannot read \"", path.c_str(), "\": ", why); };
  if (path.find('\0') != std::string::npos) refuse("the path contains a zero byte");
  errno = 0;
  const OpenFile file = open_file(path_of(path), "rb");
  if (file == nullptr) refuse(reason(errno));
  if (!can_allocate(count)) refuse(text_of("there is no memory for ", count, " of its bytes"));
  for (std::uintmax_t left = first; left > 0;) {  // in steps, because an offset is a long, which may have 32 bits
    const long step = static_cast<long>((std::min)(left, std::uintmax_t{1} << 30));
    if (std::fseek(file.get(), step, SEEK_CUR) != 0) refuse(reason(errno));
    left -= static_cast<std::uintmax_t>(step);
  }
  std::string bytes(to_size(count), '\0');
  const std::size_t read = std::fread(bytes.data(), 1, bytes.size(), file.get());
  if (std::ferror(file.get()) != 0) refuse(reason(errno));
  if (read < bytes.size()) refuse(text_of("expected ", count, " bytes from byte ", first, " on, but found ", read));
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

/// Follows symbolic links from a path at which there is no file to where the file would be made. Sets `error` where that is impossible.
inline std::filesystem::path end_of_links(std::filesystem::path path, std::error_code& error) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (int links = 0; fs::is_symlink(fs::symlink_status(path, ignored)); ++links) {
    if (links == 40) error = std::make_error_code(std::errc::too_many_symbolic_link_levels);
    if (error) break;
    path = path.parent_path() / fs::read_symlink(path, error);
  }
  return path;
}

/// How the names of the temporary files for this file begin: ".chainrule-" and a number made from the file's name. So they differ from the
/// names that people give, and are short where the file's name is long.
inline std::string temporary_prefix(const std::filesystem::path& file) {
  std::string name = ".chainrule-";
  for (std::uint64_t number = crc64(name_of(file.filename())), digit = 0; digit < 16; ++digit, number >>= 4)
    name += "0123456789abcdef"[number & 15];
  return name + "-";
}

/// Removes temporary files that programs left behind when they were killed while they wrote the file at `path`. No program may be writing
/// it at the moment.
inline void remove_leftovers(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error, ignored;
  const fs::path given = path_of(path), file = fs::exists(given, ignored) ? fs::canonical(given, error) : end_of_links(given, error);
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const std::string prefix = temporary_prefix(file);
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (name_of(entry->path().filename()).starts_with(prefix)) fs::remove(entry->path(), ignored);
}

/// Writes a file atomically: writes a temporary file beside it and renames that, so the old file remains until the new one is complete,
/// also where the disk is full. No other file changes. A symbolic link stays and the file at its end is written, whether there was one or
/// not. A file that is replaced keeps its permissions; where it has a second name by a hard link, that name keeps the old contents. A pipe
/// or device is written to directly. A program that is killed while it writes leaves its temporary file behind, .chainrule-*.part.
///
/// Throws ValueError where the file cannot be written, which includes an existing file without permission to write.
///
/// `lock`, unless nullptr, holds the new file from before it has its name.
inline void write_file(const char* who, const std::string& path, std::string_view bytes, Durability durability = Durability::process_exit,
                       FileLock* lock = nullptr) {
  namespace fs = std::filesystem;
  const auto refuse = [&](const std::string& why) { raise<ValueError>(who, ": cannot write \"", path.c_str(), "\": ", why); };
  if (path.empty()) refuse("the path is empty");
  if (path.find('\0') != std::string::npos) refuse("the path contains a zero byte");
  std::error_code error;
  fs::path target = path_of(path);
  const fs::file_status status = fs::status(target, error);
  if (fs::is_directory(status)) refuse(reason(EISDIR));
  if (!target.has_filename()) refuse("the path ends like a folder's; a file's name must follow");
  const bool replaces = fs::is_regular_file(status);
  const bool uses_temporary = replaces || !fs::exists(status);
  error.clear();
  if (replaces)
    target = fs::canonical(target, error);
  else if (uses_temporary)
    target = end_of_links(target, error);
  if (error) refuse(error.message());
  errno = 0;
  if (replaces && open_file(path_of(path), "ab") == nullptr) refuse(reason(errno));

  fs::path written = target;
  OpenFile file;
  if (uses_temporary) {
    // any number will do; one that a file has already is not taken
    auto number =
        static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^ reinterpret_cast<std::uintptr_t>(&file);
    for (int i = 0; file == nullptr && (i == 0 || (errno == EEXIST && i < 1000)); ++i) {
      written = target.parent_path() / (temporary_prefix(target) + std::to_string(number++) + ".part");
      errno = 0;
      file = open_file(written, "wbx");
    }
  } else {
    file = open_file(target, "wb");
  }
  if (file == nullptr) refuse(reason(errno));
  if (replaces) fs::permissions(written, status.permissions(), error);  // before anyone can read what is written
  FileLock new_lock;
  if (lock != nullptr && uses_temporary) new_lock = FileLock::of_file(file.get());

  std::string why;
  if (const int error_number = write_and_close(std::move(file), bytes, durability); error_number != 0) why = reason(error_number);
  if (why.empty() && uses_temporary) {
    fs::rename(written, target, error);
    if (error)
      why = error.message();
    else if (lock != nullptr)
      *lock = std::move(new_lock);
  }
  if (why.empty() && uses_temporary && durability == Durability::power_loss)
    if (const int error_number = flush_to_disk(target.parent_path()); error_number != 0) why = reason(error_number);
  if (why.empty()) return;
  if (uses_temporary) fs::remove(written, error);
  refuse(why);
}

}  // namespace chainrule::detail
