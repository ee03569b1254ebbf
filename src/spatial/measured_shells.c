// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Sorting of a set by distance. Distances more than 6 % apart are different shells. Shells are kept when each is a set
 * on its own: at least a quarter of the directions of the largest one (and 4), and not in one plane when others are
 * not. */
#include "spatial/measured.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "spatial/hull.h"

enum { FEWEST = 4 };

#define NO_DISTANCE 0.01   /* metres; below it a distance says nothing */
#define SAME_SHELL 1.06    /* ratio of neighbouring distances */
#define SAME_DISTANCE 1.12 /* ratio up to which the distances of a shell are not worth a word */
#define FLAT 0.017         /* one degree */

typedef struct {
    double least, most; /* metres */
    int members;
    bool flat, kept;
} shell;

typedef struct {
    double distance;
    int index;
} place;

static int by_distance(const void *a, const void *b) {
    const place *x = a, *y = b;
    return x->distance != y->distance ? (x->distance > y->distance) - (x->distance < y->distance)
                                      : (x->index > y->index) - (x->index < y->index);
}

static double median_distance(const place *sorted, int count) {
    int first = 0;
    while (first < count && sorted[first].distance < NO_DISTANCE)
        ++first;
    return first == count ? 1 : sorted[(first + count) / 2].distance;
}

static void give_distances(pn_measured *set, const char *label, place *sorted, pn_messages *messages) {
    int count = set->directions, without = 0;
    double median = median_distance(sorted, count);
    for (int i = 0; i < count; ++i) {
        if (sorted[i].distance >= NO_DISTANCE)
            continue;
        sorted[i].distance = set->distance[sorted[i].index] = median;
        ++without;
    }
    if (without > 0)
        pn_warn(messages, "%s: %d of %d positions have a distance of 0; %g m is assumed%s", label, without,
                count, median, without < count ? ", as for the others" : "");
    qsort(sorted, (size_t)count, sizeof *sorted, by_distance);
}

/* Fills list[], ascending; returns how many there are, `room` at most (then the rest is the last one). */
static int find_shells(const place *sorted, int count, shell *list, int room) {
    int shells = 0;
    for (int i = 0; i < count; ++i) {
        if (i == 0 || (sorted[i].distance > SAME_SHELL * sorted[i - 1].distance && shells < room))
            list[shells++] = (shell){sorted[i].distance, sorted[i].distance, 0, false, false};
        list[shells - 1].most = sorted[i].distance;
        ++list[shells - 1].members;
    }
    return shells;
}

static pinna_status find_flat(const pn_measured *set, const place *sorted, shell *list, int shells,
                              pinna_error *err) {
    pn_vec3 *direction = pn_alloc((size_t)set->directions, sizeof *direction);
    if (direction == NULL)
        return pn_fail_memory(err, "the shells of the HRTF set", set->directions * 24.0);
    for (int s = 0, first = 0; s < shells; first += list[s].members, ++s) {
        for (int i = 0; i < list[s].members; ++i)
            direction[i] = set->direction[sorted[first + i].index];
        list[s].flat = list[s].members < FEWEST || pn_coplanar(direction, list[s].members, FLAT, NULL);
    }
    pn_free(direction);
    return PINNA_OK;
}

static int choose_shells(shell *list, int shells) {
    int largest = 0, kept = 0;
    bool all_flat = true;
    for (int s = 0; s < shells; ++s)
        all_flat = all_flat && list[s].flat;
    for (int s = 0; s < shells; ++s) {
        if ((all_flat || !list[s].flat) && list[s].members > largest)
            largest = list[s].members;
    }
    for (int s = 0; s < shells; ++s) {
        list[s].kept =
            list[s].members >= FEWEST && 4 * list[s].members >= largest && (all_flat || !list[s].flat);
        kept += list[s].kept;
    }
    for (; kept > PN_MEASURED_SHELLS; --kept) { /* the smallest go */
        int smallest = -1;
        for (int s = 0; s < shells; ++s) {
            if (list[s].kept && (smallest < 0 || list[s].members < list[smallest].members))
                smallest = s;
        }
        list[smallest].kept = false;
    }
    return kept;
}

