# Compiler settings that every target of the project shares.
get_filename_component(PROJECT_ROOT ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
option(WITH_ASAN "Address and undefined-behaviour sanitizers" OFF)
option(WITH_TSAN "Thread sanitizer" OFF)
option(WITH_FUZZ "libFuzzer targets (clang only)" OFF)

# CMake would add -DNDEBUG; our assertions state what only a bug can break and stay on.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g" CACHE STRING "Flags of the release preset" FORCE)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_library(project_options INTERFACE)
target_include_directories(project_options INTERFACE ${PROJECT_ROOT})
target_compile_definitions(project_options INTERFACE _GNU_SOURCE
  EXPERIMENTD_VERSION="${PROJECT_VERSION}" EXPERIMENTD_SOURCE_DIR="${PROJECT_ROOT}")
# -ffp-contract=off: a sum must give the same bits whatever the compiler fuses (design: engine, rule D6).
target_compile_options(project_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wvla -Wmissing-prototypes -Wstrict-prototypes
  -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings -Werror
  -fno-strict-aliasing -ffp-contract=off -fstack-protector-strong
  $<$<NOT:$<BOOL:$<TARGET_PROPERTY:WITHOUT_FRAME_POINTER>>>:-fno-omit-frame-pointer>)

if(WITH_ASAN)
  target_compile_options(project_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(project_options INTERFACE -fsanitize=address,undefined)
endif()
if(WITH_TSAN)
  target_compile_options(project_options INTERFACE -fsanitize=thread)
  target_link_options(project_options INTERFACE -fsanitize=thread)
endif()
if(WITH_FUZZ)
  target_compile_options(project_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  target_link_options(project_options INTERFACE -fsanitize=address,undefined)
endif()

# project_library(NAME LIB...): one static library from all .c files of the folder (and its sub-folders) but main*.c.
function(project_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  list(FILTER sources EXCLUDE REGEX "/main[a-z_]*\\.c$")
  if(NOT sources)
    set(sources ${PROJECT_ROOT}/base/err.c)
  endif()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC project_options ${ARGN})
endfunction()

# project_program(NAME MAIN LIB...): a thin main file and the libraries that do the work.
function(project_program name main)
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${main})
    return()
  endif()
  add_executable(${name} ${main})
  target_link_libraries(${name} PRIVATE project_options ${ARGN})
endfunction()
