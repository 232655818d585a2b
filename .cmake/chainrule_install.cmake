# Rules for cmake --install: the headers, and a relocatable package for find_package(chainrule) and pkg-config. The target
# chainrule_single_header writes the library as one header: cmake --build BUILD --target chainrule_single_header.
include_guard(GLOBAL)
include(CMakePackageConfigHelpers)

set(chainrule_package_dir share/cmake/chainrule)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/chainrule" DESTINATION include FILES_MATCHING PATTERN "*.hpp" PATTERN "*.inc")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION share/doc/chainrule)
install(TARGETS chainrule EXPORT chainrule-targets)
install(EXPORT chainrule-targets NAMESPACE chainrule:: DESTINATION ${chainrule_package_dir})
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/chainrule-config.cmake.in" "${PROJECT_BINARY_DIR}/chainrule-config.cmake"
                              INSTALL_DESTINATION ${chainrule_package_dir})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/chainrule-config-version.cmake" COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/chainrule-config.cmake" "${PROJECT_BINARY_DIR}/chainrule-config-version.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/chainrule_components.cmake" "${CMAKE_CURRENT_LIST_DIR}/Findonnx_proto.cmake"
        DESTINATION ${chainrule_package_dir})
configure_file("${CMAKE_CURRENT_LIST_DIR}/chainrule.pc.in" "${PROJECT_BINARY_DIR}/chainrule.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/chainrule.pc" DESTINATION share/pkgconfig)

add_custom_target(chainrule_single_header
                  COMMAND "${CMAKE_COMMAND}" "-DOUT=${PROJECT_BINARY_DIR}/single_include/chainrule.hpp"
                          -P "${PROJECT_SOURCE_DIR}/.packaging/single_header.cmake" VERBATIM)
