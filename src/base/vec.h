// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_VEC_H
#define PN_BASE_VEC_H

#include <math.h>

/* Space as the whole project uses it: metres, x forward, y left, z up; azimuth counter-clockwise from the
 * front
 * (+90 = left), elevation up; yaw + left, pitch + up, roll + right ear down. Angles are radians unless the
 * name ends in _deg. */

#define PN_PI 3.14159265358979323846

typedef struct {
    double x, y, z;
} pn_vec3;

/* Unit quaternion, rotation of vectors v -> q v q*. */
typedef struct {
    double w, x, y, z;
} pn_quat;

static inline double pn_radians(double degrees) {
    return degrees * (PN_PI / 180.0);
}

static inline double pn_degrees(double radians) {
    return radians * (180.0 / PN_PI);
}

static inline pn_vec3 pn_vec_add(pn_vec3 a, pn_vec3 b) {
    return (pn_vec3){a.x + b.x, a.y + b.y, a.z + b.z};
}

static inline pn_vec3 pn_vec_sub(pn_vec3 a, pn_vec3 b) {
    return (pn_vec3){a.x - b.x, a.y - b.y, a.z - b.z};
}

static inline pn_vec3 pn_vec_scale(pn_vec3 a, double s) {
    return (pn_vec3){a.x * s, a.y * s, a.z * s};
}

static inline double pn_vec_dot(pn_vec3 a, pn_vec3 b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline pn_vec3 pn_vec_cross(pn_vec3 a, pn_vec3 b) {
    return (pn_vec3){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

static inline double pn_vec_length(pn_vec3 a) {
    return sqrt(pn_vec_dot(a, a));
}

/* A point from azimuth and elevation (radians) and distance. */
static inline pn_vec3 pn_vec_from_polar(double azimuth, double elevation, double distance) {
    return (pn_vec3){distance * cos(azimuth) * cos(elevation), distance * sin(azimuth) * cos(elevation),
                     distance * sin(elevation)};
}

static inline pn_quat pn_quat_mul(pn_quat a, pn_quat b) {
    return (pn_quat){
        a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z, a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
        a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x, a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w};
}

/* Yaw, then pitch, then roll, each about the turned axes (radians). Pitch up turns x towards z, that is a
 * negative turn about y; roll to the right ear down is a positive turn about x. */
static inline pn_quat pn_quat_from_ypr(double yaw, double pitch, double roll) {
    pn_quat z = {cos(yaw / 2), 0, 0, sin(yaw / 2)};
    pn_quat y = {cos(pitch / 2), 0, -sin(pitch / 2), 0};
    pn_quat x = {cos(roll / 2), sin(roll / 2), 0, 0};
    return pn_quat_mul(pn_quat_mul(z, y), x);
}

/* Shortest-arc interpolation of unit quaternions, t in 0..1. */
static inline pn_quat pn_quat_slerp(pn_quat a, pn_quat b, double t) {
    double d = a.w * b.w + a.x * b.x + a.y * b.y + a.z * b.z;
    double sign = d < 0 ? -1 : 1;
    d = fabs(d);
    double u = 1 - t, v = t;
    if (d < 0.9999) {
        double angle = acos(d), s = sin(angle);
        u = sin(u * angle) / s;
        v = sin(v * angle) / s;
    }
    v *= sign;
    pn_quat q = {u * a.w + v * b.w, u * a.x + v * b.x, u * a.y + v * b.y, u * a.z + v * b.z};
    double n = 1 / sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
    return (pn_quat){q.w * n, q.x * n, q.y * n, q.z * n};
}

static inline pn_vec3 pn_quat_rotate(pn_quat q, pn_vec3 v) {
    pn_vec3 u = {q.x, q.y, q.z};
    pn_vec3 t = pn_vec_scale(pn_vec_cross(u, v), 2);
    return pn_vec_add(pn_vec_add(v, pn_vec_scale(t, q.w)), pn_vec_cross(u, t));
}

/* From world axes into the axes of something turned by q. */
static inline pn_vec3 pn_quat_unrotate(pn_quat q, pn_vec3 v) {
    return pn_quat_rotate((pn_quat){q.w, -q.x, -q.y, -q.z}, v);
}

#endif
