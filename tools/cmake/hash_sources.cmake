# SPDX-FileCopyrightText: 2026 The pinna authors
# SPDX-License-Identifier: MIT
#
# Writes OUT, a header that defines NAME as a hash of all FILES (globs, separated by commas): what was made by other
# sources is not what these would make.
string(REPLACE "," ";" globs "${FILES}")
file(GLOB files ${globs})
list(SORT files)
set(all "")
foreach(file ${files})
  file(SHA256 ${file} hash)
  string(APPEND all "${hash}")
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING ${hash} 0 32 hash)
file(WRITE ${OUT}.new "#define ${NAME} \"${hash}\"\n")
execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${OUT}.new ${OUT})
file(REMOVE ${OUT}.new)
