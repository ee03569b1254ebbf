// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_HRTF_H
#define PN_SPATIAL_HRTF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/messages.h"
#include "base/realtime.h"
#include "base/status.h"
#include "base/threads.h"
#include "base/vec.h"
#include "signal/biquad.h"
#include "spatial/measured.h"

/* A set of measured ears, ready for rendering: for every node of a dense grid over the sphere a pair of responses with
 * their delays taken out (excess phase kept), and the delays. The grid holds the measured directions, whose responses
 * stay as they are, and others predicted from them when the set is loaded (kriging.h). A direction is the barycentric
 * blend of three nodes: of the aligned responses, and of the delays, which come back as linear phase of the complete
 * filter. A set measured at several distances has one such grid (a shell) for each. Immutable once loaded: any thread
 * may look up. */
typedef struct pn_hrtf pn_hrtf;

/* What is asked of a set; zeroed is the default. */
typedef struct {
    /* Whether the next two are the whole answer. Otherwise the built-in set gets `low`, every other set nothing. */
    bool equalise_given;
    bool equalise_low;     /* lift what the loudspeaker of the measurement lacked below 300 Hz */
    bool equalise_diffuse; /* make the power mean over the sphere flat */
    int grid;              /* nodes of a shell; 0: by the set; -1: the measured directions only */
    bool no_cache;         /* neither read nor write the cache */
    pn_pool *pool;         /* for the work of loading; NULL: threads of its own */
    /* Called now and then in the loading thread while a set is made (not when it comes from the cache); may be NULL. */
    void (*progress)(void *user, double part);
    void *user;
} pn_hrtf_options;

enum { PN_HRTF_SHELLS = 8, PN_HRTF_SECTIONS = 2 };

typedef struct {
    double rate; /* of the responses as held, Hz */
    double file_rate;
    int directions; /* nodes of all shells; of each first the measured ones, then the predicted ones */
    int measured;   /* measured directions after repairs, of all shells */
    int shells;
    int first[PN_HRTF_SHELLS];     /* node of every shell */
    int of_shell[PN_HRTF_SHELLS];  /* measured directions in it */
    double radius[PN_HRTF_SHELLS]; /* metres, ascending */
    int taps;                      /* of an aligned response */
    int max_delay;                 /* samples: every delay[] is 0 .. max_delay */
    int ringing; /* samples that the low equaliser goes on after a response, to -60 dB; 0 without */
    int length;  /* of pn_hrtf_response: taps + max_delay + ringing */
    int guard; /* samples to be left free in a transform, besides taps + max_delay, for the tails of a delay of any fraction:
                  then they wrap round below -100 dB */
    int latency; /* samples of our own added to every response (pre-onset room); 0 where the file leaves that room */
    double
        scale; /* applied to all responses: mean power of both ears in front is 0 dB, over 250 Hz .. 8 kHz (or
                       0.45 of the file's rate, if less) as measured: the same for every rate */
    double distance;       /* metres, of the measured directions of the outermost shell (mean) */
    double widest_gap_deg; /* no direction is farther than this from a measured one */
    bool horizontal_only;  /* all directions in one plane: elevation is ignored */
    bool equalised_low, equalised_diffuse; /* as asked or by default; both are in pn_hrtf_response */
    int sections;                          /* of `low`: to run over both ears after the mix; 0: none */
    pn_biquad section[PN_HRTF_SECTIONS];
    bool cached;                             /* read from the cache */
    double seconds;                          /* it took to load */
    double bytes;                            /* of memory */
    const char *name, *licence, *convention; /* owned by the set; never NULL */
} pn_hrtf_info;

enum { PN_HRTF_NODES = 6 };

/* What a place uses: three nodes of one shell, or three and three of two neighbouring ones; the delay of each ear in
 * samples. Used entries come first, the rest is 0. */
typedef struct {
    int node[PN_HRTF_NODES];
    float weight[PN_HRTF_NODES]; /* sum 1 */
    float delay[2];
} pn_hrtf_point;

/* Where the look-ups of one source were last, kept by the caller; start at {{-1, -1}}. */
typedef struct {
    int triangle[2];
} pn_hrtf_hint;

/* file NULL or "builtin": the embedded MIT KEMAR set. rate 0: the file's own. options may be NULL. Tells repairs to
 * messages; errors name the file. What was made is kept (base/cache.h) by the content of the file, the rate and the
 * options, and is the same bits when it comes from there. */
pinna_status pn_hrtf_load(const char *file, double rate, const pn_hrtf_options *options,
                          pn_messages *messages, pn_hrtf **hrtf, pinna_error *err);
/* The same from measurements in memory, which it takes over and clears, whatever happens; label names them in errors
 * and messages. Nothing is cached. */
pinna_status pn_hrtf_from_measured(pn_measured *measured, const char *label, double rate,
                                   const pn_hrtf_options *options, pn_messages *messages, pn_hrtf **hrtf,
                                   pinna_error *err);
void pn_hrtf_free(pn_hrtf *hrtf);
const pn_hrtf_info *pn_hrtf_get_info(const pn_hrtf *hrtf);

/* [node][ear][taps] for pn_bank_desc.responses, owned by the set. */
const float *pn_hrtf_responses(const pn_hrtf *hrtf);
/* Where the nodes are, metres in the head's axes, owned by the set. */
const pn_vec3 *pn_hrtf_positions(const pn_hrtf *hrtf);

/* relative: in the head's axes, any length but 0 (then the front). Its length matters for a set of several shells
 * only: between two of them weights go linearly in 1 / r, beyond the outermost and within the innermost that one is
 * used. hint may be NULL. */
PN_BLOCK_PATH void pn_hrtf_look_up(const pn_hrtf *hrtf, pn_vec3 relative, pn_hrtf_hint *hint,
                                   pn_hrtf_point *point);

/* The complete response pair at a place, ITD and equalisation inside: left and right have info.length
 * samples each. Allocates. */
pinna_status pn_hrtf_response(const pn_hrtf *hrtf, pn_vec3 relative, float *left, float *right,
                              pinna_error *err);

#endif
