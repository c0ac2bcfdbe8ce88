# libassign as others get it: the shared library beside the static one, header, xassign, pkg-config and CMake files.
# cmake --install DIR --prefix PREFIX; not offered by builds with a sanitizer. The version is the header's.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/assign.h lines REGEX "#define ASSIGN_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
foreach(line ${lines})
  string(REGEX REPLACE "#define (ASSIGN_VERSION_[A-Z]+) ([0-9]+)" "\\1;\\2" part ${line})
  set(${part})
endforeach()
set(ASSIGN_VERSION ${ASSIGN_VERSION_MAJOR}.${ASSIGN_VERSION_MINOR}.${ASSIGN_VERSION_PATCH})

add_library(assign_shared SHARED $<TARGET_OBJECTS:assign>)
target_link_libraries(assign_shared PRIVATE ${ASSIGN_NEEDS})
set_target_properties(assign_shared PROPERTIES OUTPUT_NAME assign LINKER_LANGUAGE C
  VERSION ${ASSIGN_VERSION} SOVERSION ${ASSIGN_VERSION_MAJOR})

file(RELATIVE_PATH ASSIGN_PREFIX_UP /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p) # so that --prefix and DESTDIR may say another place
# One object, in which what the header does not declare has become local: no name of ours can collide with a program's.
set(archive ${CMAKE_CURRENT_BINARY_DIR}/package/libassign.a)
add_custom_command(OUTPUT ${archive} DEPENDS assign COMMAND_EXPAND_LISTS VERBATIM
  COMMAND ${CMAKE_COMMAND} -E rm -rf package
  COMMAND ${CMAKE_COMMAND} -E make_directory package
  COMMAND ${CMAKE_LINKER} -r -o package/libassign.o $<TARGET_OBJECTS:assign>
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden package/libassign.o
  COMMAND ${CMAKE_AR} rcs package/libassign.a package/libassign.o)
add_custom_target(assign_archive ALL DEPENDS ${archive})

string(REPLACE ";" " " ASSIGN_REQUIRES "${ASSIGN_REQUIRES}")
configure_file(${PROJECT_ROOT}/cmake/libassign.pc.in libassign.pc @ONLY)
configure_package_config_file(${PROJECT_ROOT}/cmake/assignConfig.cmake.in assignConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/assign PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(assignConfigVersion.cmake VERSION ${ASSIGN_VERSION} COMPATIBILITY SameMajorVersion)

install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS assign_shared xassign)
install(FILES assign.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/assign)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libassign.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/assignConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/assignConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/assign)
