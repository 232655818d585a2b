"""conan_recipe.py REPOSITORY BUILD CMAKE EIGEN_DIR VERSION: runs the recipe with stand-ins for Conan's functions, which copy files and call
CMake, and checks the resulting package in BUILD/package. Tests the steps of the recipe, not Conan itself."""

import fnmatch
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import types

repository, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
cmake, eigen, version = sys.argv[3:6]
shutil.rmtree(build, ignore_errors=True)
required = []


class CppInfo:
    def __init__(self):
        self.properties = {}

    def set_property(self, name, value):
        self.properties[name] = value


class ConanFile:
    version = None

    def __init__(self, options):
        self.recipe_folder = str(repository / ".packaging" / "conan")
        self.export_sources_folder = self.source_folder = str(build / "sources")
        self.package_folder = str(build / "package")
        self.cpp_info = CppInfo()
        self.options = types.SimpleNamespace(**options)

    def requires(self, reference, **traits):
        required.append((reference, traits))


class Generator:
    def __init__(self, recipe):
        self.recipe = recipe
        self.cache_variables = {}

    def generate(self):
        self.recipe.variables = {**getattr(self.recipe, "variables", {}), **self.cache_variables}


class CMake:
    def __init__(self, recipe):
        self.recipe = recipe

    def configure(self):
        flags = [f"-D{name}={'ON' if value else 'OFF'}" for name, value in self.recipe.variables.items()]
        prefix = f"-DCMAKE_INSTALL_PREFIX={self.recipe.package_folder}"
        subprocess.run([cmake, "-S", self.recipe.source_folder, "-B", build / "build", prefix, f"-DEigen3_DIR={eigen}", *flags], check=True)

    def install(self):
        subprocess.run([cmake, "--install", build / "build"], check=True)


def copy(recipe, pattern, src, dst):
    """Like Conan's copy: * matches folders too."""
    top = pathlib.Path(src) / pattern.split("/")[0]
    files = [file for file in [top, *top.rglob("*")] if file.is_file() and fnmatch.fnmatch(file.relative_to(src).as_posix(), pattern)]
    assert files, f"{pattern} matches no file in {src}"
    for file in files:
        target = pathlib.Path(dst) / file.relative_to(src)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def module(name, **contents):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__dict__.update(contents)


module("conan", ConanFile=ConanFile)
module("conan.tools")
module("conan.tools.build", check_min_cppstd=lambda recipe, standard: None, can_run=lambda recipe: True)
module("conan.tools.cmake", CMake=CMake, CMakeDeps=Generator, CMakeToolchain=Generator, cmake_layout=lambda recipe: None)
module("conan.tools.files", copy=copy, load=lambda recipe, file: pathlib.Path(file).read_text(), rmdir=lambda recipe, folder: shutil.rmtree(folder))


def recipe_of(file):
    specification = importlib.util.spec_from_file_location(file.stem, file)
    loaded = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(loaded)
    return loaded


folder = repository / ".packaging" / "conan"
recipe_of(folder / "test_package" / "conanfile.py")
for safetensors in (False, True):
    recipe = recipe_of(folder / "conanfile.py").Chainrule({"safetensors": safetensors})
    required.clear()
    recipe.set_version()
    assert recipe.version == version, f"the recipe has version {recipe.version}, but the library has {version}"
    recipe.requirements()
    recipe.package_info()
    names = [reference.split("/")[0] for reference, _ in required]
    assert names == ["eigen"] + ["nlohmann_json"] * safetensors, names
    properties = recipe.cpp_info.properties
    targets = [properties["cmake_target_name"], *properties.get("cmake_target_aliases", [])]
    assert targets == ["chainrule::chainrule"] + ["chainrule::safetensors"] * safetensors, targets

recipe.export_sources()
recipe.generate()
recipe.build()
recipe.package()
package = build / "package"
for file in ("include/chainrule/chainrule.hpp", "include/chainrule/kernels/product.inc", "licenses/LICENSE"):
    assert (package / file).is_file(), f"the package has no {file}"
assert sorted(entry.name for entry in package.iterdir()) == ["include", "licenses"], list(package.iterdir())
installed, ours = (
    {file.relative_to(root) for file in root.rglob("*.*") if file.suffix != ".md"} for root in (package / "include", repository / "include")
)
assert installed == ours, installed ^ ours
