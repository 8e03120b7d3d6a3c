# Native tests, run by ctest. Label "unit": needs nothing but its own sources, so it also runs with sanitizers and valgrind.
enable_testing()
add_custom_target(native-tests)

function(native_test name)
    add_executable(test-${name} ${SHIM}/tests/${name}.c ${ARGN})
    target_include_directories(test-${name} PRIVATE ${SHIM}/include ${SHIM}/embed ${SHIM}/src)
    add_test(NAME ${name} COMMAND test-${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 60)
    if(ARGN)
        set_tests_properties(${name} PROPERTIES LABELS unit)
        add_dependencies(native-tests test-${name})
        if(DORMOUSE_SANITIZE)
            target_compile_options(test-${name} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=all)
            target_link_options(test-${name} PRIVATE -fsanitize=address,undefined)
        endif()
    endif()
endfunction()

native_test(memory ${SHIM}/embed/memory.c ${SHIM}/embed/arena.c)
native_test(text ${SHIM}/embed/text.c)
native_test(math ${SHIM}/embed/math.c)
native_test(call_site ${SHIM}/src/call_site.c)
native_test(compress ${SHIM}/src/compress.c ${SHIM}/restorer/codec.c)
target_include_directories(test-compress PRIVATE ${SHIM}/restorer)
target_link_libraries(test-compress PRIVATE lz4)

if(NOT DORMOUSE_SANITIZE)
    # Linked with the library itself, as built.
    native_test(guest)
    target_link_libraries(test-guest PRIVATE dormouse)

    add_test(NAME imports COMMAND ${SHIM}/tests/imports.sh ${RUNTIME})
endif()
