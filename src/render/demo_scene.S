// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
// The demo scene, inside the program: pn_demo_scene .. pn_demo_scene_end.
#if defined(__APPLE__)
    .const
#define NAME(n) _##n
#else
    .section .rodata
#define NAME(n) n
#endif
    .globl NAME(pn_demo_scene)
NAME(pn_demo_scene):
    .incbin "demo.yaml"
    .globl NAME(pn_demo_scene_end)
NAME(pn_demo_scene_end):
    .byte 0
#if defined(__linux__) && defined(__ELF__)
    .hidden pn_demo_scene
    .hidden pn_demo_scene_end
    .section .note.GNU-stack, "", %progbits
#endif
