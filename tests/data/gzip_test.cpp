#if __has_include(<zlib.h>)
#include <chainrule/data/gzip.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace std::string_literals;

namespace {

// "hello" and ", world" as gzip -9 writes them
const std::string hello = "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\0\0\0"s;
const std::string world = "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xd3\x51\x28\xcf\x2f\xca\x49\x01\x00\xfe\x6f\x88\x6e\x07\0\0\0"s;
// two images of 1 x 2 pixels, 0 0x33 and 0x66 0xff; their labels, 7 and 0
const std::string images =
    "\x1f\x8b\x08\0\0\0\0\0\x02\x03\x63\x60\xe0\x60\x66\x60\x60\x60\x02\x62\x46\x30\x6d\x9c\xf6\x1f\x00\x08\xe4\x71\x7e\x14\0\0\0"s;
const std::string labels = "\x1f\x8b\x08\0\0\0\0\0\x02\x03\x63\x60\xe0\x60\x64\x60\x60\x60\x62\x67\x00\x00\xde\x3a\xdd\xda\x0a\0\0\0"s;

/// Returns the message of the error, or an empty text where there is none.
std::string complaint(const std::string& bytes, const GunzipOptions& options = {}) {
  try {
    gunzip(bytes, options, "t.gz");
  } catch (const ValueError& error) {
    return error.what();
  }
  return "";
}

std::string with_byte(std::string bytes, std::size_t i, char byte) {
  bytes[i] = byte;
  return bytes;
}

}  // namespace

TEST_CASE("all members of a gzip file are unpacked") {
  CHECK(gunzip(hello) == "hello"s);
  CHECK(gunzip(hello + world + hello) == "hello, worldhello"s);
  CHECK(gunzip(hello + std::string(100, '\0')) == "hello"s);  // zero padding, as on tapes
}

TEST_CASE("a gzip file may unpack to a large result, up to max_bytes") {
  const std::string many(3'000'000, 'x');
  std::string small(10'000, '\0');
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(many.data()));
  stream.avail_in = static_cast<uInt>(many.size());
  stream.next_out = reinterpret_cast<Bytef*>(small.data());
  stream.avail_out = static_cast<uInt>(small.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  deflateEnd(&stream);
  const bool equal = gunzip(small) == many;  // the rest of `small` is padding
  CHECK(equal);
  CHECK(complaint(small, {.max_bytes = 2'999'999}) == "t.gz unpacks to more than 2999999 bytes, which is GunzipOptions::max_bytes"s);
  CHECK(complaint(hello + world, {.max_bytes = 11}) == "t.gz unpacks to more than 11 bytes, which is GunzipOptions::max_bytes"s);
  CHECK(gunzip(hello + world, {.max_bytes = 12}) == "hello, world"s);
}

TEST_CASE("read_idx_gzip reads compressed images and labels") {
  const chainrule_test::TemporaryFolder folder;
  const auto data = read_idx_gzip<float>(folder.file("x.gz", images), folder.file("y.gz", labels));
  const bool equal = data.features == Matrix<float>{{0, 0.4f}, {0.2f, 1}};
  CHECK(equal);
  CHECK(data.targets == std::vector<int>{7, 0});
  CHECK_THROWS_SAYING(read_idx_gzip<float>(folder.path("x.gz"), folder.path("x.gz")), ValueError, "x.gz: expected one label per sample");
  CHECK_THROWS_SAYING(gunzip_file(folder.path("no.gz")), ValueError, "gunzip_file: cannot read \"", "No such file");
}

TEST_CASE("readers of other formats refuse gzip files, and read what gunzip unpacks") {
  CHECK_THROWS_SAYING(parse_idx_labels(labels), ValueError, "is compressed by gzip", "gunzip_file");
  CHECK(parse_idx_labels(gunzip(labels)) == std::vector<int>{7, 0});
}

TEST_CASE("a file that is not a gzip file, or has other bytes after its end, is an error") {
  CHECK(complaint("a,b\n") == "t.gz is not compressed by gzip: expected to begin with 0x1f8b, but found 0x612c"s);
  CHECK(complaint("") == "t.gz is empty"s);
  CHECK(complaint(hello + "more") == "t.gz is too long: the last 4 bytes are not compressed by gzip"s);
}

TEST_CASE("a gzip file cut short at any byte is an error") {
  for (std::size_t size = 2; size < hello.size(); ++size)
    CHECK(complaint(hello.substr(0, size)).starts_with("t.gz is cut short: the compressed data ends after "));
  CHECK(complaint(hello + world.substr(0, 25)).starts_with("t.gz is cut short: the compressed data ends after 12 unpacked bytes"));
}

TEST_CASE("a damaged gzip file is an error that quotes zlib") {
  CHECK(complaint(with_byte(hello, 17, '!')) == "t.gz is damaged: after 5 unpacked bytes zlib says \"incorrect data check\""s);
  CHECK(complaint(with_byte(hello, 21, '!')) == "t.gz is damaged: after 5 unpacked bytes zlib says \"incorrect length check\""s);
  CHECK(complaint(with_byte(hello, 10, '\x07')) == "t.gz is damaged: after 0 unpacked bytes zlib says \"invalid block type\""s);
  CHECK(complaint(with_byte(hello, 2, '\x07')) == "t.gz is damaged: after 0 unpacked bytes zlib says \"unknown compression method\""s);
}

#endif
