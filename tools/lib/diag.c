// SPDX-License-Identifier: GPL-2.0-or-later
#include "diag.h"
#include "ethnl.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Bits of CapEff: linux/capability.h */
#define CAP_NET_ADMIN_BIT	12
#define CAP_IPC_LOCK_BIT	14

static void have(struct diag_env *env, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void want(struct diag_env *env, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void have(struct diag_env *env, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(env->have, sizeof(env->have), fmt, ap);
	va_end(ap);
}

static void want(struct diag_env *env, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(env->want, sizeof(env->want), fmt, ap);
	va_end(ap);
}

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(line, (int)size, f);
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

/* Value after "KEY:" in a file of such lines */
static bool read_field(const char *path, const char *key, char *value, size_t size)
{
	FILE *f = fopen(path, "re");
	bool found = false;
	char line[256];

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		size_t n = strlen(key);

		if (strncmp(line, key, n) || line[n] != ':')
			continue;
		n += 1 + strspn(line + n + 1, " \t");
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, size, "%s", line + n);
		found = true;
	}
	fclose(f);
	return found;
}

static bool has_capability(unsigned int bit)
{
	char value[64];

	if (!read_field("/proc/self/status", "CapEff", value, sizeof(value)))
		return true;
	return strtoull(value, NULL, 16) >> bit & 1;
}

static bool have_kernel(struct diag_env *env)
{
	struct utsname u;

	if (uname(&u))
		return false;
	have(env, "%s", u.release);
	return true;
}

static bool is_io_uring_disabled(struct diag_env *env)
{
	char value[16];

	if (!read_line("/proc/sys/kernel/io_uring_disabled", value, sizeof(value)))
		return false;
	have(env, "%s", value);
	return strcmp(value, "0");
}

static bool lacks_net_admin(struct diag_env *env)
{
	(void)env;
	return !has_capability(CAP_NET_ADMIN_BIT);
}

/* user_namespaces(7): the first namespace maps all 2^32 - 1 ids */
static bool in_user_namespace(struct diag_env *env)
{
	unsigned int inside, outside, count;
	char map[64];

	(void)env;
	if (!read_line("/proc/self/uid_map", map, sizeof(map)))
		return false;
	return sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && count != 4294967295U;
}

static bool exceeds_memlock(struct diag_env *env)
{
	struct rlimit rl;

	if (has_capability(CAP_IPC_LOCK_BIT) || getrlimit(RLIMIT_MEMLOCK, &rl) ||
	    rl.rlim_cur == RLIM_INFINITY)
		return false;
	have(env, "%ju KiB", (uintmax_t)rl.rlim_cur >> 10);
	/* the rings are accounted for too; they are small */
	want(env, "%" PRIu64, (env->cfg->region_size >> 10) + 2048);
	return rl.rlim_cur < env->cfg->region_size + (2 << 20);
}

static bool lacks_hugepages(struct diag_env *env)
{
	char value[64], size[64];
	uint64_t bytes;

	if (!env->cfg->hugepages || !read_field("/proc/meminfo", "HugePages_Free", value,
						sizeof(value)))
		return env->cfg->hugepages;
	bytes = 2048;
	if (read_field("/proc/meminfo", "Hugepagesize", size, sizeof(size)))
		bytes = strtoull(size, NULL, 10);
	have(env, "%s", value);
	want(env, "%" PRIu64, (env->cfg->region_size + (bytes << 10) - 1) / (bytes << 10));
	return true;
}

/* Directory of an interface in sysfs; names with a slash are no interfaces */
static bool sysfs_path(const struct diag_env *env, const char *rest, char *path, size_t size)
{
	if (!env->cfg->iface || strchr(env->cfg->iface, '/'))
		return false;
	snprintf(path, size, "/sys/class/net/%s/%s", env->cfg->iface, rest);
	return true;
}

static bool is_virtual(struct diag_env *env)
{
	char path[128];

	return sysfs_path(env, "device", path, sizeof(path)) && access(path, F_OK);
}

static bool have_driver(struct diag_env *env)
{
	char path[128], link[256];
	const char *name;
	ssize_t n;

	if (!sysfs_path(env, "device/driver", path, sizeof(path)))
		return false;
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	name = strrchr(link, '/');
	have(env, "%.60s", name ? name + 1 : link);
	return true;
}

