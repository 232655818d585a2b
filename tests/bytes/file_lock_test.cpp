#include <chainrule/bytes/file.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using chainrule_test::TemporaryFolder;
using detail::FileLock;

#if __has_include(<sys/file.h>) && !defined(_WIN32) && !defined(__EMSCRIPTEN__)
TEST_CASE("a FileLock holds a file until it is destroyed, through renaming and replacing") {
  const TemporaryFolder folder;
  const std::string path = folder.path("a");
  const FileLock nobody;
  CHECK_FALSE(nobody.is_held_by_another(path));
  folder.file("a", "one");
  CHECK_FALSE(nobody.is_held_by_another(path));
  {
    FileLock lock = FileLock::of_path(path);
    CHECK_FALSE(lock.is_held_by_another(path));
    CHECK(nobody.is_held_by_another(path));
    detail::write_file("test", path, "two", detail::Durability::process_exit, &lock);
    CHECK_FALSE(lock.is_held_by_another(path));
    CHECK(nobody.is_held_by_another(path));
    const FileLock moved = std::move(lock);
    CHECK(nobody.is_held_by_another(path));
  }
  CHECK_FALSE(nobody.is_held_by_another(path));
}
#endif
