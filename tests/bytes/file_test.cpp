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

TEST_CASE("a name in UTF-8 is the name that the file gets") {
  const TemporaryFolder folder;
  const fs::path path = fs::path(folder.path("x")).parent_path() / fs::path(u8"Gr\u00f6\u00dfe \u540d");
  const std::string name = detail::name_of(path);
  CHECK(
      name.ends_with("Gr\xc3\xb6\xc3\x9f"
                     "e \xe5\x90\x8d"));
  CHECK(detail::path_of(name) == path);
  write_file("test", name, "old");
  write_file("test", name, "new");
  CHECK(fs::exists(path));
  CHECK(read_file("test", name) == "new");
}

TEST_CASE("a file that cannot be written is an error with the system's reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_SAYING(write_file("write_csv", folder.path("no/a"), "x"), ValueError, "write_csv: cannot write \"", "No such file");
  fs::create_directory(folder.path("folder"));
  CHECK_THROWS_SAYING(write_file("write_csv", folder.path("folder"), "x"), ValueError, "cannot write \"", "irectory");
  CHECK(folder.files() == 1);
}

TEST_CASE("files of others stay as they are when a file is written, whatever their names") {
  const TemporaryFolder folder;
  for (const char* name : {"a.part", "a.part1", ".a.part", "a.tmp", "a~"}) folder.file(name, "somebody's");
  for (const auto durability : {detail::Durability::process_exit, detail::Durability::power_loss}) {
    write_file("test", folder.path("a"), "new", durability);
    CHECK(read_file("test", folder.path("a")) == "new");
    CHECK(folder.files() == 6);
    for (const char* name : {"a.part", "a.part1", ".a.part", "a.tmp", "a~"}) CHECK(read_file("test", folder.path(name)) == "somebody's");
  }
  CHECK_THROWS_SAYING(write_file("test", folder.path("no/a"), "x", detail::Durability::power_loss), ValueError, "No such file");
}

TEST_CASE("any number of temporary files that killed programs left is no reason not to write, and they can be removed") {
  const TemporaryFolder folder;
  const std::string path = folder.path("a");
  for (int i = 0; i < 150; ++i) folder.file(detail::temporary_prefix("a") + std::to_string(i) + ".part", "half");
  const std::string of_another = folder.file(detail::temporary_prefix("b") + "1.part", "half");
  write_file("test", path, "new");
  CHECK(folder.files() == 152);
  detail::remove_leftovers(path);
  CHECK(folder.files() == 2);
  CHECK(read_file("test", path) == "new");
  CHECK(read_file("test", of_another) == "half");
  detail::remove_leftovers(folder.path("no/a"));
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

TEST_CASE("symbolic links are followed to their end, also where there is no file yet") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path("there"));
  fs::create_symlink("there/link", folder.path("first"));
  fs::create_symlink("../file", folder.path("there/link"));  // from the folder of the link, not that of the program
  for (const char* bytes : {"one", "two"}) {
    write_file("test", folder.path("first"), bytes);
    CHECK(fs::is_symlink(folder.path("first")));
    CHECK(fs::is_symlink(folder.path("there/link")));
    CHECK_FALSE(fs::is_symlink(folder.path("file")));
    CHECK(read_file("test", folder.path("file")) == bytes);
  }
  CHECK(folder.files() == 3);
  fs::create_symlink("round", folder.path("round"));
  CHECK_THROWS_SAYING(write_file("test", folder.path("round"), "x"), ValueError, "ymbolic links");
  fs::create_symlink("nowhere/file", folder.path("lost"));
  CHECK_THROWS_SAYING(write_file("test", folder.path("lost"), "x"), ValueError, "No such file");
  CHECK(fs::is_symlink(folder.path("lost")));
}

TEST_CASE("a second name of a file by a hard link keeps the old contents") {
  const TemporaryFolder folder;
  folder.file("a", "old");
  fs::create_hard_link(folder.path("a"), folder.path("b"));
  write_file("test", folder.path("a"), "new");
  CHECK(read_file("test", folder.path("b")) == "old");
}

TEST_CASE("a path that no file can have is refused in words, and a long name is written") {
  const TemporaryFolder folder;
  const auto refuses = [&](const std::string& path, const char* why) {
    CHECK_THROWS_SAYING(write_file("save", path, "x"), ValueError, "save: cannot write \"", why);
  };
  refuses("", "the path is empty");
  refuses(folder.path("x/"), "the path ends like a folder's; a file's name must follow");
  refuses(folder.path(""), "irectory");
  refuses(folder.path("."), "irectory");
  refuses(folder.path(std::string("a\0b", 3)), "the path contains a zero byte");
  refuses(folder.path(std::string(256, 'x')), "too long");
  refuses(folder.path("file") + "/x", "No such file");
  folder.file("file", "old");
  refuses(folder.path("file") + "/", "the path ends like a folder's");
  refuses(folder.path("file") + "/x", "Not a directory");
  CHECK(folder.files() == 1);
  CHECK_THROWS_SAYING(read_file("load", folder.path(std::string("file\0", 5))), ValueError, "load: cannot read \"", "a zero byte");
  const std::string longest = folder.path(std::string(255, 'x'));
  for (const char* bytes : {"one", "two"}) write_file("test", longest, bytes);
  CHECK(read_file("test", longest) == "two");
  CHECK(folder.files() == 2);
}

TEST_CASE("a file without permission to write is not replaced") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a", "old");
  fs::permissions(path, fs::perms::owner_read);
  if (std::FILE* file = std::fopen(path.c_str(), "ab")) {  // the superuser may write every file
    std::fclose(file);
    return;
  }
  CHECK_THROWS_SAYING(write_file("test", path, "new"), ValueError, "Permission denied");
  CHECK(read_file("test", path) == "old");
  CHECK(folder.files() == 1);
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
