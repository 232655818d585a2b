# Provides each dependency: the installed one if there is one, otherwise a download of a fixed release, checked by its hash.
include_guard(GLOBAL)
include(FetchContent)
if(POLICY CMP0135)
  cmake_policy(SET CMP0135 NEW)  # unpacked files get the time of unpacking
endif()

# chainrule_download(NAME URL SHA256): downloads and unpacks sources to ${NAME}_SOURCE_DIR, without running their build files.
macro(chainrule_download name url sha256)
  message(STATUS "chainrule: ${name} is not installed; downloading ${url}")
  FetchContent_Declare(${name} URL "${url}" URL_HASH "SHA256=${sha256}" SOURCE_SUBDIR "only-the-source")
  FetchContent_MakeAvailable(${name})
endmacro()

# Eigen 3.4 or 5.x as Eigen3::Eigen. Searched for without a version, because the version file of Eigen 5 refuses requests for 3.4, and the
# other way round.
macro(chainrule_provide_eigen)
  if(NOT TARGET Eigen3::Eigen)
    find_package(Eigen3 CONFIG QUIET)
    if(Eigen3_FOUND AND Eigen3_VERSION AND "${Eigen3_VERSION}" VERSION_LESS 3.4)
      message(FATAL_ERROR "chainrule needs Eigen 3.4 or newer; found ${Eigen3_VERSION} in ${Eigen3_DIR}")
    endif()
    if(NOT Eigen3_FOUND)
      message(STATUS "chainrule: Debian's package of Eigen is libeigen3-dev")
      chainrule_download(eigen "https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.bz2"
                         b4c198460eba6f28d34894e3a5710998818515104d6e74e5cc331ce31e46e626)
      add_library(Eigen3::Eigen INTERFACE IMPORTED GLOBAL)
      set_target_properties(Eigen3::Eigen PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${eigen_SOURCE_DIR}")
    else()
      get_target_property(chainrule_eigen_is_imported Eigen3::Eigen IMPORTED)
      if(chainrule_eigen_is_imported)
        set_target_properties(Eigen3::Eigen PROPERTIES IMPORTED_GLOBAL TRUE)
      endif()
      message(STATUS "chainrule: Eigen ${Eigen3_VERSION}")
    endif()
  endif()
endmacro()

# Catch2 2.x or 3.x for the tests. Sets chainrule_catch2_main to the target that provides main(), or to nothing for 2.x.
macro(chainrule_provide_catch2)
  find_package(Catch2 CONFIG QUIET)
  if(NOT Catch2_FOUND)
    message(STATUS "chainrule: Catch2 is not installed; downloading release 3.7.1")
    FetchContent_Declare(Catch2 URL "https://github.com/catchorg/Catch2/archive/refs/tags/v3.7.1.tar.gz"
                         URL_HASH SHA256=c991b247a1a0d7bb9c39aa35faf0fe9e19764213f28ffba3109388e62ee0269c)
    FetchContent_MakeAvailable(Catch2)
    list(APPEND CMAKE_MODULE_PATH "${catch2_SOURCE_DIR}/extras")
  else()
    message(STATUS "chainrule: Catch2 ${Catch2_VERSION}")
    list(APPEND CMAKE_MODULE_PATH "${Catch2_DIR}")
  endif()
  if(TARGET Catch2::Catch2WithMain)
    set(chainrule_catch2_main Catch2::Catch2WithMain)
  else()
    set(chainrule_catch2_main "")
  endif()
endmacro()

# CLI11 for the flags of the examples.
macro(chainrule_provide_cli11)
  find_package(CLI11 CONFIG QUIET)
  if(NOT CLI11_FOUND)
    chainrule_download(cli11 "https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.1.tar.gz"
                       73b7ec52261ce8fe980a29df6b4ceb66243bb0b779451dbd3d014cfec9fdbb58)
    add_library(CLI11::CLI11 INTERFACE IMPORTED)
    set_target_properties(CLI11::CLI11 PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${cli11_SOURCE_DIR}/include")
  endif()
endmacro()

# nlohmann/json for the component safetensors, in tests and examples.
macro(chainrule_provide_nlohmann_json)
  if(NOT TARGET nlohmann_json::nlohmann_json)
    find_package(nlohmann_json CONFIG QUIET)
    if(NOT nlohmann_json_FOUND)
      chainrule_download(nlohmann_json "https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz"
                         d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d)
      add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED GLOBAL)
      set_target_properties(nlohmann_json::nlohmann_json PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${nlohmann_json_SOURCE_DIR}/include")
    else()
      set_target_properties(nlohmann_json::nlohmann_json PROPERTIES IMPORTED_GLOBAL TRUE)
    endif()
  endif()
endmacro()
