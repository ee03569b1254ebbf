// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/cli.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/audio_file.h"
#include "signal/rafft.h"

static void print_help(const pn_command *command) {
    printf("usage: pinna %s %s\n\n%s\n\noptions:\n", command->name, command->usage, command->about);
    for (const pn_option *o = command->options; o->name != NULL; ++o) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s%s%s", o->brief ? o->brief : "", o->brief ? ", " : "", o->name,
                 o->argument ? " " : "", o->argument ? o->argument : "");
        printf("  %-22s %s\n", left, o->help);
    }
    printf("  %-22s %s\n", "-h, --help", "this text");
}

static const pn_option *find_option(const pn_command *command, const char *name, size_t length) {
    for (const pn_option *o = command->options; o->name != NULL; ++o) {
        if (strlen(o->name) == length && strncmp(o->name, name, length) == 0)
            return o;
        if (o->brief != NULL && strlen(o->brief) == length && strncmp(o->brief, name, length) == 0)
            return o;
    }
    return NULL;
}

static int unknown_option(const pn_command *command, const char *word, size_t length) {
    enum { MOST = 40 };
    const char *names[MOST + 1];
    int count = 0;
    for (const pn_option *o = command->options; o->name != NULL && count < MOST; ++o)
        names[count++] = o->name;
    names[count] = NULL;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60), word);
    const char *near = pn_nearest_word(name, names);
    if (near != NULL)
        return pn_cli_usage(command->name, "unknown option '%s'; did you mean '%s'?", name, near);
    return pn_cli_usage(command->name, "unknown option '%s'", name);
}

/* Stores the value; returns -1, or the exit status of a usage error. */
static int store(const pn_command *command, const pn_option *option, const char *text) {
    double number = 0;
    switch (option->type) {
    case PN_OPTION_FLAG:
        *(bool *)option->value = true;
        return -1;
    case PN_OPTION_TEXT:
        *(const char **)option->value = text;
        return -1;
    case PN_OPTION_NUMBER:
        if (!pn_parse_number(text, &number))
            return pn_cli_usage(command->name, "%s: '%s' is not a number", option->name, text);
        *(double *)option->value = number;
        return -1;
    case PN_OPTION_INTEGER:
        if (!pn_parse_number(text, &number) || number < INT_MIN || number > INT_MAX || number != (int)number)
            return pn_cli_usage(command->name, "%s: '%s' is not a whole number", option->name, text);
        *(int *)option->value = (int)number;
        return -1;
    }
    return -1;
}

static bool is_negative_number(const char *word) {
    double number;
    return pn_parse_number(word, &number);
}

int pn_cli_parse(const pn_command *command, int argc, char **argv, const char **arguments) {
    int count = 0;
    bool options = true;
    for (int i = 0; i < command->max_arguments; ++i)
        arguments[i] = NULL;
    for (int i = 1; i < argc; ++i) {
        const char *word = argv[i];
        if (options && strcmp(word, "--") == 0) {
            options = false;
            continue;
        }
        if (!options || word[0] != '-' || word[1] == '\0' || is_negative_number(word)) {
            if (count == command->max_arguments)
                return pn_cli_usage(command->name, "'%s' is one argument too many", word);
            arguments[count++] = word;
            continue;
        }
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            print_help(command);
            return PN_EXIT_DONE;
        }
        const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
        size_t length = equals ? (size_t)(equals - word) : strlen(word);
        const pn_option *option = find_option(command, word, length);
        if (option == NULL)
            return unknown_option(command, word, length);
        const char *value = NULL;
        if (option->type == PN_OPTION_FLAG) {
            if (equals)
                return pn_cli_usage(command->name, "%s takes no value", option->name);
        } else if (equals) {
            value = equals + 1;
        } else if (++i < argc) {
            value = argv[i];
        } else {
            return pn_cli_usage(command->name, "%s needs a value (%s)", option->name, option->argument);
        }
        int status = store(command, option, value);
        if (status >= 0)
            return status;
    }
    if (count < command->min_arguments)
        return pn_cli_usage(command->name, "too few arguments: pinna %s %s", command->name, command->usage);
    return -1;
}

