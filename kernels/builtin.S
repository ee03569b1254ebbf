// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
// The kernels' sources, inside the program, each ended by a zero: pn_kernel_NAME.
#if defined(__APPLE__)
    .const
#define NAME(n) _##n
#define HIDE(n) .private_extern _##n
#else
    .section .rodata
#define NAME(n) n
#define HIDE(n) .hidden n
#endif

#define KERNEL(name, file) .globl NAME(name) ; HIDE(name) ; NAME(name): .incbin file ; .byte 0

KERNEL(pn_kernel_types, "pinna_types.h")
KERNEL(pn_kernel_tree, "tree.h")
KERNEL(pn_kernel_level, "level.h")
KERNEL(pn_kernel_level_forward, "level_forward.cl")
KERNEL(pn_kernel_level_inverse, "level_inverse.cl")
KERNEL(pn_kernel_forward, "forward.cl")
KERNEL(pn_kernel_inverse, "inverse.cl")
KERNEL(pn_kernel_multiply_add, "multiply_add.cl")
KERNEL(pn_kernel_pack_spectra, "pack_spectra.cl")
KERNEL(pn_kernel_reduce_shares, "reduce_shares.cl")
KERNEL(pn_kernel_bank, "bank.h")
KERNEL(pn_kernel_bank_take, "bank_take.cl")
KERNEL(pn_kernel_bank_read, "bank_read.cl")
KERNEL(pn_kernel_bank_mix, "bank_mix.cl")
KERNEL(pn_kernel_bank_bend, "bank_bend.cl")

#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack, "", %progbits
#endif