static bool iface_ioctl(const struct diag_env *env, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	if (fd < 0)
		return false;
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", env->cfg->iface);
	ok = !ioctl(fd, request, ifr);
	close(fd);
	return ok;
}

/* Not every driver has channels, and not every kernel shows queues in sysfs */
static unsigned int count_channels(const struct diag_env *env)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq ifr = { .ifr_data = (char *)&channels };

	if (!iface_ioctl(env, SIOCETHTOOL, &ifr))
		return 0;
	return channels.rx_count + channels.combined_count;
}

static unsigned int count_sysfs_queues(const struct diag_env *env)
{
	unsigned int n = 0;
	struct dirent *d;
	char path[128];
	DIR *dir;

	if (!sysfs_path(env, "queues", path, sizeof(path)))
		return 0;
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((d = readdir(dir)))
		n += !strncmp(d->d_name, "rx-", 3);
	closedir(dir);
	return n;
}

static bool queue_out_of_range(struct diag_env *env)
{
	unsigned int n = count_channels(env);

	if (!n)
		n = count_sysfs_queues(env);
	if (!n || env->cfg->queue < n)
		return false;
	have(env, "%u RX queue%s, 0 to %u", n, n == 1 ? "" : "s", n - 1);
	want(env, "%u", env->cfg->queue + 1);
	return true;
}

static bool is_down(struct diag_env *env)
{
	struct ifreq ifr = { 0 };

	return iface_ioctl(env, SIOCGIFFLAGS, &ifr) && !(ifr.ifr_flags & IFF_UP);
}

/*
 * On by the driver's choice, which will not do either, looks like on by demand. So this
 * is the last of what EINVAL can mean.
 */
static bool split_not_set(struct diag_env *env)
{
	struct ethnl_split split;
	struct ethnl nl;
	int err;

	if (!env->cfg->iface || ethnl_open(&nl))
		return false;
	err = ethnl_get_split(&nl, env->cfg->iface, &split);
	ethnl_close(&nl);
	if (err || !split.has_threshold)
		return false;
	if (split.mode != ETHNL_SPLIT_ON)
		have(env, "off");
	else if (split.threshold)
		have(env, "on, with a threshold of %u", split.threshold);
	else
		have(env, "on by the driver's choice");
	return true;
}

/*
 * The one table. The first line whose step, errno and probe fit is the
 * diagnosis, so within a step the special comes before the general. Codes are
 * never used again for something else.
 */
