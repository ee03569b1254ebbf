// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/opencl_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "device/opencl_api.h"
#include "device/opencl_seen.h"

enum { PLATFORMS = 32, DEVICES = 64, MIN_LOCAL = 16384, MIN_GROUP = 64 };

/* What the child writes into the pipe: one of these after the other. */
typedef enum { REPORT_PLATFORMS, REPORT_LOOKING, REPORT_DEVICE, REPORT_NO_OPENCL, REPORT_END } report_kind;
typedef struct {
    report_kind kind;
    int number; /* platforms in all, or the platform looked at */
    pn_opencl_info info;
    pinna_error error;
} report;

static pthread_mutex_t probe_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
    bool done;
    pn_opencl_info list[DEVICES];
    int count;
    pinna_error error; /* PINNA_OK: none */
} seen;
static double time_limit_s = 10;

/* ------------------------------------------------------------------ in the child */

static void platform_text(cl_platform_id id, cl_platform_info what, char *text, size_t size) {
    char all[1024] = "";
    if (pn_cl.GetPlatformInfo(id, what, sizeof all - 1, all, NULL) != CL_SUCCESS)
        strcpy(all, "unknown");
    snprintf(text, size, "%.*s", (int)size - 1, all);
}

static void device_text(cl_device_id id, cl_device_info what, char *text, size_t size) {
    char all[1024] = "";
    if (pn_cl.GetDeviceInfo(id, what, sizeof all - 1, all, NULL) != CL_SUCCESS)
        strcpy(all, "unknown");
    const char *start = all + strspn(all, " "); /* some names are padded */
    snprintf(text, size, "%.*s", (int)size - 1, start);
}

static uint64_t device_number(cl_device_id id, cl_device_info what, size_t size) {
    uint64_t wide = 0;
    uint32_t narrow = 0;
    if (size == sizeof wide)
        return pn_cl.GetDeviceInfo(id, what, size, &wide, NULL) == CL_SUCCESS ? wide : 0;
    return pn_cl.GetDeviceInfo(id, what, sizeof narrow, &narrow, NULL) == CL_SUCCESS ? narrow : 0;
}

static pn_opencl_type type_of(cl_device_id id) {
    uint64_t type = device_number(id, CL_DEVICE_TYPE, sizeof(cl_device_type));
    if (type & CL_DEVICE_TYPE_GPU)
        return PN_OPENCL_GPU;
    if (type & CL_DEVICE_TYPE_ACCELERATOR)
        return PN_OPENCL_ACCELERATOR;
    return type & CL_DEVICE_TYPE_CPU ? PN_OPENCL_CPU : PN_OPENCL_OTHER;
}

static void judge(cl_device_id id, pn_opencl_info *info) {
    int major = 0, minor = 0;
    sscanf(info->version, "OpenCL %d.%d", &major, &minor);
    if (!device_number(id, CL_DEVICE_AVAILABLE, sizeof(cl_bool)))
        snprintf(info->problem, sizeof info->problem, "the driver says it is not available");
    else if (!device_number(id, CL_DEVICE_COMPILER_AVAILABLE, sizeof(cl_bool)))
        snprintf(info->problem, sizeof info->problem, "its driver has no compiler");
    else if (major * 10 + minor < 12)
        snprintf(info->problem, sizeof info->problem, "%.60s; OpenCL 1.2 is needed", info->version);
    else if (!device_number(id, CL_DEVICE_ENDIAN_LITTLE, sizeof(cl_bool)))
        snprintf(info->problem, sizeof info->problem, "it is big-endian");
    else if (info->local_memory < MIN_LOCAL || info->max_group < MIN_GROUP)
        snprintf(info->problem, sizeof info->problem,
                 "%d bytes of local memory and work-groups of %d; %d and %d are needed",
                 (int)info->local_memory, info->max_group, MIN_LOCAL, MIN_GROUP);
}

