#pragma once
// Writes values as bytes, and reads them again. An object lists what it stores in one function, which serves both directions, so writing
// and reading cannot disagree.

#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/core/detail/views.hpp>
#include <chainrule/core/error.hpp>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chainrule {

class Archive;

/// An object that can be stored in a file, because it has a function `template <class Archive> void archive(Archive& a) { a(count, values);
/// }`, or the same for chainrule::Archive alone. The function passes every member that is to be stored to a(...), which writes it, or reads
/// it and assigns to it.
template <class T>
concept Archived = requires(T& object, Archive& archive) {
  object.archive(archive);
};

/// Appends values to the bytes of a file, or reads them from there. The bytes that are read need not be valid: ValueError, with the name of
/// the file, where there are too few or they cannot be such values. Numbers are in this machine's byte order.
class Archive {
 public:
  /// An archive that appends to `bytes`, which must outlive it.
  static Archive writing(std::string& bytes) { return Archive(&bytes, {}, ""); }
  /// An archive that reads `bytes`, which must outlive it; errors call them `file`.
  static Archive reading(std::string_view bytes, std::string_view file) { return Archive(nullptr, bytes, file); }

  /// Whether this archive reads; otherwise it writes.
  bool reads() const { return written_ == nullptr; }

  /// Writes or reads each value in turn. Values may be bool, integers, floating point numbers, strings and Archived objects; std::vector of
  /// these and Eigen matrices of floating point numbers, which are resized when they are read; and views (std::span, Eigen::Map), which
  /// must have the right size already. Constants can only be written.
  template <class... T>
  void operator()(T&&... values) {
    (value(values), ...);
  }

  /// Writes or reads an object with its name and its length before it, so that reading notices an object of another kind.
  template <class Object>
  void section(std::string_view name, Object& object) {
    std::string found(name);
    value(found);
    expect(found == name, "expected what ", name, " has to keep, but found that of ", detail::in_quotes(found));
    std::uint64_t length = 0;
    const std::size_t place = reads() ? 0 : written_->size();
    value(length);
    if (reads()) {
      expect(length <= left_.size(), "expected ", length, " bytes of ", name, ", but found ", left_.size());
      const std::string_view after = left_.substr(detail::to_size(length));
      left_ = left_.substr(0, detail::to_size(length));
      object.archive(*this);
      expect(left_.empty(), "expected the end of what ", name, " has to keep, but found ", left_.size(), " more bytes");
      left_ = after;
    } else {
      object.archive(*this);
      length = written_->size() - place - sizeof length;
      std::memcpy(written_->data() + place, &length, sizeof length);
    }
  }

  /// When reading: throws ValueError, "run.checkpoint: ..." with these parts of a sentence, unless the condition holds.
  template <class... Parts>
  void expect(bool condition, const Parts&... parts) const {
    if (reads() && !condition) detail::raise<ValueError>(file_, ": ", parts...);
  }

  /// When reading: the bytes that have not been read yet.
  std::string_view rest() const { return left_; }

  /// When reading: throws ValueError unless everything has been read.
  void end() const { expect(left_.empty(), "expected its end, but found ", left_.size(), " more bytes"); }

 private:
  Archive(std::string* written, std::string_view left, std::string_view file) : written_{written}, left_{left}, file_{file} {}

  template <class T>
  static constexpr bool is_raw =
      std::floating_point<T> || std::is_same_v<T, char> || std::is_same_v<T, unsigned char> || std::is_same_v<T, std::byte>;

  template <class T>
  void value(const T& v) {
    if constexpr (!detail::EigenDense<T>) expect(false, "a constant cannot be read");
    value(const_cast<T&>(v));
  }
  template <class T>
  void value(T& v) {
    if constexpr (std::is_same_v<T, bool>) {
      std::uint64_t as_integer = v ? 1 : 0;
      value(as_integer);
      expect(as_integer <= 1, "expected 0 or 1, but found ", as_integer);
      if (reads()) v = as_integer == 1;
    } else if constexpr (std::integral<T>) {
      using Wide =
          std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;  // 8 bytes even on machines where T has another size
      Wide wide = static_cast<Wide>(v);
      raw(&wide, sizeof wide);
      expect(wide >= (std::numeric_limits<T>::min)() && wide <= (std::numeric_limits<T>::max)(), wide, " is too large for this machine");
      if (reads()) v = static_cast<T>(wide);
    } else if constexpr (is_raw<T>) {
      numbers(&v, 1);
    } else if constexpr (Archived<T>) {
      v.archive(*this);
    } else if constexpr (detail::EigenDense<T>) {
      matrix(v);
    } else {
      sequence(v);
    }
  }

