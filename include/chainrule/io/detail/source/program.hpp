#pragma once
// Runs exported source code as it is written, so that its results can be compared with the library's before any compiler sees it.

#include <chainrule/io/detail/source/parser.hpp>
#include <deque>

namespace chainrule::detail {

/// Runs the functions of source code. Numbers are rounded to Written, float or double, after each operation.
template <class Written>
class SourceProgram {
  using Parser = SourceParser<Written>;
  using Type = typename Parser::Type;
  using Op = typename Parser::Op;
  using Node = typename Parser::Node;

 public:
  /// Parses the code, which must outlive it. Throws what SourceParser throws.
  explicit SourceProgram(std::string_view code) : parser_{code} {}

  /// Calls void function(const Written* x, Written* result).
  void run(const std::string& function, const Written* x, Written* result) {
    const auto& called = parser_.function(function);
    cells_.resize(4096);                        // a function has some 20 variables, and calls are at most 5 deep
    cells_[0].array = const_cast<Written*>(x);  // only read, because the parameter is const
    cells_[1].array = result;
    frame_ = cells_.data();
    top_ = frame_ + called.cells;
    execute(called.body);
    arrays_.clear();
  }

 private:
  struct Cell {
    Written real;
    long integer;
    Written* array;
    long* pointer;
  };
  [[noreturn]] static void refuse() { raise<ValueError>("to_source: cannot run the source code that it wrote"); }

  Written* address(const Node& node) {
    if (node.op == Op::offset) return address(node.of[0]) + integer(node.of[1]);
    return node.constants ? node.constants : frame_[node.integer].array;
  }
  long* pointer(const Node& node) { return node.op == Op::address ? &frame_[node.of[0].integer].integer : frame_[node.integer].pointer; }
  long integer(const Node& node) {
    const auto compare = [&](auto operation) {
      const Node &a = node.of[0], &b = node.of[1];
      return static_cast<long>(a.type == Type::real ? operation(real(a), real(b)) : operation(integer(a), integer(b)));
    };
    switch (node.op) {
      case Op::literal:
        return node.integer;
      case Op::variable:
        return frame_[node.integer].integer;
      case Op::pointed:
        return *pointer(node.of[0]);
      case Op::add:
        return integer(node.of[0]) + integer(node.of[1]);
      case Op::subtract:
        return integer(node.of[0]) - integer(node.of[1]);
      case Op::multiply:
        return integer(node.of[0]) * integer(node.of[1]);
      case Op::negate:
        return -integer(node.of[0]);
      case Op::less:
        return compare([](auto a, auto b) { return a < b; });
      case Op::less_equal:
        return compare([](auto a, auto b) { return a <= b; });
      case Op::equal:
        return compare([](auto a, auto b) { return a == b; });
      case Op::both:
        return integer(node.of[0]) != 0 && integer(node.of[1]) != 0;
      case Op::no:
        return integer(node.of[0]) == 0;
      case Op::choose:
        return integer(node.of[integer(node.of[0]) != 0 ? 1 : 2]);
      case Op::to_integer:
        return static_cast<long>(real(node.of[0]));
      default:
        refuse();
    }
  }
  Written real(const Node& node) {
    switch (node.op) {
      case Op::literal:
        return node.real;
      case Op::variable:
        return frame_[node.integer].real;
      case Op::element:
        return address(node.of[0])[integer(node.of[1])];
      case Op::add:
        return real(node.of[0]) + real(node.of[1]);
      case Op::subtract:
        return real(node.of[0]) - real(node.of[1]);
      case Op::multiply:
        return real(node.of[0]) * real(node.of[1]);
      case Op::divide:
        return real(node.of[0]) / real(node.of[1]);
      case Op::negate:
        return -real(node.of[0]);
      case Op::choose:
        return real(node.of[integer(node.of[0]) != 0 ? 1 : 2]);
      case Op::to_real:
        return static_cast<Written>(integer(node.of[0]));
      case Op::function_of_1:
        return node.math(real(node.of[0]));
      case Op::fma:
        return std::fma(real(node.of[0]), real(node.of[1]), real(node.of[2]));
      case Op::ldexp:
        return std::ldexp(real(node.of[0]), static_cast<int>(integer(node.of[1])));
      case Op::call:
        return result_of(node);
      default:
        refuse();
    }
  }
  Written result_of(const Node& node) {
    Cell *const frame = frame_, *const next = top_;
    for (std::size_t i = 0; i < node.of.size(); ++i) {
      Cell& parameter = next[i];
      top_ = next + node.of.size();  // the arguments may be calls
      switch (node.function->parameters[i]) {
        case Type::real:
          parameter.real = real(node.of[i]);
          break;
        case Type::integer:
          parameter.integer = integer(node.of[i]);
          break;
        case Type::array:
          parameter.array = address(node.of[i]);
          break;
        case Type::pointer:
          parameter.pointer = pointer(node.of[i]);
          break;
      }
    }
    frame_ = next;
    top_ = next + node.function->cells;
    execute(node.function->body);
    frame_ = frame;
    top_ = next;
    return result_;
  }
  // Returns whether the function has returned.
  bool execute(const Node& node) {
    switch (node.op) {
      case Op::block:
        for (const Node& one : node.of)
          if (execute(one)) return true;
        return false;
      case Op::assign:
        return assign(node.of[0], node.of[1]), false;
      case Op::array:
        frame_[node.of[0].integer].array = arrays_.emplace_back(static_cast<std::size_t>(node.integer)).data();
        return false;
      case Op::loop:
        execute(node.of[0]);
        for (; integer(node.of[1]) != 0; execute(node.of[3]))
          if (execute(node.of[2])) return true;
        return false;
      case Op::branch:
        return integer(node.of[0]) != 0 && execute(node.of[1]);
      case Op::give:
        result_ = real(node.of[0]);
        return true;
      default:
        refuse();
    }
  }
  void assign(const Node& target, const Node& value) {
    if (target.op == Op::element) {
      Written* const element = address(target.of[0]) + integer(target.of[1]);
      *element = real(value);
    } else if (target.op == Op::pointed) {
      *pointer(target.of[0]) = integer(value);
    } else if (target.type == Type::array) {
      frame_[target.integer].array = address(value);
    } else if (target.type == Type::integer) {
      frame_[target.integer].integer = integer(value);
    } else {
      frame_[target.integer].real = real(value);
    }
  }

  Parser parser_;
  std::vector<Cell> cells_;
  Cell* frame_ = nullptr;
  Cell* top_ = nullptr;
  std::deque<std::vector<Written>> arrays_;
  Written result_ = 0;
};

}  // namespace chainrule::detail