static const struct diag table[] = {
	{ "ZC001", "io-uring-disabled", ZCRX_STEP_RING, EPERM, is_io_uring_disabled,
	  "io_uring is switched off: kernel.io_uring_disabled is {have}",
	  "sysctl kernel.io_uring_disabled=0" },
	{ "ZC002", "io-uring-forbidden", ZCRX_STEP_RING, EPERM, NULL,
	  "io_uring is forbidden here, perhaps by a container's seccomp profile",
	  "run outside of the container, or allow io_uring_setup, io_uring_enter and io_uring_register" },
	{ "ZC003", "io-uring-missing", ZCRX_STEP_RING, ENOSYS, NULL,
	  "this kernel has no io_uring, or a seccomp profile hides it",
	  "boot a kernel with CONFIG_IO_URING=y" },
	{ "ZC004", "kernel-too-old", ZCRX_STEP_RING, EINVAL, have_kernel,
	  "Linux {have} has no IORING_SETUP_DEFER_TASKRUN, which came with 6.1",
	  "boot a newer kernel, or use --backend copy" },
	{ "ZC005", "ring-memory", ZCRX_STEP_RING, ENOMEM, NULL,
	  "no memory for the io_uring, or more than RLIMIT_MEMLOCK allows",
	  "ulimit -l unlimited, or a smaller --cq" },

	{ "ZC010", "no-zero-copy-receive", ZCRX_STEP_QUEUE, ENOSYS, have_kernel,
	  "Linux {have} does not have it: rbuf rings are those of this series, upstream's came with 6.15",
	  "boot the kernel that 'make linux' builds, or 6.15 and later, or use --backend copy" },
	{ "ZC011", "no-net-admin", ZCRX_STEP_QUEUE, EPERM, lacks_net_admin,
	  "binding an RX queue needs CAP_NET_ADMIN",
	  "run as root, or: setcap cap_net_admin,cap_ipc_lock+ep $(command -v {prog})" },
	{ "ZC012", "net-admin-of-namespace", ZCRX_STEP_QUEUE, EPERM, in_user_namespace,
	  "CAP_NET_ADMIN of a user namespace (a container's root) does not reach this interface",
	  "run as root of the host" },
	{ "ZC013", "no-interface", ZCRX_STEP_QUEUE, ENODEV, NULL,
	  "there is no interface {iface} in this network namespace",
	  "ip link shows which there are; ip netns exec NAME {prog} ... runs in another namespace" },
	{ "ZC014", "queue-range", ZCRX_STEP_QUEUE, 0, queue_out_of_range,
	  "{iface} has {have}",
	  "-q with one of these, or: ethtool -L {iface} combined {want}" },
	{ "ZC015", "interface-down", ZCRX_STEP_QUEUE, 0, is_down,
	  "{iface} is down",
	  "ip link set {iface} up" },
	{ "ZC016", "queue-bound", ZCRX_STEP_QUEUE, EEXIST, NULL,
	  "queue {queue} of {iface} is bound already, or an XDP program is attached to {iface}",
	  "end the other receiver; ip link set {iface} xdp off" },
	{ "ZC017", "queue-busy", ZCRX_STEP_QUEUE, EBUSY, NULL,
	  "queue {queue} of {iface} is in use, by an AF_XDP socket perhaps",
	  "end its user (ss -a --xdp), or take another queue" },
	{ "ZC018", "virtual-interface", ZCRX_STEP_QUEUE, EOPNOTSUPP, is_virtual,
	  "{iface} is a virtual interface: no NIC is behind it that could write into the region",
	  "name the NIC with -i, or use --backend copy" },
	{ "ZC019", "driver-without-support", ZCRX_STEP_QUEUE, EOPNOTSUPP, have_driver,
	  "the driver {have} of {iface} cannot put payload into memory of ours",
	  "use a NIC of the bnxt_en family with this series' driver or that of Linux 6.15 and later, whose "
	  "firmware can restart single queues, or --backend copy" },
	{ "ZC027", "split-off", ZCRX_STEP_QUEUE, EINVAL, split_not_set,
	  "{iface} does not split headers from data on demand and without a threshold: it is {have}",
	  "zcrx-flow up {iface} --queue {queue} --port {port}, or: zcrx-split {iface} on 0" },
	{ "ZC020", "memlock", ZCRX_STEP_BUFFERS, ENOMEM, exceeds_memlock,
	  "the region of {region} exceeds RLIMIT_MEMLOCK, {have}",
	  "ulimit -l {want}, LimitMEMLOCK= in a systemd unit, or a smaller --region" },
	{ "ZC021", "no-hugepages", ZCRX_STEP_REGION, ENOMEM, lacks_hugepages,
	  "of the {want} huge pages for a region of {region}, {have} are free",
	  "sysctl vm.nr_hugepages={want}, or leave out --hugepages" },
	{ "ZC022", "region-memory", ZCRX_STEP_REGION, ENOMEM, NULL,
	  "there is not that much memory",
	  "a smaller --region" },
	{ "ZC023", "pin-memory", ZCRX_STEP_BUFFERS, ENOMEM, NULL,
	  "not enough free memory to pin a region of {region}",
	  "a smaller --region" },
	{ "ZC024", "queue-memory", ZCRX_STEP_QUEUE, ENOMEM, NULL,
	  "no memory for the rings, or more than RLIMIT_MEMLOCK allows",
	  "smaller --rq and --cq, or ulimit -l unlimited" },
	{ "ZC026", "region-below-ring", ZCRX_STEP_QUEUE, ENOSPC, NULL,
	  "the NIC's own ring takes more pages than the region of {region} has",
	  "a larger --region, or a shorter ring: ethtool -G {iface} rx N" },
	{ "ZC025", "queue-refused", ZCRX_STEP_QUEUE, 0, NULL,
	  "{iface} cannot be used so; the kernel's own words, if any, are below",
	  "zcrx-flow status {iface}" },

	{ "ZC030", "port-in-use", ZCRX_STEP_LISTEN, EADDRINUSE, NULL,
	  "another program listens on port {port}",
	  "end it (ss -ltnp 'sport = :{port}' names it), or take another port with -p" },
	{ "ZC031", "port-privileged", ZCRX_STEP_LISTEN, EACCES, NULL,
	  "ports below 1024 need CAP_NET_BIND_SERVICE",
	  "take another port with -p, or run as root" },
	{ "ZC032", "no-address-family", ZCRX_STEP_LISTEN, EAFNOSUPPORT, NULL,
	  "this kernel has IPv4 only, or IPv6 only",
	  "-4 or -6" },
	{ "ZC033", "mss-refused", ZCRX_STEP_LISTEN, EINVAL, NULL,
	  "the kernel takes no such TCP_MAXSEG; 88 to 32767 bytes are possible",
	  "another --mss" },

	{ "ZC040", "not-plain-tcp", ZCRX_STEP_RECEIVE, EPROTONOSUPPORT, NULL,
	  "the connection is not plain TCP: kernel TLS, MPTCP or a BPF sockmap has it",
	  "take the layer off this port, or use --backend copy" },
	{ "ZC041", "peer-reset", ZCRX_STEP_RECEIVE, ECONNRESET, NULL,
	  "the peer broke the connection off; what came so far is not all", NULL },
	{ "ZC042", "other-region", ZCRX_STEP_RECEIVE, EFAULT, NULL,
	  "data arrived in a queue that another receiver has bound",
	  "zcrx-flow status {iface}: the flow must be steered to queue {queue}" },
	{ "ZC043", "peer-silent", ZCRX_STEP_RECEIVE, ETIMEDOUT, NULL,
	  "the peer does not answer any more; what came so far is not all", NULL },
	{ "ZC044", "no-receive-operation", ZCRX_STEP_RECEIVE, EINVAL, have_kernel,
	  "Linux {have} refuses this receive; multishot receive came with 6.0",
	  "boot a newer kernel" },
	{ "ZC045", "rings-disagree", ZCRX_STEP_RECEIVE, EPROTO, NULL,
	  "the completion ring does not hold what a completion announced: a kernel bug",
	  "report it, with the kernel's version and log" },

	{ "ZC050", "disk-full", ZCRX_STEP_SINK, ENOSPC, NULL,
	  "no space is left for {path}",
	  "df -h shows where there is" },
	{ "ZC051", "no-permission", ZCRX_STEP_SINK, EACCES, NULL,
	  "{path} may not be written by this user", "another path with -o" },
	{ "ZC052", "read-only", ZCRX_STEP_SINK, EROFS, NULL,
	  "{path} is on a file system that is mounted read-only", "another path with -o" },
	{ "ZC053", "no-directory", ZCRX_STEP_SINK, ENOENT, NULL,
	  "the directory of {path} does not exist", "mkdir -p \"$(dirname {path})\"" },
	{ "ZC054", "is-directory", ZCRX_STEP_SINK, EISDIR, NULL,
	  "{path} is a directory", "name a file with -o" },
	{ "ZC055", "file-too-large", ZCRX_STEP_SINK, EFBIG, NULL,
	  "{path} grew beyond what its file system or ulimit -f allows", "ulimit -f unlimited" },

	{ "ZC060", "refused", ZCRX_STEP_CONNECT, ECONNREFUSED, NULL,
	  "{peer} answers, but nobody listens on port {port}",
	  "start the receiver first: zcrx-recv -p {port} ..." },
	{ "ZC061", "no-route", ZCRX_STEP_CONNECT, ENETUNREACH, NULL,
	  "there is no route to {peer}", "ip route get {peer}" },
	{ "ZC062", "no-host", ZCRX_STEP_CONNECT, EHOSTUNREACH, NULL,
	  "{peer} does not answer", "ping {peer}" },
	{ "ZC063", "no-answer", ZCRX_STEP_CONNECT, ETIMEDOUT, NULL,
	  "{peer} does not answer on port {port}; a packet filter, perhaps", "ping {peer}" },
	{ "ZC064", "receiver-reset", ZCRX_STEP_SEND, ECONNRESET, NULL,
	  "the receiver broke the connection off; not everything has arrived", NULL },
	{ "ZC065", "receiver-closed", ZCRX_STEP_SEND, EPIPE, NULL,
	  "the receiver closed the connection; not everything has arrived", NULL },

	/* counted by the kernel, when sending without a copy */
	{ "ZC066", "send-copied-loopback", ZCRX_STEP_SEND, -1, NULL,
	  "{have} were copied all the same: {peer} is this host, and what goes over lo is always copied",
	  "nothing to mend; without --zerocopy it is quicker here" },
	{ "ZC067", "send-copied-tap", ZCRX_STEP_SEND, -1, NULL,
	  "{have} were copied all the same: {want} gets a copy of every packet that is sent",
	  "end it, or bind it to another interface; /proc/net/packet lists all such (Proto 0003)" },
	{ "ZC068", "send-copied-feature", ZCRX_STEP_SEND, -1, NULL,
	  "{have} were copied all the same: {want} cannot send from several pieces of memory",
	  "ethtool -K {want} sg on tx on" },
	{ "ZC069", "send-copied-virtual", ZCRX_STEP_SEND, -1, NULL,
	  "{have} were copied all the same: {want} is a virtual interface, whose packets end on this host "
	  "or are copied on their way out",
	  "nothing to mend here; a NIC of its own takes them without a copy" },
	{ "ZC078", "send-copied", ZCRX_STEP_SEND, -1, NULL,
	  "{have} were copied all the same, for a reason that is not known ({want})",
	  "tc filters, nftables rules and tunnels on the way out may copy" },
	{ "ZC079", "send-refused", ZCRX_STEP_SEND, -1, NULL,
	  "{have} had to be copied, as no more memory may be pinned or no more notifications kept",
	  "ulimit -l unlimited; sysctl net.core.optmem_max=1048576" },
	{ "ZC070", "no-hello", ZCRX_STEP_HELLO, EBADMSG, NULL,
	  "{peer} does not begin with a greeting: it is another program, or runs without --hello",
	  "--hello for both zcrx-recv and zcrx-send, or for neither" },
	{ "ZC071", "hello-version", ZCRX_STEP_HELLO, EPROTONOSUPPORT, NULL,
	  "{peer} greets in version {have}, this program in version {want}",
	  "zcrx-recv and zcrx-send of the same release, or both without --hello" },
	{ "ZC072", "hello-silent", ZCRX_STEP_HELLO, ETIMEDOUT, NULL,
	  "{peer} said nothing for {want} s, or not all of its greeting ({have} bytes)",
	  "--hello for both zcrx-recv and zcrx-send, or for neither; --hello=SECONDS waits longer" },
	{ "ZC073", "hello-short", ZCRX_STEP_HELLO, ENODATA, NULL,
	  "{peer} ended the connection after {have} of the {want} bytes of a greeting",
	  "--hello for both zcrx-recv and zcrx-send, or for neither" },
	{ "ZC074", "hello-wrong", ZCRX_STEP_HELLO, EPROTO, NULL,
	  "what {peer} sends is refused: {have}",
	  "zcrx-recv and zcrx-send of the same release, or both without --hello" },
	{ "ZC075", "hello-refused", ZCRX_STEP_HELLO, ECONNREFUSED, NULL,
	  "{peer} refuses: {have}",
	  "its own message says more" },
	{ "ZC076", "hello-reset", ZCRX_STEP_HELLO, ECONNRESET, NULL,
	  "{peer} broke the connection off within the greeting",
	  "--hello for both zcrx-recv and zcrx-send, or for neither" },
	{ "ZC077", "hello-wanted", ZCRX_STEP_SEND, EPROTO, NULL,
	  "the receiver wants a greeting first, and took nothing of what was sent",
	  "zcrx-send --hello, or the receiver without --hello" },

	/* found by looking at counters, not by an error */
	{ "ZC080", "copied-linear", ZCRX_STEP_RECEIVE, -1, NULL,
	  "{have} of the data came in the linear part of packets and was copied: header and payload are not split",
	  "zcrx-flow status {iface}; payloads shorter than the split threshold stay linear" },
	{ "ZC081", "copied-foreign", ZCRX_STEP_RECEIVE, -1, NULL,
	  "{have} of the data came in pages that are not the region's and was copied: the flow does not arrive on queue {queue}",
	  "zcrx-flow up {iface} --queue {queue} --port {port}" },
	{ "ZC090", "copied-spare", ZCRX_STEP_RECEIVE, -1, NULL,
	  "{have} of the data came in pages of the kernel and was copied: the region had no free page",
	  "a larger --region, or a smaller --rcvbuf, which is what can wait in sockets" },
	{ "ZC082", "completion-ring-full", ZCRX_STEP_RECEIVE, -1, NULL,
	  "receiving stopped {have} times since a ring was full or no buffer was free",
	  "a larger --cq, or a larger --region" },
	{ "ZC083", "region-exhausted", ZCRX_STEP_RECEIVE, -1, NULL,
	  "the NIC found no free page in the region {have} times; what it then receives is copied",
	  "a larger --region; it must exceed the NIC's ring (ethtool -g {iface}) times the page" },
	{ "ZC088", "region-exhausted-dropped", ZCRX_STEP_RECEIVE, -1, NULL,
	  "the NIC found no free page in the region, {have} times at least; what then came was lost and sent again",
	  "a larger --region; it must exceed the NIC's ring (ethtool -g {iface}) times the page" },
	{ "ZC089", "copies-not-counted", ZCRX_STEP_RECEIVE, -1, have_kernel,
	  "Linux {have} does not tell how much of the data it copied; more than what is told here may have been",
	  "a newer kernel (7.3 counts), or that of this series" },
	{ "ZC084", "counters-disagree", ZCRX_STEP_RECEIVE, -1, NULL,
	  "completions and the kernel's counters disagree on the bytes received without a copy: {have} and {want}",
	  "report it, with the kernel's version and log" },
	{ "ZC085", "bad-give-back", ZCRX_STEP_RECEIVE, -1, NULL,
	  "the kernel rejected {have} buffers that were given back",
	  "report it, with the kernel's version and log" },
	{ "ZC086", "no-timestamps", ZCRX_STEP_RECEIVE, -1, NULL,
	  "{peer} does not use TCP timestamps, so its segments are 12 bytes longer than a page",
	  "sysctl net.ipv4.tcp_timestamps=1 there, or --mss {want} here" },
	{ "ZC087", "mtu-below-page", ZCRX_STEP_RECEIVE, -1, NULL,
	  "an MTU of {have} has no room for a page of payload",
	  "ip link set {iface} mtu {want}, on both sides" },
};

