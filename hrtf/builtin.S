// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
// The default HRTF set, inside the program: pn_builtin_sofa .. pn_builtin_sofa_end.
#if defined(__APPLE__)
    .const
#define NAME(n) _##n
#else
    .section .rodata
#define NAME(n) n
#endif
    .balign 16
    .globl NAME(pn_builtin_sofa)
NAME(pn_builtin_sofa):
    .incbin "MIT_KEMAR_normal_pinna.sofa"
    .globl NAME(pn_builtin_sofa_end)
NAME(pn_builtin_sofa_end):
    .byte 0
#if defined(__linux__) && defined(__ELF__)
    .hidden pn_builtin_sofa
    .hidden pn_builtin_sofa_end
    .section .note.GNU-stack, "", %progbits
#endif
