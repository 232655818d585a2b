#pragma once
// From the names of files, which callers give as std::string, to the operating system's paths and back.

#include <chainrule/core/detail/require_cpp20.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

namespace chainrule::detail {

/// The path with this name. On Windows, whose paths are UTF-16, the name is read as UTF-8, and in the code page of the program where it is
/// not UTF-8. Elsewhere a path has the bytes of its name.
inline std::filesystem::path path_of(const std::string& name) {
#if defined(_WIN32) && defined(__cpp_exceptions)
  try {
    return std::filesystem::path(std::u8string(name.begin(), name.end()));
  } catch (const std::system_error&) {  // not UTF-8
  }
#endif
  return std::filesystem::path(name);
}

/// The name of this path: path_of(name_of(path)) is the path again.
inline std::string name_of(const std::filesystem::path& path) {
#if defined(_WIN32)
  const std::u8string name = path.u8string();
  return std::string(name.begin(), name.end());
#else
  return path.string();
#endif
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<std::FILE, CloseFile>;

/// std::fopen for a path. Sets errno and returns nullptr where the file cannot be opened.
inline OpenFile open_file(const std::filesystem::path& path, const char* mode) {
#if defined(_WIN32)
  const std::string narrow = mode;
  return OpenFile(::_wfopen(path.c_str(), std::wstring(narrow.begin(), narrow.end()).c_str()));
#else
  return OpenFile(std::fopen(path.c_str(), mode));
#endif
}

}  // namespace chainrule::detail
