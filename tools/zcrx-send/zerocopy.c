// SPDX-License-Identifier: GPL-2.0-or-later
#include "zerocopy.h"

#include <time.h>
#include <errno.h>
#include <linux/errqueue.h>	/* needs struct timespec */
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "net.h"
#include "nicinfo.h"
#include "stop.h"

/* Look so often whether the connection has failed, or the stream is to end */
#define LOOK_MS		100

/**
 * zerocopy_open() - prepare a stream
 * @z: the state
 * @fd: its socket
 * @stopping: true as soon as the stream is to end
 * @size: bytes of a buffer, a multiple of the page size
 *
 * Return: 0, -errno; zerocopy_close() in any case.
 */
int zerocopy_open(struct zerocopy *z, int fd, const atomic_bool *stopping, size_t size)
{
	int on = 1;

	/* an ended connection does not tell any more */
	*z = (struct zerocopy){
		.fd = fd, .stopping = stopping, .local = net_is_local(fd), .size = size,
	};
	net_own_iface(fd, z->iface);
	if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)))
		return -errno;
	for (unsigned int i = 0; i < ZEROCOPY_BUFS; i++) {
		/* not of the heap, see zerocopy_close() */
		void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (mem == MAP_FAILED)
			return -errno;
		z->bufs[i].mem = mem;
	}
	return 0;
}

/* Sends @lo to @hi, which may wrap around, are done */
static void complete(struct zerocopy *z, uint32_t lo, uint32_t hi, bool copied)
{
	uint32_t n = hi - lo + 1;

	z->open -= n;
	if (copied)
		z->copied += n;
	for (unsigned int i = 0; i < ZEROCOPY_BUFS; i++) {
		struct zerocopy_buf *b = &z->bufs[i];

		for (uint32_t k = 0; b->open && k < n; k++)
			b->open -= lo + k - b->first < b->sends;
	}
}

/* One notification: 1, 0 for none, -errno */
static int reap_one(struct zerocopy *z)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_storage))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = { .msg_control = &control, .msg_controllen = sizeof(control) };
	const struct sock_extended_err *e;

	if (recvmsg(z->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		e = (const void *)CMSG_DATA(c);
		if (e->ee_origin == SO_EE_ORIGIN_ZEROCOPY && !e->ee_errno)
			complete(z, e->ee_info, e->ee_data,
				 e->ee_code & SO_EE_CODE_ZEROCOPY_COPIED);
	}
	return 1;
}

/**
 * zerocopy_reap() - take what the kernel says is done
 * @z: the state
 * @wait: for at least one
 *
 * Return: 0, -EINTR when the stream is to end, another -errno of the connection.
 */
int zerocopy_reap(struct zerocopy *z, bool wait)
{
	uint64_t before = z->open;

	for (;;) {
		/* the error queue needs no asking for */
		struct pollfd pfd = { .fd = z->fd };
		int ret = reap_one(z);

		if (ret > 0)
			continue;
		if (ret < 0)
			return ret;
		if (!wait || z->open < before || !z->open)
			return 0;
		if (stop_wanted() || *z->stopping)
			return -EINTR;
		poll(&pfd, 1, LOOK_MS);
		ret = pfd.revents & POLLERR ? net_error(z->fd) : 0;
		if (ret)
			return ret;
	}
}

/**
 * zerocopy_buffer() - memory to fill and send from next
 * @z: the state
 * @err: -errno when there is none
 *
 * Waits until the kernel is through with it.
 *
 * Return: the memory, NULL for an error.
 */
uint8_t *zerocopy_buffer(struct zerocopy *z, int *err)
{
	struct zerocopy_buf *b = &z->bufs[z->next];

	*err = zerocopy_reap(z, false);
	while (!*err && b->open)
		*err = zerocopy_reap(z, true);
	if (*err)
		return NULL;
	z->next = (z->next + 1) % ZEROCOPY_BUFS;
	z->now = b;
	b->first = (uint32_t)z->sends;
	b->sends = 0;
	return b->mem;
}

/**
 * zerocopy_sent() - count a send from the buffer in use, with MSG_ZEROCOPY
 * @z: the state
 * @ret: what sendmsg() returned, -errno for an error
 *
 * Return: 0 when it is done; -EAGAIN: send it again; -ENOBUFS: send it again, with a copy;
 * another -errno.
 */
int zerocopy_sent(struct zerocopy *z, int64_t ret)
{
	uint64_t before = z->open;
	int err;

	if (ret >= 0) {
		z->sends++;
		z->open++;
		z->now->sends++;
		z->now->open++;
		return 0;
	}
	if (ret != -ENOBUFS)
		return (int)ret;
	/*
	 * Too much is pinned (RLIMIT_MEMLOCK), or too many notifications wait (optmem_max). To
	 * wait for acknowledgements, which are delayed, would cost more than to copy.
	 */
	err = zerocopy_reap(z, false);
	if (err)
		return err;
	if (z->open < before)
		return -EAGAIN;
	z->refused++;
	return -ENOBUFS;
}

/**
 * zerocopy_close() - give the memory back
 * @z: the state
 *
 * What the kernel still sends from it, it keeps for itself: pages that are not mapped any more stay
 * as they are, while the heap would write to them.
 */
void zerocopy_close(struct zerocopy *z)
{
	for (unsigned int i = 0; i < ZEROCOPY_BUFS; i++)
		if (z->bufs[i].mem)
			munmap(z->bufs[i].mem, z->size);
}

/* ---- why it was copied ------------------------------------------------- */

/* Name and number of a process that has the socket, as far as we may look */
static void name_owner(unsigned long inode, char *out, size_t size)
{
	struct nicinfo_process p = nicinfo_socket_owner(inode);

	if (p.pid)
		snprintf(out, size, "%s (pid %d)", p.name[0] ? p.name : "a process", (int)p.pid);
	else
		snprintf(out, size, "somebody else's packet socket");
}

/* Packet sockets that see every packet of this interface: each gets a copy of its own */
static unsigned int find_taps(const char *iface, char *owner, size_t size)
{
	FILE *f = fopen("/proc/net/packet", "re");
	unsigned int index = if_nametoindex(iface), n = 0, proto, bound;
	unsigned long inode;
	char line[256];

	owner[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*d %*d %x %u %*d %*d %*d %lu", &proto, &bound, &inode) != 3)
			continue;
		if (proto != ETH_P_ALL || (bound && bound != index))
			continue;
		n++;
		if (!owner[0])
			name_owner(inode, owner, size);
	}
	if (f)
		fclose(f);
	return n;
}

static bool lacks_scatter_gather(const char *iface)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GSG };
	struct ifreq ifr = { .ifr_data = (char *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool lacks;

	if (fd < 0)
		return false;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", iface);
	lacks = !ioctl(fd, SIOCETHTOOL, &ifr) && !value.data;
	close(fd);
	return lacks;
}

/**
 * zerocopy_cause() - why the kernel copies what it was to send without a copy
 * @z: the state
 * @env: gets @want: who or what it is
 *
 * Return: name of a diagnostic.
 */
const char *zerocopy_cause(const struct zerocopy *z, struct diag_env *env)
{
	if (z->local)
		return "send-copied-loopback";
	if (find_taps(z->iface, env->want, sizeof(env->want)))
		return "send-copied-tap";
	snprintf(env->want, sizeof(env->want), "%s", z->iface[0] ? z->iface : "?");
	if (!z->iface[0])
		return "send-copied";
	if (lacks_scatter_gather(z->iface))
		return "send-copied-feature";
	return nicinfo_is_virtual(z->iface) ? "send-copied-virtual" : "send-copied";
}
