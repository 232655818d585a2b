#include <chainrule/bytes/file.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using chainrule_test::TemporaryFolder;
using detail::read_file;
using detail::write_file;
namespace fs = std::filesystem;

TEST_CASE("read_file returns all bytes of a file") {
  const TemporaryFolder folder;
  const std::string bytes("a\0\r\n\xff", 5);
  CHECK(read_file("test", folder.file("five", bytes)) == bytes);
  CHECK(read_file("test", folder.file("none", "")).empty());
  const std::string many(std::size_t{3} << 20, 'x');  // several chunks, the last of them full
  CHECK(read_file("test", folder.file("many", many)) == many);
  CHECK(read_file("test", folder.file("many", many + "y")) == many + "y");
}

TEST_CASE("a file that cannot be read is an error with the system's reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_SAYING(read_file("read_csv", folder.path("missing")), ValueError, "read_csv: cannot read \"", "missing\": No such file");
  CHECK_THROWS_SAYING(read_file("read_csv", folder.path("")), ValueError, "read_csv: cannot read \"", "irectory");
}

TEST_CASE("write_file leaves the written file and no temporary file") {
  const TemporaryFolder folder;
  write_file("test", folder.path("a"), "old and long");
  CHECK(read_file("test", folder.path("a")) == "old and long");
  write_file("test", folder.path("a"), "new");
  CHECK(read_file("test", folder.path("a")) == "new");
  CHECK(folder.files() == 1);
}

TEST_CASE("a file that cannot be written is an error with the system's reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_SAYING(write_file("write_csv", folder.path("no/a"), "x"), ValueError, "write_csv: cannot write \"", "No such file");
  fs::create_directory(folder.path("folder"));
  CHECK_THROWS_SAYING(write_file("write_csv", folder.path("folder"), "x"), ValueError, "cannot write \"", "irectory");
  CHECK(folder.files() == 1);
}

TEST_CASE("a temporary file left behind by a stopped program is neither used nor deleted") {
  const TemporaryFolder folder;
  folder.file("a.part", "somebody's");
  write_file("test", folder.path("a"), "new");
  CHECK(read_file("test", folder.path("a")) == "new");
  CHECK(read_file("test", folder.path("a.part")) == "somebody's");
  CHECK(folder.files() == 2);
}

TEST_CASE("a file that must survive a power loss replaces the temporary file left behind by a killed program") {
  const TemporaryFolder folder;
  folder.file("a.part", "half");
  for (const char* bytes : {"one", "two"}) {
    write_file("test", folder.path("a"), bytes, detail::Durability::power_loss);
    CHECK(read_file("test", folder.path("a")) == bytes);
    CHECK(folder.files() == 1);
  }
  CHECK_THROWS_SAYING(write_file("test", folder.path("no/a"), "x", detail::Durability::power_loss), ValueError, "No such file");
}

TEST_CASE("a replaced file keeps its permissions, and a symbolic link keeps its target") {
  const TemporaryFolder folder;
  const auto mode = fs::perms::owner_read | fs::perms::owner_write;
  fs::permissions(folder.file("a", "old"), mode);
  fs::create_symlink(folder.path("a"), folder.path("link"));
  write_file("test", folder.path("link"), "new");
  CHECK(fs::is_symlink(folder.path("link")));
  CHECK(read_file("test", folder.path("a")) == "new");
  CHECK(fs::status(folder.path("a")).permissions() == mode);
}

TEST_CASE("a full disk is an error, and a device is written to directly") {
  if (!fs::is_character_file("/dev/full")) return;  // exists on Linux only
  CHECK_THROWS_SAYING(write_file("write_csv", "/dev/full", "x"), ValueError, "cannot write \"/dev/full\": No space left");
  CHECK_THROWS_SAYING(write_file("test", "/dev/full", "x", detail::Durability::power_loss), ValueError, "No space left");
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("refuse_gzip names the compressed file and the remedy") {
  CHECK_THROWS_SAYING(detail::refuse_gzip("a.csv", "\x1f\x8b\x08"), ValueError, "a.csv is compressed by gzip", "gunzip_file");
  CHECK_NOTHROW(detail::refuse_gzip("a.csv", "\x1f"));
}
