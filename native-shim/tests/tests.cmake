# Native unit tests, run by ctest.
enable_testing()

function(native_test name)
    add_executable(test-${name} ${SHIM}/tests/${name}.c ${ARGN})
    target_include_directories(test-${name} PRIVATE ${SHIM}/include ${SHIM}/embed ${SHIM}/src)
    add_test(NAME ${name} COMMAND test-${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 60)
endfunction()

# Linked with the library itself, as built.
native_test(guest)
target_link_libraries(test-guest PRIVATE dormouse)
