#include <chainrule/bytes/flush_to_disk.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using chainrule::detail::flush_to_disk;

TEST_CASE("files and folders are flushed to the disk, and what cannot be flushed is not an error") {
  const chainrule_test::TemporaryFolder folder;
  std::FILE* file = std::fopen(folder.path("a").c_str(), "wb");
  REQUIRE(file != nullptr);
  std::fputs("x", file);
  CHECK(flush_to_disk(file) == 0);
  std::fclose(file);
  CHECK(flush_to_disk(std::filesystem::path(folder.path("a")).parent_path()) == 0);
  CHECK(flush_to_disk(std::filesystem::path()) == 0);  // the current folder
  if (!std::filesystem::is_character_file("/dev/null")) return;
  file = std::fopen("/dev/null", "wb");
  CHECK(flush_to_disk(file) == 0);
  std::fclose(file);
  CHECK(flush_to_disk(std::filesystem::path("/no/such/folder")) == ENOENT);
}
