// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SCENE_MOTION_H
#define PN_SCENE_MOTION_H

#include "base/realtime.h"
#include "scene/scene.h"

/* Where things are at a scene time t (seconds). Pure functions of the scene and of t; real time, any thread; the
 * cost grows with the logarithm of the number of keys. Results are finite for keys within 1e100 m and any finite t.
 *
 * The way between two keys of a path is the `curve` of the later one, the one the segment leads to:
 *   linear  a straight line;
 *   smooth  the centripetal Catmull-Rom spline through the keys before, at and after the segment (Yuksel,
 *           Schaefer and Keyser, "On the parameterization of Catmull-Rom curves", 2009: alpha 1/2, which
 *           neither loops nor overshoots into cusps), whatever the curve of those neighbours; where there is
 *           none, at the ends of a path, the curve leaves along the chord.
 * How fast it is run through is the `speed` of the later key:
 *   keys      time runs evenly in the curve's parameter: the speed changes where the keys say so, and a little within
 *             curves;
 *   constant  the same speed all the way from the key before, by the length of the way;
 *   eased     from rest to rest by the length of the way: the part 3 u^2 - 2 u^3 of it is behind when u of the time is.
 * Keys without a time are points on the way: the speed is then that of the next key with a time (constant unless it is
 * eased) and holds from the last key with a time on.
 * Orientations turn along the shortest arc (slerp) whatever `curve` says: from yaw 0 to yaw 270 that is a quarter
 * turn to the right, so longer turns need keys on the way. They turn evenly, or eased. */

enum { PN_ARC_STEPS = 16 };

/* Makes a path ready when its keys are complete: those with another `stretch.speed` than keys, and points on the way,
 * whose time is NaN until then (the first and the last key have one). Sets their times and all stretches. A point that
 * coincides with the one before it gets the same time. 0 when out of memory. */
int pn_path_measure(pn_path *path);

/* Path, else position; with an orbit that is the centre it runs about. */
PN_BLOCK_PATH pn_vec3 pn_source_position_at(const pn_source *source, double t);
PN_BLOCK_PATH pn_vec3 pn_listener_position_at(const pn_listener *listener, double t);
PN_BLOCK_PATH pn_quat pn_listener_orientation_at(const pn_listener *listener, double t);

/* dB: the automation when there is one, linear in dB between its keys, else the fixed gain. Mute and solo are
 * not looked at. */
PN_BLOCK_PATH double pn_source_gain_db_at(const pn_source *source, double t);

/* The pieces: a track of at least one key. */
PN_BLOCK_PATH double pn_keys_at(const pn_keys *keys, double t);
PN_BLOCK_PATH pn_vec3 pn_positions_at(const pn_position_key *keys, size_t count, double t);
PN_BLOCK_PATH pn_quat pn_orientations_at(const pn_orientation_key *keys, size_t count, double t);
PN_BLOCK_PATH pn_vec3 pn_orbit_at(const pn_orbit *orbit, pn_vec3 centre, double t);

/* A box with the axes of the world that holds all places something is ever at. */
typedef struct {
    pn_vec3 low, high;
} pn_box;

void pn_source_box(const pn_source *source, pn_box *box);
void pn_listener_box(const pn_listener *listener, pn_box *box);

#endif
