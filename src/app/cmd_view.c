// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/cli.h"

int pn_cmd_view(int argc, char **argv) {
    static const pn_option options[] = {{0}};
    static const pn_command command = {
        "view", "[SCENE]", "The panning window is not available in this version.", options, 0, 1};
    const char *arguments[1];
    int status = pn_cli_parse(&command, argc, argv, arguments);
    if (status >= 0)
        return status;
    fprintf(stderr, "pinna view: the panning window is not available in this version; "
                    "`pinna play SCENE` plays a scene\n");
    return PN_EXIT_USAGE;
}
