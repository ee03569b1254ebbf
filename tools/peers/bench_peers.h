// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TOOLS_BENCH_PEERS_H
#define PN_TOOLS_BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "device/backend.h"

/* One line of the comparison. Ours and the peer's run in turn, round by round; the figures are medians over the rounds,
 * the ratio the median of the rounds' ratios, which a loaded machine moves least. */
typedef struct {
    char name[64];
    const char *peer, *unit;
    double ours, theirs; /* theirs NAN: the peer cannot do it */
    double ratio, asked; /* asked NAN: no bound */
    double p99, worst; /* ours to our mean: 99th percentile of blocks, worst place of the schedule; or NAN */
    double difference; /* dB between both outputs, or NAN */
    char plan[160];
} peers_row;

enum { PEERS_ROUNDS = 31 };

typedef struct {
    int rounds;     /* 3 .. PEERS_ROUNDS */
    double seconds; /* of audio in a round */
    pn_backend *backend;
} peers_settings;

double peers_cpu_seconds(void);
/* Fills ours, theirs and ratio from the rounds' times; theirs may be NULL. */
void peers_fill(peers_row *row, const double *ours, const double *theirs, int rounds);

/* A real transform of `size` and its inverse. */
pinna_status peers_transform(const peers_settings *settings, int size, peers_row *row, pinna_error *err);

typedef struct {
    int inputs, outputs;
    bool diagonal;
    double seconds; /* of the responses */
    int block;
} peers_stream_shape;

pinna_status peers_stream(const peers_settings *settings, const peers_stream_shape *shape, peers_row *row,
                          pinna_error *err);

/* A minute in stereo through ten seconds, in memory. */
pinna_status peers_offline(const peers_settings *settings, peers_row *row, pinna_error *err);

#endif
