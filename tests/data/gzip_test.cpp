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

/// Returns the bytes compressed by zlib.
std::string packed(const std::string& bytes) {
  std::string small(bytes.size() / 200 + 1000, '\0');
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(small.data());
  stream.avail_out = static_cast<uInt>(small.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  small.resize(stream.total_out);
  deflateEnd(&stream);
  return small;
}

/// The header of two images of 4 pixels.
const std::string header = "\0\0\x08\x02\0\0\0\x02\0\0\0\x04"s;

/// Returns a compressed file of this header and of more zeros than may be unpacked by default.
const std::string& zeros() {
  static const std::string bytes = packed(header + std::string(70'000'000, '\0'));
  return bytes;
}

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
  const std::string small = packed(many) + std::string(1000, '\0');  // with padding
  const bool equal = gunzip(small) == many;
  CHECK(equal);
  CHECK(complaint(small, {.max_bytes = 2'999'999}) ==
        "t.gz unpacks to more than 2999999 bytes; set GunzipOptions::max_bytes if it may be that large"s);
  CHECK(complaint(hello + world, {.max_bytes = 11}) ==
        "t.gz unpacks to more than 11 bytes; set GunzipOptions::max_bytes if it may be that large"s);
  CHECK(gunzip(hello + world, {.max_bytes = 12}) == "hello, world"s);
}

TEST_CASE("a gzip file that expands a hundredfold is an error by default") {
  CHECK(complaint(zeros()).starts_with("t.gz unpacks to more than 67108864 bytes"));
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

TEST_CASE("read_idx_gzip unpacks as many bytes as the header asks for, if the file may hold them") {
  const chainrule_test::TemporaryFolder folder;
  const auto refused = [&](const std::string& bytes, const char* says, const GunzipOptions& options = {}) {
    folder.file("x.gz", bytes);
    CHECK_THROWS_SAYING(read_idx_gzip<float>(folder.path("x.gz"), folder.path("x.gz"), {}, options), ValueError, "x.gz", says);
  };
  refused(zeros(), "is too long: expected 20 unpacked bytes, but found more");
  refused(packed(header + "1234567"), "is cut short: expected 8 bytes after the header, for 2 x 4 numbers of 1 byte, but found 7");
  refused(packed(header + "12345678").substr(0, 30), "is cut short: the compressed data ends");
  refused(packed(header.substr(0, 9)), "is cut short: expected a header of 12 bytes, but found 9");
  refused(packed("\0\0"s), "is not an IDX file");
  refused(packed("\0\0\x08\x02\xff\xff\xff\xff\0\0\0\x01"s), "unpacks to more than 67108864 bytes");
  refused(packed(header + "12345678"), "unpacks to more than 19 bytes", {.max_bytes = 19});
  refused("GIF", "x.gz is not compressed by gzip");
}

TEST_CASE("many empty members of a gzip file take no longer than as many bytes do") {
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += "\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0"s;
  CHECK(gunzip(bytes + hello) == "hello"s);
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
