// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_SDL_API_H
#define PN_IO_SDL_API_H

#include <SDL.h>

#include "base/status.h"

/* SDL2, loaded at run time: with the window systems that it brings along it would more than double the start of every
 * command, and only live output needs it. The library is the system's, or what the environment names as
 * PINNA_SDL_LIBRARY (for tests). */

#define PN_SDL_FUNCTIONS(X)                                                                                  \
    X(InitSubSystem)                                                                                         \
    X(QuitSubSystem)                                                                                         \
    X(SetHint)                                                                                               \
    X(GetError)                                                                                              \
    X(GetCurrentAudioDriver)                                                                                 \
    X(GetNumAudioDevices)                                                                                    \
    X(GetAudioDeviceName)                                                                                    \
    X(GetDefaultAudioInfo)                                                                                   \
    X(OpenAudioDevice)                                                                                       \
    X(PauseAudioDevice)                                                                                      \
    X(CloseAudioDevice)                                                                                      \
    X(Delay)                                                                                                 \
    X(free)

typedef struct {
#define PN_SDL_MEMBER(name) __typeof__(SDL_##name) *name;
    PN_SDL_FUNCTIONS(PN_SDL_MEMBER)
#undef PN_SDL_MEMBER
} pn_sdl_api;

/* The functions, once pn_sdl_load has returned PINNA_OK; stays loaded until the process ends. */
extern pn_sdl_api pn_sdl;

/* PINNA_DEVICE without the library, or with one that lacks a function. Any thread, any number of times. */
pinna_status pn_sdl_load(pinna_error *err);

#endif