#define TABLE_LEN	(sizeof(table) / sizeof(table[0]))

static const struct diag unknown = {
	"ZC099", "other", 0, 0, NULL, "no further cause is known", NULL
};

/* What could not be done, one phrase a step */
static const char *const steps[] = {
	[ZCRX_STEP_RING] = "cannot make an io_uring",
	[ZCRX_STEP_REGION] = "cannot get a region of {region}",
	[ZCRX_STEP_BUFFERS] = "cannot register the region of {region}",
	[ZCRX_STEP_QUEUE] = "cannot bind {iface} queue {queue}",
	[ZCRX_STEP_MAP] = "cannot map the rings of {iface} queue {queue}",
	[ZCRX_STEP_LISTEN] = "cannot listen on port {port}",
	[ZCRX_STEP_RECEIVE] = "cannot receive from {peer}",
	[ZCRX_STEP_SINK] = "cannot write {path}",
	[ZCRX_STEP_CONNECT] = "cannot connect to {peer} port {port}",
	[ZCRX_STEP_SEND] = "cannot send to {peer} port {port}",
	[ZCRX_STEP_HELLO] = "cannot agree with {peer} on a geometry",
};

/**
 * diag_at() - walk the table
 * @i: 0, 1, ...
 *
 * Return: the line, NULL beyond the last.
 */
