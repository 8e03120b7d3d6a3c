# libdormouse.so: the C# runtime, its private libc, and the shim.

file(GLOB SHIM_SOURCES CONFIGURE_DEPENDS
    ${SHIM}/src/*.c ${SHIM}/src/arch/x86_64/*.S ${SHIM}/embed/*.c ${SHIM}/embed/arch/x86_64/*.S)

# The order is that of the initialisers: the runtime's (they only note addresses) before the shim's constructor.
add_library(dormouse SHARED ${RUNTIME_OBJECT} ${EXPORTS_SOURCES} ${SHIM_SOURCES})
# Generated code declares functions of libc by itself, with types of its own spelling.
set_source_files_properties(${EXPORTS_SOURCES} PROPERTIES
    GENERATED TRUE
    COMPILE_OPTIONS "-fno-builtin;-I${SHIM}/include/dnne"
    COMPILE_DEFINITIONS DNNE_COMPILE_AS_SOURCE)
target_include_directories(dormouse PRIVATE ${SHIM}/include ${SHIM}/embed ${SHIM}/src)
# initial-exec: TLS at a fixed distance from the thread pointer, also in raw threads. -fno-builtin-malloc: the compiler
# must not turn our allocator into calls of libc's.
target_compile_options(dormouse PRIVATE -fPIC -ftls-model=initial-exec -fno-builtin-malloc -fno-plt)
target_link_options(dormouse PRIVATE
    -nostdlib
    -Wl,@${RUNTIME}/runtime.ld
    -Wl,--version-script=${RUNTIME}/exports.map
    -Wl,-Bsymbolic -Wl,-z,defs -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
    -Wl,--gc-sections -Wl,-z,nostart-stop-gc
    -Wl,--hash-style=gnu -Wl,--build-id=sha1 -Wl,--no-undefined-version)
target_link_libraries(dormouse PRIVATE c)
set_target_properties(dormouse PROPERTIES
    NO_SONAME ON
    LINK_DEPENDS "${RUNTIME}/runtime.ld;${RUNTIME}/exports.map;${SHIM}/libdormouse.cmake")
add_custom_command(TARGET dormouse POST_BUILD
    COMMAND ${SHIM}/check-library.sh $<TARGET_FILE:dormouse> ${RESULT_LIBRARY}/libdormouse.so
    VERBATIM)

# Images carry the library's pages, compressed here once and for all.
add_executable(pack-library ${SHIM}/tools/pack-library.c ${SHIM}/restorer/codec.c)
target_include_directories(pack-library PRIVATE ${SHIM}/include ${SHIM}/restorer)
target_link_libraries(pack-library PRIVATE lz4)
add_custom_command(
    OUTPUT ${RESULT_LIBRARY}/libdormouse.pages
    COMMAND pack-library ${RESULT_LIBRARY}/libdormouse.so $<TARGET_FILE:dormouse> ${RESULT_LIBRARY}/libdormouse.pages
    DEPENDS dormouse pack-library
    COMMENT "libdormouse.so: pages for images"
    VERBATIM)
add_custom_target(library-pages ALL DEPENDS ${RESULT_LIBRARY}/libdormouse.pages)
