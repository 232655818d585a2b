#pragma once

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

namespace chainrule_test {

/// A new empty folder for the files of one test, which the destructor removes with its contents.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& base = std::filesystem::temp_directory_path()) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    for (auto i = now; path_.empty(); ++i)
      if (auto path = base / ("chainrule_test_" + std::to_string(i)); std::filesystem::create_directory(path)) path_ = path;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  /// A folder in memory if the system has /dev/shm, for tests that would otherwise wait for the disk.
  static TemporaryFolder in_memory() {
    std::error_code none;
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::is_directory(memory, none) ? TemporaryFolder(memory) : TemporaryFolder();
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }

  /// Writes a file with these bytes and returns its path.
  std::string file(const std::string& name, std::string_view bytes) const {
    if (std::FILE* file = std::fopen(path(name).c_str(), "wb")) {
      std::fwrite(bytes.data(), 1, bytes.size(), file);
      std::fclose(file);
    }
    return path(name);
  }

  /// Number of files in the folder.
  std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++count;
    return count;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace chainrule_test
