// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SCENE_WORDS_H
#define PN_SCENE_WORDS_H

/* What a user wrote, made fit to stand in a message: cut to a readable length at a character's end, control
 * characters replaced. `buffer` holds PN_WORD_TEXT bytes and is returned. */
enum { PN_WORD_TEXT = 72 };
const char *pn_excerpt(const char *text, char *buffer);

#endif