static void print_message(void *user, pinna_message_level level, const char *text) {
    const pn_common *common = user;
    if (common->quiet)
        return;
    fprintf(stderr, "%s%s\n", level == PINNA_WARNING ? "warning: " : "", text);
}

/* A wish for arithmetic that this machine or build has not is not silently another one. */
static void tell_simd(pn_messages *messages) {
    const char *wanted = getenv("PINNA_SIMD"), *best = pn_simd_name(pn_simd_best());
    if (wanted == NULL || wanted[0] == '\0' || strcmp(wanted, best) == 0)
        return;
    pn_simd list[4];
    char names[64] = "";
    for (int k = 0, count = pn_simd_available(list); k < count; ++k) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", k > 0 ? " " : "", pn_simd_name(list[k]));
    }
    pn_warn(messages, "PINNA_SIMD=%s is none of what this machine has (%s): %s is used", wanted, names, best);
}

pn_messages *pn_cli_messages(const pn_common *common) {
    pn_messages *messages = pn_messages_create(print_message, (void *)common);
    tell_simd(messages);
    return messages;
}

void pn_cli_repeat_warnings(const pn_common *common, const pn_messages *messages) {
    size_t count = pn_messages_count(messages), warnings = 0;
    bool followed = false;
    for (size_t i = 0; i < count; ++i) {
        pinna_message_level level;
        pn_messages_get(messages, i, &level);
        warnings += level == PINNA_WARNING;
        followed |= level != PINNA_WARNING && warnings > 0;
    }
    if (common->quiet || warnings == 0 || (!followed && warnings < 3))
        return;
    fprintf(stderr, "%zu warning%s:\n", warnings, warnings == 1 ? "" : "s");
    for (size_t i = 0; i < count; ++i) {
        pinna_message_level level;
        const char *text = pn_messages_get(messages, i, &level);
        if (level == PINNA_WARNING)
            fprintf(stderr, "  %s\n", text);
    }
}

int pn_cli_fail(const char *command, const pinna_error *err) {
    fprintf(stderr, "pinna %s: error: %s\n", command, err->text);
    return err->status == PINNA_UNSUPPORTED ? PN_EXIT_USAGE : PN_EXIT_FAILED;
}

int pn_cli_usage(const char *command, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "pinna %s: ", command);
    vfprintf(stderr, format, args);
    fprintf(stderr, " (see pinna %s --help)\n", command);
    va_end(args);
    return PN_EXIT_USAGE;
}

static bool is_device(const char *text) {
    int platform, device, end = 0;
    if (strcmp(text, "auto") == 0 || strcmp(text, "cpu") == 0 || strcmp(text, "opencl") == 0)
        return true;
    return sscanf(text, "opencl:%d.%d%n", &platform, &device, &end) == 2 && text[end] == '\0' &&
           platform >= 0 && device >= 0;
}

int pn_cli_check_common(const char *command, const pn_common *common) {
    pn_encoding encoding;
    if (common->device != NULL && !is_device(common->device))
        return pn_cli_usage(command, "--device %s: expected auto, cpu, opencl or opencl:PLATFORM.DEVICE",
                            common->device);
    if (common->threads < 0 || common->threads > 1024)
        return pn_cli_usage(command, "--threads %d: expected 1 to 1024 (0: one per processor)",
                            common->threads);
    if (common->spectra != 0 && common->spectra != 16 && common->spectra != 32)
        return pn_cli_usage(command, "--spectra %d: expected 16 or 32", common->spectra);
    if (common->spectra == 16 && common->device != NULL && strcmp(common->device, "cpu") == 0)
        return pn_cli_usage(command, "--spectra 16 is for OpenCL devices; the CPU works with 32 bits");
    if (common->encoding != NULL && !pn_encoding_parse(common->encoding, &encoding))
        return pn_cli_usage(command, "--encoding %s: expected pcm16, pcm24, pcm32, f32 or f64",
                            common->encoding);
    return -1;
}