/* Directions in the order of `sorted`, those of shells not kept left out. */
static pinna_status reorder(pn_measured *set, const place *sorted, const shell *list, int shells,
                            pinna_error *err) {
    size_t pair = 2 * (size_t)set->taps, count = (size_t)set->directions;
    pn_vec3 *direction = pn_alloc(count, sizeof *direction);
    double *distance = pn_alloc(count, sizeof *distance), *delay = pn_alloc(2 * count, sizeof *delay);
    float *ir = pn_alloc_floats(count * pair);
    if (direction == NULL || distance == NULL || delay == NULL || ir == NULL) {
        pn_free(direction);
        pn_free(distance);
        pn_free(delay);
        pn_free(ir);
        return pn_fail_memory(err, "the shells of the HRTF set", 4.0 * (double)(count * pair));
    }
    int to = 0;
    set->shells = 0;
    for (int s = 0, at = 0; s < shells; at += list[s].members, ++s) {
        if (!list[s].kept)
            continue;
        set->shell_first[set->shells++] = to;
        for (int i = at; i < at + list[s].members; ++i, ++to) {
            int from = sorted[i].index;
            direction[to] = set->direction[from];
            distance[to] = set->distance[from];
            memcpy(delay + 2 * (size_t)to, set->delay + 2 * (size_t)from, 2 * sizeof *delay);
            memcpy(ir + (size_t)to * pair, set->ir + (size_t)from * pair, pair * sizeof *ir);
        }
    }
    pn_free(set->direction);
    pn_free(set->distance);
    pn_free(set->delay);
    pn_free(set->ir);
    set->direction = direction;
    set->distance = distance;
    set->delay = delay;
    set->ir = ir;
    set->directions = to;
    set->shell_first[set->shells] = to;
    return PINNA_OK;
}

static void tell(const pn_measured *set, const char *label, int all, double least, double most,
                 pn_messages *messages) {
    char text[200] = "";
    for (int s = 0; s < set->shells; ++s) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%.3g",
                 s == 0                ? ""
                 : s + 1 < set->shells ? ", "
                                       : " and ",
                 set->distance[set->shell_first[s]]);
    }
    if (set->directions < all)
        pn_warn(messages,
                "%s: measured at several distances (%g to %g m); the %d of %d directions at %s m are used, "
                "the others "
                "are too few to surround the head",
                label, least, most, set->directions, all, text);
    else
        pn_info(messages, "%s: measured at several distances, %s m; between them is interpolated", label,
                text);
}

static pinna_status sort_by(pn_measured *set, const char *label, place *sorted, shell *list,
                            pn_messages *messages, pinna_error *err) {
    int count = set->directions;
    double least = sorted[0].distance, most = sorted[count - 1].distance;
    int shells = find_shells(sorted, count, list, count);
    pinna_status status = find_flat(set, sorted, list, shells, err);
    if (status != PINNA_OK)
        return status;
    int kept = choose_shells(list, shells);
    if (shells == 1 || kept == 0) {
        if (most > SAME_DISTANCE * least)
            pn_warn(messages,
                    "%s: distances from %g to %g m are mixed; all are used as if measured at one distance",
                    label, least, most);
        return PINNA_OK;
    }
    status = reorder(set, sorted, list, shells, err);
    if (status == PINNA_OK)
        tell(set, label, count, least, most, messages);
    return status;
}

pinna_status pn_measured_sort_shells(pn_measured *set, const char *label, pn_messages *messages,
                                     pinna_error *err) {
    size_t count = (size_t)set->directions;
    set->shells = 1;
    set->shell_first[0] = 0;
    set->shell_first[1] = set->directions;
    place *sorted = pn_alloc(count, sizeof *sorted);
    shell *list = pn_alloc(count, sizeof *list);
    pinna_status status = PINNA_OK;
    if (sorted == NULL || list == NULL) {
        status = pn_fail_memory(err, "the distances of the HRTF set", (double)count * 48);
    } else {
        for (int i = 0; i < set->directions; ++i)
            sorted[i] = (place){set->distance[i], i};
        qsort(sorted, count, sizeof *sorted, by_distance);
        give_distances(set, label, sorted, messages);
        status = sort_by(set, label, sorted, list, messages, err);
    }
    pn_free(sorted);
    pn_free(list);
    return status;
}
