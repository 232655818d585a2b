"""Recipe for Conan 2: `conan create .packaging/conan` in a copy of this repository. -o "&:safetensors=True" adds chainrule::safetensors."""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir

required_conan_version = ">=2.0"


class Chainrule(ConanFile):
    name = "chainrule"
    description = "Feedforward neural nets for C++20, header-only, on Eigen"
    license = "MIT"
    topics = ("neural-network", "backpropagation", "eigen", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"safetensors": [True, False]}
    default_options = {"safetensors": False}
    no_copy_source = True

    @property
    def _repository(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        # The only place with the version number is version.hpp. A recipe in Conan's cache knows its version already.
        header = os.path.join(self._repository, "include", "chainrule", "core", "version.hpp")
        if not self.version and os.path.exists(header):
            self.version = re.search(r'version = "([0-9.]+)"', load(self, header)).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", ".cmake/*", "include/*", ".packaging/single_header.cmake"):
            copy(self, pattern, src=self._repository, dst=self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("eigen/[>=3.4.0 <6]", transitive_headers=True)
        if self.options.safetensors:
            self.requires("nlohmann_json/[>=3.10 <4]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()  # the package has the same files for every compiler and machine

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["CHAINRULE_TESTS"] = False
        toolchain.cache_variables["CHAINRULE_EXAMPLES"] = False
        toolchain.generate()

    def build(self):
        CMake(self).configure()  # nothing to compile: the library is header-only

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", src=self.source_folder, dst=os.path.join(self.package_folder, "licenses"))
        rmdir(self, os.path.join(self.package_folder, "share"))  # CMakeDeps and PkgConfigDeps write these files themselves

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "chainrule")
        self.cpp_info.set_property("cmake_target_name", "chainrule::chainrule")
        self.cpp_info.set_property("pkg_config_name", "chainrule")
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        if self.options.safetensors:  # an alias: here chainrule::chainrule itself links nlohmann/json
            self.cpp_info.set_property("cmake_target_aliases", ["chainrule::safetensors"])