const struct diag *diag_at(unsigned int i)
{
	return i < TABLE_LEN ? &table[i] : NULL;
}

static void region_words(const struct diag_env *env, char *buf, size_t size)
{
	uint64_t bytes = env->cfg ? env->cfg->region_size : 0;

	if (bytes % (1 << 20))
		snprintf(buf, size, "%" PRIu64 " KiB", bytes >> 10);
	else
		snprintf(buf, size, "%" PRIu64 " MiB", bytes >> 20);
}

/* Value of the placeholder {name} */
static const char *value_of(const struct diag_env *env, const char *name, size_t len, char *buf,
			    size_t size)
{
	const struct {
		const char *name;
		const char *text;
	} texts[] = {
		{ "prog", env->prog },
		{ "iface", env->cfg ? env->cfg->iface : NULL },
		{ "path", env->path },
		{ "peer", env->peer },
		{ "have", env->have },
		{ "want", env->want },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strlen(texts[i].name) == len && !memcmp(texts[i].name, name, len))
			return texts[i].text ? texts[i].text : "?";
	if (!strncmp(name, "queue", len))
		snprintf(buf, size, "%u", env->cfg ? env->cfg->queue : 0);
	else if (!strncmp(name, "port", len))
		snprintf(buf, size, "%u", env->port);
	else
		region_words(env, buf, size);
	return buf;
}