static void describe(cl_device_id id, pn_opencl_info *info) {
    device_text(id, CL_DEVICE_NAME, info->name, sizeof info->name);
    device_text(id, CL_DEVICE_VERSION, info->version, sizeof info->version);
    device_text(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    info->type = type_of(id);
    info->memory = device_number(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(cl_ulong));
    info->max_alloc = device_number(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(cl_ulong));
    info->local_memory = device_number(id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof(cl_ulong));
    info->units = (int)device_number(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint));
    info->max_group = (int)device_number(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(size_t));
    judge(id, info);
}

static void say(int pipe, const report *r) {
    const char *from = (const char *)r;
    for (size_t sent = 0; sent < sizeof *r;) {
        ssize_t n = write(pipe, from + sent, sizeof *r - sent);
        if (n <= 0)
            _exit(1);
        sent += (size_t)n;
    }
}

static void look_at_platform(int pipe, cl_platform_id id, int number) {
    report r = {.kind = REPORT_LOOKING, .number = number};
    say(pipe, &r);
    r.info.platform = number;
    platform_text(id, CL_PLATFORM_NAME, r.info.platform_name, sizeof r.info.platform_name);
    platform_text(id, CL_PLATFORM_VERSION, r.info.platform_version, sizeof r.info.platform_version);
    r.kind = REPORT_LOOKING; /* once more, with its name */
    say(pipe, &r);
    cl_device_id ids[DEVICES];
    cl_uint count = 0;
    cl_int code = pn_cl.GetDeviceIDs(id, CL_DEVICE_TYPE_ALL, DEVICES, ids, &count);
    if (code != CL_SUCCESS)
        count = 0;
    const report head = r;
    for (cl_uint d = 0; d < count && d < DEVICES; ++d) {
        r = head;
        r.kind = REPORT_DEVICE;
        r.info.device = (int)d;
        describe(ids[d], &r.info);
        say(pipe, &r);
    }
    if (count == 0) {
        r.kind = REPORT_DEVICE;
        r.info.device = -1;
        r.info.empty = true;
        snprintf(
            r.info.problem, sizeof r.info.problem,
            "shows no device (no hardware for it, or no HOME or cache folder that its driver can write to)");
        say(pipe, &r);
    }
}

/* Never returns. The platforms below `first` were looked at already. */
static void child(int pipe, int first) {
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    for (int s = 1; s < 32; ++s)
        signal(s, SIG_DFL); /* the caller's crash reporter is none of ours */
    int null = open("/dev/null", O_RDWR);
    dup2(null, 1);
    dup2(null, 2);
    report r = {.kind = REPORT_NO_OPENCL};
    if (pn_opencl_load(&r.error) != PINNA_OK) {
        say(pipe, &r);
        _exit(0);
    }
    cl_platform_id ids[PLATFORMS];
    cl_uint count = 0;
    if (pn_cl.GetPlatformIDs(PLATFORMS, ids, &count) != CL_SUCCESS)
        count = 0;
    r = (report){.kind = REPORT_PLATFORMS, .number = (int)count};
    say(pipe, &r);
    for (int p = first; p < (int)count && p < PLATFORMS; ++p)
        look_at_platform(pipe, ids[p], p);
    r.kind = REPORT_END;
    say(pipe, &r);
    _exit(0);
}

