# The restorer: freestanding, position independent, no libc, no relocations, nothing writable.

file(GLOB RESTORER_SOURCES CONFIGURE_DEPENDS ${SHIM}/restorer/*.c ${SHIM}/restorer/arch/x86_64/*.S)
if(RESTORER_SOURCES)
    add_executable(dormouse-restorer ${RESTORER_SOURCES})
    target_include_directories(dormouse-restorer PRIVATE ${SHIM}/include)
    target_compile_options(dormouse-restorer PRIVATE
        -ffreestanding -fpie -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none
        -fno-tree-loop-distribute-patterns -mno-red-zone)
    target_link_options(dormouse-restorer PRIVATE
        -nostdlib -static-pie -Wl,--no-dynamic-linker -Wl,-z,noexecstack -Wl,-z,norelro -Wl,--build-id=none)
    set_target_properties(dormouse-restorer PROPERTIES LINK_DEPENDS ${SHIM}/restorer.cmake)
    add_custom_command(TARGET dormouse-restorer POST_BUILD
        COMMAND ${SHIM}/check-restorer.sh $<TARGET_FILE:dormouse-restorer> ${RESULT_LIBRARY}/dormouse-restorer
        VERBATIM)

    # The same as a library that ld.so loads before all others: restorer/program_file.h.
    add_library(dormouse-wake MODULE ${RESTORER_SOURCES} ${SHIM}/restorer/audit/la_version.c)
    target_include_directories(dormouse-wake PRIVATE ${SHIM}/include ${SHIM}/restorer)
    target_compile_options(dormouse-wake PRIVATE
        -ffreestanding -fPIC -fvisibility=hidden -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none
        -fno-tree-loop-distribute-patterns -mno-red-zone)
    target_link_options(dormouse-wake PRIVATE -nostdlib -Wl,-z,noexecstack -Wl,-z,norelro -Wl,-z,defs -Wl,--build-id=none)
    set_target_properties(dormouse-wake PROPERTIES PREFIX "" LINK_DEPENDS ${SHIM}/restorer.cmake)
    add_custom_command(TARGET dormouse-wake POST_BUILD
        COMMAND ${SHIM}/check-restorer.sh $<TARGET_FILE:dormouse-wake> ${RESULT_LIBRARY}/dormouse-wake.so
        VERBATIM)
endif()
