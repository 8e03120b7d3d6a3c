# The C# that lives inside every process: compiled ahead of time, joined with the runtime's archives, its imports
# decided (embed/imports.txt), and its exported C functions generated.

managed_sources(RUNTIME_SOURCES runtime coordinator/Dormouse.Protocol native-shim/generator)
set(RUNTIME ${CMAKE_BINARY_DIR}/runtime)
file(MAKE_DIRECTORY ${RUNTIME})
set(EXPORTS_SOURCES ${RUNTIME}/Dormouse.Runtime.g.c ${RUNTIME}/dm_gates.g.c)
if(DORMOUSE_USE_DNNE)
    set(USE_DNNE true)
else()
    set(USE_DNNE false)
endif()

# Written only when it changes: another generator means another build.
file(CONFIGURE OUTPUT ${RUNTIME}/generator-choice CONTENT "${USE_DNNE} ${DORMOUSE_DNNE_VERSION}\n")

add_custom_command(
    OUTPUT ${RUNTIME}/compiled.stamp
    BYPRODUCTS ${RUNTIME}/inputs.txt ${EXPORTS_SOURCES} ${RUNTIME}/exports.map ${RUNTIME}/exports.renames ${RUNTIME}/records.xml
    COMMAND ${DOTNET} publish ${CMAKE_SOURCE_DIR}/runtime/Dormouse.Runtime ${DOTNET_QUIET}
            -p:NativeInputsFile=${RUNTIME}/inputs.txt -p:ExportsFolder=${RUNTIME} -p:UseDnne=${USE_DNNE} -p:DnneVersion=${DORMOUSE_DNNE_VERSION}
    COMMAND ${CMAKE_COMMAND} -E touch ${RUNTIME}/compiled.stamp
    DEPENDS ${RUNTIME_SOURCES} ${SHIM}/exports.txt ${RUNTIME}/generator-choice
    COMMENT "C# runtime: compile ahead of time"
    JOB_POOL dotnet
    VERBATIM)

set(RUNTIME_OBJECT ${RUNTIME}/runtime.o)
add_custom_command(
    OUTPUT ${RUNTIME_OBJECT} ${RUNTIME}/runtime.ld
    COMMAND ${SHIM}/embed/join.sh ${RUNTIME}/inputs.txt ${RUNTIME}
    DEPENDS ${RUNTIME}/compiled.stamp ${SHIM}/embed/join.sh ${SHIM}/embed/imports.txt
    COMMENT "C# runtime: join, check imports"
    VERBATIM)
set_source_files_properties(${RUNTIME_OBJECT} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
