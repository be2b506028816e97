# What of ESP-IDF's build system components and examples call, building a program for this computer.
enable_language(C)

function(idf_component_register)
    cmake_parse_arguments(part "" "" "SRCS;INCLUDE_DIRS;PRIV_INCLUDE_DIRS" ${ARGN})
    add_library(${COMPONENT_LIB} STATIC ${part_SRCS})
    target_include_directories(${COMPONENT_LIB} PUBLIC ${part_INCLUDE_DIRS} PRIVATE ${part_PRIV_INCLUDE_DIRS})
endfunction()

# The component manager: a dependency's path from main's manifest is a component of the dependency's name.
file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/main/idf_component.yml path REGEX "path:")
string(REGEX REPLACE ".*path: *" "" path "${path}")
set(COMPONENT_LIB component)
add_subdirectory(${CMAKE_CURRENT_SOURCE_DIR}/main/${path} component)
set(COMPONENT_LIB main)
add_subdirectory(main main)
target_link_libraries(main PRIVATE component)
file(WRITE ${CMAKE_BINARY_DIR}/start.c "void app_main(void);\nint main(void)\n{\n    app_main();\n    return 0;\n}\n")
add_executable(app ${CMAKE_BINARY_DIR}/start.c)
target_link_libraries(app PRIVATE main)