static void expand(const struct diag_env *env, const char *text, char *out, size_t size)
{
	size_t used = 0;

	while (text && *text && used + 1 < size) {
		size_t name = *text == '{' ? strcspn(text, "}") : 0;
		const char *value;
		char buf[32];

		if (!name || !text[name]) {
			out[used++] = *text++;
			continue;
		}
		value = value_of(env, text + 1, name - 1, buf, sizeof(buf));
		used += (size_t)snprintf(out + used, size - used, "%s", value);
		if (used >= size)
			used = size - 1;
		text += name + 1;
	}
	out[used] = '\0';
}

static void fill(const struct diag_env *env, const struct diag *d, struct diag_text *out)
{
	out->code = d->code;
	out->name = d->name;
	out->what[0] = '\0';
	out->reason = "";
	expand(env, d->cause, out->cause, sizeof(out->cause));
	expand(env, d->fix, out->fix, sizeof(out->fix));
}

static bool applies(const struct diag *d, struct diag_env *env)
{
	if (d->step != env->why->step || (d->err && d->err != env->why->err))
		return false;
	return !d->probe || d->probe(env);
}

/**
 * diag_explain() - find out why something was refused
 * @env: what was refused, and under which circumstances; probes fill in values
 * @out: the diagnosis in words
 */
