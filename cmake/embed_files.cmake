# cmake -DOUT=FILE -DTABLE=NAME -DHEADER=HEADER "-DFILES=A;B" -P embed_files.cmake: text files as a C table of struct embedded_file.
set(rows "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n      \"" text "${text}")
  string(APPEND rows "    { \"${name}\",\n      \"${text}\" },\n")
endforeach()
file(WRITE ${OUT} "/* Made by cmake/embed_files.cmake. */\n#include \"${HEADER}\"\n\n#include <stddef.h>\n\n"
  "const struct embedded_file ${TABLE}[] = {\n${rows}    { NULL, NULL },\n};\n")
