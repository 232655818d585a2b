#!/usr/bin/env python3
"""measure.py COMPILER README EIGEN_LOOP BUILD INCLUDE...: seconds and peak MiB to compile the README's first program at -O2, beside
the same program written by hand with Eigen, and Eigen's header alone."""

import os
import re
import shlex
import sys
import time


def compile_once(compiler, source, includes):
    command = shlex.split(compiler) + ["-std=c++20", "-O2", "-c", source, "-o", "/dev/null"]
    for include in includes:
        command += ["-isystem", include]
    begin = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"does not compile: {' '.join(command)}")
    # the compiler proper is a child of the driver: its memory is in the driver's figures, which wait4 returns with its children's
    mebibyte = 2**20 if sys.platform == "darwin" else 2**10
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / mebibyte


def main():
    compiler, readme, eigen_loop, build = sys.argv[1:5]
    os.makedirs(build, exist_ok=True)
    quick_start = os.path.join(build, "quick_start.cpp")
    header_alone = os.path.join(build, "header_alone.cpp")
    with open(readme, encoding="utf-8") as text:
        program = re.search(r"^```cpp\n(.*?)^```", text.read(), re.DOTALL | re.MULTILINE).group(1)
    with open(quick_start, "w", encoding="utf-8") as file:
        file.write(program)
    with open(header_alone, "w", encoding="utf-8") as file:
        file.write("#include <Eigen/Core>\nint main() {}\n")

    programs = {"README's quick start": quick_start, "the same by hand with Eigen": eigen_loop, "Eigen/Core alone": header_alone}
    runs = {name: [] for name in programs}
    for _ in range(3):
        for name, source in programs.items():
            runs[name].append(compile_once(compiler, source, sys.argv[5:]))
    print(f"compile time of one file at -O2, {compiler}, the fastest of three")
    print(f"{'':30}{'seconds':>9}{'CPU s':>8}{'peak MiB':>10}")
    best = {name: [min(column) for column in zip(*of)] for name, of in runs.items()}
    for name, (wall, cpu, peak) in best.items():
        print(f"{name:30}{wall:9.2f}{cpu:8.2f}{peak:10.0f}")
    ours, by_hand = list(best.values())[:2]
    print(f"ratio compile seconds {ours[0] / by_hand[0]:.2f} memory {ours[2] / by_hand[2]:.2f}")


if __name__ == "__main__":
    main()