/* ------------------------------------------------------------------ in the parent */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* 1: a whole report, 0: the child is gone, -1: the time is over. */
static int hear(int pipe, report *r, double until) {
    char *to = (char *)r;
    for (size_t got = 0; got < sizeof *r;) {
        double left = until - now();
        struct pollfd fd = {.fd = pipe, .events = POLLIN};
        if (left <= 0)
            return -1;
        if (poll(&fd, 1, (int)(left * 1000) + 1) <= 0)
            continue;
        ssize_t n = read(pipe, to + got, sizeof *r - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        got += (size_t)n;
    }
    return 1;
}

static void add(const pn_opencl_info *info) {
    if (seen.count < DEVICES)
        seen.list[seen.count++] = *info;
}

/* Reads what one child sees. Returns the platform to go on with in another child, or -1 at the end. */
static int listen_to(int pipe, pid_t pid) {
    report r;
    pn_opencl_info looking = {.platform = -1};
    int result = 0;
    double until = now() + time_limit_s;
    while ((result = hear(pipe, &r, until)) == 1) {
        if (r.kind == REPORT_END)
            return -1;
        if (r.kind == REPORT_NO_OPENCL) {
            seen.error = r.error;
            return -1;
        }
        if (r.kind == REPORT_LOOKING) {
            if (looking.platform != r.number)
                until = now() + time_limit_s;
            looking = r.info;
            looking.platform = r.number;
        }
        if (r.kind == REPORT_DEVICE)
            add(&r.info);
    }
    kill(pid, SIGKILL);
    if (looking.platform < 0) {
        pn_fail(&seen.error, PINNA_DEVICE,
                result == 0
                    ? "the OpenCL loader or one of its drivers ends the program that asks for its "
                      "platforms; remove or repair the driver (the files in /etc/OpenCL/vendors name them)"
                    : "the OpenCL loader or one of its drivers does not answer within %.3g s; remove or "
                      "repair the driver (the files in /etc/OpenCL/vendors name them)",
                time_limit_s);
        return -1;
    }
    looking.device = -1;
    if (result == 0)
        snprintf(looking.problem, sizeof looking.problem,
                 "its driver ends the program that looks at it; it is left out");
    else
        snprintf(looking.problem, sizeof looking.problem,
                 "its driver does not answer within %.3g s; it is left out", time_limit_s);
    while (seen.count > 0 && seen.list[seen.count - 1].platform == looking.platform)
        --seen.count;
    add(&looking);
    return looking.platform + 1;
}

/* A process that hangs inside its driver in the kernel cannot even be killed: it is left behind. */
static void reap(pid_t pid) {
    const struct timespec pause = {.tv_nsec = 5000000};
    for (int tries = 0; tries < 400; ++tries) {
        pid_t got = waitpid(pid, NULL, WNOHANG);
        if (got == pid || (got < 0 && errno != EINTR))
            return;
        nanosleep(&pause, NULL);
    }
}

static int probe_from(int first) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        pn_fail(&seen.error, PINNA_DEVICE, "no pipe for the look at OpenCL: %s", strerror(errno));
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0)
        child(ends[1], first);
    close(ends[1]);
    int next = -1;
    if (pid < 0)
        pn_fail(&seen.error, PINNA_DEVICE, "no child process for the look at OpenCL: %s", strerror(errno));
    else
        next = listen_to(ends[0], pid);
    close(ends[0]);
    if (pid > 0)
        reap(pid);
    return next;
}

pinna_status pn_opencl_list(pn_opencl_info **list, int *count, pinna_error *err) {
    *list = NULL;
    *count = 0;
    pthread_mutex_lock(&probe_mutex);
    for (int next = seen.done ? -1 : 0; next >= 0;)
        next = probe_from(next);
    if (!seen.done)
        pn_opencl_keep_seen(seen.error.status == PINNA_OK, seen.list, seen.count);
    seen.done = true;
    pinna_error failed = seen.error;
    if (failed.status == PINNA_OK) {
        *list = pn_alloc((size_t)seen.count, sizeof **list);
        *count = seen.count;
        if (*list != NULL)
            memcpy(*list, seen.list, (size_t)seen.count * sizeof **list);
    }
    pthread_mutex_unlock(&probe_mutex);
    if (failed.status != PINNA_OK)
        return pn_fail(err, failed.status, "%s", failed.text);
    return *list == NULL ? pn_fail_memory(err, "the list of OpenCL devices", 4096) : PINNA_OK;
}

bool pn_opencl_remembers_none(char date[PN_OPENCL_DATE]) {
    pthread_mutex_lock(&probe_mutex);
    bool none = !seen.done && pn_opencl_recall_none(date);
    pthread_mutex_unlock(&probe_mutex);
    return none;
}

const char *pn_opencl_type_name(pn_opencl_type type) {
    static const char *const names[] = {"GPU", "accelerator", "CPU", "other"};
    return names[type];
}

void pn_opencl_probe_again(double time_limit) {
    pthread_mutex_lock(&probe_mutex);
    memset(&seen, 0, sizeof seen);
    time_limit_s = time_limit > 0 ? time_limit : 10;
    pthread_mutex_unlock(&probe_mutex);
}