  void sequence(std::string& text) {
    const std::size_t size = count<char>(text.size());
    if (reads()) text.resize(size);
    numbers(text.data(), size);
  }
  template <class T>
  void sequence(std::vector<T>& values) {
    const std::size_t size = count<T>(values.size());
    if (reads()) values.clear();
    if constexpr (is_raw<T>) {
      if (reads()) values.resize(size);
      numbers(values.data(), size);
    } else if (reads()) {
      for (std::size_t i = 0; i < size; ++i) value(values.emplace_back());  // memory grows only with bytes that are there
    } else {
      for (T& each : values) value(each);
    }
  }
  template <class T>
  void sequence(std::span<T>& values) {
    const std::size_t size = count<T>(values.size());
    expect(size == values.size(), "expected ", values.size(), " values, but found ", size);
    if constexpr (is_raw<T>)
      numbers(values.data(), size);
    else
      for (T& each : values) value(each);
  }
  template <class T>
  void sequence(T&) {
    static_assert(Archived<T>,
                  "chainrule: an Archive keeps bool, numbers, strings, std::vector, std::span, Eigen matrices, and objects "
                  "with a function archive; it does not know this type");
  }

  template <class M>
  void matrix(M& m) {
    using Scalar = std::remove_cv_t<typename std::remove_cvref_t<M>::Scalar>;
    static_assert(is_raw<Scalar> && bool(M::Flags & Eigen::DirectAccessBit),
                  "chainrule: an Archive keeps matrices of floating point numbers");
    Index rows = m.rows();
    Index cols = m.cols();
    value(rows);
    value(cols);
    if constexpr (std::is_base_of_v<Eigen::PlainObjectBase<std::remove_cv_t<M>>, M> && M::SizeAtCompileTime == Dynamic) {
      if (reads()) {
        const auto fits = [](Index n, Index fixed, Index most) { return n >= 0 && (fixed < 0 || n == fixed) && (most < 0 || n <= most); };
        expect(fits(rows, M::RowsAtCompileTime, M::MaxRowsAtCompileTime) && fits(cols, M::ColsAtCompileTime, M::MaxColsAtCompileTime) &&
                   (rows == 0 || static_cast<std::uint64_t>(cols) <= left_.size() / sizeof(Scalar) / static_cast<std::uint64_t>(rows)),
               "a matrix of ", rows, " x ", cols, " numbers cannot be here");
        m.resize(rows, cols);
      }
    }
    expect(rows == m.rows() && cols == m.cols(), "expected ", m.rows(), " x ", m.cols(), " numbers, but found ", rows, " x ", cols);
    Scalar* const first = const_cast<Scalar*>(m.data());      // const when a checkpoint of a const network is written
    const Index columns = m.size() == 0 ? 0 : m.outerSize();  // a matrix of no rows may have very many columns
    for (Index j = 0; j < columns; ++j) numbers(first + j * m.outerStride(), static_cast<std::size_t>(m.innerSize()));
  }

  /// Writes or reads how many elements follow. When reading: throws ValueError for more elements than there are bytes.
  template <class T>
  std::size_t count(std::size_t size) {
    std::uint64_t found = size;
    value(found);
    expect(found <= left_.size() / (is_raw<T> ? sizeof(T) : 1), "expected ", found, " values, but found ", left_.size(), " bytes");
    return detail::to_size(found);
  }

  template <class T>
  void numbers(T* first, std::size_t count) {
    raw(first, count * sizeof(T));
    if constexpr (std::is_same_v<T, long double> && sizeof(T) == 16 && std::numeric_limits<T>::digits == 64)
      if (!reads())  // x87 extended precision: six bytes of each number are padding, and may hold anything
        for (std::size_t i = 1; i <= count; ++i) std::memset(written_->data() + written_->size() - 16 * i + 10, 0, 6);
  }

  void raw(void* memory, std::size_t size) {
    if (size == 0) return;
    if (!reads()) {
      written_->append(static_cast<const char*>(memory), size);
      return;
    }
    expect(size <= left_.size(), "expected ", size, " more bytes, but found ", left_.size());
    std::memcpy(memory, left_.data(), size);
    left_.remove_prefix(size);
  }

  std::string* written_;
  std::string_view left_;
  std::string_view file_;
};

}  // namespace chainrule
