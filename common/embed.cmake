# cmake -DINPUT=FILE -DOUTPUT=FILE.c -P embed.cmake: the interface file as the C array of interface_text.h.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REPLACE "0x0a," "0x0a,\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "/* Made from ${INPUT} by embed.cmake. */
#include \"common/interface_text.h\"

const char interface_text[] = {
${bytes}0
};
const size_t interface_text_length = sizeof(interface_text) - 1;
")
