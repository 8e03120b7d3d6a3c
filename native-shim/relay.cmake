# dormouse-relay: an ordinary program of C, since it is part of images and has to be small.

file(GLOB RELAY_SOURCES CONFIGURE_DEPENDS ${SHIM}/relay/*.c)
add_executable(dormouse-relay ${RELAY_SOURCES})
target_link_libraries(dormouse-relay PRIVATE util)
add_custom_command(TARGET dormouse-relay POST_BUILD
    COMMAND strip -o ${RESULT_LIBRARY}/dormouse-relay.new $<TARGET_FILE:dormouse-relay>
    COMMAND ${CMAKE_COMMAND} -E rename ${RESULT_LIBRARY}/dormouse-relay.new ${RESULT_LIBRARY}/dormouse-relay
    VERBATIM)