void diag_explain(struct diag_env *env, struct diag_text *out)
{
	const struct diag *d = &unknown;
	const char *name;
	size_t used;

	for (size_t i = 0; i < TABLE_LEN; i++) {
		if (applies(&table[i], env)) {
			d = &table[i];
			break;
		}
	}
	fill(env, d, out);
	expand(env, steps[env->why->step], out->what, sizeof(out->what));
	used = strlen(out->what);
	name = strerrorname_np(env->why->err);
	snprintf(out->what + used, sizeof(out->what) - used, ": %s (%s)",
		 strerror(env->why->err), name ? name : "?");
	out->reason = env->why->reason;
}

/**
 * diag_advice() - a diagnostic that no error led to
 * @env: values for the text, @have and @want included
 * @name: its stable name
 * @out: the text
 */
void diag_advice(struct diag_env *env, const char *name, struct diag_text *out)
{
	const struct diag *d = &unknown;

	for (size_t i = 0; i < TABLE_LEN; i++)
		if (!strcmp(table[i].name, name))
			d = &table[i];
	fill(env, d, out);
}

/**
 * diag_print() - print a diagnostic for people
 * @env: as for diag_explain()
 * @text: the diagnostic
 * @out: where to
 */
void diag_print(const struct diag_env *env, const struct diag_text *text, FILE *out)
{
	if (text->what[0]) {
		fprintf(out, "%s: %s %s\n", env->prog, text->code, text->what);
		fprintf(out, "  cause:  %s\n", text->cause);
	} else {
		fprintf(out, "%s: %s %s\n", env->prog, text->code, text->cause);
	}
	if (text->fix[0])
		fprintf(out, "  fix:    %s\n", text->fix);
	if (text->reason[0])
		fprintf(out, "  kernel: %s\n", text->reason);
}
